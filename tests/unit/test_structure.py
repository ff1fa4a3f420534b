"""Radial distribution functions of an ideal gas and of a crystal."""

import numpy as np
import pytest
from ase.build import bulk
from ase.geometry import cellpar_to_cell
from thermoweave import structure

CELLS = {"cubic": [10, 10, 10, 90, 90, 90], "triclinic": [10, 12, 11, 70, 80, 100]}


def edges_within(cell: np.ndarray, width: float) -> np.ndarray:
    return np.arange(int(structure.half_width(cell) / width) + 1) * width


@pytest.mark.parametrize("cellpar", CELLS.values(), ids=CELLS.keys())
def test_an_ideal_gas_has_g_of_one_within_its_band(cellpar):
    rng = np.random.default_rng(1)
    cell = cellpar_to_cell(cellpar)
    z = []
    for _ in range(6):
        replicas = [(rng.uniform(size=(100, 30, 3)) @ cell, np.tile(cell, (100, 1, 1))) for _ in range(3)]
        edges = edges_within(cell, 0.5)
        for a, b in ((np.arange(10), np.arange(10, 30)), (np.arange(10), np.arange(10))):
            found = structure.pair_distribution(replicas, a, b, edges)
            far = found.r > 1.5  # enough pairs in a bin for Gaussian statistics
            z.append(((found.g - 1) / found.g_std)[far])
    z = np.concatenate(z)
    assert np.mean(z) == pytest.approx(0, abs=0.25)
    assert np.mean(np.abs(z) < 1) == pytest.approx(0.67, abs=0.12)  # Student's t with 14 degrees of freedom
    assert np.mean(np.abs(z) < 2.14) > 0.89


def test_rock_salt_has_six_neighbours():
    rng = np.random.default_rng(2)
    atoms = bulk("NaCl", "rocksalt", a=5.64, cubic=True).repeat(2)
    cell = atoms.cell.array
    positions = atoms.positions + 0.15 * rng.normal(size=(60, 64, 3)) + 3 * cell[0]  # unwrapped: in another image
    Na, Cl = (np.flatnonzero(atoms.symbols == s) for s in ("Na", "Cl"))
    edges = edges_within(cell, 0.05)
    unlike = structure.pair_distribution([(positions, np.tile(cell, (60, 1, 1)))], Na, Cl, edges)
    assert unlike.first_peak == pytest.approx(2.82, abs=0.06)
    assert unlike.first_shell == pytest.approx(6, abs=0.01)
    assert unlike.first_shell_std < 0.02
    assert unlike.reason == ""
    like = structure.pair_distribution([(positions, np.tile(cell, (60, 1, 1)))], Na, Na, edges)
    assert like.first_peak == pytest.approx(5.64 / np.sqrt(2), abs=0.06)
    assert like.first_shell == pytest.approx(12, abs=0.02)


def test_the_largest_distance_is_half_the_smallest_width():
    assert structure.half_width(np.diag([8.0, 10.0, 12.0])) == pytest.approx(4)
    oblique = cellpar_to_cell([10, 10, 10, 90, 90, 60])
    assert structure.half_width(oblique) == pytest.approx(5 * np.sin(np.pi / 3))


def test_no_minimum_no_coordination_number():
    rng = np.random.default_rng(3)
    cell = 10 * np.eye(3)
    replicas = [(rng.uniform(size=(200, 40, 3)) @ cell, np.tile(cell, (200, 1, 1)))]
    edges = np.arange(11) * 0.5
    found = structure.pair_distribution(replicas, np.arange(20), np.arange(20, 40), edges[4:] - edges[4] + 2.0)
    assert np.isnan([found.first_shell, found.first_shell_std, found.first_minimum]).all()
    assert found.reason.startswith("no certain first minimum")
