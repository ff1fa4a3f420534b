import json
import signal
import subprocess
import sys
import time
from dataclasses import replace

import argon
import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.geometry import cellpar_to_cell
from netCDF4 import Dataset
from simulate_judge import fault, simulate_judge
from thermoweave import trajectory
from thermoweave.frames import closest_distance, write_frames
from thermoweave.protocol import Protocol

LIQUID = {"min_displacement": 0.1, "max_cavity": 5.0}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    return argon.run(tmp_path_factory.mktemp("whole"), replicas=2)


def facts(folder):
    return json.loads((folder / "facts.json").read_text())


def frames(folder, *names):
    with Dataset(folder / "trajectory.nc") as file:
        return [np.array(file[name][:]) for name in names]


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


def test_a_healthy_run_is_whole(finished):
    with Dataset(finished / "trajectory.nc") as file:
        assert file.Conventions == "AMBER" and file.data_model == "NETCDF3_64BIT_OFFSET"
        assert len(file.dimensions["frame"]) == argon.PROTOCOL.n_frames == 80
        np.testing.assert_allclose(np.diff(file["time"][:]), 0.025)
        assert file["time"][0] == pytest.approx(0.025)
        assert file.temperature == "90" and file.concentration == "0.50" and file.engine == "ase"
    assert facts(finished)["sick"] == "" and facts(finished)["frames"] == 80
    assert {path.name for path in finished.iterdir()} == {"trajectory.nc", "facts.json", "progress.json", ".run.lock"}
    assert json.loads((finished / "progress.json").read_text())["stage"] == "ended"
    record = json.loads((finished.parent / "replica1.run.json").read_text())
    assert list(record["runs"]) == ["x0.50 T90 replica 1", "x0.50 T90 replica 2"]


def test_velocities_and_positions_belong_together(finished):
    x, v, t = frames(finished, "coordinates", "velocities", "time")
    difference = (x[2:] - x[:-2]) / (t[2:] - t[:-2])[:, None, None]
    assert np.corrcoef(difference.ravel(), v[1:-1].ravel())[0, 1] > 0.99


def test_members_of_a_batch_are_independent(finished):
    x, y = (frames(finished.parent / name, "coordinates")[0] for name in ("replica1", "replica2"))
    assert np.abs(x - y).max() > 0.5


def test_the_thermostat_keeps_its_temperature(finished):
    """With the centre of mass fixed, 3N - 3 degrees of freedom share the energy."""
    v, kinetic = frames(finished, "velocities", "temperature")
    np.testing.assert_allclose(v.astype(float).sum(axis=1), 0, atol=1e-3)
    spread = 90 * np.sqrt(2 / (3 * 32 - 3))
    assert abs(kinetic.mean() - 90) < 4 * spread / np.sqrt(8)


def test_what_the_thermostat_gave_is_known(finished):
    energy, conserved = frames(finished, "potential_energy", "conserved_energy")
    assert np.ptp(conserved) < 0.02 * np.ptp(energy)


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
        for one, other in zip(frames(whole.parent / replica, *names), frames(folder / replica, *names), strict=True):
            np.testing.assert_array_equal(one, other)


def test_a_batch_told_to_stop_saves_and_goes_on(finished, tmp_path):
    process = started(tmp_path)
    assert saved(process, tmp_path) and saved(process, tmp_path)  # the first is of the start
    process.terminate()
    assert process.wait() == 1
    with np.load(tmp_path / "replica1/state.npz") as state:
        assert json.loads(str(state["text"]))["progress"]["steps"] > 0
    again = argon.run(tmp_path, replicas=2)
    np.testing.assert_array_equal(*(frames(folder, "coordinates")[0] for folder in (finished, again)))


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


def test_a_collapse_stops_at_once_and_not_at_the_next_frame(tmp_path):
    found = facts(argon.run(tmp_path, limits=replace(argon.LIMITS, max_force=0.05)))
    assert found["steps"] % argon.PROTOCOL.frame_interval != 0
    assert "force of" in found["sick"]


def test_a_hot_run_stops_says_why_and_keeps_the_bad_frame_apart(tmp_path):
    folder = argon.run(tmp_path, limits=replace(argon.LIMITS, max_temperature_ratio=1.15))
    found = facts(folder)
    assert "target 90 K" in found["sick"] and 0 < found["frames"] < 80
    assert "target 90 K" in (folder / "bad_frame.extxyz").read_text()
    assert frames(folder, "temperature")[0].max() < 1.15 * 90
    assert fault(found, max_wall_contacts=9, liquid=None) == found["sick"]


def test_a_close_pair_is_named(tmp_path):
    found = facts(argon.run(tmp_path, limits=replace(argon.LIMITS, min_distance=3.9)))
    assert "Ar-Ar at 3." in found["sick"]


