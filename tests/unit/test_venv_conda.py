"""The stand-in for conda makes environments from our files, refuses all else, and leaves no half environment."""

import functools
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONDA = ROOT / "tools" / "venv-conda" / "conda"
HEAD = "channels:\n  - conda-forge\ndependencies:\n  - python=3.11\n  - pip\n"
TINY = HEAD + "  - pip:\n      - tiny==1.0  # made below\n"


@pytest.fixture(scope="session")
def wheels(tmp_path_factory) -> Path:
    """A folder with one wheel, of the package `tiny`: no network is needed."""
    folder = tmp_path_factory.mktemp("wheels")
    info = {
        "METADATA": "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n",
        "WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "RECORD": "",
    }
    with zipfile.ZipFile(folder / "tiny-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("tiny.py", "value = 42\n")
        for name, text in info.items():
            wheel.writestr(f"tiny-1.0.dist-info/{name}", text)
    return folder


@pytest.fixture
def offline(wheels, monkeypatch):
    """Make pip, in whatever starts it, take packages from that folder only."""
    for key in [key for key in os.environ if key.startswith("PIP_")]:
        monkeypatch.delenv(key)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))


def conda(*arguments) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, CONDA, *arguments], capture_output=True, text=True)


def create(file: Path, prefix: Path) -> subprocess.Popen:
    """Start the command that Snakemake gives."""
    arguments = ["env", "create", "--quiet", "--no-default-packages", "--file", file, "--prefix", prefix]
    # What a shell starts with & ignores SIGINT, and so does all that it starts: tests may be among that.
    interruptible = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    command = [sys.executable, CONDA, *arguments]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, preexec_fn=interruptible)


@pytest.fixture
def file(tmp_path) -> Path:
    path = tmp_path / "tiny.yaml"
    path.write_text(TINY)
    return path


def test_what_snakemake_asks_is_answered():
    info = json.loads(conda("info", "--json").stdout)
    assert Path(info["conda_prefix"]) == CONDA.parent
    assert info["platform"]
    version = conda("--version").stdout.split()[-1]
    assert tuple(map(int, version.split("."))) >= (24, 7, 1)
    answer = json.loads(conda("config", "--get", "channel_priority", "--json").stdout)
    assert answer["get"]["channel_priority"] == "strict"
    assert conda("clean", "-y", "--tarballs").returncode == 0


@pytest.mark.parametrize(
    "command",
    [
        "",
        "install numpy",
        "list --explicit",
        "create --file P.pin.txt --prefix P",
        "env export --prefix P",
        "env create",
        "env create --name N --file F",
        "env create --file F --prefix P extra",
    ],
)
def test_anything_else_is_refused(command):
    done = conda(*command.split())
    assert done.returncode == 2
    assert "real conda" in done.stderr


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (HEAD + "  - numpy=2.4\n", "line 6: 'numpy=2.4' is a conda package"),
        (HEAD + "  - pip:\n      - -r more.txt\n", "line 7"),
        (
            HEAD + "  - pip:\n      - --index-url=elsewhere\n",
            "line 7: '--index-url=elsewhere' is not",
        ),
        (HEAD + "  - pip:\n      - git+https://somewhere/x\n", "line 7: 'git+https://somewhere/x' is not a plain"),
        (HEAD + "  - pip:\n      - 'numpy<3'\n", "line 7: ''numpy<3'' is not a plain requirement"),
        (HEAD + "variables:\n  A: 1\n", "line 6: cannot read 'variables:'"),
        ("dependencies: [python=3.11]\n", "line 1: cannot read"),
        ("dependencies:\n\t- python=3.11\n", "line 2: cannot read"),
        ("dependencies:\n  - pip\n", "no python=X.Y"),
        ("dependencies:\n  - python=2.99\n", "no python2.99 on the PATH"),
    ],
)
def test_files_that_need_a_real_conda_are_refused_by_line(file, tmp_path, text, complaint):
    file.write_text(text)
    done = conda("env", "create", "--file", file, "--prefix", tmp_path / "prefix")
    assert done.returncode == 2
    assert complaint in done.stderr
    assert not (tmp_path / "prefix").exists()


