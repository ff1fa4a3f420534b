"""A crate is taken as it was archived or refused by name, and unpacked whole or not at all."""

import hashlib
import io
import json
import shutil
import stat
import subprocess
import sys
import zipfile
from pathlib import Path
from urllib.parse import quote

import crate as tool
import pytest
from crate import Refused

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


@pytest.fixture
def write(tmp_path):
    """Writes files, or the members of an own ZipFile, as test.crate.zip."""

    def write_crate(files: dict[str, bytes], *members: tuple[zipfile.ZipInfo, bytes]) -> Path:
        path = tmp_path / "test.crate.zip"
        with zipfile.ZipFile(path, "w") as file:
            for name, content in [*files.items(), *members]:
                file.writestr(name, content)
        return path

    return write_crate


def everything(path: str) -> bool:
    return True


def refusal(crate: Path) -> str:
    """Why a crate is refused, by verify as by unpack, of which nothing is left."""
    folder = crate.parent / "unpacked"
    with pytest.raises(Refused) as verified:
        tool.verify(crate)
    with pytest.raises(Refused) as unpacked:
        tool.unpack(crate, folder, everything)
    assert str(verified.value) == str(unpacked.value)
    assert sorted(crate.parent.iterdir()) == [crate]
    return str(verified.value)


def test_a_good_crate_is_verified_and_unpacked_with_its_bundles_in_place(write, tmp_path):
    crate, folder = write(crate_files()), tmp_path / "new/unpacked"
    assert tool.verify(crate) == len(FILES) + 4 + sum(map(len, BUNDLES.values()))
    tool.unpack(crate, folder, everything)
    found = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    wanted = crate_files()
    inside = {path: content for members in BUNDLES.values() for path, content in members.items()}
    assert found == {path: content for path, content in (wanted | inside).items() if path not in BUNDLES}
    assert (folder / "tools/venv-conda/conda").stat().st_mode & stat.S_IXUSR
    assert len({path.stat().st_mtime for path in folder.rglob("*") if path.is_file()}) == 1
    assert [path.name for path in folder.parent.iterdir()] == ["unpacked"]
    assert tool.verify(folder) == len(found)


def test_a_folder_with_its_bundles_beside_their_files_is_verified(write, tmp_path):
    crate, folder = write(crate_files()), tmp_path / "folder"
    with zipfile.ZipFile(crate) as file:
        file.extractall(folder)
    as_it_is = tool.verify(folder)
    for bundle in BUNDLES:
        with zipfile.ZipFile(folder / bundle) as file:
            file.extractall(folder)
    (folder / ".snakemake").mkdir()
    (folder / ".snakemake/log").write_text("what running the workflow leaves\n")
    assert tool.verify(folder) == as_it_is
    (folder / "Makefile").write_text("other:\n")
    (folder / "new").write_text("")
    with pytest.raises(Refused, match=r"^Makefile: changed\nnew: extra, checksums.sha256 does not list it$"):
        tool.verify(folder)


def test_a_link_in_a_folder_is_refused(write, tmp_path):
    crate, folder = write(crate_files()), tmp_path / "folder"
    tool.unpack(crate, folder, everything)
    (folder / "README.md").unlink()
    (folder / "README.md").symlink_to("/etc/hostname")
    with pytest.raises(Refused, match=r"README.md: is a link"):
        tool.verify(folder)


def test_a_folder_that_is_there_is_not_touched(write, tmp_path):
    (tmp_path / "mine").mkdir()
    with pytest.raises(Refused, match="is there already"):
        tool.unpack(write(crate_files()), tmp_path / "mine", everything)


def test_a_changed_file_a_missing_one_and_an_extra_one_are_named_together(write):
    files = crate_files() | {"README.md": b"# Tost\n", "notes.txt": b""}
    del files["config/config.yaml"]
    assert refusal(write(files)).splitlines() == [
        "README.md: changed",
        "config/config.yaml: missing",
        "notes.txt: extra, checksums.sha256 does not list it",
    ]


def test_a_changed_file_in_a_bundle_is_named_with_its_bundle(write):
    files = crate_files()
    files["records.zip"] = zipped(BUNDLES["records.zip"] | {"results/label/a name.csv": b"2\n"})
    assert refusal(write(files)) == "records.zip: changed\nresults/label/a name.csv: changed"


def test_checksums_that_were_changed_with_a_file_do_not_agree_with_the_metadata(write):
    files = crate_files()
    files["README.md"] = b"# Tost\n"
    inside = {path: content for members in BUNDLES.values() for path, content in members.items()}
    own = {path: files[path] for path in files if path not in ("checksums.sha256", "ro-crate-metadata.json")}
    files["checksums.sha256"] = sums(own | inside)
    assert refusal(write(files)) == "README.md: changed\nchecksums.sha256: changed"


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("../evil", "is a path that leads elsewhere"),
        ("results/../../evil", "is a path that leads elsewhere"),
        ("./README.md", "is a path that leads elsewhere"),
        ("a//b", "is a path that leads elsewhere"),
        ("..\\evil", "is a path that leads elsewhere"),
        ("a\x01b", "is a path that leads elsewhere"),
        ("/etc/evil", "is an absolute path"),
        ("C:evil", "is an absolute path"),
    ],
)
def test_a_path_that_escapes_is_refused_by_name_in_the_crate_and_in_a_bundle(write, name, fault):
    assert refusal(write(crate_files(), (zipfile.ZipInfo(name), b""))) == f"{name}, in the crate: {fault}"
    bundles = BUNDLES | {"records.zip": {name: b""}}
    assert refusal(write(crate_files(bundles))) == f"{name}, in records.zip: {fault}"