class Brittle(argon.Session):
    """Fails with the first system that has moved for more than 50 steps, and with none of another size."""

    def advance(self, systems, drives, *arguments):
        if any(len(system.atoms) == 32 and system.steps > 50 for system in systems):
            raise RuntimeError("lost atoms")
        yield from super().advance(systems, drives, *arguments)


@pytest.mark.parametrize("together", [False, True])
def test_a_member_that_fails_does_not_take_the_others_down(finished, tmp_path, monkeypatch, together):
    """Cells of different size in one batch, on the same footing whether the engine moves them together or not."""
    monkeypatch.setattr(argon.engine, "TOGETHER", together)
    larger = tmp_path / "start2.extxyz"
    start = argon.start
    monkeypatch.setattr(argon, "start", lambda path: start(path, (3, 2, 2) if path == larger else (2, 2, 2)))
    argon.run(tmp_path, replicas=2, session=Brittle)
    assert "lost atoms" in facts(tmp_path / "replica1")["sick"]
    well = facts(tmp_path / "replica2")
    assert well["sick"] == "" and well["frames"] == 80 and well["atoms"] == 48


@pytest.mark.parametrize("together", [False, True])
def test_a_sick_member_does_not_change_the_others(finished, tmp_path, monkeypatch, together):
    """The first replica's frames are those of a batch in which all are well."""
    monkeypatch.setattr(argon.engine, "TOGETHER", together)
    start = argon.start

    def overlapping(path):
        start(path)
        if path.name == "start2.extxyz":
            atoms = bulk("Ar", "fcc", a=5.6, cubic=True) * (2, 2, 2)
            atoms.positions[1] = atoms.positions[0] + [0.3, 0, 0]
            write_frames(path, [atoms])
        return path

    monkeypatch.setattr(argon, "start", overlapping)
    argon.run(tmp_path, replicas=2, limits=replace(argon.LIMITS, max_force=0.8))
    assert facts(tmp_path / "replica2")["sick"]
    np.testing.assert_array_equal(*(frames(folder, "coordinates")[0] for folder in (finished, tmp_path / "replica1")))


def test_one_more_try_with_half_the_time_step(tmp_path):
    """A step of 100 fs is too long for argon; one of 50 is not."""
    lengths = {"heating_ps": 1.0, "equilibration_ps": 2.0, "production_ps": 6.0}
    protocol = replace(argon.PROTOCOL, timestep_fs=100.0, frame_interval=2, **lengths)
    once = facts(argon.run(tmp_path / "once", protocol=protocol))
    assert "target 90 K" in once["sick"] and not once["half_step"]
    folder = argon.run(tmp_path / "twice", protocol=protocol, checks=replace(argon.CHECKS, retry_half_step=True))
    twice = facts(folder)
    assert twice["half_step"] and twice["first_fault"] == once["sick"] and twice["sick"] == ""
    assert twice["timestep_fs"] == 50
    np.testing.assert_allclose(np.diff(frames(folder, "time")[0]), 0.2)


class Leaking(argon.Session):
    """Its energy is not that of its forces: it grows with every step."""

    def advance(self, systems, *arguments):
        for _ in super().advance(systems, *arguments):
            for system in systems:
                system.energy += 1e-3 * system.steps
            yield


def test_a_drift_of_the_energy_ends_the_run_on_its_way(tmp_path):
    found = facts(argon.run(tmp_path, session=Leaking, checks=replace(argon.CHECKS, max_drift=1.0)))
    assert "the conserved energy drifts by 6.2" in found["sick"] and found["frames"] < 80


def test_a_run_against_the_wall_fails(tmp_path, monkeypatch):
    monkeypatch.setattr(argon.Session, "contacts", 3)
    short = replace(argon.PROTOCOL, equilibration_ps=0.05, production_ps=0.25)
    found = facts(argon.run(tmp_path, protocol=short))
    assert "3.00 wall contacts a frame, allowed 1" in fault(found, max_wall_contacts=1, liquid=None)
    assert fault(found, max_wall_contacts=3, liquid=None) == ""


def test_a_liquid_must_flow_and_fill_its_cell(finished, tmp_path):
    def judged(**liquid):
        paths = [tmp_path / "trajectory.nc", tmp_path / "verdict.json"]
        simulate_judge(
            finished, finished.parent / "replica1.run.json", *paths, max_wall_contacts=1, liquid=liquid or None
        )
        return json.loads(paths[1].read_text())

    assert judged()["passed"] and judged(**LIQUID)["passed"]
    frozen = judged(**{**LIQUID, "min_displacement": 5.0})
    assert not frozen["passed"] and "Ar moved" in frozen["reason"] and frozen["frames"] == 80
    assert "an empty sphere" in judged(**{**LIQUID, "max_cavity": 1.0})["reason"]
    assert (tmp_path / "trajectory.nc").samefile(finished / "trajectory.nc")


