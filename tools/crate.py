#!/usr/bin/env python3
"""What can be done with an archive of Thermoweave, a crate.

    crate.py verify [CRATE]   compare every file with its hash; with --reductions, also compute again what trajectories
                              in the crate were reduced to, and compare that
    crate.py unpack [CRATE]   the campaign's folder, with all bundles unpacked in place
    crate.py redraw [CRATE]   every figure and table again, from the reduced data, and whether they are equal
    crate.py replay [CRATE]   the campaign in miniature, from its config and locks alone

CRATE: NAME.crate.zip, or the folder that it was unpacked into; without it, the folder of this file. What is written
goes into a new folder beside the crate, or into that of --into. Environments are made with the versions that the crate
names, from the package index or a folder of wheels (--wheels FOLDER), or those of a checkout of Thermoweave are taken
(--environments CHECKOUT). redraw, replay and --reductions run programs out of the crate. Python 3.9 suffices.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

FORMAT = 1  # of the archive: the newest that is known here
CHECKSUMS, METADATA, LOCKS = "checksums.sha256", "ro-crate-metadata.json", "results/archive/environments/"
LARGE, RATIO = 100e6, 200  # bytes, and bytes to one in the zip file: a member beyond both is no data


class Refused(Exception):
    """What is wrong with a crate, a fault to a line."""


class File(NamedTuple):
    """A file of a crate: its path, what opens it, whether it can be run, and the bundle that it lies in, or is."""

    path: str
    open: Callable
    runs: bool
    bundle: str = ""


@contextlib.contextmanager
def reading(name: str) -> Iterator[None]:
    """Refuses, by its name, what cannot be read."""
    try:
        yield  # NotImplementedError: packed in a way that zipfile does not know
    except (zipfile.BadZipFile, zlib.error, EOFError, UnicodeDecodeError, NotImplementedError) as error:
        raise Refused(f"{name}: damaged, or not all of it ({error}); fetch the crate again") from error


def fault(info: zipfile.ZipInfo) -> str:
    """Why a member of a zip file is refused before it is read; empty for a good one."""
    name, kind = info.orig_filename, stat.S_IFMT(info.external_attr >> 16)
    if re.match(r"/|[A-Za-z]:", name):
        return "is an absolute path"
    if re.search(r"[\\\0-\x1f]", name) or not {"", ".", ".."}.isdisjoint(name.rstrip("/").split("/")):
        return "is a path that leads elsewhere"
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "is a link or a device"
    if info.flag_bits & 1:
        return "is encrypted"
    if info.file_size > max(LARGE, RATIO * info.compress_size):
        return f"would become {info.file_size / 1e9:.3g} GB out of {info.compress_size / 1e6:.3g} MB"
    return ""


def members(file: zipfile.ZipFile, bundle: str = "") -> list[File]:
    """The files in a zip file, none of them read. Refuses names, kinds and sizes that no crate has."""
    infos, where = file.infolist(), bundle or "the crate"
    faults = [f"{info.orig_filename}, in {where}: {fault(info)}" for info in infos if fault(info)]
    packed, size = (sum(getattr(info, name) for info in infos) for name in ("compress_size", "file_size"))
    if packed > file.fp.seek(0, os.SEEK_END):
        faults.append(f"{where}: members overlap")
    if size > max(LARGE, RATIO * packed):
        faults.append(f"{where}: would become {size / 1e9:.3g} GB out of {packed / 1e6:.3g} MB")
    if faults:
        raise Refused("\n".join(faults))
    files = [info for info in infos if not info.is_dir()]
    return [File(i.filename, lambda i=i: file.open(i), bool(i.external_attr >> 16 & 0o100), bundle) for i in files]


def in_folder(crate: Path) -> Iterator[File]:
    """The files of an unpacked crate, without what running the workflow there leaves."""
    for folder, folders, names in os.walk(crate):
        left = (".venv", ".snakemake", "archived", "__pycache__") if Path(folder) == crate else ("__pycache__",)
        folders[:] = [name for name in folders if name not in left]
        for path in [Path(folder, name) for name in folders + names]:
            name = path.relative_to(crate).as_posix()
            if path.is_symlink():
                raise Refused(f"{name}: is a link")
            if not path.is_dir():
                yield File(name, lambda path=path: path.open("rb"), os.access(path, os.X_OK))


@contextlib.contextmanager
def opened(crate: Path) -> Iterator[list[File]]:
    """The crate's own files; what bundles hold is not among them."""
    if crate.is_dir():
        yield sorted(in_folder(crate))
        return
    if not crate.is_file():
        raise Refused(f"{crate}: there is no such crate")
    with reading(crate.name), zipfile.ZipFile(crate) as file:
        yield members(file)


def contents(crate: Path) -> Iterator[File]:
    """Every file of the crate; in place of each bundle, after it, the files in it."""
    with opened(crate) as files:
        told = described(files)
        for file in files:
            yield file._replace(bundle=file.path if is_bundle(file.path, told) else "")
            if is_bundle(file.path, told):
                with tempfile.TemporaryFile() as copy, reading(file.path):
                    with file.open() as stream:
                        shutil.copyfileobj(stream, copy, 2**20)
                    with zipfile.ZipFile(copy) as bundle:
                        yield from members(bundle, file.path)


def is_bundle(path: str, told: dict) -> bool:
    """Whether a file's members belong to the crate: of the zip files those that the crate's metadata describe."""
    return path.endswith(".zip") and path in told


