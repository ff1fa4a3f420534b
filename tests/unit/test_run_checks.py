"""Drift with honest errors, flow in both halves, cavities of known size, and the sentences they end in."""

import numpy as np
import pytest
from ase.build import bulk
from thermoweave import run_checks

SLOPE = 0.03  # eV/atom/ns
N_ATOMS, SPACING_PS = 64, 0.016


def autoregressive(rng: np.random.Generator, n: int, tau: float) -> np.ndarray:
    from scipy.signal import lfilter

    phi = np.exp(-1 / tau)
    return lfilter([np.sqrt(1 - phi**2)], [1, -phi], rng.normal(size=n + 200))[200:]


NOISES = {
    "white": lambda rng, n: rng.normal(size=n),
    "tau 5": lambda rng, n: autoregressive(rng, n, 5),
    "tau 20": lambda rng, n: autoregressive(rng, n, 20),
    "walk": lambda rng, n: np.cumsum(rng.normal(size=n)),
    "white and walk": lambda rng, n: rng.normal(size=n) + 10 / n * np.cumsum(rng.normal(size=n)),
    "tau 5 and walk": lambda rng, n: autoregressive(rng, n, 5) + 0.05 * np.cumsum(rng.normal(size=n)),
}


def drifts(noise: str, n: int, repeats: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(7)
    time = 2.0 + SPACING_PS * np.arange(n)
    line = -180.0 + SLOPE * N_ATOMS / 1000 * time
    found = [run_checks.drift(time, line + 1e-3 * NOISES[noise](rng, n), N_ATOMS) for _ in range(repeats)]
    return np.array(found).T


@pytest.mark.parametrize("n", [30, 100, 750])
@pytest.mark.parametrize("noise", NOISES)
def test_the_error_of_a_drift_covers(noise, n):
    """Intervals of 2 errors: at least 90 %, less what 300 tries may miss."""
    slope, error = drifts(noise, n, 300)
    assert np.mean(np.abs(slope - SLOPE) < 2 * error) >= 0.88
    assert abs(slope.mean() - SLOPE) < 4 * slope.std() / np.sqrt(300)


def test_the_price_of_not_knowing_the_noise_is_bounded():
    """White noise: the error is at most 3.3 times the straight line's own."""
    slope, error = drifts("white", 750, 300)
    ideal = 1e-3 / N_ATOMS * np.sqrt(12 / 750) / (750 * SPACING_PS) * 1000
    assert slope.std() < 1.3 * ideal
    assert np.sqrt(np.mean(error**2)) < 3.3 * ideal


def test_a_line_is_exact_and_a_constant_does_not_drift():
    time = np.linspace(0, 10, 200)
    slope, error = run_checks.drift(time, 5.0 - 0.64 * time, N_ATOMS)
    assert slope == pytest.approx(-10.0) and error < 1e-9
    assert run_checks.drift(time, np.full(200, -7.0), N_ATOMS) == (0.0, pytest.approx(0.0))


def test_few_samples_prove_nothing():
    slope, error = run_checks.drift(np.arange(9.0), np.arange(9.0), 2)
    assert slope == pytest.approx(500) and np.isinf(error)
    assert run_checks.drift_fault(slope, error, 0.01) == ""
    assert np.isnan(run_checks.drift([1.0], [2.0], 2)[0])
    assert np.isfinite(run_checks.drift(np.arange(10.0), np.arange(10.0) ** 2, 2)[1])


def test_bad_energies_are_refused():
    with pytest.raises(ValueError, match="not a finite number"):
        run_checks.drift(np.arange(20.0), np.r_[np.zeros(19), np.nan], 2)
    with pytest.raises(ValueError, match="20 times for 19 energies"):
        run_checks.drift(np.arange(20.0), np.zeros(19), 2)


def test_a_drift_fails_where_it_is_certain():
    assert run_checks.drift_fault(0.05, 0.01, 0.04) == ""
    sentence = run_checks.drift_fault(-0.07, 0.01, 0.04)
    assert "-0.07 +- 0.01 eV/atom/ns, allowed 0.04" in sentence and "halve timestep_fs" in sentence


def brownian(rng: np.random.Generator, n_frames: int, widths: np.ndarray) -> np.ndarray:
    """Random walks (frame, atom, 3) with the given rms steps along each axis."""
    return np.cumsum(rng.normal(size=(n_frames, len(widths), 3)) * widths[:, None], axis=0)


def test_flow_of_brownian_particles_covers():
    rng = np.random.default_rng(8)
    symbols = ["Li"] * 8 + ["Cl"] * 400
    masses, widths = np.repeat([6.94, 35.45], [8, 400]), np.repeat([0.3, 0.1], [8, 400])
    truth = np.sqrt(3 * 50) * 0.3
    z = []
    for _ in range(200):
        drift = np.arange(101)[:, None, None] * 0.5
        moved = run_checks.flow(brownian(rng, 101, widths) + drift, masses, symbols)["Li"]
        z += [(moved.first - truth) / moved.first_error, (moved.second - truth) / moved.second_error]
    assert np.mean(np.abs(z) < 1) == pytest.approx(0.68, abs=0.08)
    assert np.mean(np.abs(z) < 2) > 0.91
    assert abs(np.mean(z)) < 0.4


def test_a_run_that_froze_half_way_does_not_flow_in_its_second_half():
    rng = np.random.default_rng(9)
    x = brownian(rng, 201, np.full(64, 0.2))
    x[100:] = x[100] + 0.2 * rng.normal(size=(101, 64, 3))
    moved = run_checks.flow(x, np.ones(64), ["Ar"] * 64)
    assert moved["Ar"].first > 3 and moved["Ar"].second < 0.7
    sentence = run_checks.liquid_fault(moved, 3.5, np.full(201, 1e3), 1.0, 6.0, 1.5)
    assert "Ar moved 0.4" in sentence and "second half of the run" in sentence and "crystallised" in sentence
    assert run_checks.liquid_fault(moved, 3.5, np.full(201, 1e3), 0.0, 6.0, 1.5) == ""  # a solid is allowed to
    assert np.isnan(run_checks.flow(x[:2], np.ones(64), ["Ar"] * 64)["Ar"].first)


def test_the_cavity_of_a_crystal_is_its_interstice():
    atoms = bulk("Cu", "fcc", a=6.0)  # a rhombohedral cell: the octahedral hole has radius a / 2
    cavity = run_checks.largest_cavity(atoms.positions, atoms.cell.array, 0.2)
    assert cavity.radius == pytest.approx(3.0, abs=0.15) and cavity.radius <= 3.0


@pytest.mark.parametrize("shear", [0.0, 0.6, 2.5])
def test_a_cavity_is_the_same_in_every_cell_of_a_lattice(shear):
    """Sheared by more than the cell itself, positions unwrapped: the images are still the nearest ones."""
    rng = np.random.default_rng(10)
    cell = 8.0 * np.array([[1, 0, 0], [shear, 1, 0], [-shear, shear, 1]])
    positions = rng.uniform(-2, 3, (12, 3)) @ cell
    shifts = np.stack(np.meshgrid(*[np.arange(-6, 7)] * 3), -1).reshape(-1, 3) @ cell
    wrapped = positions - np.floor(positions @ np.linalg.inv(cell)) @ cell
    radius, centre = run_checks.largest_cavity(positions, cell)
    assert radius == pytest.approx(np.linalg.norm((wrapped[:, None] + shifts) - centre, axis=2).min())
    finer = run_checks.largest_cavity(positions, cell, 0.25).radius
    assert radius - 0.1 < finer < radius + 0.5 * np.linalg.norm(np.abs(cell).sum(axis=0)) / 8


def melt(rng: np.random.Generator, repeats: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions and cell of a disordered rock salt of a melt's density: 31 A^3 an ion, as LiCl-KCl near 1100 K."""
    edge = 6.28 * repeats
    grid = np.stack(np.meshgrid(*[np.arange(2 * repeats)] * 3), -1).reshape(-1, 3) * 3.14
    return grid + 0.5 * rng.normal(size=grid.shape), edge * np.eye(3)


def test_a_bubble_and_a_slab_are_seen_and_a_dense_melt_is_not():
    rng = np.random.default_rng(11)
    positions, cell = melt(rng, 4)
    assert 2.7 < run_checks.largest_cavity(positions, cell).radius < 4.5
    centre = np.array([1.0, 24.0, 12.0])  # across two faces
    away = positions - centre
    away -= cell[0, 0] * np.round(away / cell[0, 0])
    bubble = run_checks.largest_cavity(positions[np.linalg.norm(away, axis=1) > 7.0], cell)
    assert 6.5 < bubble.radius < 8.5
    offset = bubble.centre - centre
    assert np.linalg.norm(offset - cell[0, 0] * np.round(offset / cell[0, 0])) < 2.0
    slab = run_checks.largest_cavity(positions[positions[:, 2] < 12.0], cell)
    assert 5.8 < slab.radius < 8.5  # 13 A of vacuum, and a little where the surfaces are rough
    fault = run_checks.liquid_fault({}, bubble.radius, np.ones(1), 1.0, 5.5, 1.5)
    assert fault.startswith("evaporated: an empty sphere of") and fault.endswith("A radius, allowed 5.5")


def test_one_atom_and_none():
    assert run_checks.largest_cavity(np.zeros((1, 3)), 10 * np.eye(3), 0.5).radius == pytest.approx(8.66, abs=0.45)
    with pytest.raises(ValueError, match="needs atoms and a cell"):
        run_checks.largest_cavity(np.zeros((0, 3)), np.eye(3))
    with pytest.raises(ValueError, match="needs atoms and a cell"):
        run_checks.largest_cavity(np.zeros((1, 3)), np.zeros((3, 3)))


def test_a_density_that_ran_away_is_named():
    volumes = np.r_[np.full(50, 1000.0), np.linspace(1000, 2500, 50)]
    assert "0.40 times that of the start" in run_checks.liquid_fault({}, 3.0, volumes, 1.0, 6.0, 1.5)
    assert "1.60 times" in run_checks.liquid_fault({}, 3.0, np.array([1600.0, 1000.0]), 1.0, 6.0, 1.5)
    assert run_checks.liquid_fault({}, 3.0, np.array([1000.0, 1200.0, 900.0]), 1.0, 6.0, 1.5) == ""
