"""Batches of labels, from a pw.x that prints recorded outputs: what is labelled, what is on record, what is stored."""

import numpy as np
import pytest
from label_summary import label_summary
from labelling import LIMITS, SETTINGS, Campaign, outcomes, pair, prints
from thermoweave import labellers
from thermoweave.attempts import COLUMNS, MachineFault
from thermoweave.label_store import label_id
from thermoweave.tables import read_csv, write_csv

SUCCESS, UNCONVERGED = prints("success"), prints("unconverged_said_converged")
# the recorded output again, as pw.x prints it at other settings
AT_20_RY = f"{SUCCESS} | sed 's/cutoff     =      15.0000/cutoff     =      20.0000/'"
SMEARING = {"occupations": "smearing", "smearing": "gaussian", "degauss": 0.002}
ALLOWED = {"rungs": ["slight smearing"]}
STRESS = f"""{SUCCESS} | sed 's|     init_run     :.*|          total   stress  (Ry/bohr**3)   (kbar)     P=  8.99\\
   0.00010000   0.00000000   0.00000000           14.71        0.00        0.00\\
   0.00000000   0.00010000   0.00000000            0.00       14.71        0.00\\
   0.00000000   0.00000000   0.00010000            0.00        0.00       14.71\\
|'"""


@pytest.fixture
def campaign(tmp_path):
    return Campaign(tmp_path)


def identifier(campaign, atoms=None, settings=SETTINGS) -> str:
    batch = campaign.batch()
    return label_id(atoms or pair(), batch.labeller.level(settings, batch.machine, {"Li", "Cl"}))


def test_a_label_carries_energy_forces_condition_and_level(campaign):
    (frame,), rows = campaign.label([pair()], SUCCESS)
    assert frame.info["REF_energy"] == pytest.approx(-412.637, abs=1e-3)
    assert frame.arrays["REF_forces"].shape == (2, 3) and frame.calc is None
    assert frame.info["concentration"] == "x0.50" and frame.info["temperature"] == "T900"
    assert frame.info["label_id"] == identifier(campaign) and frame.info["labeller"] == "pw.x 7.2"
    hashes = dict(part.split(":") for part in frame.info["level"].split())
    assert list(hashes) == ["settings", "Cl", "Li"] and set(map(len, hashes.values())) == {12}
    assert "changed" not in frame.info and "REF_stress" not in frame.info
    assert outcomes(rows) == [("as asked", "SUCCESS")]
    assert rows[0]["evidence"] == "SCF accuracy 3.0e-08 Ry after 9 iterations"
    assert not (campaign.folder / "scratch").exists() and not (campaign.folder / "failed").exists()


def test_a_flaky_scf_is_repeated(campaign):
    frames, rows = campaign.label([pair()], prints("unconverged"), SUCCESS)
    assert len(frames) == 1 and outcomes(rows) == [("as asked", "UNCONVERGED"), ("repeated", "SUCCESS")]
    assert campaign.call(0) == campaign.call(1)


def test_pw_sees_what_the_rungs_change(campaign):
    campaign.label([pair()], *[UNCONVERGED] * 6, SUCCESS)
    assert "mixing_beta      = 0.42" in campaign.call(2) and "mixing_mode      = 'local-TF'" in campaign.call(3)
    assert "'paro'" in campaign.call(4) and "'cg'" in campaign.call(5) and "'random'" in campaign.call(6)


def test_a_hopeless_structure_is_left_out_and_on_record(campaign):
    frames, rows = campaign.label([pair(), pair(2.3)], *[UNCONVERGED] * 7, SUCCESS)
    assert len(frames) == 1 and frames[0].positions[1, 0] == pytest.approx(2.4)
    assert [row["rung"] for row in rows[:7]][-2:] == ["conjugate gradient", "random start"] and len(rows) == 8
    assert len(list((campaign.folder / "failed").iterdir())) == 7
    summary, rejected = campaign.folder / "summary.csv", campaign.folder / "rejected.csv"
    label_summary([campaign.folder / "batch0.csv"], summary, rejected)
    (row,) = read_csv(rejected)
    assert (row["outcome"], row["rung"], row["temperature"]) == ("UNCONVERGED", "random start", "T900")
    assert "3.0e-01 Ry" in row["evidence"] and len(read_csv(summary)) == 8


def test_atoms_on_top_of_each_other_never_reach_pw(campaign):
    frames, rows = campaign.label([pair(0.1)])
    assert not frames and outcomes(rows) == [("as asked", "TOO_CLOSE")] and campaign.n_calls == 0


