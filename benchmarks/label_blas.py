#!/usr/bin/env python3
"""How much tools/pw_wheel.py gains over the wheel's own reference BLAS: pairs of the same SCF, one after the other.

Run with the Python of envs/pwscf.yaml: label_blas.py [PAIRS]. 24 ions (rattled rock salt, half of the Li replaced by
K), 25 Ry, one thread. Prints seconds of each, their ratio, and the difference of the energies.
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from ase.build import bulk

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "scripts"))

from thermoweave.labellers import Machine, pwscf  # noqa: E402

SETTINGS = {
    "functional": "LDA",
    "ecutwfc": 25,
    "conv_thr": 1e-7,
    "mixing_beta": 0.7,
    "electron_maxstep": 100,
    "occupations": "fixed",
    "kpoints": [1, 1, 1],
}
COMMANDS = {
    "reference BLAS": f"{sys.executable} -m qepy --pw.x",
    "OpenBLAS": f"{sys.executable} {ROOT}/tools/pw_wheel.py",
}


def main() -> None:
    atoms = bulk("LiCl", "rocksalt", a=5.7, cubic=True) * (3, 1, 1)
    lithium = np.flatnonzero(atoms.symbols == "Li")
    atoms.symbols[lithium[::2]] = "K"
    atoms.rattle(0.2, seed=1)
    ratios = []
    for pair in range(int(sys.argv[1]) if len(sys.argv) > 1 else 3):
        seconds, energies = [], []
        for name, command in COMMANDS.items():
            with tempfile.TemporaryDirectory() as scratch:
                machine = Machine(pw_command=command, pseudo_dir=ROOT / "resources" / "pseudopotentials")
                start = time.perf_counter()
                calculation = pwscf.calculate(atoms, SETTINGS, machine, Path(scratch), needs_stress=False)
                seconds.append(time.perf_counter() - start)
            if calculation.fault:
                sys.exit(f"{name}: {calculation.fault.outcome}: {calculation.fault.evidence}")
            energies.append(calculation.energy)
            print(f"pair {pair}: {name} {seconds[-1]:.1f} s, {calculation.scf_steps} iterations")
        ratios.append(seconds[0] / seconds[1])
        print(f"pair {pair}: ratio {ratios[-1]:.2f}, energies differ by {abs(energies[0] - energies[1]):.1e} eV")
    print(f"median ratio {statistics.median(ratios):.2f}")


if __name__ == "__main__":
    main()
