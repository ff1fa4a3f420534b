"""Diffusion coefficients of particles whose D is known: bias, coverage, onset, gaps."""

import numpy as np
import pytest
import synthetic
from thermoweave import msd, msd_line, transport

STEP = 0.02  # ps


def reduce(replicas: list[np.ndarray], floor: float, step: float = STEP) -> transport.Diffusion:
    """D of the atoms in position arrays (frame, atom, 3)."""
    n_frames = len(replicas[0])
    lags = msd.log_lags(n_frames, 40)
    return transport.diffusion([msd.displacements([x], lags) for x in replicas], lags, step, n_frames, floor)


def brownian(rng: np.random.Generator, n_frames: int, n_atoms: int, D: float = 1.0) -> np.ndarray:
    return np.cumsum(rng.normal(size=(n_frames, n_atoms, 3)) * np.sqrt(2 * D * STEP), axis=0)


def campaign(make, n_trials: int, floor: float, D: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """D in A^2/ps and z = (ln D - truth) / sigma of the trials that have a D: at least 97 % of them."""
    found = [reduce(make(np.random.default_rng(seed)), floor) for seed in range(n_trials)]
    found = [result for result in found if not result.reason]
    assert len(found) >= 0.97 * n_trials
    lnD, variance = np.array([(result.lnD, result.lnD_var) for result in found]).T
    return np.exp(lnD) * 1e8, (lnD - np.log(D * 1e-8)) / np.sqrt(variance)


def test_brownian_particles_unbiased_and_covered():
    """One short run each, fitted late: where weights that follow the noise of the lags give a low D and short bars."""
    D, z = campaign(lambda rng: [brownian(rng, 500, 16)], 250, floor=0.6)
    assert D.mean() == pytest.approx(1, abs=0.02)
    assert 0.62 < np.mean(np.abs(z) < 1) < 0.79  # nominal 0.68; bars are never shrunk, so a little above
    assert np.mean(np.abs(z) < 1.96) > 0.92
    assert z.std() > 0.8  # and not simply too wide


def test_langevin_replicas_unbiased_and_covered():
    D, z = campaign(lambda rng: [synthetic.langevin(rng, 600, 12, 1.0, 0.05, STEP)[0] for _ in range(3)], 150, 0.5)
    assert D.mean() == pytest.approx(1, abs=0.02)
    assert 0.60 < np.mean(np.abs(z) < 1) < 0.85
    assert np.mean(np.abs(z) < 1.96) > 0.92


def test_atoms_that_move_together_count_once():
    """Eight copies of each of four particles are worth four."""
    rng = np.random.default_rng(5)
    four = [brownian(rng, 500, 4) for _ in range(40)]
    eightfold = [reduce([np.repeat(x, 8, axis=1)], 0.4) for x in four]
    assert np.mean([result.n_independent for result in eightfold]) == pytest.approx(4, rel=0.15)
    z = [(r.lnD - np.log(1e-8)) / np.sqrt(r.lnD_var) for r in eightfold if not r.reason]
    assert np.mean(np.abs(z) < 1.96) > 0.85


def test_covariance_is_that_of_many_simulated_runs():
    lags = np.array([1, 3, 8, 20, 40])
    rng = np.random.default_rng(6)
    steps = rng.normal(size=(100, 20000)).cumsum(axis=0)  # one dimension, step variance 1
    noisy = steps + 0.7 * rng.normal(size=steps.shape)
    squared = np.array([np.mean((noisy[lag:] - noisy[:-lag]) ** 2, axis=0) for lag in lags])
    shapes = msd_line.covariance_shapes(lags, 100)
    expected = 2 * (shapes[0] + 0.49 * shapes[1] + 0.49**2 * shapes[2])
    assert np.allclose(np.cov(squared), expected, rtol=0.08)


def test_ballistic_particles_have_no_D():
    result = reduce([synthetic.langevin(np.random.default_rng(7), 300, 20, 1.0, 100.0, STEP)[0]], floor=0.1)
    assert np.isnan(result.D)
    assert np.isnan(result.lnD_var)
    assert "still ballistic" in result.reason


def test_caged_particles_have_an_upper_bound_only():
    rng = np.random.default_rng(8)
    result = reduce([0.3 * rng.normal(size=(500, 20, 3))], floor=0.5)
    assert np.isnan(result.D)
    assert "not resolved" in result.reason
    three_hops = 3.3 * 3.0**2 / (6 * 20 * 500 * STEP) * 1e-8  # of 3 A, that nobody saw
    assert result.D_upper_bound == pytest.approx(three_hops, rel=0.2)


def hopping(rng, n_frames, n_atoms, n_hops, jump=3.0):
    """Atoms that rattle about sites of a lattice, with about `n_hops` jumps to neighbouring sites in all."""
    jumps = rng.random((n_frames, n_atoms, 3)) < n_hops / (3 * n_frames * n_atoms)
    sites = (jumps * rng.choice([-jump, jump], size=jumps.shape)).cumsum(axis=0)
    return sites + 0.2 * rng.normal(size=sites.shape)


@pytest.mark.parametrize(("n_hops", "least"), [(0.5, 0.95), (3, 0.95), (20, 0.88), (200, 0.88)])
def test_few_hops_are_a_few_events(n_hops, least):
    """The bars count events; a run without any does not call D zero."""
    rng = np.random.default_rng(21)
    truth = n_hops * 3.0**2 / (6 * 24 * 1000 * STEP) * 1e-8
    found = [reduce([hopping(rng, 1000, 24, n_hops)], floor=0.1) for _ in range(80)]
    z = [(one.D_estimate - truth) / one.D_estimate_std for one in found]
    assert np.mean(np.abs(z) < 1.96) > least
    assert np.mean([truth < one.D_upper_bound for one in found]) > least - 0.02
    resolved = sum(one.regime == "diffusive" for one in found)
    assert resolved < 5 if n_hops < 5 else resolved > 40


def test_rattling_does_not_spoil_a_slow_D():
    D, z = campaign(lambda rng: [brownian(rng, 500, 20, 0.1) + 0.3 * rng.normal(size=(500, 20, 3))], 60, 0.5, D=0.1)
    assert D.mean() == pytest.approx(0.1, rel=0.06)
    assert np.mean(np.abs(z) < 1.96) > 0.88


def test_the_onset_is_not_below_the_floor_and_beyond_the_ballistic_part():
    x = [synthetic.langevin(np.random.default_rng(9), 1000, 40, 1.0, 0.1, STEP)[0]]
    assert reduce(x, floor=1.0).onset >= 1.0
    assert reduce(x, floor=0.02).onset > 0.3  # three friction times


def test_a_curve_that_chi_squared_lets_pass_moves_the_onset():
    """Rattling with a relaxation time of 0.3 ps: a line from 0.3 ps on would be too steep."""
    from scipy.signal import lfilter

    decay, D = np.exp(-STEP / 0.3), []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        rattling = lfilter([0.3 * np.sqrt(1 - decay**2)], [1, -decay], rng.normal(size=(800, 20, 3)), axis=0)[300:]
        D.append(reduce([rattling + brownian(rng, 500, 20, 0.5)], floor=0.3).D * 1e8)
    assert np.nanmean(D) == pytest.approx(0.5, rel=0.12)


def test_a_run_too_short_for_the_floor_says_so():
    result = reduce([brownian(np.random.default_rng(10), 100, 5)], floor=0.9)
    assert np.isnan(result.D)
    assert result.reason == "half the run (1 ps) has fewer than 5 lags beyond 0.9 ps"


def test_replicas_that_disagree_widen_the_bar():
    rng = np.random.default_rng(11)
    result = reduce([brownian(rng, 500, 20, D) for D in (0.5, 1.0, 2.0)], floor=0.4)
    assert result.birge_ratio > 3
    assert result.D_std == pytest.approx(np.std(result.replicas, ddof=1) / np.sqrt(3), rel=0.2)
    assert result.replicas.mean() == pytest.approx(result.D)


def test_drift_is_that_of_the_centre_of_mass():
    masses = np.array([1.0, 3.0])
    x = np.zeros((4, 2, 3))
    x[:, 0, 0] = np.arange(4)
    still = msd.remove_drift(x, masses)
    assert np.allclose(np.einsum("a,fad->fd", masses, still), 0)
    assert np.allclose(np.diff(still[:, :, 0], axis=0), [0.75, -0.25])
