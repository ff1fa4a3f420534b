"""The level of the energies: one energy a species, taken off the labels before training and put back in float64.

A total energy is mostly that level (thousands of eV for pseudo-atoms), which no network needs to learn and which
float32 cannot hold to the meV. So adapters are trained on energies without it, and `wall.Walled` adds it to what they
predict. A pretrained network keeps its own reference: the shifts are then fitted to what is left of the labels when its
prediction is taken off, which moves it to the labels' reference and changes no force.
"""

from collections.abc import Sequence

import numpy as np
from ase import Atoms


def fit(frames: Sequence[Atoms], predicted: Sequence[float] | None = None) -> dict[str, float]:
    """Energy of each species (eV) from REF_energy of the frames, less the `predicted` energies where there are some.

    Least squares. Where compositions cannot tell the species apart (a salt's charges balance), the smallest ones of
    those that fit equally.
    """
    elements = sorted({symbol for atoms in frames for symbol in atoms.symbols})
    counts = np.array([[np.count_nonzero(atoms.symbols == symbol) for symbol in elements] for atoms in frames], float)
    energies = np.array([atoms.info["REF_energy"] for atoms in frames]) - (0.0 if predicted is None else predicted)
    return dict(zip(elements, np.linalg.lstsq(counts, energies, rcond=1e-6)[0].tolist(), strict=True))


def total(shifts: dict[str, float], atoms: Atoms) -> float:
    """Sum of the shifts of the atoms (eV). Raises ValueError for a species without one: no label held it."""
    unknown = sorted(set(atoms.symbols) - shifts.keys())
    if unknown:
        raise ValueError(f"no label held {', '.join(unknown)}; the potential knows {', '.join(sorted(shifts))}")
    return float(sum(shifts[symbol] for symbol in atoms.symbols))


def take_off(shifts: dict[str, float], frames: Sequence[Atoms]) -> list[Atoms]:
    """Copies of labelled frames whose REF_energy has lost the shifts."""
    copies = [atoms.copy() for atoms in frames]
    for atoms in copies:
        atoms.info["REF_energy"] -= total(shifts, atoms)
    return copies
