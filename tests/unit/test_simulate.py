import json
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import argon
import numpy as np
import pytest
from netCDF4 import Dataset
from simulate_judge import fault, simulate_judge
from thermoweave import trajectory


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    return argon.run(tmp_path_factory.mktemp("whole"))


def facts(path):
    return json.loads(path.with_suffix(".run.json").read_text())


def test_a_healthy_run_is_whole(finished):
    with Dataset(finished) as file:
        assert file.Conventions == "AMBER" and file.data_model == "NETCDF3_64BIT_OFFSET"
        assert len(file.dimensions["frame"]) == argon.PROTOCOL.n_frames == 80
        np.testing.assert_allclose(np.diff(file["time"][:]), 0.025)
        assert file["time"][0] == pytest.approx(0.025)
        assert file.temperature == "90" and file.concentration == "0.50"
    assert facts(finished)["sick"] == "" and facts(finished)["frames"] == 80
    assert not list(finished.parent.glob("*partial*")) and not list(finished.parent.glob("*state*"))


def test_velocities_and_positions_belong_together(finished):
    with Dataset(finished) as file:
        x, v, t = file["coordinates"][:], file["velocities"][:], file["time"][:]
    difference = (x[2:] - x[:-2]) / (t[2:] - t[:-2])[:, None, None]
    assert np.corrcoef(difference.ravel(), v[1:-1].ravel())[0, 1] > 0.99


def test_the_thermostat_keeps_its_temperature(finished):
    """With the centre of mass fixed, 3N - 3 degrees of freedom share the energy."""
    with Dataset(finished) as file:
        v, mass = file["velocities"][:].astype(float), file["masses"][:]
        kinetic = file["temperature"][:]
    np.testing.assert_allclose((v * mass[:, None]).sum(axis=1), 0, atol=1e-3)
    spread = 90 * np.sqrt(2 / (3 * len(mass) - 3))
    assert abs(kinetic.mean() - 90) < 4 * spread / np.sqrt(8)


def test_a_killed_run_ends_in_the_same_frames(finished, tmp_path):
    """SIGKILL in the middle, again and again: no gap, no repeated frame, the same numbers to the bit."""
    kills = 0
    for _ in range(200):
        process = subprocess.Popen([sys.executable, argon.__file__, str(tmp_path)], stderr=subprocess.DEVNULL)
        state, output = tmp_path / "replica1.state.npz", tmp_path / "replica1.nc"
        before = state.stat().st_mtime_ns if state.exists() else 0
        while process.poll() is None and (not state.exists() or state.stat().st_mtime_ns == before):
            time.sleep(0.01)
        time.sleep(0.03)
        if process.poll() is None and kills < 4:
            process.send_signal(signal.SIGKILL)
            kills += 1
        if process.wait() == 0:
            break
    assert kills == 4
    with Dataset(finished) as whole, Dataset(output) as pieced:
        for name in ("time", "coordinates", "velocities", "potential_energy"):
            np.testing.assert_array_equal(whole[name][:], pieced[name][:])


def test_what_another_protocol_left_is_not_continued(tmp_path):
    """A trajectory must not change its Hamiltonian, integrator or start half-way."""
    process = subprocess.Popen([sys.executable, argon.__file__, str(tmp_path)], stderr=subprocess.DEVNULL)
    while not (tmp_path / "replica1.state.npz").exists():
        time.sleep(0.01)
    process.kill()
    process.wait()
    output = argon.run(tmp_path, protocol=replace(argon.PROTOCOL, timestep_fs=4.0))
    with Dataset(output) as file:
        assert file.timestep_fs == 4.0
        np.testing.assert_allclose(np.diff(file["time"][:]), 0.02)


def test_a_run_that_is_finished_meanwhile_is_kept(tmp_path):
    output = argon.run(tmp_path)
    written = output.stat().st_mtime_ns
    assert argon.run(tmp_path).stat().st_mtime_ns == written


def test_a_collapse_stops_at_once_and_not_at_the_next_frame(tmp_path):
    output = argon.run(tmp_path, limits=replace(argon.LIMITS, max_force=0.05))
    assert facts(output)["steps"] % argon.PROTOCOL.frame_interval != 0
    assert "force of" in facts(output)["sick"]


def test_a_hot_run_stops_and_says_why(tmp_path):
    found = facts(argon.run(tmp_path, limits=replace(argon.LIMITS, max_temperature_ratio=1.05)))
    assert "target 90 K" in found["sick"] and found["frames"] < 80
    assert fault(found, max_wall_contacts=9, min_displacement=0) == found["sick"]


def test_a_close_pair_is_named(tmp_path):
    found = facts(argon.run(tmp_path, limits=replace(argon.LIMITS, min_distance=3.9)))
    assert "Ar-Ar at 3." in found["sick"]


def test_a_run_against_the_wall_fails(tmp_path):
    short = replace(argon.PROTOCOL, equilibration_ps=0.05, production_ps=0.1)
    found = facts(argon.run(tmp_path, protocol=short, contacts=3))
    assert "3.00 wall contacts a frame, allowed 1" in fault(found, max_wall_contacts=1, min_displacement=0)
    assert fault(found, max_wall_contacts=3, min_displacement=0) == ""


def test_a_liquid_must_flow(finished, tmp_path):
    output = tmp_path / "verdict.json"
    simulate_judge(finished.with_suffix(".run.json"), output, max_wall_contacts=1, min_displacement=5.0)
    verdict = json.loads(output.read_text())
    assert not verdict["passed"] and "Ar moved" in verdict["reason"] and verdict["frames"] == 80
    simulate_judge(finished.with_suffix(".run.json"), output, max_wall_contacts=1, min_displacement=0.0)
    assert json.loads(output.read_text())["passed"]


def test_readers_of_others_open_it(finished):
    """MDAnalysis and xarray, unmodified."""
    import MDAnalysis
    import xarray

    with xarray.open_dataset(finished, engine="netcdf4", decode_times=False) as data:
        assert data.sizes["frame"] == 80 and data["coordinates"].dims == ("frame", "atom", "spatial")
    universe = MDAnalysis.Universe.empty(32, trajectory=True)
    universe.load_new(str(finished), format="NCDF")
    with Dataset(finished) as file:
        universe.trajectory[79]
        np.testing.assert_allclose(universe.atoms.positions, file["coordinates"][79], rtol=1e-5)


def test_cut_refuses_what_is_not_a_trajectory(tmp_path, finished):
    foreign = tmp_path / "foreign.nc"
    foreign.write_bytes(b"not NetCDF at all")
    with pytest.raises(ValueError, match="not a NetCDF-3 file"):
        trajectory.cut(foreign, 1)
    with pytest.raises(ValueError, match="holds 80 frames, its saved state says 81"):
        trajectory.cut(Path(finished), 81)
