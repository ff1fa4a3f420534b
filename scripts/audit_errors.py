"""The errors of a potential on labels that it was not trained on, in all and by condition, as a table of the report."""

import json
from pathlib import Path

from thermoweave import environment, logs
from thermoweave.tables import with_error, write_csv, write_html

COLUMNS = {
    "seed": "seed",
    "concentration": "x",
    "temperature": "T (K)",
    "species": "forces on",
    "n_frames": "test labels",
    "force_rmse": "force RMSE (meV/Å)",
    "force_mae": "force MAE (meV/Å)",
    "energy_rmse": "energy RMSE (meV/atom)",
    "energy_mae": "energy MAE (meV/atom)",
    "stress_rmse": "stress RMSE (meV/Å³)",
    "stress_mae": "stress MAE (meV/Å³)",
}
UNITS = {"force": "meV_A", "energy": "meV_atom", "stress": "meV_A3"}
CAPTION = (
    "Root mean square and mean absolute errors of force components, of the energy and, where labels have it, of the "
    "stress against DFT, each with its standard error, on held-out labels. T is the temperature that a structure was "
    "made for; first structures are superheated on purpose. Structures with a squeezed pair all train: they say where "
    "the wall stands."
)


def audit_errors(errors: list[Path], out_csv: Path, out_html: Path) -> None:
    """Write the table as CSV and HTML from errors.json of each trained seed."""
    rows = [row for path in errors for row in error_rows(Path(path))]
    write_csv(out_csv, rows, list(COLUMNS))
    shown = {key: heading for key, heading in COLUMNS.items() if any(row[key] for row in rows)}
    write_html(out_html, "Errors of the potential", CAPTION, shown, rows)


def error_rows(path: Path) -> list[dict]:
    """Rows of one potential: all test labels, each species, each concentration, each condition with a test label."""
    test = json.loads(path.read_text())["test"]
    found = [test["all"], *test["species"], *test["concentrations"], *test["conditions"]]
    return [
        {
            "seed": path.parent.name.removeprefix("seed"),
            "concentration": row.get("concentration", "all"),
            "temperature": row.get("temperature", "all"),
            "species": row.get("species", "all"),
            "n_frames": row["n_frames"],
            **{f"{what}_{kind}": _number(row, what, kind) for what in UNITS for kind in ("rmse", "mae")},
        }
        for row in found
    ]


def _number(row: dict, what: str, kind: str) -> str:
    """`44 ± 3`, or nothing where the row has no such error."""
    name = f"{what}_{kind}_{UNITS[what]}"
    return with_error(row[name], row[f"{what}_{kind}_std_{UNITS[what]}"]) if name in row else ""


if __name__ == "__main__":
    environment.isolate()
    logs.start(snakemake.log[0])
    audit_errors(list(snakemake.input.errors), snakemake.output.csv, snakemake.output.html)
