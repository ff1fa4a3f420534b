"""The simulate gate, frame by frame: is this still the system that the labels describe?"""

from dataclasses import dataclass

import numpy as np
from ase import units

from thermoweave.engines import System


@dataclass
class Limits:
    """What every frame keeps, of a walk (`explore.health`) and of a run (`simulate.health`)."""

    min_distance: float  # A
    max_force: float  # eV/A
    max_temperature_ratio: float  # instantaneous over target


def temperature(system: System) -> float:
    """Kinetic temperature in K; the centre of mass rests, so that 3N - 3 degrees of freedom share the energy."""
    return 2 * system.atoms.get_kinetic_energy() / ((3 * len(system.atoms) - 3) * units.kB)


def sick_frame(system: System, target: float, limits: Limits) -> str:
    """What is wrong with the present frame, in a sentence, or "". `target` is its temperature in K."""
    from vesin import NeighborList

    atoms = system.atoms
    values = [system.energy, system.forces, atoms.positions, atoms.get_momenta()]
    values += [] if system.stress is None else [system.stress]
    if not all(np.isfinite(value).all() for value in values):
        return "the energy, a position, a momentum, a force or the stress is not a finite number"
    hot = temperature(system)
    if hot > limits.max_temperature_ratio * target:
        return f"temperature {hot:.0f} K, target {target:.0f} K"
    largest = float(np.linalg.norm(system.forces, axis=1).max())
    if largest > limits.max_force:
        return f"force of {largest:.1f} eV/A, allowed {limits.max_force:g}"
    neighbours = NeighborList(cutoff=limits.min_distance, full_list=False, n_threads=1)
    near = neighbours.compute(atoms.positions, atoms.cell.array, True, "ijd")
    if len(near[2]):
        k = int(np.argmin(near[2]))
        pair = f"{atoms.symbols[int(near[0][k])]}-{atoms.symbols[int(near[1][k])]}"
        return f"{pair} at {near[2][k]:.2f} A, allowed {limits.min_distance:g}"
    return ""
