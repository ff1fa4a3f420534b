"""A run of liquid argon: a test double in place of a trained potential, for tests of what surrounds the forces.

As a program, `argon.py FOLDER`, it runs to the end; tests kill it in the middle.
"""

import sys
from pathlib import Path

from ase import Atoms
from ase.build import bulk
from ase.calculators.lj import LennardJones

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))

import simulate_md
from thermoweave.frames import write_frames
from thermoweave.health import Limits

LIMITS = Limits(min_distance=2.0, max_force=50.0, max_temperature_ratio=3.0)
PROTOCOL = simulate_md.Protocol(
    timestep_fs=5.0,
    equilibration_ps=0.5,
    production_ps=2.0,
    frame_interval=5,
    equilibration_thermostat_ps=0.1,
    production_thermostat_ps=0.5,
)


class Argon(LennardJones):
    """ASE's Lennard-Jones with the wall's result beside it."""

    wall_contacts = 0

    def calculate(self, *args, **kwargs):
        self.nl = None  # a list with a skin depends on the past: its order of summation would change the last bits
        super().calculate(*args, **kwargs)
        self.results["wall_contacts"] = self.wall_contacts


def start(folder: Path) -> Path:
    atoms: Atoms = bulk("Ar", "fcc", a=5.6, cubic=True) * (2, 2, 2)
    write_frames(folder / "start.extxyz", [atoms])
    (folder / "potential.json").write_text("{}")
    return folder / "start.extxyz"


def run(folder: Path, limits: Limits = LIMITS, protocol: simulate_md.Protocol = PROTOCOL, contacts: int = 0) -> Path:
    """Run in `folder` and return the trajectory's path; its facts lie beside it."""
    calculator = Argon(sigma=3.4, epsilon=0.0104, rc=5.5, smooth=True)
    calculator.wall_contacts = contacts
    simulate_md.potentials.load = lambda path: calculator
    simulate_md.SAVE_EVERY_S = 0.05
    output = folder / "replica1.nc"
    simulate_md.simulate(
        start(folder),
        folder / "potential.json",
        output,
        folder / "replica1.run.json",
        "0.50",
        "90",
        "1",
        protocol,
        limits,
        seed=1,
    )
    return output


if __name__ == "__main__":
    run(Path(sys.argv[1]))
