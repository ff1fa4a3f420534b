"""Processes of a cluster in /proc: those below the one that runs it, or, where that was killed, by environment."""

import contextlib
import fcntl
import os
import re
import signal
import time
from pathlib import Path

LOCK = "thermoweave.lock"  # in the cluster's folder, held as long as what runs the cluster lives


def descendants(pid: int) -> list[int]:
    """Processes below `pid`, nearest first."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):  # it has just ended
            continue
        children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found = list(children.get(pid, []))
    for child in found:
        found += children.get(child, [])
    return found


def kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):  # it has just ended
        os.kill(pid, signal.SIGKILL)


def reap() -> None:
    """Take the exit status of all children that have ended, of those, too, that others left behind."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def hold(root: Path) -> int:
    """Mark the cluster in `root` as one that lives; the kernel takes the mark away with this process."""
    lock = os.open(root / LOCK, os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return lock


def orphaned(root: Path) -> bool:
    """Whether `root` is of a cluster of these tests, and what ran it is no more."""
    try:
        lock = os.open(root / LOCK, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(lock)
    return True


def orphans(root: Path, daemons: set[str]) -> list[int]:
    """What a cluster whose supervisor was killed left running: daemons of these names, and what its jobs started."""
    configuration = root / "slurm.conf"
    named = re.match(r"ClusterName=(\w+)\n", configuration.read_text())
    if named is None:  # it was killed before it started anything
        return []
    here = {f"SLURM_CONF={configuration}".encode()}
    job = {f"SLURM_CLUSTER_NAME={named[1]}".encode()}
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            variables = set((process / "environ").read_bytes().split(b"\0"))
            name = (process / "comm").read_text().strip()
        except (FileNotFoundError, ProcessLookupError, PermissionError):  # it has just ended, or is not ours
            continue
        if (here & variables and name in daemons) or job & variables:
            found.append(int(process.name))
    return found


def end_orphans(root: Path, daemons: set[str]) -> None:
    """SIGKILL to all orphans, until there are none; a process that has ended but was not taken has no environment."""
    end = time.monotonic() + 30
    while pids := orphans(root, daemons):
        if time.monotonic() > end:
            raise TimeoutError(f"processes of the dead cluster in {root} do not end: {pids}")
        for pid in pids:
            kill(pid)
        time.sleep(0.05)
