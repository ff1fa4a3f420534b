"""One line for each run of the grid: what was simulated, whether it passed, and how good the potential is there."""

import json
from pathlib import Path

from thermoweave import environment, logs
from thermoweave.tables import read_csv, with_error, write_csv, write_html

COLUMNS = {
    "concentration": "x",
    "temperature": "T (K)",
    "replica": "replica",
    "verdict": "verdict",
    "frames": "frames",
    "mean_temperature_K": "mean T (K)",
    "wall_contacts_per_frame": "wall contacts / frame",
    "drift": "drift (eV/atom/ns)",
    "ns_per_day": "ns/day",
    "force_rmse": "force RMSE at x (meV/Å)",
    "coverage": "covered by labels",
    "diffusion": "D (1e-9 m²/s)",
    "spot_check": "force RMSE of spot checks (meV/Å), over that of held-out labels",
}
CAPTION = (
    "A run that failed the health gate is a gap in every figure and table, with its reason here. Wall contacts: ion "
    "pairs inside the wall where the labels end, mean over the frames; near zero, the run stayed where labels are. "
    "Drift: of the energy that ought to be conserved, with its standard error. Force RMSE: of the potential on labels "
    "held out, of that concentration, with its standard error. Covered by labels: what active learning says of the "
    "condition (explore.target). D: self-diffusion coefficient of each species from all "
    "replicas of the condition, one standard deviation, not corrected for size. Spot checks: frames of the runs that "
    "were labelled (reduce.spot_checks), with 68 % intervals."
)


def audit_conditions(
    verdicts: list[Path], errors: list[Path], transport: Path, spot_checks: list[Path], coverage: list[Path],
    out_csv: Path, out_html: Path,
) -> None:  # fmt: skip
    """Write the condition table as CSV and HTML; `errors` of the trained seeds, which replicas take in turn;
    `spot_checks`, `coverage`: their table, if there is one.
    """
    checks = {(row["concentration"], row["temperature"]): row for path in spot_checks for row in read_csv(path)}
    covered = {(row["concentration"], row["temperature"]): row for path in coverage for row in read_csv(path)}
    rmse = [force_errors(json.loads(Path(path).read_text())) for path in errors]
    diffusion = diffusion_texts(read_csv(transport))
    rows = []
    for path in verdicts:
        verdict = json.loads(Path(path).read_text())
        x, t = verdict["concentration"], verdict["temperature"]
        rows.append(
            {
                **{key: verdict.get(key, "") for key in COLUMNS},
                "verdict": "passed" if verdict["passed"] else f"failed: {verdict['reason']}",
                "drift": with_error(*(verdict.get(f"drift_{key}eV_atom_ns", float("nan")) for key in ("", "std_"))),
                "force_rmse": rmse[(int(verdict["replica"]) - 1) % len(rmse)].get(x, "–"),
                "coverage": coverage_text(covered.get((x, t), {})),
                "diffusion": diffusion.get((x, t), "–"),
                "spot_check": spot_text(checks.get((x, t), {})),
                "gap": not verdict["passed"],
            }
        )
    write_csv(out_csv, [{key: row[key] for key in COLUMNS} for row in rows], list(COLUMNS))
    write_html(out_html, "Conditions", CAPTION, COLUMNS, rows)


def force_errors(errors: dict) -> dict[str, str]:
    """Force RMSE on held-out labels for each concentration, as text with its standard error."""
    return {
        row["concentration"]: with_error(row["force_rmse_meV_A"], row["force_rmse_std_meV_A"])
        for row in errors["test"]["concentrations"]
    }


def coverage_text(row: dict) -> str:
    """`covered` or `not covered (...)` of a line of explore's conditions.csv; a dash where nothing walked."""
    if not row:
        return "–"
    return f"{row['verdict']} ({row['reason']})" if row["reason"] else row["verdict"]


def spot_text(row: dict) -> str:
    """`61 (55 to 67), 1.3 × held out` of a line of the spot checks; a dash where there is none."""
    parts = [row.get(f"force_rmse{end}_meV_A") for end in ("", "_low", "_high")]
    if not parts[0]:
        return "–"
    interval = f" ({parts[1]} to {parts[2]})" if parts[1] else ""
    ratio = f", {row['force_ratio']} × held out" if row["force_ratio"] else ""
    return f"{parts[0]}{interval}{ratio}"


def diffusion_texts(rows: list[dict]) -> dict[tuple[str, str], str]:
    """`Li 9.1 ± 1.0, K ...` for each condition that has numbers."""
    texts: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        value, std = (float(row[key] or "nan") * 1e9 for key in ("D_m2_s", "D_std_m2_s"))
        texts.setdefault((row["concentration"], row["temperature"]), []).append(
            f"{row['species']} {with_error(value, std)}"
        )
    return {key: ", ".join(parts) for key, parts in texts.items()}


if __name__ == "__main__":
    environment.isolate()
    logs.start(snakemake.log[0])
    audit_conditions(
        list(snakemake.input.verdicts),
        list(snakemake.input.errors),
        snakemake.input.transport,
        list(snakemake.input.spot_checks),
        list(snakemake.input.coverage),
        snakemake.output.csv,
        snakemake.output.html,
    )
