"""What the adapters share around a training: its folder, its labels as files, a command of the package's own."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from ase import Atoms
from ase.io import write


def emptied(directory: Path) -> Path:
    """The folder, made anew and empty: nothing of an earlier training is taken for one of this."""
    directory = Path(directory).resolve()
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    return directory


def write_labels(directory: Path, train: Sequence[Atoms], valid: Sequence[Atoms]) -> None:
    """train.extxyz and valid.extxyz."""
    for name, frames in (("train", train), ("valid", valid)):
        write(Path(directory) / f"{name}.extxyz", list(frames), format="extxyz")


def run(argv: Sequence[str], directory: Path, name: str, environment: dict[str, str] | None = None) -> None:
    """Run a command in `directory` with its output in directory/`name`.log, `environment` added to this process's own.

    Raises RuntimeError with the end of the log where the command fails.
    """
    log = Path(directory) / f"{name}.log"
    with open(log, "w") as output:
        status = subprocess.run(
            argv, cwd=directory, stdout=output, stderr=subprocess.STDOUT, env={**os.environ, **(environment or {})}
        ).returncode
    if status:
        tail = "\n".join(log.read_text().splitlines()[-15:])
        raise RuntimeError(f"{name} ended with status {status}; the end of {log}:\n{tail}")
