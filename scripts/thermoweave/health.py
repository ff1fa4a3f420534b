"""The simulate gate: is this still the system that the labels describe?"""

from dataclasses import dataclass

import numpy as np
from ase import Atoms


@dataclass
class Limits:
    """What every frame keeps, of a walk (`explore.health`) and of a run (`simulate.health`)."""

    min_distance: float  # A
    max_force: float  # eV/A
    max_temperature_ratio: float  # instantaneous over target


def sick_frame(atoms: Atoms, temperature: float, limits: Limits) -> str | None:
    """What is wrong with the present frame, in a sentence, or None. `temperature` is the target in K."""
    from vesin import NeighborList

    forces = atoms.get_forces(apply_constraint=False)
    if not (np.isfinite(forces).all() and np.isfinite(atoms.positions).all()):
        return "a position or force is not a finite number"
    hot = atoms.get_temperature()
    if hot > limits.max_temperature_ratio * temperature:
        return f"temperature {hot:.0f} K, target {temperature:.0f} K"
    largest = float(np.linalg.norm(forces, axis=1).max())
    if largest > limits.max_force:
        return f"force of {largest:.1f} eV/A, allowed {limits.max_force:g}"
    neighbours = NeighborList(cutoff=limits.min_distance, full_list=False, n_threads=1)
    near = neighbours.compute(atoms.positions, atoms.cell.array, True, "ijd")
    if len(near[2]):
        k = int(np.argmin(near[2]))
        pair = f"{atoms.symbols[int(near[0][k])]}-{atoms.symbols[int(near[1][k])]}"
        return f"{pair} at {near[2][k]:.2f} A, allowed {limits.min_distance:g}"
    return None
