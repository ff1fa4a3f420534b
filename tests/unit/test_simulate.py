"""A run from its start to its verdict: what it writes, and what is read of it."""

import json
from dataclasses import replace

import argon
import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.geometry import cellpar_to_cell
from netCDF4 import Dataset
from simulate_judge import fault, simulate_judge
from thermoweave.frames import closest_distance, write_frames

LIQUID = {"min_displacement": 0.1, "max_cavity": 5.0}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    return argon.run(tmp_path_factory.mktemp("whole"), replicas=2)


def test_a_healthy_run_is_whole(finished):
    with Dataset(finished / "trajectory.nc") as file:
        assert file.Conventions == "AMBER" and file.data_model == "NETCDF3_64BIT_OFFSET"
        assert len(file.dimensions["frame"]) == argon.PROTOCOL.n_frames == 80
        np.testing.assert_allclose(np.diff(file["time"][:]), 0.025)
        assert file["time"][0] == pytest.approx(0.025)
        assert file.temperature == "90" and file.concentration == "0.50" and file.engine == "ase"
    assert argon.facts(finished)["sick"] == "" and argon.facts(finished)["frames"] == 80
    assert {path.name for path in finished.iterdir()} == {"trajectory.nc", "facts.json", "progress.json", ".run.lock"}
    assert json.loads((finished / "progress.json").read_text())["stage"] == "ended"
    record = json.loads((finished.parent / "replica1.run.json").read_text())
    assert list(record["runs"]) == ["x0.50 T90 replica 1", "x0.50 T90 replica 2"]


def test_velocities_and_positions_belong_together(finished):
    x, v, t = argon.frames(finished, "coordinates", "velocities", "time")
    difference = (x[2:] - x[:-2]) / (t[2:] - t[:-2])[:, None, None]
    assert np.corrcoef(difference.ravel(), v[1:-1].ravel())[0, 1] > 0.99


def test_members_of_a_batch_are_independent(finished):
    x, y = (argon.frames(finished.parent / name, "coordinates")[0] for name in ("replica1", "replica2"))
    assert np.abs(x - y).max() > 0.5


def test_the_thermostat_keeps_its_temperature(finished):
    """With the centre of mass fixed, 3N - 3 degrees of freedom share the energy."""
    v, kinetic = argon.frames(finished, "velocities", "temperature")
    np.testing.assert_allclose(v.astype(float).sum(axis=1), 0, atol=1e-3)
    spread = 90 * np.sqrt(2 / (3 * 32 - 3))
    assert abs(kinetic.mean() - 90) < 4 * spread / np.sqrt(8)


def test_what_the_thermostat_gave_is_known(finished):
    energy, conserved = argon.frames(finished, "potential_energy", "conserved_energy")
    assert np.ptp(conserved) < 0.02 * np.ptp(energy)


def test_a_run_against_the_wall_fails(tmp_path, monkeypatch):
    monkeypatch.setattr(argon.Session, "contacts", 3)
    short = replace(argon.PROTOCOL, equilibration_ps=0.05, production_ps=0.25)
    found = argon.facts(argon.run(tmp_path, protocol=short))
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
    found = argon.facts(folder)
    assert found["sick"] == "" and found["volume_ratio"] > 1.05
    assert found["pressure_GPa"] == pytest.approx(0.05, abs=4 * found["pressure_std_GPa"] + 0.02)
    lengths = argon.frames(folder, "cell_lengths")[0]
    assert np.ptp(lengths) == 0  # production is at fixed volume
    assert found["density_std_g_cm3"] > 0


def test_a_cell_without_right_angles(tmp_path, monkeypatch):
    def primitive(path):
        write_frames(path, [bulk("Ar", "fcc", a=5.6) * (4, 4, 2)])
        return path

    monkeypatch.setattr(argon, "start", primitive)
    folder = argon.run(tmp_path)
    assert argon.facts(folder)["sick"] == "" and argon.facts(folder)["atoms"] == 32
    np.testing.assert_allclose(argon.frames(folder, "cell_angles")[0], 60)
    lengths_angles = np.concatenate([values[-1] for values in argon.frames(folder, "cell_lengths", "cell_angles")])
    last = Atoms("Ar32", argon.frames(folder, "coordinates")[0][-1], cell=cellpar_to_cell(lengths_angles), pbc=True)
    assert closest_distance(last) > 3  # the cell that the file tells is the one that the atoms are in
    conserved, energy = argon.frames(folder, "conserved_energy", "potential_energy")
    assert np.ptp(conserved) < 0.02 * np.ptp(energy)


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
