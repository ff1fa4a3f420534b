"""Adapters: the modules of a folder, found by their file names and imported only when one is asked for."""

import difflib
import importlib
from pathlib import Path
from types import ModuleType


def names(folder: Path, others: set[str]) -> list[str]:
    """File names in `folder` but for those of `others`, and for NAME_*, which is a part of the adapter NAME."""
    stems = sorted(path.stem for path in folder.glob("*.py") if path.stem not in others)
    return [stem for stem in stems if not any(stem.startswith(f"{other}_") for other in stems)]


def load(package: str, name: str, known: list[str], kind: str) -> ModuleType:
    """Import `package`.`name`. Raises ValueError, with the nearest name, if it is none of `known`."""
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"no {kind} {name!r}; there are {', '.join(known)}{hint}")
    return importlib.import_module(f"{package}.{name}")
