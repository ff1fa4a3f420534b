"""A bundle holds the last commit and its packages, is refused where it does not fit, and is installed with no index."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from offline_bundle import glibc_needed

ROOT = Path(__file__).parents[2]
TOOL = Path("tools/offline_bundle.py")
PARTS = ["Makefile", "profiles", "scripts", "tools"]
SNAKEMAKE = "9.27.1"
ENVIRONMENT = "dependencies:\n  - python=3.11\n  - pip\n  - pip:\n      - {}\n"


def wheel(folder: Path, name: str, version: str, files: dict[str, str], tag: str = "py3-none-any") -> None:
    info = {
        "METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        "WHEEL": f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n",
        "entry_points.txt": f"[console_scripts]\n{name} = {name}:main\n",
        "RECORD": "",
    }
    with zipfile.ZipFile(folder / f"{name}-{version}-{tag}.whl", "w") as file:
        for path, text in files.items() | {f"{name}-{version}.dist-info/{k}": text for k, text in info.items()}.items():
            file.writestr(path, text)


@pytest.fixture(scope="session")
def index(tmp_path_factory) -> Path:
    """A folder of wheels: tiny, and a snakemake that hands over to the one that runs these tests."""
    folder = tmp_path_factory.mktemp("index")
    wheel(folder, "tiny", "1.0", {"tiny.py": "value = 42\n"})
    hand_over = f"import os, sys\n\n\ndef main():\n    os.execv({sys.executable!r}, [{sys.executable!r}, '-m', "
    wheel(folder, "snakemake", SNAKEMAKE, {"snakemake.py": f"{hand_over}'snakemake', *sys.argv[1:]])\n"})
    return folder


@pytest.fixture(scope="session")
def bundle(tmp_path_factory, index) -> Path:
    """A bundle of a small project whose only rule environment is `tiny`."""
    project = tmp_path_factory.mktemp("project")
    for part in PARTS:
        subprocess.run(["cp", "-R", ROOT / part, project], check=True)
    (project / "envs").mkdir()
    (project / "envs/workflow.yaml").write_text(ENVIRONMENT.format(f"snakemake=={SNAKEMAKE}"))
    (project / "envs/tiny.yaml").write_text(ENVIRONMENT.format("tiny==1.0"))
    (project / "link").symlink_to("Makefile")
    git = ["git", "-c", "user.name=test", "-c", "user.email=test@localhost"]
    for command in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "all"]):
        subprocess.run([*git, *command], cwd=project, check=True)
    (project / "later").write_text("not committed\n")
    file = project / "build" / "bundle.tar"
    done = run(project, "make", str(file), "tiny", PIP_NO_INDEX="1", PIP_FIND_LINKS=str(index))
    assert done.returncode == 0, done.stdout
    assert "does not go into the bundle" in done.stdout
    return file


def run(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess:
    """The tool in `folder`, with no settings of pip but these and no conda; its output and errors as one text."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PIP_")}
    folders = os.environ["PATH"].split(os.pathsep)  # `make test` appends the stand-in of this checkout
    environment["PATH"] = os.pathsep.join(path for path in folders if not (Path(path) / "conda").exists())
    return subprocess.run(
        [sys.executable, TOOL, *arguments], cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env=environment | {"PIP_CONFIG_FILE": os.devnull} | settings,
    )  # fmt: skip


@pytest.fixture
def unpacked(bundle, tmp_path) -> Path:
    """The bundle as tar unpacks it, below a path with a space."""
    folder = tmp_path / "off line"
    folder.mkdir()
    subprocess.run(["tar", "-xf", bundle], cwd=folder, check=True)
    return folder / "thermoweave"


def change_manifest(unpacked: Path, **changes) -> None:
    path = unpacked / "build" / "offline.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_it_holds_the_commit_and_the_wheels_with_their_sums(bundle):
    with tarfile.open(bundle) as tar:
        names = tar.getnames()
        manifest = json.load(tar.extractfile("thermoweave/build/offline.json"))
        assert all(name.startswith("thermoweave/") for name in names)
        assert "thermoweave/later" not in names
        assert tar.getmember("thermoweave/link").issym()
        for name, digest in manifest["files"].items():
            assert hashlib.sha256(tar.extractfile(f"thermoweave/{name}").read()).hexdigest() == digest
        assert set(manifest["files"]) >= {f"build/wheels/snakemake-{SNAKEMAKE}-py3-none-any.whl", "envs/tiny.yaml"}
        assert {member.name for member in tar if member.isfile()} == {
            f"thermoweave/{name}" for name in [*manifest["files"], "build/offline.json"] if name != "link"
        }
    assert manifest["environments"] == ["workflow", "tiny"]
    done = subprocess.run(["sha256sum", "--check", f"{bundle.name}.sha256"], cwd=bundle.parent)
    assert done.returncode == 0


