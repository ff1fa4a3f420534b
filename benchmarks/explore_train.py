"""nequip-train without its start: of a small network, importing torch and nequip takes longer than training.

`quick()` has scripts/train_potential.py train in children of a process that has imported them. The child calls what the
command calls, with the same configuration: the weights are the same, bit for bit.
"""

import multiprocessing
import os
import sys
from collections.abc import Sequence
from pathlib import Path

PRELOADED = (
    "hydra", "lightning", "lightning.pytorch.callbacks", "lightning.pytorch.loggers", "nequip.data.datamodule",
    "nequip.data.transforms", "nequip.model", "nequip.scripts.train", "nequip.train", "torch._dynamo", "torchmetrics",
    "vesin",
)  # fmt: skip

_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(list(PRELOADED))


def quick() -> None:
    """From now on, train this way."""
    from thermoweave.potentials import nequip

    nequip.run = run


def run(argv: Sequence[str], directory: Path, name: str, environment: dict[str, str]) -> None:
    """As thermoweave.potentials.command.run does, for nequip-train."""
    log = Path(directory) / f"{name}.log"
    child = _forks.Process(target=train, args=(list(argv[3:]), str(directory), str(log), environment))
    child.start()
    child.join()
    if child.exitcode:
        raise RuntimeError(f"{name} ended with status {child.exitcode}; see {log}")


def train(arguments: list[str], directory: str, log: str, environment: dict[str, str]) -> None:
    """In the child: what `python -m nequip.scripts.train` does."""
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.chdir(directory)
    os.environ.update(environment)
    sys.path[:0] = environment["PYTHONPATH"].split(os.pathsep)
    sys.argv = ["nequip-train", *arguments]
    from nequip.scripts.train import main

    main()
