"""A campaign's folder on the test cluster, and what its profile says."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import yaml
from miniature import PARTS, ROOT

# What a user edits: the site section; and what only a test needs: polls as short as its jobs, and no CUDA here.
PROFILE = "profiles/slurm/config.yaml"
OVERLAY = ["--slurm-init-seconds-before-status-checks", "3", "--latency-wait", "10"]


def checkout(folder: Path) -> Path:
    """A copy of the project."""
    folder.mkdir(parents=True, exist_ok=True)
    for part in PARTS:
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, folder / part)
    return folder


def edit(path: Path, *changes: tuple[str, str]) -> None:
    """Replace texts of a file, each of which must be there once, as a user does in an editor."""
    text = path.read_text()
    for old, new in changes:
        assert text.count(old) == 1, f"{path}: {text.count(old)} times {old!r}"
        text = text.replace(old, new)
    path.write_text(text)


def site(folder: Path, **values: str | int) -> None:
    """Set variables of the site section of the profile."""
    text = (folder / PROFILE).read_text()
    for name, value in values.items():
        text, n = re.subn(
            rf'^(  {name}: )("[^"]*"|\d+)', lambda match, v=value: match[1] + json.dumps(v), text, flags=re.M
        )
        assert n == 1, f"{PROFILE} has no variable {name}"
    (folder / PROFILE).write_text(text)


def ask(folder: Path, rule: str, **resources: str | int) -> None:
    """Set what a rule asks for in the profile."""
    text = (folder / PROFILE).read_text()
    head, found, rest = text.partition(f"\n  {rule}:")
    assert found, f"{PROFILE} says nothing of {rule}"
    for name, value in resources.items():
        rest, n = re.subn(rf"(?<=\n    {name}: )[^#\n]+", f"{value}  ", rest, count=1)
        assert n == 1
    (folder / PROFILE).write_text(head + found + rest)


def change(folder: Path, **sections: dict) -> None:
    """Change keys of config/test.yaml, one level below the sections; other values replace the key."""
    path = folder / "config/test.yaml"
    config = yaml.safe_load(path.read_text())
    for name, value in sections.items():
        config[name] = {**config[name], **value} if isinstance(value, dict) else value
    path.write_text(yaml.safe_dump(config, sort_keys=False))


def command(*arguments: str, profile: str = "profiles/slurm") -> list[str]:
    overlay = OVERLAY if profile == "profiles/slurm" else []
    prefix = ["--profile", profile, "--conda-prefix", str(ROOT / ".snakemake/conda"), *overlay]
    return [sys.executable, "-m", "snakemake", *prefix, "--configfile", "config/test.yaml", *arguments]


def start(folder: Path, cluster, *arguments: str, log: str = "run.log", **options) -> subprocess.Popen:
    """Snakemake in `folder`, its output in a file there."""
    environment = {**os.environ, **cluster.environment(), "PWD": str(folder)}
    with open(folder / log, "w") as file:
        return subprocess.Popen(
            command(*arguments, **options), cwd=folder, stdout=file, stderr=subprocess.STDOUT, env=environment
        )


def run(folder: Path, cluster, *arguments: str, log: str = "run.log", **options) -> tuple[int, str]:
    """Snakemake to its end: its exit status and its output."""
    process = start(folder, cluster, *arguments, log=log, **options)
    try:
        status = process.wait(timeout=900)
    finally:
        process.kill()
    return status, (folder / log).read_text()