def test_it_is_installed_without_an_index(unpacked):
    """An index that cannot be reached is asked for nothing; real Snakemake makes the rule's environment."""
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:1/simple", "PIP_RETRIES": "0"}
    done = run(unpacked, "install", **nowhere)
    assert done.returncode == 0, done.stdout
    [python] = unpacked.glob(".snakemake/conda/*/bin/python")
    assert subprocess.run([python, "-c", "import tiny; assert tiny.value == 42"]).returncode == 0
    again = run(unpacked, "install", **nowhere)
    assert again.returncode == 0, again.stdout


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"python": "3.99"}, "there is no python3.99 on the PATH"),
        ({"platform": "linux-vax"}, "the bundle is for linux-vax, this machine is linux-"),
        ({"glibc": "99.0"}, "need glibc 99.0, this machine has 2."),
    ],
)
def test_another_machine_is_refused(unpacked, changes, complaint):
    change_manifest(unpacked, **changes)
    done = run(unpacked, "install")
    assert done.returncode != 0
    assert complaint in done.stdout
    assert not (unpacked / ".venv").exists()


def test_a_conda_that_would_win_is_refused(unpacked, tmp_path):
    (tmp_path / "bin").mkdir()
    conda = tmp_path / "bin" / "conda"
    conda.write_text("#!/bin/sh\n")
    conda.chmod(0o755)
    done = run(unpacked, "install", PATH=f"{conda.parent}{os.pathsep}{os.environ['PATH']}")
    assert done.returncode == 1
    assert f"{conda} would be taken" in done.stdout


@pytest.mark.parametrize("fault", ["changed", "missing", "added"])
def test_packages_that_are_not_the_manifests_are_refused(unpacked, fault):
    file = unpacked / "build" / "wheels" / "tiny-1.0-py3-none-any.whl"
    if fault == "changed":
        file.write_bytes(file.read_bytes() + b"more")
    elif fault == "missing":
        file.unlink()
    else:
        file = shutil.copy(file, file.with_name("tiny-2.0-py3-none-any.whl"))
    done = run(unpacked, "install")
    assert done.returncode == 1
    assert f"build/wheels/{file.name}; unpack the bundle again" in done.stdout
    assert not (unpacked / ".venv").exists()


def test_files_that_the_user_has_edited_are_named(unpacked):
    (unpacked / "envs" / "tiny.yaml").write_text(ENVIRONMENT.format("tiny==2.0"))
    done = run(unpacked, "install")
    assert "changed since the bundle was made: envs/tiny.yaml\n" in done.stdout
    assert "not all environments could be made" in done.stdout
    assert not list(unpacked.glob(".snakemake/conda/*/bin/python"))


def test_a_bundle_that_cannot_be_had_is_not_written(bundle, index):
    project, file = bundle.parents[1], bundle.with_name("other.tar")
    unknown = run(project, "make", str(file), "tinny", PIP_NO_INDEX="1", PIP_FIND_LINKS=str(index))
    assert "tinny: no envs/NAME.yaml of that name" in unknown.stdout
    without = run(project, "make", str(file), "tiny", PIP_NO_INDEX="1")
    assert "the packages of envs/workflow.yaml could not be had" in without.stdout
    assert [unknown.returncode, without.returncode] == [1, 1]
    assert sorted(path.name for path in file.parent.iterdir()) == ["bundle.tar", "bundle.tar.sha256"]


def test_a_folder_that_is_no_bundle_and_a_wrong_call(bundle):
    assert "not unpacked from a bundle" in run(bundle.parents[1], "install").stdout
    assert "offline_bundle.py make FILE.tar NAME" in run(bundle.parents[1], "make", "bundle.zip").stdout


def test_the_c_library_that_wheels_need():
    old, two = (
        "a-1-cp311-cp311-manylinux2014_x86_64.whl",
        "b-1-cp311-cp311-manylinux_2_24_x86_64.manylinux_2_28_x86_64.whl",
    )
    assert glibc_needed(["c-1-py3-none-any.whl"], "2.36") == ""
    assert glibc_needed([old], "2.36") == "2.17"
    assert glibc_needed([old, two], "2.36") == "2.24"  # the oldest of a wheel's tags is enough for it
    assert glibc_needed([old, "d-1-cp311-cp311-linux_x86_64.whl"], "2.36") == "2.36"
    assert glibc_needed(["e-1-cp311-cp311-manylinux_2_5_x86_64.whl", old], "2.36") == "2.17"
