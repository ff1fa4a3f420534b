"""What is walked, what is chosen to be labelled, and what is refused."""

import explore_md
import explored
import numpy as np
import pytest
from explore_select import explore_select, select
from explored import frame
from thermoweave import health, walks
from thermoweave.frames import read_frames, write_frames
from thermoweave.potentials.committee import Deviation
from thermoweave.tables import read_csv

LIMITS = health.Limits(min_distance=1.0, max_force=50.0, max_temperature_ratio=5.0)
PACE = walks.Pace(timestep_fs=2.0, length_ps=0.1, interval_ps=0.02, leave=1e5)


@pytest.fixture
def explore(tmp_path):
    """A function that explores, with changes of the options; it returns the walks' frames and lines."""
    write_frames(tmp_path / "structures.extxyz", [explored.rock_salt()])
    files = [explored.potential(tmp_path / f"seed{k}", scale) for k, scale in enumerate((1.0, 1.1))]
    options = {
        "potential_files": files, "calibration": explored.calibrated(tmp_path), "composition": {"LiCl": [1, 1]},
        "density": explored.DENSITY, "n_units": 32, "temperatures": ["900", "1000"], "pace": PACE, "limits": LIMITS,
        "margins": {"hotter_K": 0, "denser": 0}, "seed": 1, "round": 0, "concentration": "0.00",
        "folder": tmp_path / "walks",
    }  # fmt: skip

    def explore(**changes):
        out = tmp_path / "candidates.extxyz", tmp_path / "walks.csv"
        paths = dict(structures=tmp_path / "structures.extxyz", out_candidates=out[0], out_walks=out[1])
        explore_md.explore(**{**options, **paths, **changes})
        return read_frames(out[0]), read_csv(out[1])

    return explore


def test_each_condition_is_walked_at_and_each_frame_judged(explore):
    frames, table = explore(margins={"hotter_K": 100, "denser": 0.05})
    assert [(row["temperature"], row["margin"]) for row in table] == [
        ("T900", ""), ("T1000", ""), ("T1100", "hotter"), ("T1000", "denser"),
    ]  # fmt: skip
    assert all(row["frames"] == row["frames_planned"] == "5" and not row["stopped"] for row in table)
    volumes = {atoms.info["walk"]: atoms.get_volume() for atoms in frames}
    assert volumes["x0.00 T1000"] / volumes["x0.00 T1000 denser"] == pytest.approx(1.05)
    for atoms in frames:
        spread = 1000 * np.sqrt(np.mean(atoms.arrays["deviation"] ** 2) / 3)
        assert atoms.info["deviation"] == pytest.approx(spread, rel=1e-6)
        assert atoms.info["expected_error"] == pytest.approx(1.5 * spread, rel=0.25)
        assert atoms.info["expected_error_high"] > atoms.info["expected_error"]


def test_the_same_walks_again_and_others_in_another_round(explore):
    first, again, later = explore()[0], explore()[0], explore(round=1)[0]
    assert np.array_equal(first[-1].positions, again[-1].positions)
    assert not np.array_equal(first[-1].positions, later[-1].positions)


def test_a_walker_that_leaves_the_trusted_region_stops_and_its_last_frame_is_kept(explore):
    frames, table = explore(pace=walks.Pace(2.0, 0.1, 0.02, leave=0.01))
    assert [row["frames"] for row in table] == ["1", "1"] and len(frames) == 2
    assert all("explore.leave is 0.01" in row["stopped"] for row in table)


def test_a_walker_that_explodes_is_left_out_and_said(explore):
    frames, table = explore(limits=health.Limits(1.0, 50.0, 0.01))
    assert frames == [] and all("target" in row["stopped"] and row["frames"] == "0" for row in table)


def test_a_member_without_a_number_ends_the_walk(explore, monkeypatch):
    monkeypatch.setattr(walks, "deviation", lambda *_: Deviation(np.full(64, np.nan), 0.0, np.zeros((64, 3))))
    frames, table = explore()
    assert frames == [] and all("no number" in row["stopped"] for row in table)


def test_walks_that_a_killed_job_ended_are_kept(explore, tmp_path, monkeypatch):
    whole = explore()[0]
    walk, calls = walks.walk, []

    def killed(*arguments):
        calls.append(arguments[2].temperature)
        if calls.count("1000"):
            raise KeyboardInterrupt
        return walk(*arguments)

    monkeypatch.setattr(walks, "walk", killed)
    with pytest.raises(KeyboardInterrupt):
        explore()
    monkeypatch.setattr(walks, "walk", lambda *arguments: calls.append(arguments[2].temperature) or walk(*arguments))
    calls.clear()
    frames, _ = explore()
    assert calls == ["1000"] and not (tmp_path / "walks").exists()
    assert all(np.allclose(a.positions, b.positions, atol=1e-7) for a, b in zip(frames, whole, strict=True))
    monkeypatch.setattr(walks, "walk", killed)
    with pytest.raises(KeyboardInterrupt):
        explore()
    monkeypatch.setattr(walks, "walk", lambda *arguments: calls.append(arguments[2].temperature) or walk(*arguments))
    calls.clear()
    explore(seed=2)
    assert calls == ["900", "1000"]  # of another seed: not those that were kept


