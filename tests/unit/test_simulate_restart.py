"""Runs that were killed, damaged, changed or doubled: they end in the same frames, or begin afresh and say so."""

import json
import signal
import subprocess
import sys
import time
from dataclasses import replace

import argon
import numpy as np
import pytest
from netCDF4 import Dataset
from thermoweave import trajectory
from thermoweave.protocol import Protocol

LIQUID = {"min_displacement": 0.1, "max_cavity": 5.0}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    return argon.run(tmp_path_factory.mktemp("whole"), replicas=2)


def started(folder, *arguments):
    return subprocess.Popen([sys.executable, argon.__file__, str(folder), *arguments], stderr=subprocess.DEVNULL)


def saved(process, folder):
    """Wait for the process to save a state that was not there before; False where it ended first."""
    state = folder / "replica2" / "state.npz"
    before = state.stat().st_mtime_ns if state.exists() else 0
    while process.poll() is None:
        if state.exists() and state.stat().st_mtime_ns != before:
            return True
        time.sleep(0.01)
    return False


@pytest.mark.parametrize("ensemble", ["csvr", "nve"])
def test_a_killed_batch_ends_in_the_same_frames(tmp_path, ensemble):
    """SIGKILL in the middle, again and again: no gap, no repeated frame, the same numbers to the bit."""
    protocol = Protocol(**argon.NVE) if ensemble == "nve" else argon.PROTOCOL
    whole = argon.run(tmp_path / "whole", replicas=2, protocol=protocol)
    kills, folder = 0, tmp_path / "killed"
    for _ in range(200):
        process = started(folder, ensemble)
        saved(process, folder)
        time.sleep(0.03)
        if process.poll() is None and kills < 3:
            process.send_signal(signal.SIGKILL)
            kills += 1
        if process.wait() == 0:
            break
    assert kills >= 1
    for replica in ("replica1", "replica2"):
        names = ("time", "coordinates", "velocities", "potential_energy", "stress")
        for one, other in zip(
            argon.frames(whole.parent / replica, *names), argon.frames(folder / replica, *names), strict=True
        ):
            np.testing.assert_array_equal(one, other)


def test_a_batch_told_to_stop_saves_and_goes_on(finished, tmp_path):
    process = started(tmp_path)
    assert saved(process, tmp_path) and saved(process, tmp_path)  # the first is of the start
    process.terminate()
    assert process.wait() == 1
    with np.load(tmp_path / "replica1/state.npz") as state:
        assert json.loads(str(state["text"]))["progress"]["steps"] > 0
    again = argon.run(tmp_path, replicas=2)
    np.testing.assert_array_equal(*(argon.frames(folder, "coordinates")[0] for folder in (finished, again)))


def test_what_another_protocol_left_is_not_continued(tmp_path):
    """A trajectory must not change its Hamiltonian, integrator or start half-way."""
    process = started(tmp_path)
    saved(process, tmp_path)
    process.kill()
    process.wait()
    folder = argon.run(tmp_path, protocol=replace(argon.PROTOCOL, timestep_fs=4.0))
    with Dataset(folder / "trajectory.nc") as file:
        assert file.timestep_fs == "4.0"
        np.testing.assert_allclose(np.diff(file["time"][:]), 0.02)


def test_a_finished_run_is_not_computed_again(finished):
    written = (finished / "trajectory.nc").stat().st_mtime_ns
    argon.run(finished.parent, replicas=2)
    assert (finished / "trajectory.nc").stat().st_mtime_ns == written


def test_a_damaged_trajectory_of_a_finished_run_is_made_again(tmp_path):
    folder = argon.run(tmp_path)
    whole = (folder / "trajectory.nc").read_bytes()
    (folder / "trajectory.nc").write_bytes(whole[:-1000])
    assert (argon.run(tmp_path) / "trajectory.nc").read_bytes() == whole


class Deeper(argon.Session):
    """Another potential."""

    depth = 0.0108


