"""Jobs that an earlier Snakemake of this campaign left in SLURM's queue.

A Snakemake that was killed does not take its jobs along, and the next one does not know them: it would send the same
jobs again beside them.
"""

import logging
import re
import shutil
import subprocess
from pathlib import Path

log = logging.getLogger(__name__)

RUN_ID = re.compile(r"SLURM run ID: (\S+)")  # in Snakemake's log, and the name of all jobs of that run


def refuse_to_repeat(logs: Path) -> None:
    """Raise RuntimeError, saying what to do, while jobs of an earlier run of the campaign wait or run.

    logs: the campaign's .snakemake/log.
    """
    names = run_ids(logs)
    if not names:
        return
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


def run_ids(logs: Path) -> set[str]:
    """Names under which the runs that wrote these logs sent their jobs."""
    found = set()
    for path in logs.glob("*.log"):
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