def choose(frames, n, random_share=0.0, target=80.0, spacing=0.3):
    chosen = select(frames, n, random_share, target, spacing, np.random.default_rng(0))
    return [(atoms.info["walk"], atoms.info["time_ps"], atoms.info["chosen"]) for atoms in chosen]


def test_places_go_where_the_need_is_and_no_walk_has_more_frames_than_are_apart():
    bad = [frame("x0.00 T900", 0.1 * k, 300.0, seed=k) for k in range(1, 11)]
    worse = [frame("x0.00 T1000", 0.1 * k, 150.0, seed=20 + k) for k in range(1, 11)]
    chosen = choose([*bad, *worse], 5, spacing=0.3)
    assert [walk for walk, *_ in chosen].count("x0.00 T900") == 4
    for walk in {walk for walk, *_ in chosen}:
        times = sorted(time for name, time, _ in chosen if name == walk)
        assert np.all(np.diff(times) > 0.3 - 1e-9)


def test_frames_below_the_target_are_not_worth_a_label():
    good = [frame("x0.00 T900", 0.1 * k, 20.0, seed=k) for k in range(1, 11)]
    assert choose(good, 5) == []
    assert {why for *_, why in choose(good, 5, random_share=0.4)} == {"random"}
    assert len(choose(good, 5, random_share=0.4)) == 2


def test_frames_that_touched_the_wall_are_doubtful():
    frames = [frame("x0.00 T900", 0.4 * k, 20.0, contacts=int(k == 3), seed=k) for k in range(1, 11)]
    assert [time for _, time, _ in choose(frames, 2)] == pytest.approx([1.2])


def test_chosen_frames_differ():
    """Of many copies of one frame and a single other one, both kinds are chosen."""
    same = [frame("x0.00 T900", 0.4 * k, 200.0, distance=2.5) for k in range(1, 20)]
    other = frame("x0.00 T900", 8.0, 150.0, distance=2.0)
    assert 8.0 in [time for _, time, _ in choose([*same, other], 2)]


def test_random_selection_goes_through_the_same_door():
    frames = [frame(f"x0.00 T{t}", 0.4 * k, 500.0 if t == 900 else 10.0, seed=k) for t in (900, 1000) for k in range(9)]
    chosen = choose(frames, 8, random_share=1.0)
    assert [walk for walk, *_ in chosen].count("x0.00 T900") == 4 and {why for *_, why in chosen} == {"random"}


def paths(folder, frames):
    write_frames(folder / "candidates.extxyz", frames)
    return [folder / "candidates.extxyz"], folder / "selected.extxyz", folder / "selection.csv"


OPTIONS = dict(labels_per_round=4, random_share=0.25, target=80.0, spacing_ps=0.3, min_distance=0.7, seed=1)


def test_unphysical_candidates_are_never_chosen_and_counted(tmp_path):
    frames = [frame(time_ps=0.4 * k, error=200.0, distance=0.3 if k % 2 else 2.5, seed=k) for k in range(8)]
    explore_select(*paths(tmp_path, frames), 0, **OPTIONS)
    assert all(atoms.get_distance(0, 1) > 2 for atoms in read_frames(tmp_path / "selected.extxyz"))
    (row,) = read_csv(tmp_path / "selection.csv")
    assert (row["candidates"], row["unphysical"]) == ("8", "4")
    assert [atoms.info["index"] for atoms in read_frames(tmp_path / "selected.extxyz")] == [0, 1, 2, 3]


def test_frames_at_the_wall_all_train(tmp_path):
    frames = [frame(time_ps=0.4 * k, error=200.0, contacts=k % 2, seed=k) for k in range(8)]
    explore_select(*paths(tmp_path, frames), 0, **OPTIONS)
    chosen = read_frames(tmp_path / "selected.extxyz")
    assert {atoms.info["wall_contacts"] > 0: bool(atoms.info["squeezed"]) for atoms in chosen} == {
        True: True,
        False: False,
    }


@pytest.mark.parametrize("frames", [[], [frame(distance=0.3)]])
def test_nothing_sane_is_an_error_that_says_what_to_do(tmp_path, frames):
    with pytest.raises(RuntimeError, match=r"round 0: no frame worth labelling .*explore.timestep_fs"):
        explore_select(*paths(tmp_path, frames), 0, **OPTIONS)
