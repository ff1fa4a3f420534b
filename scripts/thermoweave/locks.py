"""One process at a time on one job.

A killed Snakemake leaves its jobs running, and the next Snakemake starts the same jobs again: the new one then waits
for the old one to end. Labels and trajectories that the old one finished are found and not made again.
"""

import fcntl
import logging
from pathlib import Path

log = logging.getLogger(__name__)

_held = {}  # open files by path: closing one gives its lock back


def hold(path: Path) -> None:
    """Wait until no other process holds `path`, then hold it until this process ends; once held, nothing happens.

    The lock is a hidden file beside it and stays there: removing it would let two processes in.
    """
    path = Path(path).absolute()
    if path in _held:
        return
    file = open(path.with_name(f".{path.name}.lock"), "w")  # noqa: SIM115  the end of the process closes it
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        log.warning("%s: the same job still runs, from a Snakemake that was killed; waiting for its end", path)
        fcntl.flock(file, fcntl.LOCK_EX)
    _held[path] = file