def test_what_another_protocol_potential_or_code_made_is_not_taken(finished, tmp_path):
    before = argon.facts(argon.run(tmp_path, code="engines/ase 1"))
    assert before["run_sha256"] != argon.facts(finished)["run_sha256"]  # the files that the numbers depend on count
    assert argon.facts(argon.run(tmp_path, code="engines/ase 2"))["run_sha256"] != before["run_sha256"]
    (tmp_path / "potential.json").unlink()
    other = argon.run(tmp_path, session=Deeper, code="engines/ase 2")
    assert np.abs(argon.frames(other, "coordinates")[0] - argon.frames(finished, "coordinates")[0]).max() > 0.01


@pytest.mark.parametrize("damage", ["state", "trajectory"])
def test_a_damaged_state_begins_afresh(finished, tmp_path, damage):
    process = started(tmp_path)
    assert saved(process, tmp_path) and saved(process, tmp_path)
    process.kill()
    process.wait()
    path = tmp_path / "replica2" / {"state": "state.npz", "trajectory": "trajectory.nc"}[damage]
    path.write_bytes(path.read_bytes()[:100])
    argon.run(tmp_path, replicas=2)
    two = (argon.frames(folder / "replica2", "coordinates")[0] for folder in (finished.parent, tmp_path))
    np.testing.assert_array_equal(*two)


def test_a_kill_in_the_second_life_goes_on(tmp_path, monkeypatch):
    """Killed while it begins again with half the time step: what is left must not stop the next attempt."""
    lengths = {"heating_ps": 1.0, "equilibration_ps": 2.0, "production_ps": 6.0}
    protocol = replace(argon.PROTOCOL, timestep_fs=100.0, frame_interval=2, **lengths)
    checks = replace(argon.CHECKS, retry_half_step=True)
    whole = argon.facts(argon.run(tmp_path / "whole", protocol=protocol, checks=checks))
    relax, lives = argon.batch.relax, []

    def killed(session, system):
        lives.append(system)
        if len(lives) == 2:
            raise KeyboardInterrupt
        relax(session, system)

    with monkeypatch.context() as patch:
        patch.setattr(argon.batch, "relax", killed)
        with pytest.raises(KeyboardInterrupt):
            argon.run(tmp_path / "killed", protocol=protocol, checks=checks)
    again = argon.facts(argon.run(tmp_path / "killed", protocol=protocol, checks=checks))
    assert again["half_step"] and again["mean_temperature_K"] == whole["mean_temperature_K"]


def test_a_full_disk_loses_nothing_that_was_saved(finished, tmp_path):
    """The kernel does not let the trajectory grow, as a full disk would; with room, the run ends in the same frames."""
    whole = f"sys.argv = ['argon.py', {str(tmp_path)!r}]; runpy.run_path({argon.__file__!r}, run_name='__main__')"
    limited = (
        "import resource, runpy, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (60000, 60000)); "
    )
    run = subprocess.run([sys.executable, "-c", limited + whole], capture_output=True, text=True)
    assert run.returncode != 0 and not (tmp_path / "replica1/facts.json").exists()
    again = argon.run(tmp_path, replicas=2)
    for name in ("time", "coordinates", "velocities"):
        np.testing.assert_array_equal(*(argon.frames(folder, name)[0] for folder in (finished, again)))


def test_two_jobs_on_one_run_wait_for_each_other(finished, tmp_path):
    for k in (1, 2):
        argon.start(tmp_path / f"start{k}.extxyz")
    both = [started(tmp_path) for _ in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    np.testing.assert_array_equal(
        *(argon.frames(folder, "coordinates")[0] for folder in (finished, tmp_path / "replica1"))
    )


def test_cut_refuses_what_is_not_the_trajectory(tmp_path, finished):
    foreign, short = tmp_path / "foreign.nc", tmp_path / "short.nc"
    foreign.write_bytes(b"not NetCDF at all")
    with pytest.raises(ValueError, match="not a NetCDF-3 file"):
        trajectory.cut(foreign, 1, 1)
    whole = (finished / "trajectory.nc").read_bytes()
    short.write_bytes(whole[:-5000])
    with pytest.raises(ValueError, match="holds 80 frames in .* bytes, its saved state says 80 in .*cut short"):
        trajectory.cut(short, 80, len(whole))
    with pytest.raises(ValueError, match="holds 80 frames in .* says 81"):
        trajectory.cut(finished / "trajectory.nc", 81, 0)
