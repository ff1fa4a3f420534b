"""The section `train` of a config: adapters that exist, hyperparameters that they know, checkpoints that fit."""

from pathlib import Path

from thermoweave import potentials
from thermoweave.config_schema import did_you_mean
from thermoweave.potentials import manifest as manifests

# Keys of a backend's section that are no hyperparameters.
NOT_HYPERS = ("init", "fine_tune", "round0")


def backend_faults(config: dict) -> list[str]:
    """Adapters that exist, hyperparameters that they know and checkpoints that they can start from."""
    faults = []
    for name, section in config["train"]["backends"].items():
        known = potentials.available()
        if name not in known:
            faults.append(
                f"train.backends.{name}: no such potential{did_you_mean(name, known)}; available: {', '.join(known)}"
            )
            continue
        faults += hyperparameter_faults(name, section) or start_faults(config, name, section)
        if config["train"]["compile"] == "always" and not hasattr(potentials.adapter(name), "compile"):
            faults.append(f"train.compile: {name} has no compiled form; set it to auto")
    return faults


def hyperparameter_faults(name: str, section: dict) -> list[str]:
    """Hyperparameters that the adapter does not know, or of another type or sign than its default."""
    where, defaults = f"train.backends.{name}", potentials.adapter(name).HYPERS
    changes, first = _changes(section), section.get("round0", {})
    wrong = [
        f"{where}.{key}: {value!r} will not do, it must be like the default {defaults[key]!r}"
        for key, value in [*changes.items(), *first.items()]
        if key in defaults and not _is_like(value, defaults[key])
    ]
    try:
        for values in ({}, changes, {**changes, **first}) if not wrong else ():
            potentials.hyperparameters(name, values)
    except ValueError as error:
        wrong.append(f"{where}: {error}")
    return wrong


def start_faults(config: dict, name: str, section: dict) -> list[str]:
    """What is wrong with `init`, as far as it shows without the backend's package."""
    where = f"train.backends.{name}"
    if "init" not in section:
        return [f"{where}.fine_tune: only with init, the checkpoint to start from"] if "fine_tune" in section else []
    if not section.get("fine_tune", True) and len(config["train"]["seeds"]) > 1:
        return [f"{where}.fine_tune: false gives the same potential for every seed; keep one of train.seeds"]
    if not hasattr(potentials.adapter(name), "ARCHITECTURE"):
        return [f"{where}.init: {name} cannot start from trained weights; leave it out"]
    return checkpoint_faults(f"{where}.init", Path(section["init"]), name, set(config["system"]["charges"]))


def teacher_faults(config: dict) -> list[str]:
    """What is wrong with generate.teacher, as far as it shows without the backend's package."""
    teacher = config["generate"].get("teacher")
    if teacher is None:
        return []
    known = potentials.available()
    if teacher["backend"] not in known:
        hint = did_you_mean(teacher["backend"], known)
        return [f"generate.teacher.backend: no potential {teacher['backend']!r}{hint}; there are {', '.join(known)}"]
    species = set(config["system"]["charges"])
    return checkpoint_faults("generate.teacher.potential", Path(teacher["potential"]), teacher["backend"], species)


def checkpoint_faults(where: str, path: Path, name: str, species: set[str]) -> list[str]:
    """A checkpoint that is not there, of another backend, or without one of the campaign's species."""
    if not path.is_file():
        return [f"{where}: there is no file {path} (paths are relative to the campaign's folder)"]
    if path.suffix != ".json":
        if hasattr(potentials.adapter(name), "checkpoint"):
            return []
        return [f"{where}: {name} takes a potential.json only; {path} is a file that can run code as it is loaded"]
    try:
        manifest = manifests.read(path)
    except ValueError as error:
        return [f"{where}: {error}"]
    if manifest["backend"] != name:
        return [f"{where}: {path} is a potential of {manifest['backend']}, not of {name}"]
    missing = sorted(species - set(manifest["elements"]))
    known = ", ".join(manifest["elements"])
    return [f"{where}: {path} knows {known}, and not {', '.join(missing)} of system.charges"] if missing else []


def hyperparameters(config: dict, backend: str, round: int) -> dict:
    """What the config changes of an adapter's HYPERS; `round0` holds what differs in the first potential."""
    section = config["train"]["backends"][backend]
    changes = _changes(section)
    return {**changes, **section.get("round0", {})} if round == 0 and config["explore"]["rounds"] else changes


def warm_start(config: dict, backend: str) -> bool:
    """Whether later rounds go on from the weights of the round before."""
    return config["train"]["warm_start"] and hasattr(potentials.adapter(backend), "ARCHITECTURE")


def _changes(section: dict) -> dict:
    return {key: value for key, value in section.items() if key not in NOT_HYPERS}


def _is_like(value, default) -> bool:
    """Whether a hyperparameter has the type of its default and, as a number, its sign."""
    if isinstance(default, bool) or isinstance(value, bool) or not isinstance(default, int | float):
        return type(value) is type(default)
    whole = isinstance(value, int) or isinstance(default, float)
    return isinstance(value, int | float) and whole and (value > 0 or default == 0)
