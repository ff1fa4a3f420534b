"""A small crate made by hand, to be broken in every way."""

import hashlib
import io
import json
import zipfile
from pathlib import Path
from urllib.parse import quote

FILES = {
    "README.md": b"# Test\n",
    "config/config.yaml": b"name: test\n",
    "results/reduce/nequip/figures/arrhenius.csv": b"x,y\n1,2\n",
}
BUNDLES = {
    "workflow.zip": {"Makefile": b"all:\n", "tools/venv-conda/conda": b"#!/bin/sh\n"},
    "records.zip": {"results/label/round0/summary.csv": b"outcome\n", "results/label/a name.csv": b"1\n"},
}


def zipped(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as target:
        for name, content in members.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = (0o100755 if name.endswith("conda") else 0o100644) << 16
            target.writestr(info, content)
    return file.getvalue()


def sums(files: dict[str, bytes]) -> bytes:
    return "".join(f"{hashlib.sha256(content).hexdigest()}  {path}\n" for path, content in files.items()).encode()


def metadata(files: dict[str, bytes], version: str = "1") -> bytes:
    entities = [
        {"@id": quote(path), "@type": "File", "sha256": hashlib.sha256(content).hexdigest()}
        | ({"version": version} if path == "checksums.sha256" else {})
        for path, content in files.items()
    ]
    root = {"@id": "./", "@type": "Dataset", "name": "test"}
    return json.dumps({"@context": "https://w3id.org/ro/crate/1.1/context", "@graph": [root, *entities]}).encode()


def crate_files(bundles: dict[str, dict[str, bytes]] = BUNDLES) -> dict[str, bytes]:
    """A small crate, as its files."""
    files = FILES | {name: zipped(members) for name, members in bundles.items()}
    inside = {path: content for members in bundles.values() for path, content in members.items()}
    files["checksums.sha256"] = sums(files | inside)
    return files | {"ro-crate-metadata.json": metadata(files)}


def write(folder: Path, files: dict[str, bytes], *members: tuple[zipfile.ZipInfo, bytes]) -> Path:
    """Files, and members of an own ZipInfo, as test.crate.zip."""
    path = folder / "test.crate.zip"
    with zipfile.ZipFile(path, "w") as file:
        for name, content in [*files.items(), *members]:
            file.writestr(name, content)
    return path


def everything(path: str) -> bool:
    return True
