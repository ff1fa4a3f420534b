"""How the errors on held-out labels fall with the number of labels that a potential was trained on."""

import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from thermoweave import environment, logs
from thermoweave.prediction import read_force_errors, rmse_difference
from thermoweave.tables import write_csv

COLUMNS = (
    "backend", "seed", "share", "n_train", "force_rmse_meV_A", "force_rmse_std_meV_A", "above_all_meV_A",
    "above_all_std_meV_A", "energy_rmse_meV_atom", "energy_rmse_std_meV_atom",
)  # fmt: skip


def train_learning_curve(errors: Sequence[Path], predictions: Sequence[Path], out_csv: Path, out_figure: Path) -> None:
    """Write the table and the figure from errors.json and predictions.npz (in the same order) of each training.

    Paths are .../{backend}/seed{seed}/[share{share}/]errors.json.
    """
    rows = curve_rows(errors, predictions)
    write_csv(out_csv, rows, list(COLUMNS))
    draw(rows, out_figure)


def curve_rows(errors: Sequence[Path], predictions: Sequence[Path]) -> list[dict]:
    """A row a training, shares in rising order; `above_all`: force RMSE less that of the training on all labels."""
    found = {}
    for errors_file, predictions_file in zip(errors, predictions, strict=True):
        content = json.loads(Path(errors_file).read_text())
        folder = Path(errors_file).parent
        folder = folder.parent if content["share"] < 1 else folder
        found[folder.parent.name, folder.name.removeprefix("seed"), content["share"]] = (content, predictions_file)
    rows = []
    for (backend, seed, share), (content, predictions_file) in sorted(found.items()):
        row = {"backend": backend, "seed": seed, "share": share, "n_train": content["n_train"]}
        row |= {key: content["test"]["all"][key] for key in COLUMNS if key in content["test"]["all"]}
        if share < 1:
            pair = [read_force_errors(path) for path in (predictions_file, found[backend, seed, 1.0][1])]
            difference, std = rmse_difference(*pair)
            row |= {"above_all_meV_A": round(difference, 3), "above_all_std_meV_A": round(std, 3)}
        rows.append(row)
    return rows


def draw(rows: list[dict], out_figure: Path) -> None:
    """Force RMSE against the number of training labels, a line a backend and seed, one colour a backend."""
    import matplotlib.pyplot as plt
    from matplotlib.ticker import NullFormatter, ScalarFormatter
    from thermoweave import figures

    figures.style()
    fig, ax = plt.subplots(figsize=(4.8, 3.2))
    lines = defaultdict(list)
    for row in rows:
        lines[row["backend"], row["seed"]].append(row)
    backends = sorted({backend for backend, _ in lines})
    for (backend, seed), own in sorted(lines.items()):
        k = backends.index(backend)
        ax.errorbar(
            [row["n_train"] for row in own],
            [row["force_rmse_meV_A"] for row in own],
            [row["force_rmse_std_meV_A"] for row in own],
            color=figures.COLORS[k % len(figures.COLORS)],
            marker=figures.MARKERS[k % len(figures.MARKERS)],
            markersize=5,
            label=f"{backend}, seed {seed}",
        )
    ax.set(xscale="log", yscale="log", xlabel="training labels", ylabel="force RMSE, held-out labels (meV/Å)")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(ScalarFormatter())
        axis.set_minor_formatter(NullFormatter() if axis is ax.xaxis else ScalarFormatter())
    ax.set_xticks(sorted({row["n_train"] for row in rows}))
    fig.legend(loc="outside right upper")
    figures.save(fig, out_figure)


if __name__ == "__main__":
    environment.isolate()
    logs.start(snakemake.log[0])
    train_learning_curve(
        [*snakemake.input.errors, *snakemake.input.share_errors],
        [*snakemake.input.predictions, *snakemake.input.share_predictions],
        snakemake.output.csv,
        snakemake.output.figure,
    )
