"""Molecular dynamics of many systems at once: one evaluation of the network for all of them, as a model of torch-sim.

torch-sim brings the batched models (an adapter's `torchsim`) and the state that they take. Its own integrators wrap the
positions in each step and have no stochastic velocity rescaling, so the steps are taken here, system by system, which
costs next to nothing beside the network. Each draws from its own generator as ASE's `ase.md.bussi` does: a run follows
the trajectory that engine `ase` gives it until rounding tells them apart.
"""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from ase import Atoms, units

from thermoweave import potentials
from thermoweave.engines import Drive, System
from thermoweave.engines.torchsim_forces import Forces

REFERENCES = ["O. Cohen et al., AI Sci. 1, 025003 (2025), doi:10.1088/3050-287X/ae1799"]
TOGETHER = True
PS = 1000 * units.fs


def fault(backend: str, device: str) -> str:
    """torch-sim runs the backends whose adapter makes a batched model (`torchsim`)."""
    if hasattr(potentials.adapter(backend), "torchsim"):
        return ""
    able = [name for name in potentials.available() if hasattr(potentials.adapter(name), "torchsim")]
    return f"engine torchsim runs {', '.join(able)}, and there is no batched model of {backend}: use engine: ase"


class Session:
    """A loaded potential. All systems of a call that have not stopped are evaluated in one batch."""

    def __init__(self, potential: Path, device: str = "cpu"):
        self._forces = Forces(potential, device)

    def evaluate(self, systems: Sequence[System]) -> None:
        self._forces.evaluate(systems)

    def advance(
        self, systems: Sequence[System], drives: Sequence[Drive], steps: int, interval: int, max_force: float
    ) -> Iterator[None]:
        moving = [(system, drive) for system, drive in zip(systems, drives, strict=True) if not system.stopped]
        self._forces.evaluate([system for system, _ in moving])
        for system, _ in moving:
            rest(system.atoms)
            _look(system, max_force)  # already now: what such a force does in a step may be beyond any evaluation
        for begin in range(0, steps, interval):
            for step in range(begin, min(begin + interval, steps)):
                moving = [(system, drive) for system, drive in moving if not system.stopped]
                for system, drive in moving:
                    thermostat(system, drive, (step + 0.5) / steps)
                    kick(system, drive)
                    drift(system.atoms, drive)
                self._forces.evaluate([system for system, _ in moving])
                for system, drive in moving:
                    kick(system, drive)
                    system.steps += 1
                    _look(system, max_force)
            yield


def rest(atoms: Atoms) -> None:
    """Take off the velocity of the centre of mass."""
    momenta, masses = atoms.get_momenta(), atoms.get_masses()
    atoms.set_momenta(momenta - masses[:, None] * momenta.sum(axis=0) / masses.sum())


def kick(system: System, drive: Drive) -> None:
    """Half a step of the momenta, by the forces less what would accelerate the centre of mass."""
    masses = system.atoms.get_masses()
    forces = system.forces - masses[:, None] * system.forces.sum(axis=0) / masses.sum()
    system.atoms.arrays["momenta"] += 0.5 * drive.timestep_fs * units.fs * forces


def drift(atoms: Atoms, drive: Drive) -> None:
    """A step of the positions."""
    atoms.positions += drive.timestep_fs * units.fs * atoms.get_velocities()


def thermostat(system: System, drive: Drive, way: float) -> None:
    """Scale the velocities for one step; `way`: what is behind of the ramp, 0 to 1.

    Raises ValueError for a system at rest.
    """
    if drive.thermostat_ps is None:
        return
    kinetic = system.atoms.get_kinetic_energy()
    if not kinetic > 1e-12:
        raise ValueError(f"the kinetic energy is {kinetic} eV: a thermostat that scales velocities needs some")
    target = np.interp(way, [0, 1], drive.temperature)
    decay = math.exp(-drive.timestep_fs * units.fs / (drive.thermostat_ps * PS))
    factor = rescaling(0.5 * units.kB * target / kinetic, 3 * len(system.atoms) - 3, decay, system.rng)
    system.atoms.arrays["momenta"] *= factor
    system.thermostat_work += (factor**2 - 1) * kinetic


def rescaling(ratio: float, ndof: int, decay: float, rng: np.random.Generator) -> float:
    """Factor of the velocities, Eq. (A7) of G. Bussi, D. Donadio and M. Parrinello, J. Chem. Phys. 126, 014101 (2007).

    `ratio`: kB T / 2 of the target over the kinetic energy; `ndof`: degrees of freedom; `decay`: exp(-step / time
    constant).
    """
    first = rng.standard_normal()
    others = 2 * rng.standard_gamma(0.5 * (ndof - 1))  # the squares of the ndof - 1 other normal numbers
    gain = (1 - decay) * ratio
    return math.sqrt(decay + gain * (first**2 + others) + 2 * first * math.sqrt(decay * gain))


def _look(system: System, max_force: float) -> None:
    system.stopped = not np.linalg.norm(system.forces, axis=1).max() <= max_force
