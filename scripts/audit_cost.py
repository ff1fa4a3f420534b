"""What the campaign cost: core-hours by rule, from the benchmark files that Snakemake writes for every job."""

import ast
import csv
import logging
from pathlib import Path

from thermoweave import environment, logs
from thermoweave.tables import write_csv, write_html

log = logging.getLogger(__name__)

STAGES = ("generate", "label", "train", "explore", "simulate", "reduce", "audit")
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


def read_benchmarks(folder: Path) -> list[dict]:
    """One row a rule: jobs, hours and core-hours. Needs the profile's `benchmark-extended`, which adds the threads."""
    rows = []
    for rule in sorted(folder.iterdir(), key=lambda path: (STAGES.index(path.name.partition("_")[0]), path.name)):
        jobs = [job for path in sorted(rule.rglob("*.tsv")) for job in read_tsv(path)]
        seconds = [float(job["s"]) for job in jobs]
        cores = [float(job["s"]) * int(job["threads"]) * tasks(job) for job in jobs]
        stage = rule.name.partition("_")[0]
        rows.append(
            {
                "stage": stage,
                "rule": rule.name,
                "jobs": len(jobs),
                "wall_h": sum(seconds) / 3600,
                "core_h": sum(cores) / 3600,
            }
        )
    return rows


def tasks(job: dict) -> int:
    """MPI tasks that a cluster gave to a job, each with the job's threads."""
    return ast.literal_eval(job.get("resources") or "{}").get("tasks", 1)


def read_tsv(path: Path) -> list[dict]:
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    if rows and "threads" not in rows[0]:
        raise ValueError(
            f"{path}: no column `threads`; set `benchmark-extended: true` in the profile and run the job again"
        )
    return rows


def audit_cost(folder: Path, out_csv: Path, out_html: Path) -> None:
    """Write the cost table as CSV and HTML."""
    rows = read_benchmarks(folder)
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
