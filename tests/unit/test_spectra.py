"""Vibrational densities of states of oscillators and Langevin particles, and what is refused."""

from pathlib import Path

import numpy as np
import pytest
import synthetic
from ase import Atoms
from ase.units import kB
from reduce_spectra import reduce_spectra
from thermoweave import reduced, spectra, welch
from thermoweave.replica import Replica

STEP = 0.01  # ps
CELL = [12.0, 12.0, 12.0]


def run(path: Path, atoms: Atoms, x: np.ndarray, v: np.ndarray, step: float = STEP) -> Path:
    synthetic.write_trajectory(path, atoms, step * np.arange(len(x)), x, v, concentration="0", temperature="1000")
    path.with_suffix(".json").write_text('{"passed": true, "reason": ""}')
    return path


def langevin_run(path: Path, rng, n_frames: int, n_atoms: int = 30, friction_time: float = 0.1) -> Path:
    atoms = Atoms(f"Ar{n_atoms}", cell=CELL, pbc=True)
    return run(path, atoms, *synthetic.langevin(rng, n_frames, n_atoms, 1.0, friction_time, STEP))


def reduce(paths: list[Path], species: list[str], **settings):
    """The dataset of some runs; settings of the script that differ from plain ones."""
    plain = dict(
        charges={name: 0.0 for name in species}, memory_MB=100.0, resolution_THz=0.5, born_charges="none",
        quantum_correction="none", structure_factor="none",
    )  # fmt: skip
    output = paths[0].parent / "spectra.nc"
    verdicts = [path.with_suffix(".json") for path in paths]
    reduce_spectra(paths, verdicts, output, "0.50", "1000", species, **(plain | settings))
    return reduced.load(output)


def oscillators(path: Path) -> Path:
    """20 Li at 12 THz and 20 Cl at 5 THz, each with three modes of random phase and the centre of mass free."""
    rng = np.random.default_rng(1)
    atoms = Atoms("Li20Cl20", cell=CELL, pbc=True)
    angular = 2 * np.pi * np.repeat([12.0, 5.0], 20)[:, None]
    phase = angular * STEP * np.arange(1200)[:, None, None] + rng.uniform(0, 2 * np.pi, size=(40, 3))
    speed = np.sqrt(2 * kB * 1000 / synthetic.AMU_A2_PS2 / atoms.get_masses())[:, None]
    return run(path, atoms, speed / angular * np.sin(phase) + rng.uniform(0, 12, (40, 3)), speed * np.cos(phase))


def test_oscillators_peak_at_their_frequencies_with_three_modes_an_atom(tmp_path):
    found = reduce([oscillators(tmp_path / "replica1.nc")], ["Li", "Cl", "K"])
    vdos = found["vdos"].sel(species=["Li", "Cl"])
    assert vdos["frequency"].values[vdos.argmax("frequency")].tolist() == [12.0, 5.0]
    assert np.allclose(found["modes"].sel(species=["Li", "Cl"]), 60, rtol=2e-3)
    assert found["modes_expected"].sum() == pytest.approx(117)
    assert found["resolution"] == pytest.approx(0.5)
    assert found["noise_bandwidth"] == pytest.approx(0.75)
    assert found["nyquist"] == pytest.approx(50)
    assert found["reason"].sel(species="K") == "no K at this concentration"
    assert np.isnan(found["vdos"].sel(species="K")).all()


def test_langevin_particles_give_their_lorentzian_within_the_band(tmp_path):
    """12 N t / (1 + (2 pi f t)^2) modes per THz for the friction time t, folded at the Nyquist frequency."""
    rng = np.random.default_rng(2)
    found = reduce([langevin_run(tmp_path / f"replica{k}.nc", rng, 3000) for k in (1, 2)], ["Ar"], resolution_THz=0.25)
    decay = np.exp(-STEP / 0.1)
    folded = (1 - decay**2) / (1 - 2 * decay * np.cos(2 * np.pi * found["frequency"].values * STEP) + decay**2)
    z = (found["vdos"][0].values - 6 * 30 * STEP * folded) / found["vdos_std"][0].values
    assert found["vdos"][0, 0] == pytest.approx(12 * 30 * 0.1, rel=0.1)  # 12 m N D / kB T
    assert np.mean(np.abs(z) < 1) == pytest.approx(0.68, abs=0.09)
    assert np.mean(np.abs(z) < 1.96) > 0.9
    assert found["modes"][0] == pytest.approx(90, rel=1e-6)
    assert found["vdos_birge_ratio"][0] == pytest.approx(1, abs=0.3)


