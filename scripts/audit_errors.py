"""The errors of a potential on labels that it was not trained on, in all and by condition, as a table of the report."""

import json
from pathlib import Path

from thermoweave import environment, logs
from thermoweave.tables import with_error, write_csv, write_html

COLUMNS = {
    "seed": "seed",
    "concentration": "x",
    "temperature": "T (K)",
    "n_frames": "test labels",
    "force_rmse": "force RMSE (meV/Å)",
    "force_mae": "force MAE (meV/Å)",
    "energy_rmse": "energy RMSE (meV/atom)",
}
CAPTION = (
    "Root mean square and mean absolute errors of force components and of the energy against DFT, each with its "
    "standard error, on held-out labels. T is the temperature that a structure was made for; first structures are "
    "superheated on purpose. Structures with a squeezed pair all train: they say where the wall stands."
)


def audit_errors(errors: list[Path], out_csv: Path, out_html: Path) -> None:
    """Write the table as CSV and HTML from errors.json of each trained seed."""
    rows = [row for path in errors for row in error_rows(Path(path))]
    write_csv(out_csv, rows, list(COLUMNS))
    write_html(out_html, "Errors of the potential", CAPTION, COLUMNS, rows)


def error_rows(path: Path) -> list[dict]:
    """Rows of one potential: all test labels, each concentration, each condition that has a test label."""
    test = json.loads(path.read_text())["test"]
    everywhere = {"concentration": "all", "temperature": "all"}
    found = [{**everywhere, **test["all"]}]
    found += [{**everywhere, **row} for row in test["concentrations"]] + test["conditions"]
    return [
        {
            "seed": path.parent.name.removeprefix("seed"),
            "concentration": row["concentration"],
            "temperature": row["temperature"],
            "n_frames": row["n_frames"],
            "force_rmse": with_error(row["force_rmse_meV_A"], row["force_rmse_std_meV_A"]),
            "force_mae": with_error(row["force_mae_meV_A"], row["force_mae_std_meV_A"]),
            "energy_rmse": with_error(row["energy_rmse_meV_atom"], row["energy_rmse_std_meV_atom"]),
        }
        for row in found
    ]


if __name__ == "__main__":
    environment.isolate()
    logs.start(snakemake.log[0])
    audit_errors(list(snakemake.input.errors), snakemake.output.csv, snakemake.output.html)
