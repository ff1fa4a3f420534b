"""Adapters of machine-learned potentials: one module per backend in this folder, found by its file name (NAME_*.py are
parts of NAME).

An adapter is a plain module with

    HYPERS        dict: default hyperparameters, each with a comment of its meaning
    REFERENCES    list of str: the papers to cite
    DISTRIBUTION  str: the installed distribution whose version the manifest records
    train(train, valid, hypers, seed, directory) -> list[Path]      weight files
    calculator(weights, device, dtype) -> ASE calculator            from what `train` or `compile` wrote

with, where values must fit each other or be of a list,

    check(hypers)         raises ValueError and says what is allowed

where the package can make a faster model for one machine,

    compile(weights, directory, device) -> Path
    COMPILER      str: the program that it needs on the PATH, "" for none
    TOLERANCE     dict: largest difference of a force component from the model not compiled, eV/A, by dtype

where the engine torchsim can run it, with the same arguments as `calculator`,

    torchsim(weights, device, dtype) -> torch_sim.models.interface.ModelInterface
                  energies (eV), forces (eV/A) and stresses (eV/A^3) of many systems at once

and, where training can begin from trained weights,

    train(..., start)     `start`: the weight files to go on from; they may know more species than the labels hold
    ARCHITECTURE  tuple of str: the HYPERS that such weights fix
    checkpoint(path, directory) -> (list[Path], dict)     weight files from a file of the package's own, read without
                  running code that it holds, and {"elements", "hyperparameters": those of ARCHITECTURE}; where there is
                  such a file that can be read so

Weight files hold tensors and plain values: what would run code as it is loaded is refused. The labels that `train` sees
have lost their species' energies (`shifts`). Everything downstream sees only potential.json (`manifest`): `load` turns
it into an ASE calculator.
"""

import difflib
from pathlib import Path
from types import ModuleType

from thermoweave import adapters
from thermoweave.potentials import manifest as manifests
from thermoweave.potentials.wall import Walled

NOT_ADAPTERS = {"__init__", "command", "committee", "manifest", "shifts", "start", "tensors", "wall"}
DTYPES = ("float32", "float64")


def available() -> list[str]:
    """Names of the backends; nothing is imported."""
    return adapters.names(Path(__file__).parent, NOT_ADAPTERS)


def adapter(name: str) -> ModuleType:
    """Import the adapter `name`. Raises ValueError, with the nearest name, if there is no such backend."""
    return adapters.load(__name__, name, available(), "potential backend")


def hyperparameters(name: str, changes: dict) -> dict:
    """The backend's defaults with `changes`. Raises ValueError on an unknown one or a wrong value."""
    defaults = adapter(name).HYPERS
    for key in changes:
        if key not in defaults:
            near = difflib.get_close_matches(key, defaults, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise ValueError(f"{name} has no hyperparameter {key!r}; there are {', '.join(defaults)}{hint}")
    hypers = {**defaults, **changes}
    if hypers["dtype"] not in DTYPES:
        raise ValueError(f"{name}'s dtype is {hypers['dtype']!r}; it can be {' or '.join(DTYPES)}")
    if hasattr(adapter(name), "check"):
        adapter(name).check(hypers)
    return hypers


def load(path: str | Path, device: str = "cpu") -> Walled:
    """The ASE calculator of a potential.json: the network (compiled where the manifest has it), its wall and its
    species' energies.

    Units: eV, Angstrom. Raises ValueError where a file's sha256 is not the one in the manifest, FileNotFoundError where
    a file is missing.
    """
    manifest = manifests.read(path)
    weights = manifests.files(path, manifest)
    network = adapter(manifest["backend"]).calculator(weights, device, manifest["dtype"])
    return Walled(network, manifest["wall"], manifest["energy_shifts_eV"], manifest)
