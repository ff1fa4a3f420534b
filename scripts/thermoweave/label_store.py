"""Labels under the hash of all that decides them, so that no SCF is ever computed twice.

An entry is one extended XYZ frame, written to a temporary name and renamed: concurrent writers are safe, since whoever
comes last replaces an equal file.
"""

import hashlib
import json
import os
from pathlib import Path

import numpy as np
from ase import Atoms

from thermoweave.frames import read_frames, write_frames

DIGITS = 6  # of a coordinate in A: finer than any label can tell
# How the SCF gets there; what it converges to does not depend on them.
NUMERICS = {"mixing_beta", "electron_maxstep"}


def file_hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def settings_hash(settings: dict) -> str:
    """sha256 of the settings that change the physics."""
    physics = {key: value for key, value in settings.items() if key not in NUMERICS}
    return hashlib.sha256(json.dumps(physics, sort_keys=True).encode()).hexdigest()


def label_id(atoms: Atoms, level: dict[str, str]) -> str:
    """sha256 over structure (rounded, order-canonical) and level of theory (settings and pseudopotentials)."""
    cell = np.round(atoms.cell.array, DIGITS) + 0.0
    positions = np.round(atoms.positions, DIGITS) + 0.0
    order = np.lexsort((*positions.T[::-1], atoms.numbers))
    content = {
        "numbers": atoms.numbers[order].tolist(),
        "positions": positions[order].tolist(),
        "cell": cell.tolist(),
        "level": {key: level[key] for key in ("settings", *sorted(set(atoms.symbols)))},
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


class LabelStore:
    """A folder of labels, shareable between campaigns."""

    def __init__(self, folder: Path):
        self.folder = Path(folder)

    def path(self, identifier: str) -> Path:
        return self.folder / identifier[:2] / f"{identifier}.extxyz"

    def get(self, identifier: str) -> Atoms | None:
        """The labelled frame, or None where there is none. A damaged entry raises ValueError naming its file."""
        path = self.path(identifier)
        if not path.exists():
            return None
        frames = read_frames(path)
        if len(frames) != 1 or frames[0].info.get("label_id") != identifier or "REF_forces" not in frames[0].arrays:
            raise ValueError(f"{path}: damaged label; delete the file and it is computed again")
        return frames[0]

    def put(self, identifier: str, frame: Atoms) -> None:
        path = self.path(identifier)
        path.parent.mkdir(parents=True, exist_ok=True)
        unique = path.with_suffix(f".{os.getpid()}.extxyz")
        write_frames(unique, [frame])
        os.replace(unique, path)
