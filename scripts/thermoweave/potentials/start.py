"""Trained weights to begin from: those of another potential.json, or of a file in the backend's own format."""

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from thermoweave import potentials
from thermoweave.potentials import manifest as manifests
from thermoweave.potentials.wall import Walled

log = logging.getLogger(__name__)

NO_WALL = {"stiffness_eV_per_A2": 0.0, "r_min_A": {}, "unseen": []}


class Start(NamedTuple):
    """Weight files of one backend, the species that they know, and the hyperparameters that they fix."""

    file: Path
    weights: list[Path]
    elements: list[str]
    hyperparameters: dict


def read(path: str | Path, backend: str, directory: Path) -> Start:
    """Read a potential.json, or a file of the backend's own (turned into weight files in `directory`).

    Raises ValueError where it is of another backend, was changed, or cannot be read without running code in it.
    """
    path, module = Path(path), potentials.adapter(backend)
    if not hasattr(module, "ARCHITECTURE"):
        raise ValueError(f"{path}: {backend} cannot start from trained weights; leave `init` out")
    if path.suffix == ".json":
        manifest = manifests.read(path)
        if manifest["backend"] != backend:
            raise ValueError(f"{path} is a potential of {manifest['backend']}, which {backend} cannot start from")
        missing = [key for key in module.ARCHITECTURE if key not in manifest["hyperparameters"]]
        if missing:
            raise ValueError(f"{path} was written by an older version (it lacks {', '.join(missing)}): train it again")
        hypers = {key: manifest["hyperparameters"][key] for key in module.ARCHITECTURE}
        weights = trained_files(path, manifest, module)
        return Start(path, weights, manifest["elements"], hypers)
    if not hasattr(module, "checkpoint"):
        raise ValueError(
            f"{path}: {backend} starts from a potential.json of a campaign only. Its package's own files are pickles, "
            "which can run any code as they are loaded"
        )
    Path(directory).mkdir(parents=True, exist_ok=True)
    weights, facts = module.checkpoint(path, Path(directory))
    return Start(path, weights, sorted(facts["elements"]), facts["hyperparameters"])


def trained_files(path: Path, manifest: dict, module: ModuleType) -> list[Path]:
    """The weight files of a manifest, as they were trained. Raises ValueError where it names a compiled one: machine
    code, which may do anything, is for the machine and the campaign that made it.
    """
    if getattr(module, "COMPILED", None) in [Path(name).name for name in manifest["weights"]]:
        raise ValueError(f"{path} names a compiled model as its weights, which is machine code: it is not loaded")
    return manifests.files(path, {**manifest, "compiled": None})


def hyperparameters(start: Start, module: ModuleType, changes: dict) -> dict:
    """The backend's defaults, with `changes`, and with what the weights fix. Raises ValueError where they differ."""
    for key, value in start.hyperparameters.items():
        if changes.get(key, value) != value:
            raise ValueError(
                f"{key} is {changes[key]!r} in the config, but {start.file} was trained with {value!r}, which its "
                "weights fix; leave it out"
            )
    return {**module.HYPERS, **changes, **start.hyperparameters}


def check_species(file: Path, known: Sequence[str], wanted: Iterable[str]) -> None:
    """Raises ValueError if the weights of a file do not know one of the `wanted` species."""
    missing = sorted(set(wanted) - set(known))
    if missing:
        raise ValueError(
            f"{file} knows {', '.join(known)}, not {', '.join(missing)}: take a potential that does, or none"
        )


def teacher(path: str | Path, backend: str, wanted: Iterable[str], directory: Path) -> Walled:
    """The ASE calculator of a potential.json, or of the backend's own file (no wall, and its own level of energies)."""
    if Path(path).suffix == ".json":
        manifest, module = manifests.read(path), potentials.adapter(backend)
        check_species(Path(path), manifest["elements"], wanted)
        network = module.calculator(trained_files(Path(path), manifest, module), "cpu", manifest["dtype"])
        return Walled(network, manifest["wall"], manifest["energy_shifts_eV"], manifest)
    start = read(path, backend, directory)
    check_species(start.file, start.elements, wanted)
    network = potentials.adapter(backend).calculator(start.weights, "cpu", start.hyperparameters["dtype"])
    return Walled(network, NO_WALL, dict.fromkeys(start.elements, 0.0))
