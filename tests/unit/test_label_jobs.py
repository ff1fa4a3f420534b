"""The script of rule label_structures as a process of its own: killed, started again, and two at once."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import labelling
import pytest
from labelling import Campaign, outcomes, pair, prints
from thermoweave.frames import read_frames, write_frames
from thermoweave.tables import read_csv

SUCCESS, UNCONVERGED = prints("success"), prints("unconverged")


@pytest.fixture
def campaign(tmp_path):
    return Campaign(tmp_path)


def start(campaign: Campaign, structures: list, *scenes: str, name: str = "batch0") -> subprocess.Popen:
    """A job whose pw.x plays these scenes."""
    write_frames(campaign.folder / "structures.extxyz", structures)
    if scenes:
        campaign.pw(scenes)
    command = [sys.executable, labelling.__file__, name, "store"]
    return subprocess.Popen(command, cwd=campaign.folder, stderr=subprocess.PIPE, text=True)


def wait_for(path: Path) -> str:
    for _ in range(300):
        if path.exists() and path.read_text():
            return path.read_text()
        time.sleep(0.05)
    raise TimeoutError(f"{path} did not come")


def lives(pid: int) -> bool:
    """A zombie, whose parent did not ask for its end yet, does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def slow(campaign: Campaign) -> str:
    """A pw.x that takes a minute and tells its process number."""
    return f"echo $$ > {campaign.folder}/pid; {prints('stopped')}; exec sleep 60"


def test_a_job_killed_within_a_label_goes_on_behind_its_last_recorded_rung(campaign):
    structures = [pair(), pair(2.4), pair(2.3)]
    job = start(campaign, structures, SUCCESS, UNCONVERGED, UNCONVERGED, slow(campaign))
    pid = int(wait_for(campaign.folder / "pid"))
    assert lives(pid)
    job.kill()
    job.wait()
    before = [("as asked", "SUCCESS"), ("as asked", "UNCONVERGED"), ("repeated", "UNCONVERGED")]
    assert outcomes(campaign.partial_record()) == before
    for _ in range(100):
        if not lives(pid):
            break
        time.sleep(0.02)
    assert not lives(pid), "pw.x must not go on without the job"

    job = start(campaign, structures, SUCCESS, SUCCESS)
    _, errors = job.communicate(timeout=60)
    assert job.returncode == 0, errors
    after = [("gentle mixing", "SUCCESS"), ("as asked", "SUCCESS")]
    assert outcomes(read_csv(campaign.folder / "batch0.csv")) == before + after
    assert "mixing_beta      = 0.42" in campaign.call(4) and campaign.n_calls == 6, "the first label was not repeated"
    frames = read_frames(campaign.folder / "batch0.extxyz")
    assert [frame.positions[1, 0] for frame in frames] == pytest.approx([2.57, 2.5, 2.4])
    assert not list(campaign.folder.glob("batch0.scratch/*")) and not list(campaign.folder.glob("*.partial"))


def test_a_terminated_job_goes_on_too(campaign):
    job = start(campaign, [pair()], UNCONVERGED, slow(campaign))
    pid = int(wait_for(campaign.folder / "pid"))
    job.send_signal(signal.SIGTERM)
    job.wait()
    job = start(campaign, [pair()], SUCCESS)
    assert job.communicate(timeout=60) and job.returncode == 0 and not lives(pid)
    assert outcomes(read_csv(campaign.folder / "batch0.csv"))[-1] == ("repeated", "SUCCESS")


def test_a_fault_of_the_machine_is_the_last_line_of_the_log(campaign):
    job = start(campaign, [pair()], "exit 1")
    _, errors = job.communicate(timeout=60)
    assert job.returncode != 0
    for text in (errors, (campaign.folder / "batch0.log").read_text()):
        assert "MachineFault: NOT_STARTED (the program is missing" in text.splitlines()[-1]
    assert not (campaign.folder / "batch0.extxyz").exists() and not (campaign.folder / "batch0.csv").exists()


def test_two_campaigns_that_label_the_same_structures_at_once_share_them(campaign):
    # both start before either has a label, and pw.x needs a while
    structures = [pair(2.0 + 0.05 * k) for k in range(4)]
    campaign.pw(())
    (campaign.folder / "pw.x").write_text(f"#!/bin/sh\nsleep 0.1; {SUCCESS}\n")
    jobs = [start(campaign, structures, name=name) for name in ("one", "other")]
    for job in jobs:
        _, errors = job.communicate(timeout=60)
        assert job.returncode == 0, errors
    one, other = (read_frames(campaign.folder / f"{name}.extxyz") for name in ("one", "other"))
    assert len(one) == 4 and one == other
    assert len(list(campaign.store.folder.glob("*/*"))) == 4, "one entry a label, nothing left lying about"
    for frame in one:
        assert campaign.store.get(frame.info["label_id"]).info["REF_energy"] == frame.info["REF_energy"]
