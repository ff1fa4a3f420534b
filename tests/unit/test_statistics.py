"""Errors of means: right size, right coverage, on series and replicas whose truth is known."""

import numpy as np
import pytest
from thermoweave import statistics


def ar1(rng: np.random.Generator, n: int, phi: float) -> np.ndarray:
    """First-order autoregressive noise with zero mean: statistical inefficiency (1 + phi) / (1 - phi)."""
    from scipy.signal import lfilter

    return lfilter([1], [1, -phi], rng.normal(size=n + 200))[200:]


@pytest.mark.parametrize("phi", [0.0, 0.5, 0.9])
def test_statistical_inefficiency_of_autoregressive_noise(phi):
    rng = np.random.default_rng(1)
    found = np.mean([statistics.statistical_inefficiency(ar1(rng, 5000, phi)) for _ in range(40)])
    assert found == pytest.approx((1 + phi) / (1 - phi), rel=0.08)


def test_correlated_mean_covers():
    rng = np.random.default_rng(2)
    z = [np.divide(*statistics.correlated_mean(ar1(rng, 2000, 0.8))) for _ in range(400)]
    assert np.mean(np.abs(z) < 1) == pytest.approx(0.68, abs=0.07)
    assert np.mean(np.abs(z) < 1.96) == pytest.approx(0.95, abs=0.04)


def test_a_constant_series_is_one_sample():
    assert statistics.statistical_inefficiency(np.ones(50)) == 50


def test_block_means_use_the_end_of_the_series():
    blocks = statistics.block_means(np.arange(11.0), 2)
    assert blocks.tolist() == [3.0, 8.0]
    with pytest.raises(ValueError, match="3 samples cannot fill 5 blocks"):
        statistics.block_means(np.zeros(3), 5)


def test_the_error_of_one_block_is_unknown():
    mean, error = statistics.mean_of_blocks(np.ones((1, 4)))
    assert mean.tolist() == [1] * 4
    assert np.isnan(error).all()


def test_jackknife_of_a_mean_is_its_standard_error():
    samples = np.random.default_rng(3).normal(size=(20, 3))
    estimate, error = statistics.jackknife(samples, lambda mean: mean)
    assert np.allclose((estimate, error), statistics.mean_of_blocks(samples))


def test_replicas_that_agree_are_averaged():
    combined = statistics.combine_replicas([1.0, 1.1, 0.9], [0.04, 0.04, 0.04])
    assert combined.mean == pytest.approx(1.0)
    assert combined.variance == pytest.approx(0.04 / 3)
    assert combined.birge_ratio == pytest.approx(0.5)


def test_replicas_that_disagree_widen_the_bar_to_their_scatter():
    values = np.array([1.0, 2.0, 3.0])
    combined = statistics.combine_replicas(values, [0.01, 0.01, 0.01])
    assert combined.birge_ratio == pytest.approx(10)
    assert combined.variance == pytest.approx(values.var(ddof=1) / 3)


def test_one_replica_cannot_disagree_and_none_is_an_error():
    combined = statistics.combine_replicas([2.0], [0.3])
    assert (combined.mean, combined.variance, combined.n_replicas) == (2.0, 0.3, 1)
    assert np.isnan(combined.birge_ratio)
    with pytest.raises(ValueError, match="no replica"):
        statistics.combine_replicas([], [])


@pytest.mark.parametrize("between", [0.0, 3.0])
def test_coverage_over_replicas_is_at_least_nominal(between):
    rng = np.random.default_rng(4)
    z = []
    for _ in range(2000):
        values = rng.normal(size=5) + between * rng.normal(size=5)
        combined = statistics.combine_replicas(values, np.ones(5))
        z.append(combined.mean / np.sqrt(combined.variance))
    # with between = 0 a little too wide, by design; with 3 the t distribution of 4 degrees of freedom
    assert 0.60 < np.mean(np.abs(z) < 1) < 0.76
    assert np.mean(np.abs(z) < 1.96) > 0.87
