#!/usr/bin/env python3
"""What the way to convergence costs: each variant against the base settings, on the same structures in turn.

Run with the Python of envs/pwscf.yaml: label_numerics.py STRUCTURES [N]; STRUCTURES is a file of the quickstart's stage
generate, results/generate/x0.41/structures.extxyz, of which the first N (4) are taken. Prints for each variant the
median ratio of its seconds to the base's on the same structure, and the SCF iterations of all. "nearest density" begins
from the charge density of the same ions with every coordinate moved by 0.05 A (rms), as if such a label were there.
"""

import shutil
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from ase import Atoms

sys.path.insert(0, str(Path(__file__).resolve().parent))

from label_speed import MACHINE, SETTINGS  # noqa: E402
from thermoweave.frames import read_frames  # noqa: E402
from thermoweave.gate import Calculation  # noqa: E402
from thermoweave.labellers import pwscf  # noqa: E402

VARIANTS = {
    "mixing_beta 0.7": {"mixing_beta": 0.7},
    "mixing_beta 0.5": {"mixing_beta": 0.5},
    "mixing_beta 0.3": {"mixing_beta": 0.3},
    "mixing_mode TF": {"mixing_mode": "TF"},
    "mixing_mode local-TF": {"mixing_mode": "local-TF"},
    "diagonalization rmm-davidson": {"diagonalization": "rmm-davidson"},
    "diagonalization rmm-paro": {"diagonalization": "rmm-paro"},
    "diagonalization paro": {"diagonalization": "paro"},
    "diagonalization ppcg": {"diagonalization": "ppcg"},
    "diagonalization cg": {"diagonalization": "cg"},
}


def timed(
    atoms: Atoms, changes: dict, threads: int = 1, density: Path | None = None
) -> tuple[float, Calculation, Path]:
    """Seconds of one SCF, what it gave, and its folder (the caller removes it)."""
    folder = Path(tempfile.mkdtemp())
    if density:
        shutil.copytree(density / "out", folder / "out")
    start = time.perf_counter()
    machine = replace(MACHINE, threads=threads)
    calculation = pwscf.calculate(atoms, {**SETTINGS, **changes}, machine, folder, needs_stress=False)
    return time.perf_counter() - start, calculation, folder


def main() -> None:
    ratios: dict[str, list[float]] = {}
    steps: dict[str, list[int]] = {}

    def note(name: str, seconds: float, base: float, calculation: Calculation) -> None:
        said = f"{calculation.fault.outcome}" if calculation.fault else f"{calculation.scf_steps} iterations"
        print(f"  {name}: {seconds:.1f} s, {said}", flush=True)
        ratios.setdefault(name, []).append(float("nan") if calculation.fault else seconds / base)
        steps.setdefault(name, []).append(calculation.scf_steps)

    n_structures = int(sys.argv[2]) if len(sys.argv) > 2 else 4
    for seed, atoms in enumerate(read_frames(sys.argv[1])[:n_structures]):
        print(f"structure {seed}", flush=True)
        near = atoms.copy()
        near.rattle(0.05, seed=seed)
        base, calculation, folder = timed(atoms, {})
        shutil.rmtree(folder)
        note("base", base, base, calculation)
        for name, changes in VARIANTS.items():
            seconds, calculation, folder = timed(atoms, changes)
            shutil.rmtree(folder)
            note(name, seconds, base, calculation)
        _, _, density = timed(near, {})
        seconds, calculation, folder = timed(atoms, {}, density=density)
        note("nearest density", seconds, base, calculation)
        shutil.rmtree(folder)
        shutil.rmtree(density)
        seconds, calculation, folder = timed(atoms, {}, threads=2)
        shutil.rmtree(folder)
        note("two threads", seconds, base, calculation)
    print(f"{'variant':28} seconds/base iterations")
    for name in ratios:
        print(f"{name:28} {statistics.median(ratios[name]):12.2f} {' '.join(map(str, steps[name]))}")


if __name__ == "__main__":
    main()
