"""Labels under the hash of all that decides them, so that nothing is ever computed twice.

An entry is one extended XYZ frame with a check sum of its numbers, written to a temporary name and renamed. Any number
of campaigns and users may share the folder: writers of the same label replace each other's equal file, and readers see
a whole file or none.
"""

import contextlib
import hashlib
import json
import logging
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from ase import Atoms

from thermoweave.frames import read_frames, write_frames

UNSIGNED = b"sha256-" + b"0" * 64
DIGITS = 6  # of a coordinate in A: finer than any label can tell

log = logging.getLogger(__name__)


def label_id(atoms: Atoms, level: dict[str, str]) -> str:
    """sha256 over structure (rounded, order-canonical) and level of theory: `level["settings"]`, and what it has for
    each species of the structure.
    """
    cell = np.round(atoms.cell.array, DIGITS) + 0.0
    positions = np.round(atoms.positions, DIGITS) + 0.0
    order = np.lexsort((*positions.T[::-1], atoms.numbers))
    shared = level.keys() & {"settings", *atoms.symbols}
    content = {
        "numbers": atoms.numbers[order].tolist(),
        "positions": positions[order].tolist(),
        "cell": cell.tolist(),
        "pbc": atoms.pbc.tolist(),
        "level": {key: level[key] for key in sorted(shared)},
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


class LabelStore:
    """A folder of labels, shareable between campaigns."""

    def __init__(self, folder: Path):
        self.folder = Path(folder)

    def path(self, identifier: str) -> Path:
        return self.folder / identifier[:2] / f"{identifier}.extxyz"

    def get(self, identifier: str) -> Atoms | None:
        """The labelled frame; None where there is none, or only a damaged one (said in the log): `put` replaces it."""
        path = self.path(identifier)
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return None
        if _checksum(content) not in content or f"label_id={identifier}".encode() not in content:
            log.warning("damaged label, computed again: %s does not fit its own check sum", path)
            return None
        (frame,) = read_frames(path)
        del frame.info["checksum"]
        return frame

    def prepare(self) -> None:
        """Make the folder and try to write in it: better now than after the first calculation.

        Raises OSError with a sentence where that fails.
        """
        with _told(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=self.folder).close()

    def put(self, frame: Atoms) -> None:
        """Write a frame under its label_id. Raises OSError with a sentence where the folder cannot be written."""
        path = self.path(frame.info["label_id"])
        with _told(path.parent):
            path.parent.mkdir(parents=True, exist_ok=True)
            # a folder of its own, for process numbers repeat between the hosts of a cluster
            with tempfile.TemporaryDirectory(dir=path.parent, prefix=".") as own:
                unique = Path(own) / path.name
                entry = frame.copy()
                entry.info["checksum"] = UNSIGNED.decode()
                write_frames(unique, [entry])
                content = unique.read_bytes()
                unique.write_bytes(content.replace(UNSIGNED, _checksum(content)))
                os.replace(unique, path)


@contextlib.contextmanager
def _told(folder: Path) -> Iterator[None]:
    """Say what a folder that cannot be written means."""
    try:
        yield
    except OSError as error:
        advice = "make it writable, or set the resource label_store of rule label_structures to another folder"
        raise OSError(error.errno, f"label store not writable ({error.strerror}); {advice}", str(folder)) from error


def _checksum(content: bytes) -> bytes:
    """sha256, as hexadecimal digits, of a whole entry but for its own check sum."""
    unsigned = re.sub(rb"checksum=sha256-[0-9a-f]{64}", b"checksum=" + UNSIGNED, content, count=1)
    return b"sha256-" + hashlib.sha256(unsigned).hexdigest().encode()
