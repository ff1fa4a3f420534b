"""DFT spot checks: which frames are drawn, what their errors are, whether the intervals hold, what is said of gaps."""

import json

import numpy as np
import pytest
import reduce_spot_errors as errors_script
import reduce_spot_select
from ase import Atoms
from ase.calculators.morse import MorsePotential
from labelling import Campaign
from reduce_spot_checks import reduce_spot_checks
from synthetic import write_condition
from thermoweave import prediction, spot_errors, spot_frames
from thermoweave.frames import read_frames, write_frames
from thermoweave.potentials import manifest as manifests
from thermoweave.tables import read_csv, write_csv

TRIALS = 1000


@pytest.fixture
def selected(tmp_path):
    """A function that draws frames of a synthetic condition and returns them, and where its files are."""

    def select(n, n_replicas=3, failed=(), n_frames=90, seed=1):
        paths = write_condition(tmp_path / "runs", "0.25", "1000", n_replicas, n_frames, failed)
        seeds = {k: str(k % 2 + 1) for k in range(n_replicas)}
        out = tmp_path / "frames.extxyz"
        reduce_spot_select.reduce_spot_select(*paths, out, "nequip", "0.25", "1000", n, seeds, seed)
        return read_frames(out), out, paths

    return select


@pytest.mark.parametrize("n", [1, 2, 3, 5, 8, 13, 30, 100])
def test_frames_are_spread_over_a_run_and_never_the_same(n):
    for n_frames in (3 * n, 3 * n + 1, 1000):
        drawn = spot_frames.positions(n_frames, n, np.random.default_rng(n))
        gaps = np.diff(np.sort(drawn))
        assert drawn.min() >= 0 and drawn.max() < n_frames and (gaps > 0).all()
        assert (gaps >= 0.38 * n_frames / n - 1).all()


def test_every_frame_has_the_same_chance():
    drawn = [spot_frames.positions(30, 3, np.random.default_rng(k)) for k in range(20000)]
    counts = np.bincount(np.concatenate(drawn), minlength=30)
    assert np.abs(counts - 2000).max() < 5 * np.sqrt(2000)


def test_replicas_take_turns_and_frames_say_where_they_are_from(selected):
    frames, _, (trajectories, _) = selected(5)
    assert [atoms.info["index"] for atoms in frames] == [0, 1, 2, 3, 4]
    replicas = [atoms.info["replica"] for atoms in frames]
    assert sorted(np.bincount(replicas)) == [1, 2, 2] and replicas[:2] == replicas[3:]
    assert all(atoms.info["potential"] == f"seed{atoms.info['replica'] % 2 + 1}" for atoms in frames)
    assert {(a.info["concentration"], a.info["temperature"]) for a in frames} == {("x0.25", "T1000")}
    atoms = frames[0]
    from netCDF4 import Dataset

    with Dataset(trajectories[atoms.info["replica"]]) as file:
        there = file["coordinates"][atoms.info["frame"]]
        assert atoms.info["time_ps"] == pytest.approx(float(file["time"][atoms.info["frame"]]))
    moved = (atoms.positions - there) / 12  # wrapped by whole cells
    assert np.abs(moved - np.round(moved)).max() < 1e-8 and (atoms.positions >= 0).all() and atoms.pbc.all()


def test_the_same_frames_each_time_and_more_of_them_begin_with_the_same(selected):
    few, again, more, other = selected(3)[0], selected(3)[0], selected(7)[0], selected(3, seed=2)[0]
    where = [[(a.info["replica"], a.info["frame"]) for a in frames] for frames in (few, again, more, other)]
    assert where[0] == where[1] == where[2][:3] != where[3]


def test_a_failed_replica_is_not_opened_and_the_others_are_drawn_from(selected):
    assert {atoms.info["replica"] for atoms in selected(4, failed=(1,))[0]} == {0, 2}


@pytest.mark.parametrize("n", [0, 31])
def test_more_frames_than_a_run_has_apart_are_refused_by_name(selected, n):
    with pytest.raises(ValueError, match=f"reduce.spot_checks: {n} of the 90 frames .* 1 to 30 can"):
        selected(n)


def test_nothing_drawn_is_nothing_labelled(tmp_path):
    assert Campaign(tmp_path).label([]) == ([], [])


def labelled(frames, force=0.0, energy=0.0, potential=MorsePotential):
    """Labels off the potential by constants: forces on Li (eV/A), energy (eV an atom)."""
    result = []
    for atoms in frames:
        label = atoms.copy()
        calculated = prediction.predict(potential(), [atoms])[0]
        label.info |= {"md_energy": calculated.energy, "label_id": f"id{atoms.info['index']}"}
        label.info["REF_energy"] = calculated.energy - energy * len(atoms)
        label.arrays["REF_forces"] = calculated.forces - force * (atoms.symbols == "Li")[:, None]
        result.append(label)
    return result