def test_a_trajectory_that_is_not_the_runs_is_not_delivered(tmp_path):
    folder = argon.run(tmp_path)
    with open(folder / "trajectory.nc", "ab") as file:
        file.write(b"more")
    with pytest.raises(ValueError, match="trajectory.nc has .* bytes, the run wrote .*delete its folder"):
        simulate_judge(folder, tmp_path / "replica1.run.json", tmp_path / "out.nc", tmp_path / "verdict.json", 1, None)


def test_the_density_is_found_where_the_config_gives_none(tmp_path, monkeypatch):
    """Started too dense: the pressure falls to the one asked for and the density with it."""
    start = argon.start
    monkeypatch.setattr(argon, "start", lambda path: start(path, lattice=5.3))
    density = {"pressure_GPa": 0.05, "npt_ps": 12.0, "barostat_ps": 0.5}
    protocol = replace(argon.PROTOCOL, density=density, production_ps=6.0)
    folder = argon.run(tmp_path, protocol=protocol)
    found = facts(folder)
    assert found["sick"] == "" and found["volume_ratio"] > 1.05
    assert found["pressure_GPa"] == pytest.approx(0.05, abs=4 * found["pressure_std_GPa"] + 0.02)
    lengths = frames(folder, "cell_lengths")[0]
    assert np.ptp(lengths) == 0  # production is at fixed volume
    assert found["density_std_g_cm3"] > 0


def test_a_cell_without_right_angles(tmp_path, monkeypatch):
    def primitive(path):
        write_frames(path, [bulk("Ar", "fcc", a=5.6) * (4, 4, 2)])
        return path

    monkeypatch.setattr(argon, "start", primitive)
    folder = argon.run(tmp_path)
    assert facts(folder)["sick"] == "" and facts(folder)["atoms"] == 32
    np.testing.assert_allclose(frames(folder, "cell_angles")[0], 60)
    lengths_angles = np.concatenate([values[-1] for values in frames(folder, "cell_lengths", "cell_angles")])
    last = Atoms("Ar32", frames(folder, "coordinates")[0][-1], cell=cellpar_to_cell(lengths_angles), pbc=True)
    assert closest_distance(last) > 3  # the cell that the file tells is the one that the atoms are in
    conserved, energy = frames(folder, "conserved_energy", "potential_energy")
    assert np.ptp(conserved) < 0.02 * np.ptp(energy)


@pytest.mark.parametrize(("allowed", "sick"), [(1.0, False), (1e-4, True)])
def test_a_committee_judges_every_so_many_frames(tmp_path, monkeypatch, allowed, sick):
    """Of two potentials whose depths differ by 10 %; its limit ends a run, and no smaller time step is tried for it."""
    members = {"1": argon.Argon(**argon.PAIR), "2": argon.Argon(**{**argon.PAIR, "epsilon": 1.1 * 0.0104})}
    monkeypatch.setattr(argon.simulate_md.potentials, "load", lambda path, device: members[path])
    monkeypatch.setattr(argon.simulate_md, "identity", lambda manifest: [])
    committee = {"every": 10, "max_force_deviation": allowed}
    checks = replace(argon.CHECKS, committee=committee, retry_half_step=True)
    folder = argon.run(tmp_path, checks=checks, committee=list(members))
    found = facts(folder)
    if sick:
        assert "committee deviation of 0.0" in found["sick"] and found["frames"] == 9 and not found["half_step"]
    else:
        assert found["sick"] == "" and 1e-4 < found["force_deviation_eV_A"] < 0.1


class Deeper(argon.Session):
    """Another potential."""

    depth = 0.0108


def test_what_another_protocol_potential_or_code_made_is_not_taken(finished, tmp_path):
    code = tmp_path / "engine.py"
    code.write_text("first")
    before = facts(argon.run(tmp_path, code=[code]))
    assert before["run_sha256"] != facts(finished)["run_sha256"]  # the files that the numbers depend on count
    code.write_text("mended")
    assert facts(argon.run(tmp_path, code=[code]))["run_sha256"] != before["run_sha256"]
    (tmp_path / "potential.json").unlink()
    other = argon.run(tmp_path, session=Deeper, code=[code])
    assert np.abs(frames(other, "coordinates")[0] - frames(finished, "coordinates")[0]).max() > 0.01


