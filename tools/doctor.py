#!/usr/bin/env python3
"""What this machine has for Thermoweave, and what each missing thing would give: `make doctor`.

Standard library only, any Python 3.9 or newer: it must run where nothing is installed yet. Exit status 1 if something
is missing or broken without which the quickstart cannot run, else 0.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
GIB = 2**30
NEEDED_DISK = 5 * GIB  # environments 3.5 GiB with a CPU build of torch, and room for results
NEEDED_MEMORY = 3 * GIB  # one training, or two pw.x of the quickstart's size


class Finding(NamedTuple):
    """One line of the report: state is 'ok', '-' (absent, optional) or 'MISSING' (needed); advice may be empty."""

    state: str
    name: str
    found: str
    advice: str = ""


def ask(*command: str, check: bool = True, cwd: Path = ROOT) -> str | None:
    """Return what a command prints (stripped), or None if it is not there, takes over 20 s or, with check, fails."""
    if shutil.which(command[0]) is None:
        return None
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20, cwd=cwd)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return None if check and done.returncode else done.stdout.strip()


def python() -> Finding:
    version = ask("python3.11", "-c", "import sys, venv, ensurepip; print('%d.%d.%d' % sys.version_info[:3])")
    if version:
        return Finding("ok", "Python", version)
    if real_conda():
        return Finding("ok", "Python", "conda brings 3.11 for the rules", "python3.11 makes .venv (`make setup`)")
    return Finding("MISSING", "Python", "no python3.11 with venv", "Debian: apt install python3.11 python3.11-venv")


def make() -> Finding:
    version = (ask("make", "--version") or "").splitlines()
    if version:
        return Finding("ok", "make", version[0])
    return Finding("MISSING", "make", "none", "GNU make runs the targets; Debian: apt install make")


def compiler() -> Finding:
    for name in filter(None, (os.environ.get("CXX"), "g++", "clang++")):
        version = ask(name, "--version")
        if version:
            return Finding("ok", "C++ compiler", version.splitlines()[0])
    advice = "compiled potentials run about 5 times faster in MD (AOTInductor); Debian: apt install g++"
    return Finding("-", "C++ compiler", "none: potentials run uncompiled", advice)


def pwscf() -> Finding:
    path = shutil.which("pw.x")
    if path:
        with tempfile.TemporaryDirectory() as folder:  # an empty input: pw.x prints its banner, then complains
            banner = ask(path, check=False, cwd=Path(folder)) or ""
        version = re.search(r"PWSCF\s+v\.?\s*(\S+)", banner)
        found = f"{path}, {version[1] if version else 'version unknown'}"
        return Finding("ok", "pw.x", found, "use it with pw_command in profiles/local/config.yaml")
    prefix = environment("pwscf")
    wheels = list(prefix.glob("lib/python*/site-packages/qepy-*.dist-info")) if prefix else []
    if wheels:
        version = wheels[0].name[len("qepy-") : -len(".dist-info")]
        return Finding("ok", "pw.x", f"{version}, serial, from the wheel", "a pw.x with MPI labels larger cells")
    return Finding("-", "pw.x", "not yet", "`make environments` brings one (serial) from a wheel, without root")


def pseudopotentials(folder: Path = ROOT / "resources" / "pseudopotentials") -> Finding:
    sums = folder / "SHA256SUMS"
    if not sums.is_file():
        return Finding("MISSING", "pseudopotentials", f"no {sums}", "restore it: git checkout resources")
    faults, names = [], []
    for line in sums.read_text().splitlines():
        expected, name = line.split(maxsplit=1)
        name = name.lstrip("*")
        names.append(name.partition(".")[0])
        if not (folder / name).is_file():
            faults.append(f"{name} is missing")
        elif hashlib.sha256((folder / name).read_bytes()).hexdigest() != expected:
            faults.append(f"{name} is not the file of its sha256")
    if faults:
        return Finding("MISSING", "pseudopotentials", ", ".join(faults), "restore them: git checkout resources")
    return Finding("ok", "pseudopotentials", f"{', '.join(names)}; sha256 as recorded")


def mpi() -> Finding:
    for name in ("srun", "mpirun", "mpiexec"):
        if shutil.which(name):
            return Finding("ok", "MPI launcher", shutil.which(name))
    return Finding(
        "-", "MPI launcher", "none", "with an MPI pw.x, several cores for one label (the quickstart needs none)"
    )


def limits(file: str, root: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")) -> list:
    """Return the values of one cgroup-v2 file from this process's group up to the root, e.g. ['150000 100000']."""
    groups = re.findall(r"^0::/(.*)$", own.read_text(), re.MULTILINE) if own.is_file() else []
    folder = root / groups[0] if groups else root
    chain = [folder, *folder.parents]
    return [(f / file).read_text().strip() for f in chain if f.is_relative_to(root) and (f / file).is_file()]


