"""The doctor finds what is wrong, says what absent things would give, and never stumbles over their absence."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import doctor
import pytest


@pytest.fixture
def pseudopotentials(tmp_path):
    (tmp_path / "Li.gth").write_text("lithium")
    digest = hashlib.sha256(b"lithium").hexdigest()
    (tmp_path / "SHA256SUMS").write_text(f"{digest}  Li.gth\n")
    return tmp_path


def test_the_projects_pseudopotentials_are_as_recorded():
    assert doctor.pseudopotentials().state == "ok"


def test_an_intact_folder_is_ok(pseudopotentials):
    finding = doctor.pseudopotentials(pseudopotentials)
    assert (finding.state, finding.found) == ("ok", "Li; sha256 as recorded")


def test_an_edited_pseudopotential_is_a_fault(pseudopotentials):
    (pseudopotentials / "Li.gth").write_text("sodium")
    finding = doctor.pseudopotentials(pseudopotentials)
    assert finding.state == "MISSING"
    assert "Li.gth is not the file of its sha256" in finding.found


@pytest.mark.parametrize(("name", "message"), [("Li.gth", "Li.gth is missing"), ("SHA256SUMS", "no ")])
def test_an_absent_file_is_a_fault(pseudopotentials, name, message):
    (pseudopotentials / name).unlink()
    finding = doctor.pseudopotentials(pseudopotentials)
    assert finding.state == "MISSING"
    assert message in finding.found


def test_limits_are_collected_from_the_group_up_to_the_root(tmp_path):
    group = tmp_path / "fs" / "slice" / "job"
    group.mkdir(parents=True)
    (group / "cpu.max").write_text("max 100000\n")
    (group.parent / "cpu.max").write_text("150000 100000\n")
    (tmp_path / "cpu.max").write_text("1 100000\n")  # above the root: not ours
    (tmp_path / "own").write_text("4:memory:/other\n0::/slice/job\n")
    assert doctor.limits("cpu.max", tmp_path / "fs", tmp_path / "own") == ["max 100000", "150000 100000"]


def test_a_quota_below_the_core_count_is_named(monkeypatch):
    monkeypatch.setattr(doctor, "limits", lambda file: ["max 100000", "50000 100000"])
    finding = doctor.cores()
    assert "a cgroup allows 0.5" in finding.found
    assert finding.advice


def test_the_version_of_a_pw_on_the_path_is_read_from_its_banner(tmp_path, monkeypatch):
    fake = tmp_path / "pw.x"
    fake.write_text("#!/bin/sh\necho '     Program PWSCF v.7.3.1 starts on  1Jan2026'\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert doctor.pwscf().found == f"{fake}, 7.3.1"


def test_the_stand_in_is_not_taken_for_conda(monkeypatch):
    monkeypatch.setenv("PATH", f"{doctor.ROOT}/tools/venv-conda")
    assert doctor.real_conda() is None
    assert doctor.conda().state == "-"


def test_a_bare_machine_gets_advice_and_exit_status_1(tmp_path):
    """Without anything on the PATH: no stumbling, and python3.11 and make are what is needed."""
    command = [sys.executable, Path(doctor.__file__)]
    done = subprocess.run(command, env={"PATH": str(tmp_path)}, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (1, "")
    assert "Needed and missing: Python, make." in done.stdout
    lines = done.stdout.splitlines()
    assert len(lines) < 45
    assert all(lines[n + 1].lstrip().startswith("->") for n, line in enumerate(lines) if line.startswith(("-", "MISS")))
