"""Labelled frames: extended XYZ with the keys REF_energy (eV), REF_forces (eV/A) and the condition they came from.

Plain `energy` and `forces` are avoided because ASE swallows them into a calculator.
"""

import os
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.io import read, write
from ase.io.extxyz import XYZError


def read_frames(path: str | Path) -> list[Atoms]:
    """All frames of an extended XYZ file; an empty file is an empty list. Raises ValueError naming a damaged file."""
    if os.path.getsize(path) == 0:
        return []
    try:
        return read(path, index=":", format="extxyz")
    except (ValueError, KeyError, IndexError, XYZError) as error:
        raise ValueError(f"{path}: not a readable extended XYZ file ({error})") from error


def write_frames(path: str | Path, frames: list[Atoms]) -> None:
    """Write all frames under a temporary name, then rename: a reader never sees half a file."""
    partial = f"{path}.partial"
    if frames:
        write(partial, frames, format="extxyz", write_results=False)
    else:
        Path(partial).write_text("")
    os.replace(partial, path)


def closest_distance(atoms: Atoms) -> float:
    """Smallest distance in A between two atoms, periodic images (an atom's own included) counted."""
    from ase.neighborlist import neighbor_list

    cutoff = 1.0
    while True:
        distances = neighbor_list("d", atoms, cutoff)
        if len(distances):
            return float(distances.min())
        cutoff *= 1.5
        if cutoff > 1000:
            return float(np.inf)
