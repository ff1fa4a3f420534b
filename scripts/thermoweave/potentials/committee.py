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
    """`forces`: (atoms,), eV/A; `energy`: eV an atom."""

    forces: np.ndarray
    energy: float


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
    return Deviation(np.sqrt(variance), float(np.std(energies, ddof=1)))
