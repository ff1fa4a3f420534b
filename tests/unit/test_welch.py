"""Welch's method on noise whose spectrum is known: normalisation, coverage of the bands, replicas that disagree."""

import numpy as np
import pytest
from scipy.signal import lfilter
from thermoweave import bands, welch


def noise(rng: np.random.Generator, shape: tuple[int, ...], memory: float) -> np.ndarray:
    """First-order autoregressive noise of unit variance along the first axis; memory: correlation of neighbours."""
    kicks = rng.normal(size=(shape[0] + 100, *shape[1:])) * np.sqrt(1 - memory**2)
    return lfilter([1], [1, -memory], kicks, axis=0)[100:]


def samples(plan: welch.Plan, series: np.ndarray) -> np.ndarray:
    """Power of the sum over components of a series (frame, component): (segment, frequency)."""
    return np.array([np.sum(np.abs(transform) ** 2, axis=1) for transform in plan.transforms(series)])


def test_the_integral_is_the_mean_square_under_the_window():
    plan = welch.plan(400, 0.02, 0.5)
    series = np.random.default_rng(1).normal(size=(400, 1)) + 0.5
    assert plan.resolution == pytest.approx(0.5)
    integral = 2 * plan.integral(samples(plan, series))
    assert np.allclose(integral, plan.average(series[:, 0] ** 2), rtol=1e-12)
    assert np.allclose(plan.average(np.full(400, 7.0)), 7.0)


def test_a_power_has_the_same_density_at_zero_frequency_as_beside():
    plan = welch.plan(200_000, 1.0, 0.05)
    mean, _, _ = welch.mean(samples(plan, noise(np.random.default_rng(2), (200_000, 1), 0.0))[None])
    assert np.allclose(mean, 1.0, atol=0.08)  # unit variance over the frequencies from -1/2 to 1/2


@pytest.mark.parametrize("memory", [0.0, 0.7])
@pytest.mark.parametrize(("n_replicas", "n_frames", "components"), [(1, 600, 60), (2, 300, 30), (3, 600, 3)])
def test_the_band_covers_white_and_correlated_noise(memory, n_replicas, n_frames, components):
    plan = welch.plan(n_frames, 1.0, 0.01)
    truth = components * (1 - memory**2) / (1 - 2 * memory * np.cos(2 * np.pi * plan.frequency) + memory**2)
    rng, z = np.random.default_rng(3), []
    for _ in range(60):
        runs = [samples(plan, noise(rng, (n_frames, components), memory)) for _ in range(n_replicas)]
        mean, error, _ = welch.mean(np.array(runs))
        z.append((mean - truth) / error)
    z = np.abs(z)
    assert np.mean(z < 1) == pytest.approx(0.69, abs=0.04)
    assert np.mean(z < 1.96) == pytest.approx(0.95, abs=0.025)
    assert np.mean(z[:, 0] < 1.96) > 0.85  # zero frequency has half the degrees of freedom


def test_replicas_that_disagree_widen_the_band_by_as_much():
    plan, rng = welch.plan(1000, 1.0, 0.02), np.random.default_rng(4)
    agreeing = np.array([samples(plan, noise(rng, (1000, 30), 0.0)) for _ in range(3)])
    apart = agreeing * np.array([0.7, 1.0, 1.3])[:, None, None]
    mean, error, ratio = welch.mean(apart)
    assert np.allclose(error / mean, 0.3 / np.sqrt(3), rtol=0.35)
    assert np.sqrt(ratio).min() > 3
    _, narrow, ratio = welch.mean(agreeing)
    assert np.median(narrow / error) < 0.4
    assert np.mean(ratio) == pytest.approx(1, abs=0.3)


def test_a_single_replica_has_no_birge_ratio():
    mean, error, ratio = bands.combined(np.ones((1, 4)), np.full((1, 4), 0.25))
    assert mean.tolist() == [1] * 4
    assert error.tolist() == [0.5] * 4
    assert np.isnan(ratio).all()


def test_pooling_leaves_out_what_is_not_there_and_keeps_it_so():
    ratio = np.array([1.0, np.nan, 3.0, 1.0, 3.0])
    found = bands.pooled(ratio, 1)
    assert np.isnan(found[1])
    assert found[[0, 2, 3, 4]] == pytest.approx(2.0)
    assert bands.pooled(ratio, bands.POOLED)[2] == 3.0


@pytest.mark.parametrize(
    ("n_frames", "resolution", "words"),
    [
        (149, 1.0, "1 THz takes a run of at least 1.5 ps (two overlapping segments), this one has 1.49 ps: lengthen"),
        (150, 20.0, "20 THz is too coarse for frames every 0.01 ps: ask for at most 12 THz"),
    ],
)
def test_a_run_that_does_not_fit_the_resolution_says_what_to_do(n_frames, resolution, words):
    assert words in welch.fault(n_frames, 0.01, resolution)
    assert not welch.fault(150, 0.01, 1.0)


def test_few_segments_are_named():
    assert "3 segments in all" in welch.few(1, 3)
    assert not welch.few(2, 5)
