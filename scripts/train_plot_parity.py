"""Parity figure: predicted against reference force components of the held-out test frames, by species."""

from pathlib import Path

import numpy as np
from thermoweave import environment, logs


def plot_parity(predictions: Path, errors: Path, out_figure: Path) -> None:
    """Draw the figure (SVG, PDF; the points as CSV) from predictions.npz and errors.json of `train_potential`."""
    import json

    import matplotlib.pyplot as plt
    import pandas
    from thermoweave import figures

    with np.load(predictions, allow_pickle=False) as data:
        symbol, reference, predicted = data["symbol"], data["reference"], data["predicted"]
    row = json.loads(Path(errors).read_text())["test"]["all"]
    figures.style()
    fig, ax = plt.subplots(figsize=(4.2, 4.0))
    limit = 1.05 * max(np.abs(reference).max(), np.abs(predicted).max())
    ax.plot([-limit, limit], [-limit, limit], color="0.6", linewidth=0.8, zorder=0)
    for name in sorted(set(symbol)):
        chosen = symbol == name
        error = predicted[chosen] - reference[chosen]
        label = f"{name}: {1000 * np.sqrt(np.mean(error**2)):.0f} meV/Å"
        ax.plot(reference[chosen].ravel(), predicted[chosen].ravel(), ".", markersize=3, alpha=0.6, label=label)
    ax.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal")
    ax.set(xlabel="force component, DFT (eV/Å)", ylabel="force component, potential (eV/Å)")
    all_species = f"{row['force_rmse_meV_A']:.0f} ± {row['force_rmse_std_meV_A']:.0f} meV/Å"
    ax.legend(title=f"RMSE, {row['n_frames']} test frames: {all_species}", loc="upper left", markerscale=3)
    columns = {"reference_eV_A": reference.ravel(), "predicted_eV_A": predicted.ravel()}
    figures.publish(fig, Path(out_figure), pandas.DataFrame({"species": np.repeat(symbol, 3), **columns}))


if __name__ == "__main__":
    environment.isolate()
    logs.start(snakemake.log[0])
    plot_parity(snakemake.input.predictions, snakemake.input.errors, snakemake.output[0])
