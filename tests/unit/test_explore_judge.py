"""What fresh labels say of a round, and whether the loop goes on."""

import json
from pathlib import Path

import explore_md
import explored
import numpy as np
import pytest
from explore_check import explore_check
from explore_judge import explore_judge
from explore_stop import explore_stop
from explored import frame
from thermoweave import calibration, committee_errors, coverage
from thermoweave.frames import write_frames
from thermoweave.tables import read_csv, write_csv


def judged(folder, labels, touching=0, **changes):
    """coverage.csv and fresh.csv of a round whose walk chose the frames that `labels` are of; of its ten frames so many
    touch the wall.
    """
    frames = [frame(time_ps=0.4 * k, error=60.0, contacts=int(k >= 10 - touching), seed=k) for k in range(10)]
    for index, atoms in enumerate(frames):
        atoms.info.update(index=index, chosen="uncertain")
    candidates, selected = [folder / "candidates.extxyz"], folder / "selected.extxyz"
    write_frames(candidates[0], frames)
    write_frames(selected, frames[:5])
    walk = dict.fromkeys(explore_md.COLUMNS, "") | {"concentration": "x0.00", "temperature": "T900"}
    walk |= {"frames": 10, "frames_planned": 10, "stopped": ""}
    write_csv(folder / "walks.csv", [walk | changes], list(explore_md.COLUMNS))
    write_frames(folder / "labels.extxyz", labels(frames[:5]))
    fresh, checked, output = (folder / name for name in ("fresh.csv", "checked.json", "coverage.csv"))
    explore_check(selected, [folder / "labels.extxyz"], [], explored.calibrated(folder), fresh, checked, 0, 2)
    explore_judge(checked, [fresh], candidates, [folder / "walks.csv"], output, 0, 100.0, 1)
    return read_csv(output), read_csv(fresh)


def labels_wrong_by(error):
    """Labels of which a committee is wrong by `error` (meV/A, of a component), whatever it says itself."""

    def labels(frames):
        rng = np.random.default_rng(5)
        found = []
        for atoms in frames:
            label = atoms.copy()
            label.arrays.pop("deviation")
            within = np.mean(atoms.arrays["deviation"] ** 2) / 6
            noise = rng.normal(0, 1, (4, 3))
            noise *= np.sqrt((error / 1000) ** 2 - within) / np.sqrt(np.mean(noise**2))
            label.arrays["REF_forces"] = label.arrays.pop("committee_forces") + noise
            label.info.update(REF_energy=0.0, label_id=f"{atoms.info['index']:064}")
            found.append(label)
        return found

    return labels


def test_fresh_labels_say_how_wrong_the_committee_is(tmp_path):
    (row,), fresh = judged(tmp_path, labels_wrong_by(60.0))
    assert [float(line["error_meV_A"]) for line in fresh] == pytest.approx([60.0] * 5, rel=1e-3)
    assert float(row["expected_error_meV_A"]) == pytest.approx(60, rel=0.15)
    assert row["verdict"] == coverage.COVERED and row["reason"] == ""
    assert float(row["share_above_target"]) < 0.1
    (row,), _ = judged(tmp_path, labels_wrong_by(180.0))
    assert row["verdict"] == "not covered" and "expected to be wrong by" in row["reason"]


def test_the_wall_adds_its_own_force_to_what_is_expected(tmp_path):
    (without,), _ = judged(tmp_path, labels_wrong_by(60.0))
    (row,), _ = judged(tmp_path, labels_wrong_by(60.0), touching=5)  # of 100 meV/A each
    added = float(row["expected_error_meV_A"]) ** 2 - float(without["expected_error_meV_A"]) ** 2
    assert added == pytest.approx(0.5 * 100**2, rel=0.02)
    assert row["verdict"] == "not covered" and "of it squared the wall's, target 100" in row["reason"]
    assert float(row["share_above_target"]) > 0.5


def test_a_walk_that_ended_early_covers_nothing(tmp_path):
    (row,), _ = judged(tmp_path, labels_wrong_by(60.0), frames_planned=20, stopped="force of 90 eV/A")
    assert row["verdict"] == "not covered" and "the walk ended after 10 of 20 frames: force of" in row["reason"]


def test_a_round_that_asks_for_nothing_goes_on_with_what_is_known(tmp_path):
    write_frames(tmp_path / "nothing.extxyz", [])
    earlier = tmp_path / "held_out.csv"
    row = dict.fromkeys(committee_errors.COLUMNS, "") | {"round": 0, "kind": "held out", "condition": "x0.00 T900"}
    write_csv(earlier, [row | {"deviation_meV_A": 50, "error_meV_A": 80}], list(committee_errors.COLUMNS))
    out = tmp_path / "fresh.csv", tmp_path / "checked.json"
    nothing = tmp_path / "nothing.extxyz"
    explore_check(nothing, [nothing], [earlier], explored.calibrated(tmp_path), *out, 0, 2)
    assert read_csv(out[0]) == [] and calibration.read(out[1]).n_pairs == 1


def test_a_round_without_a_label_says_what_to_do(tmp_path):
    with pytest.raises(RuntimeError, match="every label of round 1 was rejected: results/label/round1/batch"):
        judged(tmp_path, lambda frames: [])


def stop(folder, verdicts, core_h=None):
    """What explore_stop decides of rounds with such verdicts of two conditions, the last of a margin."""
    tables = []
    for round, words in enumerate(verdicts):
        rows = [dict.fromkeys(coverage.COLUMNS, "") | {"concentration": "x0.00"} for _ in range(3)]
        for row, T, margin, verdict in zip(rows, ("900", "1000", "1000"), ("", "", "denser"), words, strict=True):
            row.update(
                temperature=f"T{T}", margin=margin, verdict=coverage.COVERED if verdict == "+" else "not covered"
            )
        tables.append(folder / f"coverage{round}.csv")
        write_csv(tables[-1], rows, list(coverage.COLUMNS))
    conditions = [("0.00", "900"), ("0.00", "1000")]
    explore_stop(tables, folder / "stop.json", len(verdicts) - 1, conditions, core_h, Path(folder / "benchmarks"))
    return json.loads((folder / "stop.json").read_text())


@pytest.mark.parametrize(
    ("verdicts", "ends", "said"),
    [
        (["++-", "++-"], True, "every condition was covered in rounds 0 and 1"),  # margins are not judged
        (["+-+", "+++"], False, "every condition is covered in round 1: once more"),
        (["+++", "-++"], False, "1 of 2 conditions are not covered in round 1"),
        (["+++"], False, "once more"),
    ],
)
def test_the_loop_ends_when_all_are_covered_twice_in_a_row(tmp_path, verdicts, ends, said):
    found = stop(tmp_path, verdicts)
    assert found["ends"] is ends and said in found["reason"]


def test_core_hours_end_it_too(tmp_path):
    folder = tmp_path / "benchmarks/train_potential"
    folder.mkdir(parents=True)
    (folder / "a.tsv").write_text("s\tthreads\n7200\t2\n")
    assert stop(tmp_path, ["--+"], core_h=3.9)["ends"] and not stop(tmp_path, ["--+"], core_h=4.1)["ends"]
    assert "4 core-hours are spent, explore.budget.core_h allows 3.9" in stop(tmp_path, ["--+"], core_h=3.9)["reason"]
