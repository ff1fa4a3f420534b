"""Label store, ladder and batches, with small programs that play pw.x by printing recorded outputs."""

import stat
from pathlib import Path

import pytest
from ase import Atoms
from label_pwscf import label_batch
from label_summary import label_summary
from thermoweave.frames import read_frames, write_frames
from thermoweave.label_store import LabelStore, label_id, settings_hash
from thermoweave.labellers import pwscf
from thermoweave.tables import read_csv

DATA = Path(__file__).parent / "data"
ROOT = Path(__file__).parents[2]
SETTINGS = {
    "ecutwfc": 15,
    "conv_thr": 1e-7,
    "mixing_beta": 0.7,
    "electron_maxstep": 100,
    "occupations": "fixed",
    "kpoints": [1, 1, 1],
}
GATE = {"min_distance": 0.7, "max_net_force": 0.01}


def pair(distance=2.47):
    atoms = Atoms("LiCl", [[0.1, 0, 0], [0.1 + distance, 0, 0]], cell=[4.2] * 3, pbc=True)
    atoms.info.update(concentration="x0.50", temperature="T900")
    return atoms


@pytest.fixture
def campaign(tmp_path):
    """A function that labels structures with a pw.x that prints the given outputs one after another."""

    def label(structures, outputs, name="batch0", batch=0, size=10, gate=GATE):
        counter = tmp_path / "calls"
        program = tmp_path / "pw.x"
        files = " ".join(str(DATA / f"pw_{output}.out") for output in outputs)
        program.write_text(
            f'#!/bin/sh\nset -- {files}\nn=$(cat "{counter}" 2>/dev/null || echo 0)\necho $((n + 1)) > "{counter}"\n'
            "shift $n\ncase $1 in *killed*) kill -9 $$ ;; *nothing*) exit 1 ;; esac\ncat $1\n"
        )
        program.chmod(program.stat().st_mode | stat.S_IEXEC)
        write_frames(tmp_path / "structures.extxyz", structures)
        machine = pwscf.Machine(str(program), ROOT / "resources/pseudopotentials", 1, tmp_path / "scratch")
        label_batch(
            tmp_path / "structures.extxyz", tmp_path / f"{name}.extxyz", tmp_path / f"{name}.csv", batch, size,
            SETTINGS, gate, machine, LabelStore(tmp_path / "store"), tmp_path / "failed",
        )  # fmt: skip
        return read_frames(tmp_path / f"{name}.extxyz"), read_csv(tmp_path / f"{name}.csv")

    label.folder = tmp_path
    return label


def test_a_label_carries_energy_forces_and_condition(campaign):
    frames, rows = campaign([pair()], ["success"])
    assert frames[0].info["REF_energy"] == pytest.approx(-412.637, abs=1e-3)
    assert frames[0].arrays["REF_forces"].shape == (2, 3)
    assert frames[0].info["concentration"] == "x0.50" and frames[0].info["temperature"] == "T900"
    assert frames[0].calc is None
    assert [row["outcome"] for row in rows] == ["SUCCESS"] and not list((campaign.folder / "scratch").iterdir())


def test_a_flaky_scf_is_repeated_unchanged(campaign):
    frames, rows = campaign([pair()], ["unconverged", "success"])
    assert len(frames) == 1
    assert [(row["rung"], row["outcome"]) for row in rows] == [("first", "UNCONVERGED"), ("repeat", "SUCCESS")]
    assert len(list((campaign.folder / "failed").iterdir())) == 1


def test_a_hopeless_structure_is_left_out_and_on_record(campaign):
    frames, rows = campaign([pair(), pair(2.3)], ["unconverged_said_converged"] * 3 + ["success"])
    assert len(frames) == 1 and len(rows) == 4
    label_summary([campaign.folder / "batch0.csv"], campaign.folder / "summary.csv", campaign.folder / "rejected.csv")
    rejected = read_csv(campaign.folder / "rejected.csv")
    assert [row["outcome"] for row in rejected] == ["UNCONVERGED"]
    assert "3.0e-01 Ry" in rejected[0]["evidence"]


def test_atoms_on_top_of_each_other_never_reach_pw(campaign):
    frames, rows = campaign([pair(0.1)], ["success"])
    assert not frames and rows[0]["outcome"] == "TOO_CLOSE" and "0.10 A apart" in rows[0]["evidence"]
    assert not (campaign.folder / "calls").exists()


def test_nothing_is_computed_twice(campaign):
    first, _ = campaign([pair()], ["success"])
    moved = pair()
    moved.info["concentration"] = "x0.60"
    again, rows = campaign([moved], [], name="batch1")
    assert rows[0]["outcome"] == "STORED" and (campaign.folder / "calls").read_text() == "1\n"
    assert again[0].info["concentration"] == "x0.60" and again[0].info["REF_energy"] == first[0].info["REF_energy"]


def test_batches_cover_the_structures_once(campaign):
    structures = [pair(2.2 + 0.01 * k) for k in range(5)]
    sizes = [len(campaign(structures, ["success"] * 5, name=f"b{k}", batch=k, size=2)[0]) for k in range(4)]
    assert sizes == [2, 2, 1, 0]


def test_a_damaged_store_entry_is_named(campaign):
    frames, _ = campaign([pair()], ["success"])
    store = LabelStore(campaign.folder / "store")
    store.path(frames[0].info["label_id"]).write_text("2\nhalf a fra")
    with pytest.raises(ValueError, match="store"):
        campaign([pair()], ["success"], name="batch1")


def test_a_missing_program_says_what_to_set(tmp_path):
    machine = pwscf.Machine("no-such-pw.x", ROOT / "resources/pseudopotentials", 1, tmp_path)
    with pytest.raises(FileNotFoundError, match="pw_command"):
        list(pwscf.attempts(pair(), "0" * 64, SETTINGS, GATE, machine, tmp_path / "failed"))


def test_label_id_knows_what_matters():
    level = {"settings": settings_hash(SETTINGS), "Li": "a", "Cl": "b", "K": "z"}
    one = label_id(pair(), level)
    assert one == label_id(pair()[[1, 0]], level), "the order of the atoms does not matter"
    assert one == label_id(pair(2.47 + 1e-9), level), "rounding does not matter"
    assert one == label_id(pair(), {**level, "K": "y"}), "species that are not there do not matter"
    assert one != label_id(pair(2.48), level)
    assert one != label_id(pair(), {**level, "Cl": "c"})
    assert settings_hash({**SETTINGS, "mixing_beta": 0.3}) == level["settings"], "nor does the way to convergence"
    assert settings_hash({**SETTINGS, "ecutwfc": 16}) != level["settings"]


def test_a_tighter_gate_holds_for_stored_labels_too(campaign):
    campaign([pair()], ["success"])
    frames, rows = campaign([pair()], [], name="batch1", gate={**GATE, "min_distance": 2.6})
    assert not frames and rows[0]["outcome"] == "TOO_CLOSE"


def test_attempts_of_a_killed_job_stay_on_record(campaign):
    with pytest.raises(RuntimeError, match="signal 9"):
        campaign([pair(), pair(2.4)], ["unconverged", "success", "killed"])
    frames, rows = campaign([pair(), pair(2.4)], ["unconverged", "success", "killed", "success"])
    assert len(frames) == 2
    assert [row["outcome"] for row in rows] == ["UNCONVERGED", "SUCCESS", "SUCCESS"]


def test_a_broken_machine_rejects_nothing(campaign):
    with pytest.raises(RuntimeError, match="did not start"):
        campaign([pair()], ["nothing"])
