"""Core-hours by rule, from the benchmark files that Snakemake writes for every job."""

import ast
import csv
from pathlib import Path

STAGES = ("generate", "label", "train", "explore", "simulate", "reduce", "audit")


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
