"""Runs of liquid argon: a test double in place of a trained potential, for tests of what surrounds the forces.

As a program, `argon.py FOLDER`, it runs to the end; tests kill it in the middle.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from unittest import mock

import numpy as np
from ase import Atoms
from ase.build import bulk
from ase.calculators.lj import LennardJones

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))

import simulate_md
from thermoweave import batch
from thermoweave.engines import ase as engine
from thermoweave.frames import write_frames
from thermoweave.health import Limits
from thermoweave.protocol import Protocol
from thermoweave.runs import Condition

LIMITS = Limits(min_distance=2.0, max_force=50.0, max_temperature_ratio=3.0)
CHECKS = batch.Checks(max_drift=1000.0, retry_half_step=False, committee=None)
PROTOCOL = Protocol(
    timestep_fs=5.0,
    heating_ps=0.2,
    equilibration_ps=0.5,
    production_ps=2.0,
    frame_interval=5,
    equilibration_thermostat_ps=0.1,
    production_thermostat_ps=0.5,
    density="fixed",
)
NVE = {**vars(PROTOCOL), "production_thermostat_ps": "nve"}


PAIR = {"sigma": 3.4, "epsilon": 0.0104, "rc": 5.5, "smooth": True}


class Argon(LennardJones):
    """ASE's Lennard-Jones with the wall's result beside it."""

    wall_contacts = 0

    def calculate(self, *args, **kwargs):
        self.nl = None  # a list with a skin depends on the past: its order of summation would change the last bits
        super().calculate(*args, **kwargs)
        self.results["wall_contacts"] = self.wall_contacts


class Session(engine.Session):
    """The engine ase with argon's potential; `contacts` are what its wall says."""

    contacts, depth = 0, PAIR["epsilon"]

    def __init__(self, potential=None, device="cpu"):
        self._calculator = Argon(**{**PAIR, "epsilon": self.depth})
        self._calculator.wall_contacts = self.contacts


def start(path: Path, repeat: tuple[int, int, int] = (2, 2, 2), lattice: float = 5.6) -> Path:
    atoms: Atoms = bulk("Ar", "fcc", a=lattice, cubic=True) * repeat
    write_frames(path, [atoms])
    return path


def run(
    folder: Path,
    limits: Limits = LIMITS,
    protocol: Protocol = PROTOCOL,
    checks: batch.Checks = CHECKS,
    replicas: int = 1,
    session: type = Session,
    committee: Sequence = (),
    code: str = "",
) -> Path:
    """Run replicas at 90 K in `folder`; returns the folder of the first, with its trajectory and facts."""
    folder.mkdir(parents=True, exist_ok=True)
    manifest = {"backend": "lennard_jones", "dtype": "float64", "wall": {}, "energy_shifts_eV": {}, "compiled": None}
    manifest |= {"weights": ["model.json"], "files": {"model.json": str(session.depth)}}
    if not (folder / "potential.json").exists():  # another process may be reading it
        (folder / "potential.json").write_text(json.dumps(manifest))
    starts = [folder / f"start{k}.extxyz" for k in range(1, replicas + 1)]
    for path in starts:
        if not path.exists():
            start(path)
    conditions = [Condition("0.50", "90", str(k), path, folder / f"replica{k}") for k, path in enumerate(starts, 1)]
    record = folder / "replica1.run.json"
    with (
        mock.patch.object(engine, "Session", session),
        mock.patch.object(simulate_md.manifests, "read", return_value=manifest),
    ):
        simulate_md.simulate(
            conditions,
            folder / "potential.json",
            committee,
            code,
            record,
            "ase",
            "cpu",
            protocol,
            limits,
            checks,
            seed=1,
        )
    return folder / "replica1"


def facts(folder):
    return json.loads((folder / "facts.json").read_text())


def frames(folder, *names):
    from netCDF4 import Dataset

    with Dataset(folder / "trajectory.nc") as file:
        return [np.array(file[name][:]) for name in names]


if __name__ == "__main__":
    batch.SAVE_EVERY_S = 0.05
    run(Path(sys.argv[1]), replicas=2, protocol=Protocol(**NVE) if "nve" in sys.argv else PROTOCOL)
