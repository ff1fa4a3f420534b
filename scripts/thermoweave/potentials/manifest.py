"""potential.json: all that is known of a trained potential, and all that everything downstream of `train` reads.

Keys: backend, version, files {path relative to the manifest: sha256}, weights and compiled (which of the files: a list,
and one or null), elements, cutoff_A, dtype, units, hyperparameters, seed, start (null, or the checkpoint that training
began from: file, sha256, fine_tuned), training_set_sha256, test_set_sha256, n_train, n_valid, n_test, wall (`wall`),
energy_shifts_eV (`shifts`), errors (on the held-out frames: in all, per species, concentration and condition), training
(wall_s, core_s, threads) and, once timed on a machine, speed (`train_compile`).
"""

import hashlib
import json
import os
from pathlib import Path

UNITS = {"energy": "eV", "length": "Angstrom", "force": "eV/Angstrom", "stress": "eV/Angstrom^3"}
REQUIRED = ("backend", "files", "weights", "compiled", "elements", "cutoff_A", "dtype", "wall", "energy_shifts_eV")


def sha256(path: str | Path) -> str:
    """Hex sha256 of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_json(path: str | Path, content: dict) -> None:
    """Write `content` beside `path` and rename it, so that `path` is whole or absent."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".part")
    temporary.write_text(json.dumps(content, indent=2, allow_nan=False) + "\n")
    os.replace(temporary, path)


def read(path: str | Path) -> dict:
    """The manifest at `path`. Raises ValueError if keys are missing."""
    content = json.loads(Path(path).read_text())
    missing = [key for key in REQUIRED if key not in content]
    if missing:
        raise ValueError(f"{path} is not a potential's manifest: it lacks {', '.join(missing)}")
    return content


def files(path: str | Path, content: dict) -> list[Path]:
    """The files to compute with (the compiled model where there is one, else the weights), their sha256 checked."""
    folder = Path(path).parent
    chosen = [content["compiled"]] if content["compiled"] else content["weights"]
    for name in chosen:
        if not (folder / name).is_file():
            raise FileNotFoundError(f"{path} names {name}, which is not there: delete {path}, and it is made again")
        found = sha256(folder / name)
        if found != content["files"][name]:
            raise ValueError(
                f"{folder / name} has sha256 {found}, but {path} was written for {content['files'][name]}: "
                f"the file was changed or replaced; delete {path}, and it is made again"
            )
    return [folder / name for name in chosen]