def test_list_items_may_stand_below_their_key(file, tmp_path):
    """Both indentations are YAML; a file that is read ends at the next obstacle, the prefix that exists."""
    file.write_text("name: tiny\ndependencies:\n- python=3.11\n- pip\n- pip:\n  - tiny[extra,more]==1.0\n  - b>=1,<2\n")
    done = conda("env", "create", "--file", file, "--prefix", tmp_path)
    assert "exists already" in done.stderr


@pytest.mark.parametrize("path", sorted((ROOT / "envs").glob("*.yaml")), ids=lambda path: path.stem)
def test_our_files_are_read_and_pin_every_package(path, tmp_path):
    requirements = path.read_text().partition("- pip:")[2].split("- ")[1:]
    assert requirements
    assert all("==" in requirement for requirement in requirements)
    done = conda("env", "create", "--file", path, "--prefix", tmp_path)
    assert "exists already" in done.stderr


@pytest.mark.usefixtures("offline")
def test_two_environments_at_a_time_and_their_activation(file, tmp_path):
    prefixes = [tmp_path / "one", tmp_path / "a folder" / "two"]
    running = [create(file, prefix) for prefix in prefixes]
    assert [process.communicate()[1] for process in running] == ["", ""]
    assert [process.returncode for process in running] == [0, 0]
    for prefix in prefixes:
        inside = "import os, sys, tiny; print(sys.prefix, tiny.value, os.environ.get('PYTHONPATH'))"
        script = f"source {CONDA.parent}/bin/activate '{prefix}'; set -euo pipefail; python -c \"{inside}\""
        job = subprocess.run(["bash", "-c", script], env=os.environ | {"PYTHONPATH": "/elsewhere"},
                             capture_output=True, text=True)  # fmt: skip
        assert job.stdout.strip() == f"{prefix} 42 None", job.stderr


@pytest.mark.usefixtures("offline")
def test_of_two_that_make_the_same_environment_one_does(file, tmp_path):
    running = [create(file, tmp_path / "prefix") for _ in range(2)]
    messages = "".join(process.communicate()[1] for process in running)
    assert sorted(process.returncode for process in running) == [0, 2]
    assert "exists already" in messages
    assert (tmp_path / "prefix" / "bin" / "python").exists()


@pytest.mark.usefixtures("offline")
def test_a_failed_pip_leaves_nothing(file, tmp_path):
    file.write_text(TINY.replace("1.0", "2.0"))
    process = create(file, tmp_path / "prefix")
    messages = process.communicate()[1]
    assert process.returncode == 2
    assert "tiny==2.0" in messages
    assert "could not be made" in messages.splitlines()[-1]
    assert not (tmp_path / "prefix").exists()


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_terminated_creation_leaves_nothing(file, tmp_path, how):
    process = create(file, tmp_path / "prefix")
    while not (tmp_path / "prefix" / "pyvenv.cfg").exists():
        time.sleep(0.02)
        assert process.poll() is None
    process.send_signal(how)
    process.communicate()
    assert process.returncode != 0
    assert not (tmp_path / "prefix").exists()


def test_activating_nothing_is_an_error(tmp_path):
    job = subprocess.run(
        ["bash", "-c", f"source {CONDA.parent}/bin/activate {tmp_path}"], capture_output=True, text=True
    )
    assert job.returncode == 1
    assert f"no environment at '{tmp_path}'" in job.stderr


@pytest.mark.usefixtures("offline")
def test_snakemake_makes_and_uses_an_environment(file, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{CONDA.parent}{os.pathsep}{os.environ['PATH']}")
    (tmp_path / "Snakefile").write_text(
        f"rule all:\n    output: 'out'\n    conda: '{file}'\n"
        "    shell: 'python -c \"import tiny\" && which python > out'\n"
    )
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--software-deployment-method", "conda"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out").read_text().startswith(f"{tmp_path}/.snakemake/conda/")
    assert shutil.which("conda") == str(CONDA)