@pytest.fixture
def checked(tmp_path, monkeypatch):
    """A function that runs reduce_spot_errors on labels of three ions each and returns its result and the table."""
    monkeypatch.setattr(errors_script.potentials, "load", lambda path: MorsePotential())

    def check(n, force=0.0, energy=0.0, rejected=(), change=lambda label: None, held_out=("0.25",), n_failed=0):
        atoms = [Atoms("LiClCl", np.eye(3) * (2 + k / 10), cell=[9.0] * 3, pbc=True) for k in range(n)]
        for k, a in enumerate(atoms):
            a.info = {"index": k, "replica": 1, "frame": 7 * k, "time_ps": 0.5 * k, "potential": "seed1"}
            a.info |= {"concentration": "x0.25", "temperature": "T1000", "md_energy": 0.0}
        labels = [label for label in labelled(atoms, force, energy) if label.info["index"] not in rejected]
        for label in labels:
            change(label)
        files = {name: tmp_path / name for name in ("s.extxyz", "l.extxyz", "a.csv", "replica1.json", "out.json")}
        write_frames(files["s.extxyz"], atoms)
        write_frames(files["l.extxyz"], labels)
        outcomes = {f"id{k}": "UNCONVERGED" if k in rejected else "SUCCESS" for k in range(n)}
        rows = [{"label_id": i, "outcome": o, "evidence": "after 400 iterations"} for i, o in outcomes.items()]
        write_csv(files["a.csv"], rows, ["label_id", "outcome", "evidence"])
        files["replica1.json"].write_text(json.dumps({"passed": n > 0, "reason": "Li-Cl at 0.40 A"}))
        row = {"n_frames": 4, "force_rmse_meV_A": 50.0, "force_rmse_std_meV_A": 5.0}
        held = tmp_path / "seed1/errors.json"
        manifests.write_json(held, {"test": {"concentrations": [{"concentration": x, **row} for x in held_out]}})
        *inputs, out = files.values()
        errors_script.reduce_spot_errors(
            *inputs[:3], [inputs[3]], [tmp_path / "seed1/potential.json"], [held], out, "0.25", "1000", n or 2
        )
        reduce_spot_checks([out], tmp_path / "table.csv", ["Li", "K", "Cl"])
        return json.loads(out.read_text()), read_csv(tmp_path / "table.csv")

    return check


def test_errors_are_those_that_were_made(checked):
    result, (row, everything) = checked(2, force=0.06, energy=0.004)
    first = result["frames"][0]
    assert first["force_rmse"] == pytest.approx({"all": 60 / np.sqrt(3), "Cl": 0, "Li": 60}, abs=1e-4)
    assert first["energy_error"] == pytest.approx(4, abs=1e-4) and first["frame"] == 0
    assert float(row["force_rmse_meV_A"]) == pytest.approx(34.64, abs=0.01)
    assert (row["force_rmse_Li_meV_A"], row["force_rmse_K_meV_A"]) == ("60", "")
    assert (row["energy_rmse_meV_atom"], row["energy_offset_meV_atom"]) == ("4", "4")
    assert float(row["energy_spread_meV_atom"]) == pytest.approx(0, abs=1e-3)
    assert float(row["force_ratio"]) == pytest.approx(0.6928, abs=1e-4) and row["held_out_force_rmse_meV_A"] == "50"
    assert row["held_out_labels"] == everything["held_out_labels"] == "4"
    assert everything["concentration"] == "all" and everything["force_rmse_meV_A"] == row["force_rmse_meV_A"]


def test_energies_have_an_offset_and_a_spread():
    frames = [{"energy_error": e} for e in (3.0, 5.0, 7.0)]
    found = spot_errors.energy_errors([{"frames": frames}])
    assert found["offset"].value == 5 and found["spread"].value == pytest.approx(2)
    assert found["rmse"].value == pytest.approx(np.sqrt(83 / 3))
    shifted = [{"energy_error": e} for e in (-93.0, -95.0, -97.0)]
    both = spot_errors.energy_errors([{"frames": frames}, {"frames": shifted}, {"frames": []}])
    assert both["offset"] is None and both["spread"].value == pytest.approx(2)


def test_rejected_labels_are_counted_and_named(checked):
    result, (row, _) = checked(3, force=0.06, rejected=(1,))
    assert result["rejected"] == ["replica 1 at 0.5 ps"]
    assert (row["asked"], row["labelled"], row["rejected"]) == ("3", "2", "1")
    assert row["note"] == "no label of replica 1 at 0.5 ps (UNCONVERGED: after 400 iterations)"