def text(files: list[File], name: str) -> str:
    """What one of the crate's own files says."""
    for file in files:
        if file.path == name:
            with reading(name), file.open() as stream:
                return stream.read().decode()
    raise Refused(f"{name}: missing, so that this is no crate of Thermoweave, or not all of it")


def described(files: list[File]) -> dict[str, str | None]:
    """The sha256 that the metadata has of each file (None: none). Refuses a format that is newer than this program."""
    try:
        graph = json.loads(text(files, METADATA))["@graph"]
        found = {unquote(entity["@id"]): entity for entity in graph if "File" in entity["@type"]}
        version = int(found[CHECKSUMS]["version"])
    except (ValueError, KeyError, TypeError) as error:
        raise Refused(f"{METADATA}: does not describe {CHECKSUMS} and its version ({error!r})") from error
    if version > FORMAT:
        raise Refused(f"{METADATA}: the crate has format {version}, this crate.py knows {FORMAT}: take a newer one")
    return {path: entity.get("sha256") for path, entity in found.items() if "://" not in path and path[:1] != "#"}


def listed(files: list[File]) -> dict[str, str]:
    """The sha256 that the crate lists of each file, those in bundles included."""
    lines = text(files, CHECKSUMS).splitlines()
    if wrong := [line for line in lines if not re.fullmatch(r"[0-9a-f]{64}  .+", line)]:
        raise Refused(f"{CHECKSUMS}: {wrong[0]!r} is no sha256 with a path")
    return {line[66:]: line[:64] for line in lines}


def verify(crate: Path) -> int:
    """Compare every file with its hash; returns how many there are. Refuses a crate with all that is wrong, by name."""
    with opened(crate) as files:
        told, wanted = described(files), listed(files)
    found: dict[str, str] = {}
    names: dict[str, str] = {}  # as a file system has them that does not tell a from A
    for file in contents(crate):
        first = names.setdefault(unicodedata.normalize("NFC", file.path).casefold(), file.path)
        if first != file.path or (file.path in found and not crate.is_dir()):
            raise Refused(f"{file.path}, in {file.bundle or 'the crate'}: there is {first} already")
        digest = hashlib.sha256()
        with reading(file.path), file.open() as stream:
            while piece := stream.read(2**20):
                digest.update(piece)
        if found.get(file.path) in (None, wanted.get(file.path)):  # beside its bundle, a file is there twice
            found[file.path] = digest.hexdigest()
    folders = names.keys() & {folder.as_posix() for name in names for folder in Path(name).parents}
    faults = [f"{names[name]}: a file, and a folder of others" for name in sorted(folders)]
    for path in sorted(wanted.keys() | told.keys() | found.keys()):
        if path not in found:  # of a folder, bundles may have been unpacked in place
            faults += [] if crate.is_dir() and is_bundle(path, told) else [f"{path}: missing"]
        elif path not in wanted and path not in (CHECKSUMS, METADATA):
            faults.append(f"{path}: extra, {CHECKSUMS} does not list it")
        elif {wanted.get(path), told.get(path)} - {None, found[path]}:
            faults.append(f"{path}: changed")
    if faults:
        raise Refused("\n".join(faults))
    return len(found)


def unpack(crate: Path, folder: Path, wanted: Callable[[str], bool]) -> None:
    """Verify a crate, then write the files that are wanted into a new folder, which is there when they all are."""
    if folder.exists():
        raise Refused(f"{folder}: is there already; give a new folder (--into), or remove it")
    verify(crate)
    partial, date = folder.with_name(f".{folder.name}.{os.getpid()}.partial"), crate.stat().st_mtime
    partial.mkdir(parents=True)
    try:
        for file in contents(crate):
            path = partial / file.path
            if wanted(file.path) and not path.exists() and file.bundle != file.path:
                path.parent.mkdir(parents=True, exist_ok=True)
                with reading(file.path), file.open() as stream, path.open("xb") as target:
                    shutil.copyfileobj(stream, target, 2**20)
                path.chmod(0o755 if file.runs else 0o644)
                os.utime(path, (date, date))  # all alike: none is newer than what was made from it
        partial.rename(folder)
    except BaseException:  # an interrupt, too
        shutil.rmtree(partial)
        raise


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["verify", "unpack", "redraw", "replay"])
    parser.add_argument("crate", nargs="?", type=Path, default=Path(__file__).parent)
    parser.add_argument("--reductions", action="store_true")
    for name in ("--into", "--wheels", "--environments"):
        parser.add_argument(name, type=lambda path: Path(path).resolve())
    given = parser.parse_intermixed_args(words)
    crate = given.crate.resolve()
    folder = given.into or crate.with_name(f"{crate.name.split('.')[0]}-{given.command}")
    needed = LOCKS if given.command == "replay" else "results/"
    try:
        if given.command == "verify" and not given.reductions:
            print(f"{crate.name}: {verify(crate)} files, all as they were archived")
            return 0
        unpack(crate, folder, lambda path: path.startswith(needed) or not path.startswith("results/"))
    except (Refused, OSError) as refused:
        print(f"{crate.name} is refused:\n{refused}", file=sys.stderr)
        return 1
    print(f"{folder}: unpacked, all files as they were archived", flush=True)
    extra = [f"--{name}={path}" for name in ("wheels", "environments") if (path := getattr(given, name))]
    if given.command == "unpack":
        return 0
    with subprocess.Popen([sys.executable, "tools/crate_runs.py", given.command, *extra], cwd=folder) as process:
        try:
            return process.wait()
        finally:
            process.terminate()  # when this one is ended before


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main(sys.argv[1:]))
