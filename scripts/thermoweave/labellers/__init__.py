"""Adapters of programs that label: one module per labeller in this folder, found by its file name.

An adapter is a plain module with

    NUMERICS     set of str: settings of its section `label.NAME` that change how a result is reached, not the result
    RUNG_KEYS    set of str: what a rung of config/ladder.toml may change
    MODULES      tuple of str: other modules that its numbers depend on
    faults(settings, species, pseudo_dir) -> list[str]    what is wrong, beyond config/schema.yaml; before any job
    level(settings, machine, species) -> dict        hashes of what labels must share to be trained together;
                                                     raises, before the first label, where the machine lacks something
    calculate(atoms, settings, machine, folder, needs_stress) -> gate.Calculation    one attempt, in a folder of its own

and everything else sees only `gate.Calculation`.
"""

import hashlib
import json
import time
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from thermoweave import adapters


@dataclass
class Machine:
    """What belongs to the machine and the job, and not to the physics."""

    threads: int = 1  # of a task
    tasks: int = 1  # MPI ranks that the job may start, where a cluster gives them
    mem_mb: int | None = None
    deadline: float = float("inf")  # time.monotonic() at which the job must be over
    pw_command: str = ""
    pseudo_dir: Path = Path()
    npool: int = 1

    @property
    def cores(self) -> int:
        return self.threads * self.tasks

    @property
    def seconds_left(self) -> float:
        return self.deadline - time.monotonic()


def available() -> list[str]:
    """Names of the labellers; nothing is imported."""
    return adapters.names(Path(__file__).parent, {"__init__"})


def adapter(name: str) -> ModuleType:
    """Import the adapter `name`. Raises ValueError, with the nearest name, if there is no such labeller."""
    return adapters.load(__name__, name, available(), "labeller")


def of(label: dict) -> str:
    """The labeller whose settings a config's section `label` holds. Raises ValueError unless it is exactly one."""
    named = [name for name in available() if name in label]
    if len(named) != 1:
        given = " and ".join(named) or "no labeller"
        raise ValueError(f"label: {given} given; it takes the settings of one of {', '.join(available())}")
    return named[0]


def settings_hash(name: str, settings: dict, numerics: set[str]) -> str:
    """sha256 of the labeller's name and of the settings that change its result."""
    physics = {key: _as_float(value) for key, value in settings.items() if key not in numerics}
    return hashlib.sha256(json.dumps([name, physics], sort_keys=True).encode()).hexdigest()


def _as_float(value):
    """15 and 15.0 are one cutoff."""
    if isinstance(value, dict):
        return {key: _as_float(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_float(item) for item in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def scratch(folder: str, output: str) -> Path:
    """The folder that one job works in, its own also where many campaigns share `folder`: named by the job's output."""
    return Path(folder) / hashlib.sha256(str(Path(output).resolve()).encode()).hexdigest()[:16]
