"""The definition of `make container` puts the environments of all rules where Snakemake looks for them in an image.

There is no apptainer here: a script of its name stands in, and takes the directories that the definition makes for
those of the image. That a real one builds the image is not tested.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PARTS = ["Snakefile", "config", "envs", "profiles", "report", "resources", "rules", "scripts", "tools"]
# Answers `apptainer exec [options] IMAGE sh -c COMMAND`: asked for a directory below /conda-envs, it says whether the
# definition makes an environment there; all else runs on this machine.
APPTAINER = """#!/usr/bin/env bash
if [ "$1" = --version ]; then echo "apptainer version 1.3.4"; exit; fi
command="${!#}"
prefix=$(grep --only-matching '/conda-envs/[0-9a-f]*' <<< "$command") || exec bash -c "$command"
echo "$prefix" >> asked
grep --quiet --fixed-strings -- "conda env create --prefix $prefix --file" environments.def
"""


@pytest.fixture
def project(tmp_path) -> Path:
    """A copy of the project with that apptainer in tmp_path/bin."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "apptainer").write_text(APPTAINER)
    (tmp_path / "bin" / "apptainer").chmod(0o755)
    folder = tmp_path / "project"
    folder.mkdir()
    for part in PARTS:
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, folder / part)
    return folder


def snakemake(project: Path, *arguments: str) -> subprocess.CompletedProcess:
    environment = os.environ | {"PATH": f"{project.parent}/bin{os.pathsep}{os.environ['PATH']}", "PWD": str(project)}
    command = [sys.executable, "-m", "snakemake", "--profile", "profiles/local", *arguments]
    return subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True)


def define(project: Path, *names: str) -> str:
    """Write the definition as the Makefile does, and return it."""
    chosen = ["--snakefile", "tools/environments.smk", "--config", f"environments={' '.join(names)}"]
    done = snakemake(project, *chosen, "--containerize", "apptainer")
    assert done.returncode == 0, done.stderr
    (project / "environments.def").write_text(done.stdout)
    return done.stdout


def look_for_environments(project: Path) -> subprocess.CompletedProcess:
    """What Snakemake does before the jobs of a campaign, with all rules that the campaign has."""
    method = ["--software-deployment-method", "conda", "apptainer"]
    return snakemake(project, "--configfile", "config/test.yaml", *method, "--conda-create-envs-only")


def test_the_environments_of_all_rules_are_where_snakemake_looks(project):
    text = define(project, "pwscf", "analysis", "nequip")
    done = look_for_environments(project)
    assert done.returncode == 0, done.stderr
    asked = (project / "asked").read_text().split()
    assert sorted(asked) == sorted(re.findall(r"--prefix (\S+)", text))
    for name in ("pwscf", "analysis", "nequip"):  # the source of each, as apptainer finds it from the checkout
        assert re.search(rf"^    envs/{name}\.yaml /conda-envs/\w+/environment\.yaml$", text, re.M)


def test_an_environment_that_was_edited_since_is_said_to_be_missing(project):
    define(project, "pwscf", "analysis", "nequip")
    with open(project / "envs" / "analysis.yaml", "a") as file:
        file.write("      - tidynamics==1.1.2\n")
    done = look_for_environments(project)
    assert done.returncode != 0
    assert "Unable to find environment in container image" in done.stderr


def test_every_environment_can_be_asked_for(project):
    names = [path.stem for path in (ROOT / "envs").glob("*.yaml")]
    text = define(project, *names)
    assert all(f"    envs/{name}.yaml /conda-envs/" in text for name in names)


def test_a_name_that_is_no_environment_is_refused(project):
    chosen = ["--snakefile", "tools/environments.smk", "--config", "environments=pwscf nalysis"]
    done = snakemake(project, *chosen, "--containerize", "apptainer")
    assert done.returncode != 0
    assert "wants one or more of analysis, " in done.stderr
