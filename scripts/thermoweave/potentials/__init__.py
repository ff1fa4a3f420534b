"""Adapters of machine-learned potentials: one module per backend in this folder, found by its file name.

An adapter is a plain module with

    HYPERS       dict: default hyperparameters, each with a comment of its meaning
    REFERENCES   list of str: the papers to cite
    DISTRIBUTION str: the installed distribution whose version the manifest records
    train(train, valid, hypers, seed, directory) -> list[Path]      weight files
    compile(weights, directory, device) -> Path                     the same model for this machine, faster
    calculator(weights, device, dtype) -> ASE calculator            from what `train` or `compile` wrote

and everything downstream sees only potential.json (`manifest`): `load` turns it into an ASE calculator.
"""

import difflib
from pathlib import Path
from types import ModuleType

from thermoweave import adapters
from thermoweave.potentials import manifest as manifests
from thermoweave.potentials.wall import Walled

NOT_ADAPTERS = {"__init__", "command", "manifest", "wall"}


def available() -> list[str]:
    """Names of the backends; nothing is imported."""
    return adapters.names(Path(__file__).parent, NOT_ADAPTERS)


def adapter(name: str) -> ModuleType:
    """Import the adapter `name`. Raises ValueError, with the nearest name, if there is no such backend."""
    return adapters.load(__name__, name, available(), "potential backend")


def hyperparameters(name: str, changes: dict) -> dict:
    """The backend's defaults with `changes`. Raises ValueError, with the nearest name, on an unknown one."""
    defaults = adapter(name).HYPERS
    for key in changes:
        if key not in defaults:
            near = difflib.get_close_matches(key, defaults, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise ValueError(f"{name} has no hyperparameter {key!r}; there are {', '.join(defaults)}{hint}")
    return {**defaults, **changes}


def load(path: str | Path, device: str = "cpu") -> Walled:
    """The ASE calculator of a potential.json: the network (compiled where the manifest has it), plus its wall.

    Units: eV, Angstrom. Raises ValueError where a file's sha256 is not the one in the manifest, FileNotFoundError where
    a file is missing.
    """
    manifest = manifests.read(path)
    weights = manifests.files(path, manifest)
    network = adapter(manifest["backend"]).calculator(weights, device, manifest["dtype"])
    return Walled(network, manifest["wall"], manifest)