def test_no_label_at_all_is_a_gap_with_its_reason(checked):
    _, (row, everything) = checked(2, rejected=(0, 1))
    assert row["verdict"] == "no label" and row["force_rmse_meV_A"] == row["force_ratio"] == ""
    assert "UNCONVERGED" in row["note"] and everything["labelled"] == "0"
    _, (row, _) = checked(0)
    assert (row["asked"], row["rejected"], row["verdict"]) == ("2", "0", "no label")
    assert row["note"] == "no replica passed: replica 1: Li-Cl at 0.40 A"


def test_one_frame_has_no_bar_and_no_verdict(checked):
    _, (row, _) = checked(1, force=0.06)
    assert row["force_rmse_meV_A"] == "34.64" and row["force_rmse_low_meV_A"] == row["force_ratio_low"] == ""
    assert row["verdict"] == "too few frames for an error bar"


def test_without_a_held_out_label_there_is_no_ratio(checked):
    _, (row, _) = checked(2, force=0.06, held_out=("0.50",))
    assert row["force_ratio"] == "" and row["verdict"] == "no held-out label to compare with"


def test_a_label_of_another_level_says_so(checked):
    _, (row, _) = checked(
        2, force=0.06, change=lambda label: label.info.update(changed="slight smearing: degauss 0.01")
    )
    assert "replica 1 at 0.5 ps labelled on slight smearing: degauss 0.01" in row["note"]


def test_another_potential_than_the_one_that_ran_is_refused(checked):
    with pytest.raises(ValueError, match="seed1 is -2 meV an atom off that of the run .* another potential ran it"):
        checked(2, change=lambda label: label.info.update(md_energy=label.info["md_energy"] + 0.006))


def frame(rng, scale, n_atoms=16, spread=0.2):
    """A frame whose errors are normal, its own size of error log-normal about `scale` (rms over frames)."""
    own = scale * np.exp(spread * rng.standard_normal() - spread**2)
    rms = float(own * np.sqrt(rng.chisquare(3 * n_atoms) / (3 * n_atoms)))
    return {"n_atoms": {"all": n_atoms}, "force_rmse": {"all": rms}, "potential": "seed1"}


def held_out(rng, scale, n):
    """The held-out error of `n` such frames, as `prediction` makes it."""
    own = scale * np.exp(0.2 * rng.standard_normal(n) - 0.04)
    rmse, std = prediction.root_mean_square([s * rng.standard_normal((16, 3)) for s in own])
    return {"n_frames": n, "force_rmse": rmse, "std": std}


@pytest.mark.parametrize("n", [2, 3, 6])
def test_the_interval_of_the_force_rmse_holds_68_percent(n):
    rng = np.random.default_rng(n)
    found = [spot_errors.force_rmse([frame(rng, 50) for _ in range(n)]) for _ in range(TRIALS)]
    covered = np.mean([interval.low <= 50 <= interval.high for interval in found])
    print(f"{n} frames: 68 % interval covers {covered:.3f}")
    assert 0.62 <= covered <= 0.73


@pytest.mark.parametrize(("n", "n_held_out"), [(2, 6), (3, 6), (6, 6), (3, 20)])
def test_ratios_are_covered_and_worse_is_seldom_said_by_chance(n, n_held_out):
    rng = np.random.default_rng(n)

    def found(truth):
        condition = {"concentration": "0.25", "frames": [frame(rng, 50 * truth) for _ in range(n)]}
        return spot_errors.ratio([{**condition, "held_out": {"seed1": held_out(rng, 50, n_held_out)}}])

    same, double = ([found(truth) for _ in range(TRIALS // 2)] for truth in (1.0, 2.0))
    covered = np.mean([r.low <= 1 <= r.high for r in same])
    worse = [np.mean([spot_errors.verdict(r).startswith("worse") for r in rs]) for rs in (same, double)]
    print(f"{n} frames, {n_held_out} held out: covers {covered:.3f}, worse {worse[0]:.3f}, of twice {worse[1]:.3f}")
    assert 0.60 <= covered <= 0.76 and worse[0] < 0.09
    assert worse[1] > (0.4 if n == 2 else 0.85)


def test_seeds_and_concentrations_are_compared_with_their_own():
    def condition(x, rmse, **held):
        frames = [{"n_atoms": {"all": 4}, "force_rmse": {"all": r}, "potential": p} for p, r in rmse]
        return {"concentration": x, "frames": frames, "held_out": held}

    row = {"n_frames": 6, "std": 2.0}
    a = condition("0.1", [("seed1", 80.0), ("seed2", 20.0)], seed1={**row, "force_rmse": 40.0},
                  seed2={**row, "force_rmse": 10.0})  # fmt: skip
    b = condition("0.2", [("seed1", 200.0)], seed1={**row, "force_rmse": 100.0}, seed2=None)
    assert spot_errors.ratio([a]).value == pytest.approx(2) and spot_errors.ratio([a, b]).value == pytest.approx(2)
    assert spot_errors.ratio([a]).held_out == pytest.approx(np.sqrt((40**2 + 10**2) / 2))
