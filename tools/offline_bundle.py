#!/usr/bin/env python3
"""Thermoweave for a machine without a package index: the checkout and its packages in one file (docs/cluster.md).

    offline_bundle.py make FILE.tar NAME...    where there is an index: wheels for workflow and the environments NAME
    offline_bundle.py install                  in the unpacked folder, without one: the environments, in their places

Standard library only, any Python 3.9 or newer: what the environments are made with is the Python that they name.
"""

from __future__ import annotations

import hashlib
import importlib.machinery
import importlib.util
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = "thermoweave"  # what the bundle unpacks to
WHEELS = "build/wheels"
MANIFEST = "build/offline.json"
ABOUT = "import json, platform, sysconfig; print(json.dumps([sysconfig.get_platform(), platform.libc_ver()[1]]))"
OLD_TAGS = {"manylinux1": "2.5", "manylinux2010": "2.12", "manylinux2014": "2.17"}


def refuse(message: str) -> None:
    """End with exit status 1 and a sentence."""
    sys.exit(f"offline_bundle.py: {message}")


def stand_in():
    """tools/venv-conda/conda as a module: it reads environment files and finds the Python that they name."""
    loader = importlib.machinery.SourceFileLoader("venv_conda", str(ROOT / "tools/venv-conda/conda"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("venv_conda", loader))
    loader.exec_module(module)
    return module


def sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while piece := file.read(2**20):
            digest.update(piece)
    return digest.hexdigest()


def numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def glibc_needed(wheels: list[str], here: str) -> str:
    """The oldest GNU C library that all these wheels run with, empty for any; one built here wants the one `here`.

    From the platform tags of their file names: manylinux_2_28 is glibc 2.28 (PEP 600), manylinux2014 is an older name.
    """
    needed = []
    for name in wheels:
        tags = name[: -len(".whl")].rpartition("-")[2].split(".")
        found = [".".join(match.groups()) for tag in tags if (match := re.match(r"manylinux_(\d+)_(\d+)_", tag))]
        found += [OLD_TAGS[tag.partition("_")[0]] for tag in tags if tag.partition("_")[0] in OLD_TAGS]
        found += [here for tag in tags if tag.startswith("linux_")]
        needed += [min(found, key=numbers)] if found else []
    return max(needed, key=numbers, default="")


def collect(names: list[str], envs: Path, folder: Path) -> tuple[str, str]:
    """Put the wheels of the environments envs/NAME.yaml into a folder; return their Python version and its path.

    What has no wheel is built here: the other machine could not get what the building needs.
    """
    conda = stand_in()
    wanted = {name: conda.read(envs / f"{name}.yaml") for name in names}
    version = wanted["workflow"][0]
    if others := sorted(name for name in names if wanted[name][0] != version):
        refuse(f"{', '.join(others)}: not for Python {version}, as workflow is; one bundle is for one Python")
    python = conda.interpreter(version)
    environment = {key: value for key, value in os.environ.items() if key not in conda.FOREIGN}
    subprocess.run([python, "-m", "venv", folder / "pip"], check=True)
    for name, (_, packages) in wanted.items():
        print(f"{name}: {len(packages)} packages and what they need", flush=True)
        command = [folder / "pip/bin/python", "-m", "pip", "wheel", *conda.PIP_OPTIONS, *packages]
        if subprocess.run([*command, "--wheel-dir", folder / "wheels"], env=environment).returncode:
            refuse(f"the packages of envs/{name}.yaml could not be had (messages above); nothing was written")
    return version, python


def make(bundle: Path, names: list[str]) -> None:
    """Write the bundle, and bundle.sha256 for sha256sum: the last commit, and wheels for the environments of it."""
    names = ["workflow", *sorted(set(names) - {"workflow"})]
    git = ["git", "-C", ROOT]
    commit = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
    if subprocess.run([*git, "status", "--porcelain"], capture_output=True, text=True, check=True).stdout:
        print(f"what was changed since the commit {commit[:9]} does not go into the bundle", file=sys.stderr)
    archive = subprocess.run([*git, "archive", "--format=tar", "HEAD"], capture_output=True, check=True).stdout
    bundle.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=bundle.parent) as temporary:
        work = Path(temporary)
        (work / "checkout").mkdir()
        subprocess.run(["tar", "-x", "-C", work / "checkout"], input=archive, check=True)
        if unknown := [name for name in names if not (work / f"checkout/envs/{name}.yaml").is_file()]:
            refuse(f"{', '.join(unknown)}: no envs/NAME.yaml of that name in the last commit")
        version, python = collect(names, work / "checkout/envs", work)
        machine, libc = json.loads(subprocess.run([python, "-c", ABOUT], capture_output=True, check=True).stdout)
        wheels = sorted((work / "wheels").iterdir())
        manifest = {
            "commit": commit, "environments": names, "python": version, "platform": machine,
            "glibc": glibc_needed([wheel.name for wheel in wheels], libc),
            "files": {f"{WHEELS}/{wheel.name}": sha256(wheel) for wheel in wheels}
            | {str(path.relative_to(work / "checkout")): sha256(path)
               for path in sorted((work / "checkout").rglob("*")) if path.is_file()},
        }  # fmt: skip
        write(work / "bundle.tar", archive, wheels, manifest)
        digest = sha256(work / "bundle.tar")
        os.replace(work / "bundle.tar", bundle)
    bundle.with_name(f"{bundle.name}.sha256").write_text(f"{digest}  {bundle.name}\n")
    print(f"{bundle}: {bundle.stat().st_size / 1e6:.0f} MB, {len(wheels)} wheels for {', '.join(names)}; for Python "
          f"{version}, {machine}, glibc {manifest['glibc'] or 'of any version'} or newer")  # fmt: skip


