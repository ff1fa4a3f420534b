"""All potentials of the last round side by side: errors on the same held-out labels, and what they cost."""

import logging
from collections.abc import Sequence
from pathlib import Path

from thermoweave import environment, logs
from thermoweave.potentials import manifest as manifests
from thermoweave.prediction import read_force_errors, rmse_difference
from thermoweave.tables import with_error, write_csv, write_html

log = logging.getLogger(__name__)

COLUMNS = {
    "backend": "potential",
    "model": "model",
    "seed": "seed",
    "version": "version",
    "start": "began from",
    "n_train": "training labels",
    "n_test": "test labels",
    "force_rmse": "force RMSE (meV/Å)",
    "above_best": "above the best (meV/Å)",
    "force_mae": "force MAE (meV/Å)",
    "energy_rmse": "energy RMSE (meV/atom)",
    "energy_mae": "energy MAE (meV/atom)",
    "stress_rmse": "stress RMSE (meV/Å³)",
    "train_core_min": "training (core-min)",
    "ms_per_step": "ms a step",
    "n_atoms": "of so many atoms",
    "compiled": "compiled",
}
# Columns that have a standard error, and their units in the CSV.
NUMBERS = {
    "force_rmse": "meV_A",
    "above_best": "meV_A",
    "force_mae": "meV_A",
    "energy_rmse": "meV_atom",
    "energy_mae": "meV_atom",
    "stress_rmse": "meV_A3",
}
CAPTION = (
    "Errors on held-out labels, the same for all, with their standard errors. Above the best: difference to the lowest "
    "force RMSE; it is known better than either value, since what makes a label hard is hard for all. Bars are those "
    "of other test labels; another seed is not in them. A step is energy, forces and the wall through ASE, on one "
    "thread of the machine that compiled it."
)


def train_compare(
    manifest_files: Sequence[Path], predictions: Sequence[Path], out_csv: Path, out_html: Path, out_figure: Path
) -> None:
    """Write the table as CSV and HTML, and the figure.

    Parameters: `manifest_files`, potential.json of each (compiled) potential; `predictions`, predictions.npz of each,
    in the same order. Raises ValueError where they were not tested on the same labels.
    """
    contents = [manifests.read(path) for path in manifest_files]
    tested = {str(path): content["test_set_sha256"] for path, content in zip(manifest_files, contents, strict=True)}
    if len(set(tested.values())) > 1:
        told = ", ".join(f"{path}: {labels[:8]}" for path, labels in tested.items())
        raise ValueError(f"the potentials were tested on different labels ({told}): train the older ones again")
    rows = compare(contents, [read_force_errors(path) for path in predictions])
    write_csv(out_csv, [csv_row(row) for row in rows], list(csv_row(rows[0])))
    write_html(out_html, "Potentials side by side", CAPTION, shown(rows), [html_row(row) for row in rows])
    draw(rows, out_figure)
    for row in rows:
        log.info("%s", row)


def compare(contents: Sequence[dict], errors: Sequence[list]) -> list[dict]:
    """A row a potential, best first; numbers with errors as (value, standard error), None where there is none."""
    best = min(range(len(contents)), key=lambda k: contents[k]["errors"]["all"]["force_rmse_meV_A"])
    rows = []
    for k, content in enumerate(contents):
        found, speed = content["errors"]["all"], content["speed"]
        number = {
            key: (found[f"{key}_{unit}"], found[f"{key}_std_{unit}"])
            for key, unit in NUMBERS.items()
            if f"{key}_{unit}" in found
        }
        rows.append(
            {
                **dict.fromkeys(COLUMNS), **number,
                "backend": content["backend"], "model": content["hyperparameters"].get("model", ""),
                "seed": str(content["seed"]), "version": content["version"],
                "start": Path(content["start"]["file"]).name if content["start"] else "",
                "n_train": content["n_train"], "n_test": content["n_test"],
                "above_best": None if k == best else rmse_difference(errors[k], errors[best]),
                "train_core_min": content["training"]["core_s"] / 60,
                "ms_per_step": speed["ms_per_step"], "n_atoms": speed["n_atoms"],
                "compiled": "yes" if content["compiled"] else "no",
            }
        )  # fmt: skip
    return sorted(rows, key=lambda row: row["force_rmse"][0])


def csv_row(row: dict) -> dict:
    """Plain numbers with their units in the column's name, and each one's standard error in a column of its own."""
    flat = {}
    for key in COLUMNS:
        if key in NUMBERS:
            value, std = row[key] or ("", "")
            flat |= {f"{key}_{NUMBERS[key]}": _rounded(value), f"{key}_std_{NUMBERS[key]}": _rounded(std)}
        else:
            flat[key] = _rounded(row[key])
    return flat


def _rounded(value):
    return f"{value:.4g}" if isinstance(value, float) else value


def shown(rows: list[dict]) -> dict[str, str]:
    """The columns of the HTML table: without those that are empty in every row."""
    return {key: heading for key, heading in COLUMNS.items() if any(row[key] not in (None, "") for row in rows)}


def html_row(row: dict) -> dict:
    texts = {key: with_error(*row[key]) if row[key] else "–" for key in NUMBERS}
    costs = {key: f"{row[key]:.1f}" for key in ("train_core_min", "ms_per_step")}
    return {**row, **texts, **costs}


def draw(rows: list[dict], out_figure: Path) -> None:
    """Force error against the time of a step and against the cost of training; one colour a potential."""
    import matplotlib.pyplot as plt
    from thermoweave import figures

    figures.style()
    fig, axes = plt.subplots(1, 2, figsize=(6.6, 3.0), sharey=True)
    names = sorted({row["model"] or row["backend"] for row in rows})
    for ax, key in zip(axes, ("ms_per_step", "train_core_min"), strict=True):
        for k, name in enumerate(names):
            own = [row for row in rows if name == (row["model"] or row["backend"])]
            values, errors = zip(*(row["force_rmse"] for row in own), strict=True)
            color, marker = figures.COLORS[k % len(figures.COLORS)], figures.MARKERS[k % len(figures.MARKERS)]
            ax.errorbar([row[key] for row in own], values, errors, fmt=marker, color=color, label=name, markersize=5)
        ax.set_xlim(left=0)
        ax.set_ylim(bottom=0)
    axes[0].set(xlabel=f"time of a step, {rows[0]['n_atoms']} atoms (ms)", ylabel="force RMSE (meV/Å)")
    axes[1].set(xlabel="training (core-minutes)")
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside right upper")
    figures.save(fig, out_figure)


if __name__ == "__main__":
    environment.isolate()
    logs.start(snakemake.log[0])
    train_compare(
        snakemake.input.manifests,
        snakemake.input.predictions,
        snakemake.output.csv,
        snakemake.output.html,
        snakemake.output.figure,
    )
