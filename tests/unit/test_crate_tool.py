"""A crate is taken as it was archived or refused by name, and unpacked whole or not at all."""

import shutil
import stat
import subprocess
import sys
import zipfile

import crate as tool
import pytest
from crate import Refused
from crated import BUNDLES, FILES, crate_files, everything, write


def test_a_good_crate_is_verified_and_unpacked_with_its_bundles_in_place(tmp_path):
    crate, folder = write(tmp_path, crate_files()), tmp_path / "new/unpacked"
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


def test_a_folder_with_its_bundles_beside_their_files_is_verified(tmp_path):
    crate, folder = write(tmp_path, crate_files()), tmp_path / "folder"
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


def test_a_link_in_a_folder_is_refused(tmp_path):
    crate, folder = write(tmp_path, crate_files()), tmp_path / "folder"
    tool.unpack(crate, folder, everything)
    (folder / "README.md").unlink()
    (folder / "README.md").symlink_to("/etc/hostname")
    with pytest.raises(Refused, match=r"README.md: is a link"):
        tool.verify(folder)


def test_a_folder_that_is_there_is_not_touched(tmp_path):
    (tmp_path / "mine").mkdir()
    with pytest.raises(Refused, match="is there already"):
        tool.unpack(write(tmp_path, crate_files()), tmp_path / "mine", everything)


def test_an_interrupt_leaves_no_folder(tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    crate = write(tmp_path, crate_files())
    monkeypatch.setattr(tool.os, "utime", interrupted)
    with pytest.raises(KeyboardInterrupt):
        tool.unpack(crate, tmp_path / "unpacked", everything)
    assert list(tmp_path.iterdir()) == [crate]


def test_the_tool_works_alone_at_the_root_of_a_crate(tmp_path):
    folder = tmp_path / "folder"
    with zipfile.ZipFile(write(tmp_path, crate_files())) as file:
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