def cores() -> Finding:
    total = os.cpu_count() or 1
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else total
    quotas = [line.split() for line in limits("cpu.max")]
    quota = min((int(q) / int(period) for q, period in quotas if q != "max"), default=float(usable))
    advice = "" if min(usable, quota) >= 2 else "2 halve the quickstart: labels and MD runs are single-core jobs"
    note = f", a cgroup allows {quota:.1f}: set `cores` in the profile" if quota < usable else ""
    return Finding("ok", "cores", f"{usable} of {total}{note}", advice)


def memory() -> Finding:
    meminfo = Path("/proc/meminfo")
    if not meminfo.is_file():
        return Finding("-", "memory", "unknown (no /proc/meminfo)")
    kib = dict(re.findall(r"^(\w+):\s+(\d+) kB", meminfo.read_text(), re.MULTILINE))
    bound = min([int(kib["MemTotal"]) * 1024] + [int(value) for value in limits("memory.max") if value != "max"])
    free = min(int(kib["MemAvailable"]) * 1024, bound)
    advice = "" if free >= NEEDED_MEMORY else f"{NEEDED_MEMORY / GIB:.0f} GiB are wanted: run fewer jobs at a time"
    return Finding("ok", "memory", f"{free / GIB:.1f} GiB free of {bound / GIB:.1f}", advice)


def disk() -> Finding:
    free = shutil.disk_usage(ROOT).free
    if free >= NEEDED_DISK or environment("nequip"):
        return Finding("ok", "disk", f"{free / GIB:.0f} GiB free")
    return Finding(
        "MISSING", "disk", f"{free / GIB:.1f} GiB free", f"the environments need {NEEDED_DISK / GIB:.0f} GiB"
    )


def gpu() -> Finding:
    cards = ask("nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader")
    if cards:
        return Finding("ok", "GPU", "; ".join(cards.splitlines()))
    return Finding("-", "GPU", "none", "not used yet: training and MD run on the CPU")


def real_conda() -> str | None:
    """Return the path of a conda that is not the stand-in."""
    path = shutil.which("conda")
    return None if path is None or Path(path).resolve().is_relative_to(ROOT) else path


def conda() -> Finding:
    path = real_conda()
    if path:
        return Finding("ok", "conda", f"{path}, {ask(path, '--version') or 'which does not run'}")
    return Finding("-", "conda", "none: tools/venv-conda stands in", "conda itself allows conda packages, e.g. qe")


def slurm() -> Finding:
    version = ask("sinfo", "--version")
    if version:
        partitions = ask("sinfo", "--noheader", "--format=%R") or "no partition answers"
        return Finding("ok", "SLURM", f"{version}: {', '.join(sorted(set(partitions.split())))}")
    return Finding("-", "SLURM", "none", "a cluster's nodes, through snakemake's executor plugin slurm")


def environment(name: str) -> Path | None:
    """Return the prefix that Snakemake made from the present envs/NAME.yaml (it keeps a copy beside it), or None."""
    wanted = (ROOT / "envs" / f"{name}.yaml").read_bytes()
    for copy in (ROOT / ".snakemake" / "conda").glob("*.yaml"):
        if copy.read_bytes() == wanted and copy.with_suffix(".env_setup_done").is_file():
            return copy.with_suffix("")
    return None


def environments() -> Finding:
    names = sorted(file.stem for file in (ROOT / "envs").glob("*.yaml") if file.stem != "workflow")
    there = ["workflow (.venv)"] if (ROOT / ".venv" / ".complete").is_file() else []
    there += [name for name in names if environment(name)]
    absent = len(names) + 1 - len(there)
    advice = f"`make environments` makes {absent} more, in minutes" if absent else ""
    return Finding("-" if absent else "ok", "environments", ", ".join(there) or "none yet", advice)


CHECKS = (python, make, compiler, pwscf, pseudopotentials, mpi, cores, memory, disk, gpu, conda, slurm, environments)


def main() -> int:
    """Print one screen and return the exit status."""
    findings = [check() for check in CHECKS]
    for finding in findings:
        print(f"{finding.state:8} {finding.name:17} {finding.found}")
        if finding.advice:
            print(f"{'':26} -> {finding.advice}")
    missing = [finding.name for finding in findings if finding.state == "MISSING"]
    print(f"\nNeeded and missing: {', '.join(missing)}." if missing else "\nNothing that is needed is missing.")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
