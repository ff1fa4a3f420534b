"""The archive of the miniature campaign: whole, traceable, and drawn again from nothing but itself."""

import re
import subprocess
import sys
import zipfile

import pytest
from miniature import ROOT, snakemake

NAME = "results/archive/test.crate.zip"


@pytest.fixture(scope="module")
def crate(campaign, tmp_path_factory):
    run = snakemake(campaign, "--", "archive")
    assert run.returncode == 0, run.stdout[-20000:]
    folder = tmp_path_factory.mktemp("crate")
    (folder / "test.crate.zip").write_bytes((campaign / NAME).read_bytes())
    with zipfile.ZipFile(folder / "test.crate.zip") as file:
        file.extract("crate.py", folder)  # the one that the crate brings, as its reader has it
    return folder


def python(folder, *words):
    command = [sys.executable, *map(str, words)]
    return subprocess.run(command, cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def test_every_file_is_there_under_its_hash(crate):
    run = python(crate, "crate.py", "verify", "test.crate.zip")
    assert run.returncode == 0 and "all as they were archived" in run.stdout
    with zipfile.ZipFile(crate / "test.crate.zip") as file:
        assert len(file.namelist()) <= 100


def test_every_figure_and_table_is_drawn_again_bit_by_bit(crate):
    run = python(crate, "crate.py", "redraw", "test.crate.zip", "--into", "redrawn", "--environments", ROOT)
    assert run.returncode == 0, run.stdout[-20000:]
    assert re.search(r"(\d+) figures and tables made again, \1 of them bit-equal", run.stdout), run.stdout[-2000:]


def test_what_the_trajectories_were_reduced_to_comes_out_again(crate):
    run = python(
        crate, "crate.py", "verify", "--reductions", "test.crate.zip", "--into", "reduced", "--environments", ROOT
    )
    assert run.returncode == 0, run.stdout[-20000:]
    assert "18 reductions of archived trajectories made again; all have the archived values" in run.stdout


def test_a_point_of_the_unpacked_archive_leads_back_to_the_pseudopotentials(crate):
    assert python(crate, "crate.py", "unpack", "test.crate.zip", "--into", "unpacked").returncode == 0
    words = ["arrhenius", "quantity=D Li", "concentration=0.50", "temperature=1100"]
    run = python(crate / "unpacked", "tools/trace.py", *words)
    assert run.returncode == 0, run.stdout
    for part in ("x0.50/T1100/replica1.json: 300 frames", "nequip 0.19.1", "by pw.x 7.2", "Li.gth, sha256 d053054c"):
        assert part in run.stdout


def test_the_same_campaign_gives_the_same_archive(campaign, crate):
    before = (campaign / NAME).read_bytes()
    run = snakemake(campaign, "--forcerun", "archive_crate", "--", "archive")
    assert run.returncode == 0 and (campaign / NAME).read_bytes() == before
