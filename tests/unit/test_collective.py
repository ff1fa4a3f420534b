"""What all atoms do together: the centre of mass, the displacements of species, the stress of a gas."""

import numpy as np
import pytest
import synthetic
from ase import Atoms
from netCDF4 import Dataset
from thermoweave import collective
from thermoweave.replica import Replica


@pytest.fixture
def replica(tmp_path):
    rng = np.random.default_rng(1)
    atoms = Atoms("Li4K2Cl4", cell=[12.0, 12.0, 12.0], pbc=True)
    x, v = synthetic.langevin(rng, 200, 10, 1.0, 0.05, 0.01)
    x += np.arange(200)[:, None, None] * [0.1, 0.0, 0.0]  # the whole melt drifts
    synthetic.write_trajectory(tmp_path / "replica1.nc", atoms, 0.01 * np.arange(200), x, v)
    return Replica(tmp_path / "replica1.nc", 0.05)


def test_displacements_of_species_are_relative_to_the_centre_of_mass(replica):
    groups = [replica.members(name) for name in ("Li", "K", "Cl")]
    centre, sums = collective.paths(replica, groups)
    assert centre[-1, 0] - centre[0, 0] == pytest.approx(19.9, abs=3)
    masses = np.array([replica.masses[group[0]] for group in groups])
    assert np.allclose(np.einsum("s,fsd->fd", masses, sums), 0, atol=1e-9)
    li = np.concatenate([values for _, values in replica.series("coordinates", groups[0])], axis=1)
    assert np.allclose(sums[:, 0], li.sum(axis=1) - 4 * centre, atol=1e-9)


def test_the_stress_is_traceless_and_has_its_kinetic_part(replica):
    assert collective.shear_stress(replica) is None  # the file holds zeros only
    with Dataset(replica.path, "a") as file:
        file["stress"][:] = np.tile([1e-3, 1e-3, 4e-3, 3e-4, 2e-4, 1e-4], (200, 1))
        velocities = file["velocities"][:].astype(float)
    found = collective.shear_stress(replica)
    kinetic = np.einsum("a,fai,faj->fij", replica.masses, velocities, velocities) * collective.AMU_A2_PS2 / 1728
    assert np.allclose(found[:, 0], 1e-4 - kinetic[:, 0, 1], atol=1e-9)
    assert np.allclose(found[:, 2], 3e-4 - kinetic[:, 1, 2], atol=1e-9)
    expected = 6e-3 / np.sqrt(12) - (2 * kinetic[:, 2, 2] - kinetic[:, 0, 0] - kinetic[:, 1, 1]) / np.sqrt(12)
    assert np.allclose(found[:, 4], expected, atol=1e-8)


def test_all_five_parts_fluctuate_alike_in_an_ideal_gas(tmp_path):
    """The kinetic stress of independent Maxwellian particles: the same variance for each part."""
    rng = np.random.default_rng(2)
    atoms = Atoms("Ar50", cell=[20.0] * 3, pbc=True)
    v = rng.normal(size=(4000, 50, 3))
    synthetic.write_trajectory(tmp_path / "r.nc", atoms, np.arange(4000.0), v, v)
    with Dataset(tmp_path / "r.nc", "a") as file:
        file["stress"][:] = 1e-30
    variance = collective.shear_stress(Replica(tmp_path / "r.nc", 10)).var(axis=0)
    assert variance == pytest.approx(np.full(5, variance.mean()), rel=0.1)
