"""Labels from GFN1-xTB (Grimme, Bannwarth, Shushkov, J. Chem. Theory Comput. 13, 1989 (2017)) or its successors through
tblite: for dry practice of a whole campaign without DFT.
"""

from pathlib import Path

from ase import Atoms

from thermoweave.gate import Calculation
from thermoweave.labellers import Machine, settings_hash
from thermoweave.labellers.ase import evaluate, version

MODULES = ("labellers/ase",)
NUMERICS = {"max_iterations", "mixer_damping"}
RUNG_KEYS = {"max_iterations", "mixer_damping", "electronic_temperature"}


def faults(settings: dict, species: set[str], pseudo_dir: Path) -> list[str]:
    return []


def level(settings: dict, machine: Machine, species: set[str]) -> dict[str, str]:
    """Hash of the settings and of tblite's version, which holds the parameters."""
    return {"settings": settings_hash("tblite", {**settings, "version": version("tblite")}, NUMERICS)}


def calculate(atoms: Atoms, settings: dict, machine: Machine, folder: Path, needs_stress: bool) -> Calculation:
    from tblite.ase import TBLite

    program = f"tblite {version('tblite')} {settings['method']}"
    return evaluate(atoms, TBLite(verbosity=0, **settings), folder, needs_stress, program)
