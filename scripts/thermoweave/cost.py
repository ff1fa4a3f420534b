"""What jobs took: from the benchmark files that Snakemake writes for every job, and from the record of their attempts.

A benchmark file has the last run of its job only. Runs that failed, were killed or were made again are in the record of
attempts (`job_attempts`). What such a run leaves for the next one (labels, a trajectory) is not lost.
"""

import ast
import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from thermoweave import job_attempts
from thermoweave.job_attempts import Attempt
from thermoweave.logs import ATTEMPTS

STAGES = ("generate", "label", "train", "explore", "simulate", "reduce", "audit")
COUNTED = STAGES[:-1]  # in the cost tables: the audit makes them, it takes seconds
Kept = Callable[[str, tuple[Attempt, ...], float], float]


@dataclass
class Spent:
    """What a job took over all its attempts."""

    rule: str
    cores: int
    wall_s: float
    lost_s: float = 0.0  # of it, in attempts that failed, were killed or were made again, and left nothing to the next
    earlier: tuple[Attempt, ...] = ()  # all attempts but the one whose results are there
    recorded: bool = False  # whether there is a record of attempts

    @property
    def stage(self) -> str:
        return self.rule.partition("_")[0]

    @property
    def core_h(self) -> float:
        return self.wall_s * self.cores / 3600

    @property
    def lost_core_h(self) -> float:
        return self.lost_s * self.cores / 3600


def read_jobs(results: Path, kept: Kept) -> dict[str, Spent]:
    """What every job took that has a benchmark file or a record of attempts, by the name of its log.

    `kept`: of a job's earlier attempts and the seconds of its last one, how many seconds were not in vain. A job
    without a benchmark has the cores of its rule's other jobs (one, if none has), and lasts from its first to its last
    message.
    """
    benchmarks = {_name(path, results / "benchmarks"): path for path in (results / "benchmarks").rglob("*.tsv")}
    attempts = {_name(path, results / "logs"): path for path in (results / "logs").rglob(f"*{ATTEMPTS}")}
    last = {name: run for name, path in benchmarks.items() if (run := _last_run(path))}
    cores = {_rule(name): run[1] for name, run in sorted(last.items())}
    found = {}
    for name in sorted(benchmarks.keys() | attempts.keys()):
        if _rule(name).partition("_")[0] in COUNTED:
            known = job_attempts.read(attempts[name]) if name in attempts else []
            ended = name in benchmarks or _rule(name) not in cores  # or no job of its rule has a benchmark file
            found[name] = _spent(name, last.get(name), cores.get(_rule(name), 1), ended, known, kept)
    return found


def _spent(
    name: str, last: tuple[float, int] | None, cores: int, ended: bool, known: list[Attempt], kept: Kept
) -> Spent:
    """`last`: seconds and cores by the benchmark file, if it says them; `cores`: of its rule's other jobs; `ended`:
    whether the job has ever done what it was to do.
    """
    behind = job_attempts.behind(known)
    if last:
        seconds, cores = last
    else:  # no benchmark file, or, of a job that was too quick for it, an empty one
        behind = behind if ended else None
        seconds = behind.wall_s if behind else 0.0
    if last and not behind:  # its end is in no record, but the benchmark file is there
        behind = known[-1] if known else None
    earlier = tuple(one for one in known if one is not behind)
    earlier_s = sum(one.wall_s for one in earlier)
    lost_s = max(0.0, earlier_s - kept(name, earlier, seconds))
    return Spent(_rule(name), cores, seconds + earlier_s, lost_s, earlier, bool(known))


def _last_run(benchmark: Path) -> tuple[float, int] | None:
    """Seconds, and the cores that were held; None where the job was over before Snakemake looked."""
    rows = read_tsv(benchmark)
    return (float(rows[-1]["s"]), int(rows[-1]["threads"]) * tasks(rows[-1])) if rows else None


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


def _name(path: Path, folder: Path) -> str:
    return str(path.relative_to(folder).with_suffix(""))


def _rule(name: str) -> str:
    return name.partition("/")[0]
