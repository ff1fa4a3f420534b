"""What the campaign cost: core-hours by rule, from the benchmark files that Snakemake writes for every job."""

import logging
from pathlib import Path

from thermoweave import cost, environment, logs
from thermoweave.tables import write_csv, write_html

log = logging.getLogger(__name__)

COLUMNS = {
    "stage": "stage",
    "rule": "rule",
    "jobs": "jobs",
    "wall_h": "hours, summed over jobs",
    "core_h": "core-hours",
    "share": "share (%)",
}
CAPTION = (
    "Wall time of each job times the cores that it held, from Snakemake's benchmark files: the last run of every job; "
    "what killed or repeated jobs cost before is not in it. Every label attempt, failed ones included, is in "
    "results/label/round*/summary.csv and results/label/spot_checks/*/summary.csv."
)


def audit_cost(folder: Path, out_csv: Path, out_html: Path) -> None:
    """Write the cost table as CSV and HTML."""
    rows = cost.read_benchmarks(folder)
    total = sum(row["core_h"] for row in rows)
    wall = sum(row["wall_h"] for row in rows)
    rows.append({"stage": "all", "rule": "", "jobs": sum(row["jobs"] for row in rows), "wall_h": wall, "core_h": total})
    for row in rows:
        row.update(
            share=f"{100 * row['core_h'] / total:.1f}", wall_h=f"{row['wall_h']:.4f}", core_h=f"{row['core_h']:.4f}"
        )
    write_csv(out_csv, rows, list(COLUMNS))
    write_html(out_html, f"Cost: {total:.2f} core-hours", CAPTION, COLUMNS, rows)
    log.info("%.3f core-hours in all", total)


if __name__ == "__main__":
    environment.isolate()
    logs.start(snakemake.log[0])
    audit_cost(Path(snakemake.params.benchmarks), snakemake.output.csv, snakemake.output.html)