def test_an_empty_batch_has_an_empty_record(campaign):
    assert campaign.label([]) == ([], [])


def test_nothing_is_computed_twice(campaign):
    (first,), _ = campaign.label([pair()], SUCCESS)
    moved = pair()
    moved.info["concentration"] = "x0.60"
    (again,), rows = campaign.label([moved], name="batch1")
    assert outcomes(rows) == [("", "STORED")] and campaign.n_calls == 1 and rows[0]["wall_s"] == "0.0"
    assert again.info == {**first.info, "concentration": "x0.60"}
    assert np.array_equal(again.arrays["REF_forces"], first.arrays["REF_forces"])


def test_other_settings_are_another_label(campaign):
    campaign.label([pair()], SUCCESS)
    (frame,), rows = campaign.label([pair()], AT_20_RY, name="batch1", settings={**SETTINGS, "ecutwfc": 20})
    assert outcomes(rows) == [("as asked", "SUCCESS")] and frame.info["label_id"] != identifier(campaign)
    assert len(list(campaign.store.folder.glob("*/*.extxyz"))) == 2


def test_a_structure_twice_in_a_batch_is_computed_once(campaign):
    frames, rows = campaign.label([pair(), pair(temperature="T1300")], SUCCESS)
    assert [frame.info["temperature"] for frame in frames] == ["T900", "T1300"] and campaign.n_calls == 1


@pytest.mark.parametrize(
    ("limits", "outcome"), [({"min_distance": 2.6}, "TOO_CLOSE"), ({"max_net_force": 1e-12}, "NET_FORCE")]
)
def test_a_tighter_gate_holds_for_stored_labels_too(campaign, limits, outcome):
    scene = f"{SUCCESS} | sed 's/force =     0.13779691/force =     0.13779692/'"
    campaign.label([pair()], scene)
    frames, rows = campaign.label([pair()], name="batch1", limits={**LIMITS, **limits})
    assert not frames and outcomes(rows) == [("", outcome)]


def test_a_gate_that_was_tightened_while_the_job_lay_killed_says_so(campaign):
    """The label is a success on the killed job's record: leaving it out needs a line of its own."""
    with pytest.raises(MachineFault):
        campaign.label([pair(), pair(2.1)], SUCCESS, "kill -9 $$")
    # an image of the first pair is 1.73 A away, of the second 2.1 A
    frames, rows = campaign.label([pair(), pair(2.1)], SUCCESS, limits={**LIMITS, "min_distance": 1.9})
    assert len(frames) == 1
    assert [row["outcome"] for row in rows if row["label_id"] == identifier(campaign)][-1] == "TOO_CLOSE"


def test_attempts_of_a_killed_job_stay_on_record(campaign):
    with pytest.raises(MachineFault, match="KILLED .* SIGKILL"):
        campaign.label([pair(), pair(2.4)], UNCONVERGED, SUCCESS, "kill -9 $$")
    assert [row["outcome"] for row in campaign.partial_record()] == ["UNCONVERGED", "SUCCESS", "KILLED"]
    assert not (campaign.folder / "batch0.csv").exists() and not (campaign.folder / "batch0.extxyz").exists()
    frames, rows = campaign.label([pair(), pair(2.4)], SUCCESS)
    assert len(frames) == 2
    assert [row["outcome"] for row in rows] == ["UNCONVERGED", "SUCCESS", "KILLED", "SUCCESS"]


def test_a_job_goes_on_behind_the_rung_that_it_came_to(campaign):
    with pytest.raises(MachineFault):
        campaign.label([pair()], *[UNCONVERGED] * 3, "kill -9 $$")
    _, rows = campaign.label([pair()], SUCCESS)
    assert [row["rung"] for row in rows][-2:] == ["local mixing", "local mixing"]
    assert "mixing_mode      = 'local-TF'" in campaign.call(4)


@pytest.mark.parametrize("cut", [5, 70, 100])
def test_half_a_line_of_the_record_is_no_attempt(campaign, cut):
    """What a full disk leaves at the end of a file."""
    row = {**dict.fromkeys(COLUMNS, "1.0"), "label_id": "c" * 64, "rung": "as asked", "outcome": "UNCONVERGED"}
    partial = campaign.folder / "batch0.csv.partial"
    write_csv(partial, [row, {**row, "label_id": identifier(campaign)}], COLUMNS)
    lines = partial.read_bytes().splitlines(keepends=True)
    partial.write_bytes(b"".join([*lines[:-1], lines[-1][:cut]]))
    frames, rows = campaign.label([pair()], SUCCESS)
    assert len(frames) == 1 and outcomes(rows) == [("as asked", "UNCONVERGED"), ("as asked", "SUCCESS")]
    label_summary([campaign.folder / "batch0.csv"], campaign.folder / "s.csv", campaign.folder / "r.csv")


