"""What all atoms of a run do together, read once: the centre of mass, the displacement of each species, the stress."""

from collections.abc import Sequence

import numpy as np
from ase import units

from thermoweave.replica import Replica

REFERENCE_FRAME = "centre of mass of all atoms (mass weighted)"
AMU_A2_PS2 = units._amu * 1e4 / units._e  # 1 amu (A/ps)^2 in eV


def paths(replica: Replica, groups: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """
    The path of the centre of mass, (frame, 3), and the sums over the atoms of each group of their coordinates relative
    to it, (frame, group, 3), in A.
    """
    centre, sums = [], []
    for (coordinates,) in replica.frames("coordinates"):
        middle = np.einsum("a,fad->fd", replica.masses, coordinates) / replica.masses.sum()
        total = np.stack([coordinates[:, group].sum(axis=1) for group in groups], axis=1)
        sizes = np.array([len(group) for group in groups])
        centre.append(middle)
        sums.append(total - sizes[:, None] * middle[:, None])
    return np.concatenate(centre), np.concatenate(sums)


def shear_stress(replica: Replica) -> np.ndarray | None:
    """
    The five independent components of the traceless stress tensor, kinetic part included, (frame, 5) in eV/A^3; None
    where the run kept no stress.

    In a liquid all five fluctuate alike: xy, xz, yz, (xx - yy) / 2 and (2 zz - xx - yy) / sqrt(12) (Daivis and Evans,
    J. Chem. Phys. 1994, 100, 541).
    """
    if not replica.kept("stress"):
        return None
    found = []
    for stress, velocities in replica.frames("stress", "velocities"):
        kinetic = np.einsum("a,fai,faj->fij", replica.masses, velocities, velocities) * AMU_A2_PS2 / replica.volume
        xx, yy, zz, yz, xz, xy = stress.T
        tensor = np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]]).transpose(2, 0, 1) - kinetic
        x, y, z = tensor[:, 0, 0], tensor[:, 1, 1], tensor[:, 2, 2]
        parts = [tensor[:, 0, 1], tensor[:, 0, 2], tensor[:, 1, 2], (x - y) / 2, (2 * z - x - y) / np.sqrt(12)]
        found.append(np.stack(parts, axis=1))
    return np.concatenate(found)