def test_a_run_that_is_not_the_one_on_record_is_not_judged(tmp_path):
    """The config was changed, and changed back: Snakemake finds the old record up to date."""
    folder = argon.run(tmp_path)
    record = (tmp_path / "replica1.run.json").read_text()
    argon.run(tmp_path, protocol=replace(argon.PROTOCOL, production_ps=1.0))
    (tmp_path / "replica1.run.json").write_text(record)
    with pytest.raises(ValueError, match="holds a run of another protocol, potential or start than .* delete"):
        simulate_judge(folder, tmp_path / "replica1.run.json", tmp_path / "out.nc", tmp_path / "verdict.json", 1, None)


def test_a_delivered_trajectory_stays_what_it_is(tmp_path):
    """A new run must not write into the file that the last verdict belongs to."""
    folder = argon.run(tmp_path)
    delivered = tmp_path / "replica1.nc"
    simulate_judge(folder, tmp_path / "replica1.run.json", delivered, tmp_path / "verdict.json", 1, None)
    whole = delivered.read_bytes()
    argon.run(tmp_path, protocol=replace(argon.PROTOCOL, production_ps=1.0))
    assert delivered.read_bytes() == whole


class Broken(argon.Session):
    """What `fault` says happens to the first of two systems of different size after 100 steps."""

    fault = ""

    def advance(self, systems, *arguments):
        for _ in super().advance(systems, *arguments):
            for system in systems:
                if len(system.atoms) == 32 and system.steps > 100:
                    if self.fault == "momenta":
                        system.atoms.arrays["momenta"][:] = np.nan
                    elif self.fault == "energy":
                        system.energy = np.nan
                    else:
                        raise RuntimeError(self.fault)
            yield


@pytest.mark.parametrize("kind", ["momenta", "energy"])
def test_what_is_no_number_ends_one_run_only(tmp_path, monkeypatch, kind):
    monkeypatch.setattr(Broken, "fault", kind)
    argon.start(tmp_path / "start2.extxyz", (3, 2, 2))
    argon.run(tmp_path, replicas=2, session=Broken)
    assert "is not a finite number" in facts(tmp_path / "replica1")["sick"]
    assert facts(tmp_path / "replica2")["sick"] == "" and facts(tmp_path / "replica2")["frames"] == 80


def test_the_machines_fault_is_no_verdict(tmp_path, monkeypatch):
    monkeypatch.setattr(Broken, "fault", "CUDA out of memory")
    with pytest.raises(RuntimeError, match="CUDA out of memory"):
        argon.run(tmp_path, session=Broken)
    assert not (tmp_path / "replica1/facts.json").exists()


@pytest.mark.parametrize("damage", ["state", "trajectory"])
def test_a_damaged_state_begins_afresh(finished, tmp_path, damage):
    process = started(tmp_path)
    assert saved(process, tmp_path) and saved(process, tmp_path)
    process.kill()
    process.wait()
    path = tmp_path / "replica2" / {"state": "state.npz", "trajectory": "trajectory.nc"}[damage]
    path.write_bytes(path.read_bytes()[:100])
    argon.run(tmp_path, replicas=2)
    two = (frames(folder / "replica2", "coordinates")[0] for folder in (finished.parent, tmp_path))
    np.testing.assert_array_equal(*two)


def test_a_kill_in_the_second_life_goes_on(tmp_path, monkeypatch):
    """Killed while it begins again with half the time step: what is left must not stop the next attempt."""
    lengths = {"heating_ps": 1.0, "equilibration_ps": 2.0, "production_ps": 6.0}
    protocol = replace(argon.PROTOCOL, timestep_fs=100.0, frame_interval=2, **lengths)
    checks = replace(argon.CHECKS, retry_half_step=True)
    whole = facts(argon.run(tmp_path / "whole", protocol=protocol, checks=checks))
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
    again = facts(argon.run(tmp_path / "killed", protocol=protocol, checks=checks))
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
        np.testing.assert_array_equal(*(frames(folder, name)[0] for folder in (finished, again)))


def test_two_jobs_on_one_run_wait_for_each_other(finished, tmp_path):
    for k in (1, 2):
        argon.start(tmp_path / f"start{k}.extxyz")
    both = [started(tmp_path) for _ in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    np.testing.assert_array_equal(*(frames(folder, "coordinates")[0] for folder in (finished, tmp_path / "replica1")))


def test_readers_of_others_open_it(finished):
    """MDAnalysis and xarray, unmodified."""
    import MDAnalysis
    import xarray

    with xarray.open_dataset(finished / "trajectory.nc", engine="netcdf4", decode_times=False) as data:
        assert data.sizes["frame"] == 80 and data["coordinates"].dims == ("frame", "atom", "spatial")
    universe = MDAnalysis.Universe.empty(32, trajectory=True)
    universe.load_new(str(finished / "trajectory.nc"), format="NCDF")
    with Dataset(finished / "trajectory.nc") as file:
        universe.trajectory[79]
        np.testing.assert_allclose(universe.atoms.positions, file["coordinates"][79], rtol=1e-5)


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
