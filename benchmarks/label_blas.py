#!/usr/bin/env python3
"""How much tools/pw_wheel.py gains over the wheel's own reference BLAS: pairs of the same SCF, one after the other.

Run with the Python of envs/pwscf.yaml: label_blas.py [PAIRS]. 24 ions (rattled rock salt, half of the Li replaced by
K), 25 Ry, one thread. Prints seconds of each, their ratio, and the difference of the energies.
"""

import statistics
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from label_speed import MACHINE, ROOT, SETTINGS, structure  # noqa: E402
from thermoweave.labellers import pwscf  # noqa: E402

COMMANDS = {
    "reference BLAS": f"{sys.executable} -m qepy --pw.x",
    "OpenBLAS": f"{sys.executable} {ROOT}/tools/pw_wheel.py",
}


def main() -> None:
    atoms = structure(seed=1)
    ratios = []
    for pair in range(int(sys.argv[1]) if len(sys.argv) > 1 else 3):
        seconds, energies = [], []
        for name, command in COMMANDS.items():
            with tempfile.TemporaryDirectory() as scratch:
                machine = replace(MACHINE, pw_command=command)
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
