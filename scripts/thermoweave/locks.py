"""One process at a time on one output.

A killed Snakemake leaves its jobs running, and the next Snakemake starts the same jobs again: the new one then waits
for the old one, and takes over what it did.
"""

import fcntl
import logging
from pathlib import Path
from typing import TextIO

log = logging.getLogger(__name__)


def hold(output: Path) -> TextIO:
    """Wait until no other process holds `output`, then hold it until this process ends or the returned file is closed.

    The lock is a hidden file beside the output and stays there: removing it would let two processes in.
    """
    output = Path(output)
    output.parent.mkdir(parents=True, exist_ok=True)
    file = open(output.with_name(f".{output.name}.lock"), "w")  # noqa: SIM115  closed by the caller or the end of the process
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        log.warning("another process is at work on %s (a job that outlived its Snakemake?): waiting for it", output)
        fcntl.flock(file, fcntl.LOCK_EX)
    return file
