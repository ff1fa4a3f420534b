"""Labels from any ASE calculator, named by its import path: another DFT code, or a pretrained potential as teacher."""

import errno
import functools
import hashlib
import importlib
import importlib.metadata
import json
import re
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator

from thermoweave.gate import Calculation, Verdict
from thermoweave.labellers import Machine, settings_hash

MODULES = ()
NUMERICS = {"environment"}
RUNG_KEYS: set[str] = set()


def faults(settings: dict, species: set[str], pseudo_dir: Path) -> list[str]:
    if not re.fullmatch(r"\w+(\.\w+)+", settings["calculator"]):
        return [
            f"label.ase.calculator: {settings['calculator']!r} is no import path, like ase.calculators.lj.LennardJones"
        ]
    return []


def level(settings: dict, machine: Machine, species: set[str]) -> dict[str, str]:
    """Hash of the settings, the version of the calculator's package and the contents of files among its arguments."""
    package = settings["calculator"].partition(".")[0]
    _calculator(settings["calculator"], json.dumps(settings["arguments"]))  # raises now what is wrong with it
    files = {
        key: hashlib.sha256(Path(value).read_bytes()).hexdigest()
        for key, value in settings["arguments"].items()
        if isinstance(value, str) and Path(value).is_file()
    }
    physics = {**settings, "arguments": {**settings["arguments"], **files}, "version": version(package)}
    return {"settings": settings_hash("ase", physics, NUMERICS)}


def calculate(atoms: Atoms, settings: dict, machine: Machine, folder: Path, needs_stress: bool) -> Calculation:
    calculator = _calculator(settings["calculator"], json.dumps(settings["arguments"]))
    package = settings["calculator"].partition(".")[0]
    return evaluate(atoms, calculator, folder, needs_stress, f"{settings['calculator']} {version(package)}")


def evaluate(atoms: Atoms, calculator: Calculator, folder: Path, needs_stress: bool, program: str) -> Calculation:
    """Energy, forces and, if asked for, stress of one structure; what the calculator raises becomes an outcome."""
    calculator.directory = str(folder)  # where calculators that start a program work
    calculator.reset()  # a repeated attempt computes again
    atoms = Atoms(atoms.symbols, atoms.positions, cell=atoms.cell, pbc=atoms.pbc)
    atoms.calc = calculator
    try:
        energy, forces = atoms.get_potential_energy(), np.array(atoms.get_forces())
        # with smearing the forces are the derivatives of the free energy, and not of the one at zero width
        energy = float(calculator.results.get("free_energy", energy))
        stress = np.array(atoms.get_stress()) if needs_stress else None
    except MemoryError as error:
        return Calculation(fault=Verdict("OUT_OF_MEMORY", f"{program}: {error}; raise mem_mb"), program=program)
    except Exception as error:  # of whatever kind the calculator's authors chose
        said = " ".join(str(error).split())
        outcome = "UNCONVERGED" if "converge" in said.lower() else "PROGRAM_ERROR"
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            outcome = "DISK_FULL"
        elif re.search(r"error: 12[67]\b|command not found|: not found|environment variable|is not set", said, re.I):
            outcome = "NOT_STARTED"
        elif re.search(r"out of memory|cannot allocate memory", said, re.I):
            outcome = "OUT_OF_MEMORY"
        return Calculation(fault=Verdict(outcome, f"{type(error).__name__}: {said}"), program=program, printed=said)
    fault = None
    if getattr(calculator, "converged", None) is False:  # ASE's Vasp tells it so
        fault = Verdict("UNCONVERGED", f"{program} says that it did not converge")
    return Calculation(energy, forces, stress, fault, evidence=f"computed by {program}", program=program)


@functools.cache
def version(package: str) -> str:
    """The version of the distribution that a package comes from, "" where it has none."""
    names = importlib.metadata.packages_distributions().get(package, [])
    return importlib.metadata.version(names[0]) if names else ""


@functools.cache
def _calculator(path: str, arguments: str) -> Calculator:
    """One for the whole batch: loading a model takes longer than using it."""
    module, _, name = path.rpartition(".")
    try:
        kind = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ImportError(
            f"label.ase.calculator: {path}: {error}; is it in the environment that label.ase.environment names?"
        ) from error
    try:
        return kind(**json.loads(arguments))
    except TypeError as error:
        raise TypeError(f"label.ase.arguments: {path} does not take them: {error}") from error
