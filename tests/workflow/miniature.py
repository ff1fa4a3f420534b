"""How the workflow's tests run snakemake on a copy of the project, and read what it made."""

import csv
import re
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
PARTS = ["Snakefile", "config", "envs", "profiles", "report", "resources", "rules", "scripts", "tools"]

LABELLERS = {  # in place of pw.x, with the settings of each
    "tblite": {
        "method": "GFN1-xTB", "accuracy": 1.0, "electronic_temperature": 300, "mixer_damping": 0.4,
        "max_iterations": 250,
    },
    "ase": {
        "calculator": "ase.calculators.lj.LennardJones", "arguments": {"sigma": 2.0, "rc": 4.0},
        "environment": "analysis",
    },
}  # fmt: skip


def command(*arguments: str, config: str = "config/test.yaml") -> list[str]:
    prefix = ["--profile", "profiles/local", "--conda-prefix", str(ROOT / ".snakemake" / "conda")]
    return [sys.executable, "-m", "snakemake", *prefix, "--configfile", config, *arguments]


def snakemake(folder: Path, *arguments: str, config: str = "config/test.yaml") -> subprocess.CompletedProcess:
    """Snakemake in `folder`, its output and errors as one text."""
    return subprocess.run(
        command(*arguments, config=config), cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def planned(folder: Path, **changes) -> dict[str, int]:
    """Jobs by rule that a dry run plans with top-level keys of the config changed."""
    config = yaml.safe_load((folder / "config/test.yaml").read_text())
    (folder / "config/changed.yaml").write_text(yaml.safe_dump({**config, **changes}, sort_keys=False))
    return planned_with(folder)


def planned_with(folder: Path) -> dict[str, int]:
    """Jobs by rule that a dry run plans with config/changed.yaml."""
    run = snakemake(folder, "--dry-run", config="config/changed.yaml")
    assert run.returncode == 0, run.stdout
    jobs = dict(re.findall(r"^(\w+)\s+(\d+)$", run.stdout, re.M))
    return {rule: int(n) for rule, n in jobs.items() if rule not in ("all", "total")}


def rows(path: Path) -> list[dict]:
    with open(path) as file:
        return list(csv.DictReader(file))


def copy_with(campaign: Path, folder: Path, **changes) -> Path:
    """A copy of the campaign whose config/changed.yaml has top-level keys changed."""
    shutil.copytree(campaign, folder)
    config = yaml.safe_load((folder / "config/test.yaml").read_text())
    for section, values in changes.items():
        config[section].update(values)
    (folder / "config/changed.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    return folder
