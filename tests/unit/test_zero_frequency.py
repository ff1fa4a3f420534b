"""The zero-frequency limit of spectra that are known, its coverage, and what it refuses."""

import numpy as np
import pytest
from scipy.signal import lfilter
from thermoweave import zero_frequency


def autoregressive(rng, n, tau, components=3):
    """Noise with the correlation exp(-t / tau) and variance 1; the limit of its spectrum is (1 + a) / (1 - a)."""
    a = np.exp(-1 / tau)
    kicks = rng.normal(size=(n + int(20 * tau), components)) * np.sqrt(1 - a**2)
    return lfilter([1], [1, -a], kicks, axis=0)[-n:]


def deviations(make, truth, n_runs):
    """ln(estimate / truth) and its standard error for many runs; those that were refused are left out."""
    rng = np.random.default_rng(11)
    found = [zero_frequency.limit(make(rng), 1.0) for _ in range(n_runs)]
    return np.array([(np.log(one.value / truth), one.ln_std) for one in found if not one.reason]).T


@pytest.mark.parametrize(("n", "tau", "replicas"), [(800, 0.1, 1), (800, 3.0, 1), (1000, 5.0, 3), (4000, 10.0, 1)])
def test_correlated_noise_unbiased_and_covered(n, tau, replicas):
    a = np.exp(-1 / tau)
    off, bar = deviations(lambda rng: [autoregressive(rng, n, tau) for _ in range(replicas)], (1 + a) / (1 - a), 150)
    assert len(off) > 140
    assert abs(np.exp(off).mean() - 1) < 0.05
    assert 0.6 < np.mean(np.abs(off) < bar) < 0.93  # averaged over orders, a white spectrum gets a wide bar
    assert np.mean(np.abs(off) < 1.96 * bar) > 0.91
    assert bar.mean() < 1.7 * off.std()


def test_a_strong_mode_far_from_zero_does_not_spoil_the_limit():
    """Ions rattle in their cages a hundred times more strongly than they move on."""
    r, w = np.exp(-1 / 12), 0.6
    mode = [1, -2 * r * np.cos(w), r**2]
    limit = 1 / sum(mode) ** 2 * 0.2**2 + (1 + np.exp(-0.5)) / (1 - np.exp(-0.5))

    def make(rng):
        rattle = 0.2 * lfilter([1], mode, rng.normal(size=(1300, 3)), axis=0)[-1000:]
        return [autoregressive(rng, 1000, 2.0) + rattle for _ in range(2)]

    off, bar = deviations(make, limit, 100)
    assert abs(np.exp(off).mean() - 1) < 0.06
    assert np.mean(np.abs(off) < 1.96 * bar) > 0.9


@pytest.mark.parametrize(("n", "tau", "share"), [(6000, 60.0, 0.3), (20000, 60.0, 0.1), (20000, 200.0, 0.3)])
def test_what_is_slow_and_weak_beside_vibrations_is_seen(n, tau, share):
    """A viscous melt: most of the power is in a mode, the viscosity is in a narrow feature at zero."""
    rng = np.random.default_rng(8)
    r, w = np.exp(-1 / 12), 0.4
    mode = [1, -2 * r * np.cos(w), r**2]
    variance = lfilter([1], mode, rng.normal(size=200000)).var()

    def make(rng):
        rattle = lfilter([1], mode, rng.normal(size=(n + 300, 5)), axis=0)[-n:]
        return [np.sqrt((1 - share) / variance) * rattle + np.sqrt(share) * autoregressive(rng, n, tau, 5)]

    a = np.exp(-1 / tau)
    truth = (1 - share) / variance / sum(mode) ** 2 + share * (1 + a) / (1 - a)
    off, bar = deviations(make, truth, 40)
    assert len(off) > 34
    assert np.mean(np.abs(off) < 1.96 * bar) > 0.85
    assert abs(off.mean()) < 0.5 * bar.mean()


def test_a_dip_at_zero_is_seen():
    """Ions that jump back: they conduct at all frequencies but the lowest."""
    frequency = np.fft.rfftfreq(8000)
    spectrum = 1 - 0.9 / (1 + (frequency / 0.01) ** 2)

    def make(rng):
        noise = np.fft.rfft(rng.normal(size=(8000, 3)), axis=0) * np.sqrt(spectrum)[:, None]
        return [np.fft.irfft(noise, n=8000, axis=0)]

    off, bar = deviations(make, 0.1, 50)
    assert len(off) > 45
    assert np.mean(np.abs(off) < 1.96 * bar) > 0.85


def test_vibrations_about_fixed_sites_have_no_limit():
    rng = np.random.default_rng(9)
    found = [zero_frequency.limit([np.diff(autoregressive(rng, 801, 5.0), axis=0)], 1.0) for _ in range(30)]
    assert sum(bool(one.reason) for one in found) >= 29


def test_shares_of_replicas_average_to_the_whole():
    rng = np.random.default_rng(2)
    found = zero_frequency.limit([autoregressive(rng, 500, 4.0) for _ in range(4)], 1.0)
    assert found.replicas.mean() == pytest.approx(found.value, rel=1e-6)
    assert found.replicas.std() > 0


def test_units_and_time():
    """Twice the amplitude is four times the power; a longer step stretches the integral over time."""
    series = [autoregressive(np.random.default_rng(3), 500, 4.0)]
    one, other = zero_frequency.limit(series, 1.0), zero_frequency.limit([2 * series[0]], 0.1)
    assert other.value == pytest.approx(0.4 * one.value)
    assert other.ln_std == pytest.approx(one.ln_std)
    assert other.cutoff == pytest.approx(10 * one.cutoff)


def test_correlations_as_long_as_the_run_are_refused():
    found = [zero_frequency.limit([autoregressive(np.random.default_rng(k), 400, 60.0)], 1.0) for k in range(20)]
    assert sum("correlations last as long as the run (400 ps)" in one.reason for one in found) > 17


def test_nothing_and_too_little_are_refused():
    assert zero_frequency.limit([np.zeros((100, 3))], 1.0).reason == "nothing fluctuates"
    assert zero_frequency.limit([np.ones((16, 3)).cumsum(axis=1) * np.arange(16)[:, None]], 1.0).reason


def test_the_periodogram_integrates_to_the_variance():
    series = autoregressive(np.random.default_rng(5), 1001, 3.0)
    frequency, power = zero_frequency.periodogram(series, 0.5)
    assert frequency[0] == pytest.approx(1 / 500.5) and frequency[-1] == pytest.approx(1.0, abs=0.002)
    assert 2 * power.sum(axis=0) * frequency[0] == pytest.approx(series.var(axis=0), rel=1e-6)