def test_a_folder_that_escapes_is_refused(write):
    assert "../evil/, in the crate: is a path that leads" in refusal(
        write(crate_files(), (zipfile.ZipInfo("../evil/"), b""))
    )


def test_a_link_in_a_zip_file_is_refused(write):
    link = zipfile.ZipInfo("results/link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    assert (
        refusal(write(crate_files(), (link, b"/etc/hostname"))) == "results/link, in the crate: is a link or a device"
    )


@pytest.mark.parametrize("name", ["README.md", "readme.MD", "Makefile", "makefile"])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_files_that_would_be_one_are_refused(write, name):
    first = {"readme.md": "README.md", "makefile": "Makefile"}[name.lower()]
    assert (
        refusal(write(crate_files(), (zipfile.ZipInfo(name), b""))) == f"{name}, in the crate: there is {first} already"
    )


def test_a_file_that_is_also_a_folder_is_refused(write):
    assert "README.md: a file, and a folder of others" in refusal(
        write(crate_files(), (zipfile.ZipInfo("README.md/a"), b""))
    )


def test_an_encrypted_member_is_refused(write):
    crate = write(crate_files())
    content = bytearray(crate.read_bytes())
    content[content.rindex(b"PK\x01\x02") + 8] |= 1  # a flag of the last member, in the list of all
    crate.write_bytes(content)
    assert refusal(crate) == "ro-crate-metadata.json, in the crate: is encrypted"


def test_a_member_far_larger_than_its_zip_file_is_refused_unread(write, monkeypatch):
    monkeypatch.setattr(tool, "LARGE", 1e5)
    bundles = BUNDLES | {"records.zip": {"results/zeros": bytes(10**6)}}
    assert "results/zeros, in records.zip: would become 0.001 GB" in refusal(write(crate_files(bundles)))


def test_members_that_are_far_larger_together_are_refused_unread(write, monkeypatch):
    monkeypatch.setattr(tool, "LARGE", 1.5e6)
    bundles = BUNDLES | {"records.zip": {f"results/zeros{number}": bytes(10**6) for number in range(3)}}
    assert refusal(write(crate_files(bundles))).startswith("records.zip: would become 0.003 GB")


def test_a_newer_format_is_refused_with_what_to_do(write):
    files = crate_files()
    del files["ro-crate-metadata.json"]
    found = refusal(write(files | {"ro-crate-metadata.json": metadata(files, "2")}))
    assert found == "ro-crate-metadata.json: the crate has format 2, this crate.py knows 1: take a newer one"


@pytest.mark.parametrize("left", [0, 300, -20, -200])
def test_a_truncated_crate_is_refused(write, left):
    crate = write(crate_files())
    crate.write_bytes(crate.read_bytes()[:left])
    assert "or not all of it" in refusal(crate)


def test_a_truncated_bundle_is_refused_by_its_name(write):
    files = crate_files()
    files["records.zip"] = files["records.zip"][:-30]
    assert refusal(write(files)).startswith("records.zip: damaged, or not all of it")


def test_flipped_bits_are_refused_by_the_file_s_name(write):
    crate = write(crate_files())
    content = crate.read_bytes()
    crate.write_bytes(content.replace(FILES["config/config.yaml"], b"name: tast\n"))
    assert refusal(crate).startswith("config/config.yaml: damaged")


@pytest.mark.parametrize("name", ["checksums.sha256", "ro-crate-metadata.json"])
def test_another_zip_file_is_no_crate(write, name):
    files = crate_files()
    del files[name]
    assert f"{name}: missing, so that this is no crate of Thermoweave" in refusal(write(files))


def test_metadata_that_say_nothing_of_the_checksums_are_refused(write):
    files = crate_files() | {"ro-crate-metadata.json": b'{"@graph": []}'}
    assert "does not describe checksums.sha256 and its version" in refusal(write(files))


def test_an_interrupt_leaves_no_folder(write, tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    crate = write(crate_files())
    monkeypatch.setattr(tool.os, "utime", interrupted)
    with pytest.raises(KeyboardInterrupt):
        tool.unpack(crate, tmp_path / "unpacked", everything)
    assert list(tmp_path.iterdir()) == [crate]


def test_the_tool_works_alone_at_the_root_of_a_crate(tmp_path, write):
    folder = tmp_path / "folder"
    with zipfile.ZipFile(write(crate_files())) as file:
        file.extractall(folder)
    alone = shutil.copy(tool.__file__, tmp_path / "crate.py")
    good = subprocess.run(
        [sys.executable, "-I", alone, "verify", "folder"], cwd=tmp_path, text=True, capture_output=True
    )
    assert (good.returncode, good.stdout) == (0, "folder: 11 files, all as they were archived\n"), good.stderr
    (folder / "README.md").unlink()
    bad = subprocess.run(
        [sys.executable, "-I", alone, "verify", "folder"], cwd=tmp_path, text=True, capture_output=True
    )
    assert (bad.returncode, bad.stdout, bad.stderr) == (1, "", "folder is refused:\nREADME.md: missing\n")


def test_what_is_no_crate_is_refused_with_a_sentence(tmp_path):
    with pytest.raises(Refused, match="there is no such crate"):
        tool.verify(tmp_path / "nothing.crate.zip")
