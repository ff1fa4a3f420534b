"""Zip files whose bytes depend on nothing but names and contents: the same campaign gives the same archive."""

import os
import zipfile
from collections.abc import Mapping
from pathlib import Path

EPOCH = (1980, 1, 1, 0, 0, 0)  # the first date that a zip file can hold
PACKED = (".zip", ".npz")  # compressed already


def write(path: str | Path, members: Mapping[str, Path | bytes]) -> None:
    """Write `members` (name: file, or content) to a zip file, sorted, under a temporary name first."""
    partial = Path(f"{path}.partial")
    with zipfile.ZipFile(partial, "w", allowZip64=True) as file:
        for name in sorted(members):
            add(file, name, members[name])
    os.replace(partial, path)


def add(file: zipfile.ZipFile, name: str, content: Path | bytes) -> None:
    """One member, without the times, owners and rights that it has here; what can be run stays so."""
    info = zipfile.ZipInfo(name, EPOCH)
    info.create_system = 3  # Unix: rights are read
    info.compress_type = zipfile.ZIP_STORED if name.endswith(PACKED) else zipfile.ZIP_DEFLATED
    runs = isinstance(content, Path) and os.access(content, os.X_OK)
    info.external_attr = (0o100755 if runs else 0o100644) << 16
    if isinstance(content, bytes):
        file.writestr(info, content)
        return
    info.file_size = content.stat().st_size  # above 4 GB the header has to know
    with open(content, "rb") as source, file.open(info, "w") as target:
        while piece := source.read(2**20):
            target.write(piece)
