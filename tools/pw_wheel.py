#!/usr/bin/env python3
"""pw.x from the qepy wheel, with OpenBLAS in place of the reference BLAS that the wheel ships.

Usage: pw_wheel.py -in pw.in  (runs in the environment envs/pwscf.yaml, or any with qepy and scipy < 1.12)

qepy takes dgemm_, zgemm_ and their like from a shared libblas. SciPy wheels before 1.12 hold an OpenBLAS under the same
names; loaded first and globally, it is the one that the dynamic linker binds. Energies agree to the last printed digit.
"""

import ctypes
import sys
from importlib.metadata import files


def main() -> None:
    libraries = [f.locate() for f in files("scipy") if "libopenblasp" in f.name]
    if len(libraries) != 1:
        sys.exit(
            f"pw_wheel.py: expected one libopenblasp in the scipy wheel, found {len(libraries)}: pin scipy==1.11.4"
        )
    import scipy.linalg  # noqa: F401  loads OpenBLAS with its own dependencies; the next line makes it global

    ctypes.CDLL(str(libraries[0]), mode=ctypes.RTLD_GLOBAL)
    from qepy.cui.main import main as qepy_main

    sys.argv[1:1] = ["--pw.x"]
    qepy_main()


if __name__ == "__main__":
    main()