def test_a_damaged_label_is_computed_again_and_replaced(campaign, caplog):
    (first,), _ = campaign.label([pair()], SUCCESS)
    path = campaign.store.path(first.info["label_id"])
    good = path.read_text()
    for damaged in ("", good[:200], good.replace("3.54", "3.55", 1), good.replace("-412.6", "-411.6")):
        path.write_text(damaged)
        name = f"again{campaign.n_calls}"
        (frame,), rows = campaign.label([pair()], SUCCESS, name=name)
        assert outcomes(rows) == [("as asked", "SUCCESS")] and path.read_text() == good
        assert frame.info["REF_energy"] == first.info["REF_energy"]
    assert caplog.text.count("damaged label, computed again") == 4


def test_a_label_without_stress_is_computed_again_where_stress_is_asked_for(campaign):
    campaign.label([pair()], SUCCESS)
    (frame,), rows = campaign.label([pair()], STRESS, name="batch1", needs_stress=True)
    assert outcomes(rows) == [("as asked", "SUCCESS")] and frame.info["REF_stress"].shape == (6,)
    assert "tstress          = .true." in campaign.call(1)
    (frame,), rows = campaign.label([pair()], name="batch2", needs_stress=True)
    assert outcomes(rows) == [("", "STORED")] and frame.info["REF_stress"][0] < 0


def test_a_missing_stress_is_repeated_and_then_rejected(campaign):
    frames, rows = campaign.label([pair()], SUCCESS, SUCCESS, needs_stress=True)
    assert not frames and outcomes(rows) == [("as asked", "NO_STRESS"), ("repeated", "NO_STRESS")]


def test_a_label_of_a_changed_physics_says_so(campaign):
    (frame,), rows = campaign.label([pair()], *[UNCONVERGED] * 7, SUCCESS, **ALLOWED)
    assert outcomes(rows)[-1] == ("slight smearing", "SUCCESS") and "'smearing'" in campaign.call(7)
    assert frame.info["changed"] == "slight smearing: occupations smearing, smearing gaussian, degauss 0.002"
    assert frame.info["label_id"] == identifier(campaign, settings={**SETTINGS, **SMEARING})
    assert {row["label_id"] for row in rows} == {identifier(campaign)}, "the record is that of what was asked for"
    assert campaign.store.get(identifier(campaign)) is None


def test_it_is_found_again_where_the_rung_is_allowed_and_only_there(campaign):
    (first,), _ = campaign.label([pair()], *[UNCONVERGED] * 7, SUCCESS, **ALLOWED)
    (again,), rows = campaign.label([pair()], name="batch1", **ALLOWED)
    assert outcomes(rows) == [("slight smearing", "STORED")] and again.info == first.info
    (frame,), rows = campaign.label([pair()], SUCCESS, name="batch2")
    assert outcomes(rows) == [("as asked", "SUCCESS")] and "changed" not in frame.info
    (frame,), rows = campaign.label([pair()], name="batch3", **ALLOWED)
    assert outcomes(rows) == [("", "STORED")] and "changed" not in frame.info, "as asked for comes first"


def test_one_smeared_from_the_start_has_the_same_label(campaign):
    campaign.label([pair()], *[UNCONVERGED] * 7, SUCCESS, **ALLOWED)
    (frame,), rows = campaign.label([pair()], name="batch1", settings={**SETTINGS, **SMEARING})
    assert outcomes(rows) == [("", "STORED")] and "changed" not in frame.info


def test_two_jobs_work_in_folders_of_their_own(tmp_path):
    one, other = (
        labellers.scratch("s", f"{tmp_path}/a/batch0.extxyz"),
        labellers.scratch("s", f"{tmp_path}/b/batch0.ext"),
    )
    assert one != other and one.parent == other.parent


def test_a_round_without_structures_has_an_empty_record(campaign):
    """A walk that stops at once leaves nothing to label: that is for the audit, not a traceback."""
    campaign.label([])
    label_summary([campaign.folder / "batch0.csv"], campaign.folder / "summary.csv", campaign.folder / "rejected.csv")
    assert read_csv(campaign.folder / "summary.csv") == []
    assert (campaign.folder / "summary.csv").read_text().startswith("batch,label_id,")
