"""Labels of a pair potential, for tests of what comes behind the labels."""

import hashlib
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.calculators.morse import MorsePotential
from thermoweave.frames import write_frames


def write_labels(path: Path) -> Path:
    """24 frames of 8 ions at two concentrations and two temperatures, labelled with a Morse potential; the path."""
    rng = np.random.default_rng(5)
    frames = []
    for k in range(24):
        lattice = Atoms("LiClClLiClLiLiCl", [[x, y, z] for x in (0, 2.5) for y in (0, 2.5) for z in (0, 2.5)], pbc=True)
        atoms = Atoms(lattice, cell=[5.0] * 3)
        atoms.positions += 0.1 * rng.standard_normal((8, 3))
        atoms.calc = MorsePotential(rcut1=4.0, rcut2=5.0, r0=2.5, epsilon=1.0)
        atoms.info |= {
            "REF_energy": atoms.get_potential_energy(), "label_id": hashlib.sha256(str(k).encode()).hexdigest(),
            "concentration": f"x0.{k % 2}0", "temperature": f"T{900 + 100 * (k % 4 > 1)}", "round": 0,
            "level": "settings:a Li:b",
        }  # fmt: skip
        atoms.arrays["REF_forces"] = atoms.get_forces()
        atoms.calc = None
        frames.append(atoms)
    write_frames(path, frames)
    return path
