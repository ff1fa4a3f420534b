"""Molecular dynamics through ASE: any potential, one system after another."""

import copy
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from ase import units
from ase.constraints import FixCom
from ase.md.bussi import Bussi
from ase.md.verlet import VelocityVerlet

from thermoweave import potentials
from thermoweave.engines import Drive, System
from thermoweave.potentials.wall import Walled

REFERENCES = ["A. H. Larsen et al., J. Phys. Condens. Matter 29, 273002 (2017), doi:10.1088/1361-648X/aa680e"]
TOGETHER = False
PS = 1000 * units.fs


def fault(backend: str, device: str) -> str:
    """ASE runs whatever has a calculator."""
    return ""


class Session:
    """A loaded potential. Its network is shared by the systems; what it found is kept for each of them, so that no
    step is evaluated twice.
    """

    def __init__(self, potential: Path | Walled, device: str = "cpu"):
        loaded = isinstance(potential, Walled)
        self._calculator = potential if loaded else potentials.load(potential, device)

    def evaluate(self, systems: Sequence[System]) -> None:
        for system in systems:
            self._attach(system)
            system.atoms.get_forces()
            _fill(system)
            _detach(system)

    def advance(
        self, systems: Sequence[System], drives: Sequence[Drive], steps: int, interval: int, max_force: float
    ) -> Iterator[None]:
        for system in systems:
            self._attach(system)
        moves = [dynamics(system, drive) for system, drive in zip(systems, drives, strict=True)]
        try:
            for begin in range(0, steps, interval):
                end = min(begin + interval, steps)
                for system, drive, move in zip(systems, drives, moves, strict=True):
                    if not system.stopped:
                        targets = np.interp(np.arange(begin, end) + 0.5, [0, steps], drive.temperature)
                        run(system, move, targets, max_force)
                        _fill(system)
                yield
        finally:
            for system in systems:
                _detach(system)

    def _attach(self, system: System) -> None:
        system.atoms.calc = copy.copy(self._calculator)
        system.atoms.set_constraint(FixCom())


def dynamics(system: System, drive: Drive) -> VelocityVerlet:
    """ASE's integrator of a drive."""
    if drive.thermostat_ps is None:
        return VelocityVerlet(system.atoms, drive.timestep_fs * units.fs)
    return Bussi(
        system.atoms, drive.timestep_fs * units.fs, drive.temperature[0], drive.thermostat_ps * PS, rng=system.rng
    )


def run(system: System, move: VelocityVerlet, targets: np.ndarray, max_force: float) -> None:
    """One step for each of the target temperatures (K), or up to a force above `max_force`."""
    thermostatted = isinstance(move, Bussi)
    forces = None
    for target in targets:
        if thermostatted:
            move.target_kinetic_energy = 0.5 * units.kB * target * move.ndof
        forces = move.step(forces)
        system.steps += 1
        if not np.linalg.norm(system.atoms.calc.results["forces"], axis=1).max() <= max_force:
            system.stopped = True
            break
    if thermostatted:
        system.thermostat_work += move.transferred_energy
        move.transferred_energy = 0.0


def _fill(system: System) -> None:
    results = system.atoms.calc.results
    system.energy, system.forces = float(results["energy"]), results["forces"]
    system.stress = results.get("stress")
    system.wall_contacts = int(results["wall_contacts"])


def _detach(system: System) -> None:
    system.atoms.calc = None
    system.atoms.set_constraint()
