"""Reading a production run in pieces: the same numbers with any memory, and no bad file read as a good one."""

import json

import numpy as np
import pytest
import synthetic
from ase import Atoms
from netCDF4 import Dataset
from thermoweave.replica import Replica, open_passed

N_FRAMES, N_ATOMS = 120, 10


@pytest.fixture
def path(tmp_path):
    rng = np.random.default_rng(1)
    atoms = Atoms("Li4K2Cl4", cell=[12.0, 12.0, 12.0], pbc=True)
    x, v = synthetic.langevin(rng, N_FRAMES, N_ATOMS, 1.0, 0.05, 0.01)
    synthetic.write_trajectory(tmp_path / "replica1.nc", atoms, 0.01 * np.arange(N_FRAMES), x, v)
    return tmp_path / "replica1.nc"


def change(path, name, at, value):
    with Dataset(path, "a") as file:
        file[name][at] = value


def frames_of(path, memory_MB, **options):
    pieces = list(Replica(path, memory_MB).frames("coordinates", "temperature", **options))
    return len(pieces), *(np.concatenate(parts) for parts in zip(*pieces, strict=True))


def test_pieces_put_together_are_the_file(path):
    with Dataset(path) as file:
        whole = file["coordinates"][:].astype(float)
    for memory_MB in (1e-9, 0.01, 100):
        n_pieces, coordinates, temperature = frames_of(path, memory_MB)
        assert np.array_equal(coordinates, whole) and len(temperature) == N_FRAMES
        assert (n_pieces > 1) == (memory_MB < 1)
        assert np.array_equal(frames_of(path, memory_MB, stride=7)[1], whole[::7])
        atoms = np.array([1, 4, 5, 9])
        series = list(Replica(path, memory_MB).series("coordinates", atoms))
        assert np.array_equal(np.concatenate([chosen for chosen, _ in series]), atoms)
        assert np.array_equal(np.concatenate([values for _, values in series], axis=1), whole[:, atoms])


def test_what_a_run_says_of_itself(path):
    replica = Replica(path, 100)
    assert (replica.n_frames, replica.n_atoms) == (N_FRAMES, N_ATOMS)
    assert replica.step == pytest.approx(0.01)
    assert replica.volume == pytest.approx(1728)
    assert replica.width == pytest.approx(12)
    assert replica.members("K").tolist() == [4, 5]


@pytest.mark.parametrize("value", [np.nan, np.inf, 9.969e36])
def test_frames_that_are_no_numbers_are_named(path, value):
    change(path, "coordinates", (77, 3, 0), value)
    for memory_MB in (0.01, 100):
        with pytest.raises(ValueError, match=r"replica1.nc: coordinates of frame 77 .*simulate the run again"):
            frames_of(path, memory_MB)
        with pytest.raises(ValueError, match="coordinates of frame 77"):
            list(Replica(path, memory_MB).series("coordinates", np.arange(N_ATOMS)))
    assert len(list(Replica(path, 100).series("velocities", np.arange(N_ATOMS)))) == 1


def test_wrapped_coordinates_are_no_path(path):
    with Dataset(path) as file:
        wrapped = file["coordinates"][:] % 12.0
    change(path, "coordinates", slice(None), wrapped)
    assert frames_of(path, 100)[0] == 1  # distances do not mind
    with pytest.raises(ValueError, match=r"atom \d jumps by 1[12].* from one frame to the next .* unwrapped"):
        list(Replica(path, 100).series("coordinates", np.arange(N_ATOMS)))


def test_uneven_frames_and_a_changing_cell_are_refused(path, tmp_path):
    change(path, "time", 60, 0.605)
    with pytest.raises(ValueError, match="120 frames, not equidistant in time"):
        Replica(path, 100)
    change(path, "time", 60, 0.6)
    change(path, "cell_lengths", (60, 0), 12.1)
    with pytest.raises(ValueError, match="the cell changes from frame to frame"):
        Replica(path, 100)


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_a_temperature_of_nothing_is_refused(path, value):
    change(path, "temperature", 5, value)
    with pytest.raises(ValueError, match="temperature of frame 5 is not above zero"):
        Replica(path, 100)


def test_one_frame_is_no_trajectory(tmp_path):
    x = np.ones((1, 2, 3))
    synthetic.write_trajectory(tmp_path / "r.nc", Atoms("Li2", cell=[9] * 3, pbc=True), np.zeros(1), x, x)
    with pytest.raises(ValueError, match="1 frames"):
        Replica(tmp_path / "r.nc", 100)


def test_rejected_runs_stay_closed_and_the_others_must_match(path, tmp_path):
    verdicts = [tmp_path / "1.json", tmp_path / "2.json"]
    for verdict, passed in zip(verdicts, (True, False), strict=True):
        verdict.write_text(json.dumps({"passed": passed, "reason": "" if passed else "too hot"}))
    replicas, reasons = open_passed([path, tmp_path / "nowhere.nc"], verdicts, 100)
    assert replicas[1] is None and reasons == ["", "too hot"]
    atoms = Atoms("Li4K2Cl4", cell=[12.0, 12.0, 12.0], pbc=True)
    x = np.zeros((50, N_ATOMS, 3))
    synthetic.write_trajectory(tmp_path / "replica2.nc", atoms, 0.01 * np.arange(50), x, x + 1)
    verdicts[1].write_text(json.dumps({"passed": True, "reason": ""}))
    with pytest.raises(ValueError, match="replicas differ: 120 frames .*; 50 frames .* one protocol"):
        open_passed([path, tmp_path / "replica2.nc"], verdicts, 100)
