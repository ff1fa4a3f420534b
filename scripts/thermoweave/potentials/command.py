"""A backend's own command as a subprocess, its output in a log beside what it makes."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path


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
