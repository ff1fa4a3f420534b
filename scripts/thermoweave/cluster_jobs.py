"""Jobs that outlive their Snakemake.

A Snakemake that was killed does not take its jobs on SLURM along, and the next one does not know them: it would send
the same jobs again beside them, or, once they have ended, take what they made without a record of their settings.
"""

import logging
import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

log = logging.getLogger(__name__)

RUN_ID = re.compile(r"SLURM run ID: (\S+)")  # in Snakemake's log, and the name of all jobs of that run


def resume(workflow, logs: list[str]) -> None:
    """Before the jobs of Snakemake's `workflow` begin; `logs`: the log files of this run, beside those of others.

    Raises RuntimeError, saying what to do, while jobs of an earlier run of the campaign wait or run.
    """
    earlier = {path for log in logs for path in Path(log).parent.glob("*.log")} - set(map(Path, logs))
    if names := run_ids(earlier):
        refuse_to_repeat(names)
        look_again(workflow)


def refuse_to_repeat(names: set[str]) -> None:
    """Raise RuntimeError where SLURM's queue holds jobs of the runs `names`."""
    if shutil.which("squeue") is None:
        log.warning("no squeue here: whether jobs of earlier runs on a cluster still run is not known")
        return
    alive = {number: state for number, state, name in queue() if name in names}
    if alive:
        numbers, states = sorted(alive), sorted(alive.values())
        count = ", ".join(f"{states.count(state)} {state}" for state in sorted(set(states)))
        raise RuntimeError(
            f"{len(alive)} jobs of an earlier run of this campaign are still in SLURM's queue ({count}). Its Snakemake "
            "was killed, or is at work on another machine; a second one would send the same jobs again.\n"
            "Wait until they have ended, then start again; what they finish is kept:\n"
            f"    squeue --jobs={','.join(numbers)}\nOr stop them, then start again:\n    scancel {' '.join(numbers)}"
        )


def look_again(workflow) -> None:
    """Run the jobs whose outputs are there and whose end no Snakemake has recorded.

    With the settings of then unknown, a change since then would go unseen. Labels and trajectories that are those of
    the config are found by their jobs and not computed again.
    """
    dag = workflow.dag
    unrecorded = [job for job in dag.jobs if dag.reason(job).no_metadata and not dag.needrun(job)]
    if unrecorded:
        rules = ", ".join(sorted({job.rule.name for job in unrecorded}))
        log.warning(
            "%d jobs ended after their Snakemake was killed and are looked at again: %s", len(unrecorded), rules
        )
        dag.forcefiles.update(file for job in unrecorded for file in job.output)
        workflow.async_run(dag.postprocess())


def run_ids(logs: Iterable[Path]) -> set[str]:
    """Names under which the runs that wrote these logs sent their jobs."""
    found = set()
    for path in logs:
        with open(path, errors="replace") as file:
            found |= {match[1] for line in file if (match := RUN_ID.search(line))}
    return found


def queue() -> list[tuple[str, str, str]]:
    """Number, state and name of all of the user's jobs that have not ended. Raises RuntimeError if SLURM is silent."""
    command = ["squeue", "--me", "--noheader", "--format=%i|%T|%j"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    except subprocess.TimeoutExpired:
        raise RuntimeError("squeue does not answer; whether jobs of earlier runs still run is not known") from None
    if done.returncode:
        raise RuntimeError(f"squeue: {done.stderr.strip()}; whether jobs of earlier runs still run is not known")
    return [tuple(line.strip().split("|")) for line in done.stdout.splitlines()]
