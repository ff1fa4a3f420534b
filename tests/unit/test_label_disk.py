"""A full disk: labels that were finished are kept, the job says what to do, and the next run finishes."""

import errno
import os
import subprocess

import label_structures
import pytest
from labelling import HEADING, Campaign, pair, prints
from thermoweave import attempts
from thermoweave.attempts import MachineFault
from thermoweave.label_store import LabelStore
from thermoweave.labellers import pwscf
from thermoweave.tables import Record

SUCCESS, UNCONVERGED = prints("success"), prints("unconverged")
STRUCTURES = [pair(), pair(2.3)]
PLACES = {
    "store": (LabelStore, "put"),
    "record": (Record, "add"),
    "scratch": (pwscf, "run"),
    "failed outputs": (attempts, "_keep"),
    "labels": (label_structures, "write_frames"),
}


@pytest.fixture
def campaign(tmp_path):
    return Campaign(tmp_path)


@pytest.fixture
def small_disk(tmp_path):
    """A folder on a disk of 2 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", folder], capture_output=True, text=True)
    if mount.returncode:
        pytest.skip(f"needs to mount a small tmpfs: {mount.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
@pytest.mark.parametrize("place", PLACES)
def test_wherever_the_disk_is_full(campaign, monkeypatch, place, number):
    """The second use of each place fails (the first of what is used once a job)."""
    owner, name = PLACES[place]
    whole = getattr(owner, name)
    uses = []

    def full(*arguments):
        uses.append(arguments)
        if len(uses) == (1 if place == "labels" else 2):
            raise OSError(number, os.strerror(number), "/the/full/disk")
        return whole(*arguments)

    scenes = {"failed outputs": [SUCCESS, UNCONVERGED, UNCONVERGED]}.get(place, [SUCCESS, SUCCESS])
    with monkeypatch.context() as patched:
        patched.setattr(owner, name, full)
        said = f"DISK_FULL: /the/full/disk: {os.strerror(number)}. Make room and run again: the labels that were fini"
        with pytest.raises(MachineFault, match=said):
            campaign.label(STRUCTURES, *scenes)
    assert len(list(campaign.store.folder.glob("*/*.extxyz"))) == (2 if place in ("record", "labels") else 1)
    assert not (campaign.folder / "batch0.extxyz").exists()
    frames, rows = campaign.label(STRUCTURES, SUCCESS, SUCCESS)
    labelled = [row["label_id"] for row in rows if row["outcome"] in ("SUCCESS", "STORED")]
    assert len(frames) == 2 and len(labelled) == len(set(labelled)) == 2


def test_pw_on_a_full_disk_is_no_fault_of_the_structure(campaign, small_disk):
    fill = f"mkdir out; {HEADING}; head -c 4M /dev/zero > out/wavefunctions; {SUCCESS} || exit 2"
    batch = campaign.batch(SUCCESS, fill)
    batch.scratch = small_disk / "scratch"
    frames, record = campaign.folder / "batch0.extxyz", campaign.folder / "batch0.csv"
    with pytest.raises(MachineFault, match=f"DISK_FULL .*{small_disk}.*No space left.* set the resource scratch"):
        label_structures.label_structures(STRUCTURES, frames, record, batch, campaign.store)
    assert [row["outcome"] for row in campaign.partial_record()] == ["SUCCESS", "DISK_FULL"]
    frames, rows = campaign.label(STRUCTURES, SUCCESS)
    assert len(frames) == 2 and [row["outcome"] for row in rows] == ["SUCCESS", "DISK_FULL", "SUCCESS"]


def test_a_campaign_on_a_full_disk_keeps_its_labels(small_disk):
    campaign = Campaign(small_disk)
    fill = f"head -c 4M /dev/zero > {small_disk}/filler; {SUCCESS}"
    with pytest.raises(MachineFault, match="DISK_FULL"):
        campaign.label(STRUCTURES, SUCCESS, fill)
    (entry,) = small_disk.glob("store/*/*.extxyz")
    assert campaign.store.get(entry.stem) is not None
    (small_disk / "filler").unlink()
    frames, rows = campaign.label(STRUCTURES, SUCCESS, SUCCESS)
    assert len(frames) == 2 and rows[0]["outcome"] == "SUCCESS" and rows[-1]["outcome"] == "SUCCESS"
    assert {row["outcome"] for row in rows} <= {"SUCCESS", "DISK_FULL"}