def test_the_share_of_a_species_is_that_of_its_kinetic_energy(tmp_path):
    """Also the test of the error: cold and hot halves, whose modes are known to scatter."""
    rng, z = np.random.default_rng(4), []
    atoms = Atoms("Li10Cl10", cell=CELL, pbc=True)
    for k in range(60):
        x, v = synthetic.langevin(rng, 300, 20, 1.0, 0.02, STEP)
        v /= np.sqrt(atoms.get_masses() / 20)[:, None]
        v[:, 10:] *= np.sqrt(2)
        replica = Replica(run(tmp_path / f"{k}.nc", atoms, x, v), 100)
        plan = welch.plan(300, STEP, 1.0)
        groups = [np.arange(10), np.arange(10, 20)]
        found = spectra.vdos([spectra.motion(replica, groups, plan)], [replica.temperature], plan)
        assert found.modes.sum() == pytest.approx(60)
        z.append((found.modes[0] - 20) / found.modes_std[0])
    assert np.mean(np.abs(z) < 1) == pytest.approx(0.68, abs=0.15)
    assert np.mean(np.abs(z) < 1.96) > 0.85


def test_modes_of_a_centre_of_mass_at_rest_are_counted(tmp_path):
    """Temperature with 3 N - 3 degrees of freedom, as the engines write it: 3 N - 3 modes."""
    from netCDF4 import Dataset

    rng, atoms = np.random.default_rng(5), Atoms("Li4Cl4", cell=CELL, pbc=True)
    x, v = synthetic.langevin(rng, 400, 8, 1.0, 0.1, STEP)
    masses = atoms.get_masses()
    shift = [np.einsum("a,fad->fd", masses, part) / masses.sum() for part in (x, v)]
    path = run(tmp_path / "replica1.nc", atoms, x - shift[0][:, None], v - shift[1][:, None])
    with Dataset(path, "a") as file:
        file["temperature"][:] = file["temperature"][:] * 24 / 21
    found = reduce([path], ["Li", "Cl"], resolution_THz=1.0)
    assert found["modes"].sum() == pytest.approx(21, rel=1e-5)
    assert found["modes_expected"].sum() == pytest.approx(21)
    assert (found["reason"] == "").all()


def test_velocities_in_other_units_are_refused(tmp_path):
    atoms, rng = Atoms("Ar10", cell=CELL, pbc=True), np.random.default_rng(6)
    x, v = synthetic.langevin(rng, 300, 10, 1.0, 0.1, STEP)
    path = run(tmp_path / "replica1.nc", atoms, x, v)
    from netCDF4 import Dataset

    with Dataset(path, "a") as file:
        file["velocities"][:] = file["velocities"][:] * 10
    found = reduce([path], ["Ar"], resolution_THz=1.0)
    assert "hold 3000 modes where 10 atoms have 27" in found["reason"].item()
    assert "do not belong together" in found["conductivity_reason"].item()
    assert found.sizes["frequency"] == 0


def test_positions_and_velocities_of_different_runs_are_refused(tmp_path):
    rng, atoms = np.random.default_rng(7), Atoms("Ar10", cell=CELL, pbc=True)
    x, _ = synthetic.langevin(rng, 300, 10, 1.0, 0.1, STEP)
    _, v = synthetic.langevin(rng, 300, 10, 1.0, 0.1, STEP)
    found = reduce([run(tmp_path / "replica1.nc", atoms, x, v)], ["Ar"], resolution_THz=1.0)
    assert "displacements do not follow the velocities" in found["reason"].item()
    assert np.isnan(found["modes"]).all()


def test_frames_far_apart_are_not_taken_for_another_run(tmp_path):
    rng = np.random.default_rng(8)
    path = langevin_run(tmp_path / "replica1.nc", rng, 1000, friction_time=STEP / 10)
    assert spectra.unrelated(Replica(path, 100)) == ""


def test_motion_close_to_the_nyquist_frequency_is_named(tmp_path):
    rng = np.random.default_rng(9)
    found = reduce([langevin_run(tmp_path / "replica1.nc", rng, 400, friction_time=0.01)], ["Ar"], resolution_THz=2.0)
    assert "% of the modes lie above 45 THz, close to the Nyquist frequency of 50 THz" in found["note"].item()
    slow = reduce([oscillators(tmp_path / "replica2.nc")], ["Li", "Cl"])
    assert slow["note"] == ""


def test_a_run_shorter_than_two_segments_is_a_gap_with_its_reason(tmp_path):
    path = langevin_run(tmp_path / "replica1.nc", np.random.default_rng(10), 200)
    found = reduce([path], ["Ar"], resolution_THz=0.5)
    assert "takes a run of at least 3 ps" in found["reason"].item()
    assert found.sizes["frequency"] == 0


def test_results_do_not_depend_on_the_memory(tmp_path):
    path = langevin_run(tmp_path / "replica1.nc", np.random.default_rng(11), 300)
    settings = dict(
        charges={"Ar": 1.0}, resolution_THz=1.0, structure_factor={"q_max_per_A": 2.0, "dynamic_q_per_A": [1]}
    )
    large, small = (reduce([path], ["Ar"], memory_MB=size, **settings) for size in (100.0, 0.02))
    for name in large.data_vars:
        if large[name].dtype.kind == "f":
            assert np.allclose(large[name], small[name], rtol=1e-9, atol=1e-9, equal_nan=True), name
