"""A job sees its own environment's packages and no other's, whatever Snakemake put on its path."""

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"


def site_packages(prefix: Path) -> Path:
    return prefix / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"


def add_package(folder: Path, name: str) -> None:
    (folder / name).mkdir(parents=True)
    (folder / name / "__init__.py").write_text("")


@pytest.fixture(scope="module")
def prefixes(tmp_path_factory):
    """Two environments, of the job and of Snakemake, each with a package of its own."""
    own, base = tmp_path_factory.mktemp("prefixes") / "own", tmp_path_factory.mktemp("prefixes") / "base"
    for prefix, names in (own, ["ours"]), (base, ["theirs", "ase", "snakemake"]):
        venv.create(prefix, symlinks=True)
        for name in names:
            add_package(site_packages(prefix), name)
    return own, base


def run(python: Path, *lines: str, environment: dict[str, str] | None = None, foreign: Path | None = None):
    """Run lines of Python as Snakemake runs a script: its own packages and scripts/ at the end of the path."""
    preamble = f"import sys; sys.path += [{str(foreign)!r}, {str(SCRIPTS)!r}]"
    code = "\n".join([preamble, *lines])
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    return subprocess.run([python, "-c", code], env=clean | (environment or {}), capture_output=True, text=True)


ISOLATE = "from thermoweave import environment; environment.isolate()"


def test_without_isolation_the_leak_is_real(prefixes):
    own, base = prefixes
    assert run(own / "bin" / "python", "import theirs", foreign=site_packages(base)).returncode == 0


def test_a_package_of_another_environment_cannot_be_imported(prefixes):
    own, base = prefixes
    job = run(
        own / "bin" / "python", ISOLATE, "import ours, json, sqlite3", "import theirs", foreign=site_packages(base)
    )
    assert job.stderr.strip().endswith("No module named 'theirs'")


def test_a_package_that_came_from_elsewhere_already_is_named(prefixes):
    own, base = prefixes
    job = run(own / "bin" / "python", "import ase", ISOLATE, foreign=site_packages(base))
    assert job.returncode == 1
    assert f"do not come from the job's own environment {own}" in job.stderr
    assert f"ase from {site_packages(base)}" in job.stderr


def test_what_snakemakes_preamble_needs_is_excepted(prefixes):
    own, base = prefixes
    lines = "import snakemake, theirs", "import ours", ISOLATE
    assert run(own / "bin" / "python", *lines, foreign=site_packages(base)).returncode == 0


def test_an_environment_behind_a_link_is_its_own(prefixes, tmp_path):
    own, base = prefixes
    (tmp_path / "link").symlink_to(own)
    job = run(tmp_path / "link" / "bin" / "python", "import ours", ISOLATE, "import ours", foreign=site_packages(base))
    assert (job.returncode, job.stderr) == (0, "")


def test_a_linked_package_is_its_environments_own(prefixes, tmp_path):
    """Package managers may link packages from a store that looks like another environment."""
    own, base = prefixes
    add_package(tmp_path / "store" / "site-packages", "linked")
    (site_packages(own) / "linked").symlink_to(tmp_path / "store" / "site-packages" / "linked")
    assert run(own / "bin" / "python", "import linked", ISOLATE, foreign=site_packages(base)).returncode == 0


def test_a_plain_python_keeps_its_own_packages_but_not_the_users(prefixes, tmp_path):
    """As in a conda environment, where `sys.prefix` is `sys.base_prefix` and the user's packages come first."""
    plain = Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    add_package(site_packages(tmp_path), "users")
    add_package(site_packages(tmp_path), "numpy")
    user = {"PYTHONUSERBASE": str(tmp_path)}
    kept = "import site; assert set(site.getsitepackages()) & set(sys.path) == before, sys.path"
    before = "import site; before = set(site.getsitepackages()) & set(sys.path)"
    job = run(plain, before, ISOLATE, kept, "import users", environment=user, foreign=site_packages(prefixes[1]))
    assert job.stderr.strip().endswith("No module named 'users'")
    job = run(plain, "import numpy", ISOLATE, environment=user, foreign=site_packages(prefixes[1]))
    assert "set PYTHONNOUSERSITE=1" in job.stderr


def test_a_snakemake_job_is_isolated(tmp_path):
    """With the real Snakemake: its preamble passes, and its own packages are out of reach afterwards."""
    (tmp_path / "Snakefile").write_text("rule all:\n    output: 'done'\n    script: 'job.py'\n")
    (tmp_path / "job.py").write_text(
        f"import sys\nsys.path.append({str(SCRIPTS)!r})\n{ISOLATE}\n"
        "own = [p for p in sys.path if 'site-packages' in p]\n"
        "assert all(p.startswith(sys.prefix) for p in own), own\n"
        "open(snakemake.output[0], 'w').close()\n"
    )
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--directory", tmp_path, "--snakefile"]
    done = subprocess.run([*command, tmp_path / "Snakefile"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