def write(bundle: Path, archive: bytes, wheels: list[Path], manifest: dict) -> None:
    """One tar, whose files all lie below FOLDER."""
    with tarfile.open(bundle, "w") as tar:
        text = json.dumps(manifest, indent=1).encode()
        about = tarfile.TarInfo(f"{FOLDER}/{MANIFEST}")
        about.size = len(text)
        tar.addfile(about, io.BytesIO(text))
        with tarfile.open(fileobj=io.BytesIO(archive)) as checkout:
            for member in checkout:
                content = checkout.extractfile(member) if member.isfile() else None
                member.name = f"{FOLDER}/{member.name}"
                tar.addfile(member, content)
        for wheel in wheels:
            tar.add(wheel, f"{FOLDER}/{WHEELS}/{wheel.name}")


def check_machine(manifest: dict) -> None:
    """Refuse a machine that the bundle is not for, before anything is made."""
    found = shutil.which("conda")
    if found and not Path(found).resolve().is_relative_to(ROOT):
        refuse(f"{found} would be taken in place of tools/venv-conda and wants its own packages: take it off the PATH "
               "(conda deactivate, module unload), here and whenever snakemake is called")  # fmt: skip
    if not shutil.which("make"):
        refuse("there is no make on the PATH: GNU make is needed")
    python = stand_in().interpreter(manifest["python"])
    machine, libc = json.loads(subprocess.run([python, "-c", ABOUT], capture_output=True, check=True).stdout)
    if machine != manifest["platform"]:
        refuse(f"the bundle is for {manifest['platform']}, this machine is {machine}: make one on a machine like this")
    if manifest["glibc"] and numbers(libc or "0") < numbers(manifest["glibc"]):
        refuse(f"the bundle's packages need glibc {manifest['glibc']}, this machine has {libc or 'another C library'}: "
               "make one on a machine like this")  # fmt: skip


def check_files(manifest: dict) -> None:
    """Refuse packages that are not those of the manifest; name other files that are not as they came."""
    there = {path.relative_to(ROOT).as_posix() for path in (ROOT / WHEELS).glob("*")}
    different = [name for name, digest in manifest["files"].items()
                 if not (ROOT / name).is_file() or sha256(ROOT / name) != digest]  # fmt: skip
    wrong = sorted(there - manifest["files"].keys()) + [name for name in different if name.startswith(WHEELS)]
    if wrong:
        refuse(f"not what the bundle's manifest {MANIFEST} says: {', '.join(wrong)}; unpack the bundle again")
    if different:
        print(f"changed since the bundle was made: {', '.join(different)}", file=sys.stderr)


def install() -> None:
    """Make .venv and the rules' environments from build/wheels, with no index."""
    if not (ROOT / MANIFEST).is_file():
        refuse(f"there is no {MANIFEST}: this folder was not unpacked from a bundle")
    manifest = json.loads((ROOT / MANIFEST).read_text())
    check_machine(manifest)
    check_files(manifest)
    rules = " ".join(name for name in manifest["environments"] if name != "workflow")
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PIP_")} | {
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": (ROOT / WHEELS).as_uri(),  # an address and no path, which pip would split at spaces
        "PIP_CONFIG_FILE": os.devnull,
        "PWD": str(ROOT),  # where the profile puts the environments
    }
    commands = [["make", "--no-print-directory", "setup"]]
    if rules:
        commands.append([".venv/bin/snakemake", "--profile", "profiles/local", "--snakefile", "tools/environments.smk",
                         "--conda-create-envs-only", "--config", f"environments={rules}"])  # fmt: skip
    for command in commands:
        if subprocess.run(command, cwd=ROOT, env=environment).returncode:
            refuse("not all environments could be made (messages above); what is whole stays, run this again")
    print(f"{ROOT} is ready: .venv/bin/snakemake --profile profiles/slurm. {WHEELS} is needed no more.")


if __name__ == "__main__":
    if sys.argv[1:] == ["install"]:
        install()
    elif sys.argv[1:2] == ["make"] and sys.argv[2:] and sys.argv[2].endswith(".tar"):
        make(Path(sys.argv[2]).absolute(), sys.argv[3:])
    else:
        sys.exit(__doc__)
