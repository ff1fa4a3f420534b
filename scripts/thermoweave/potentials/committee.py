"""A committee: potentials of one training set that differ in their seeds, and how far their predictions scatter.

The deviation of the forces is the "model deviation" of Y. Zhang et al., Comput. Phys. Commun. 253, 107206 (2020), with
one degree of freedom taken for the mean: for members that scatter at random its square is their variance, whatever
their number. It says where the members disagree; what all of them get wrong together it cannot see.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from ase import Atoms


class Deviation(NamedTuple):
    """`forces`: (atoms,), eV/A; `energy`: eV an atom; `mean_forces`: of the members, (atoms, 3), eV/A."""

    forces: np.ndarray
    energy: float
    mean_forces: np.ndarray


def deviation(members: Sequence, atoms: Atoms) -> Deviation:
    """Scatter of the members' (ASE calculators) predictions for `atoms`.

    forces_i = sqrt(sum_m |F_mi - <F_i>|^2 / (M - 1)), and the same of the energy per atom. Raises ValueError with fewer
    than two members.
    """
    if len(members) < 2:
        raise ValueError(f"a committee has two members or more, not {len(members)}; add seeds to train.seeds")
    energies, forces = [], []
    for member in members:
        copy = Atoms(atoms.numbers, atoms.positions, cell=atoms.cell, pbc=atoms.pbc, calculator=member)
        energies.append(copy.get_potential_energy() / len(atoms))
        forces.append(copy.get_forces())
    variance = np.var(forces, axis=0, ddof=1).sum(axis=1)
    return Deviation(np.sqrt(variance), float(np.std(energies, ddof=1)), np.mean(forces, axis=0))


def frame_deviation(deviations: np.ndarray) -> float:
    """Root mean square deviation of a frame's force components, meV/A, from those of its atoms ((atoms,), eV/A)."""
    return 1000 * float(np.sqrt(np.mean(deviations**2) / 3))


def frame_error(mean_forces: np.ndarray, deviations: np.ndarray, reference: np.ndarray, n_members: int) -> float:
    """Root mean square error of the members' force components, meV/A: what a run with one of them is wrong by.

    mean_forces, reference: (atoms, 3), deviations: (atoms,), eV/A. The mean over the members of their squared errors is
    that of their mean plus their variance about it, (M - 1) / M of the squared deviation.
    """
    of_mean = np.mean((mean_forces - reference) ** 2)
    within = (n_members - 1) / n_members * np.mean(deviations**2) / 3
    return 1000 * float(np.sqrt(of_mean + within))
