"""Conductivity, Onsager matrix and transference numbers of ions whose correlations were chosen."""

import numpy as np
import pytest
from scipy.signal import lfilter
from thermoweave import msd, onsager

CHARGES = np.array([1.0, 1.0, -1.0])
MIXING = np.array([[1.0, 0.2, 0.0], [0.3, 1.2, 0.0], [-0.8, -0.7, 0.5]])  # displacements of species from three modes
VOLUME, KELVIN = 1000.0, 1000.0


def run(rng, n, tau=2.0):
    """Displacements (frame, species, 3) in A of modes whose velocities forget with time constant tau (frames)."""
    a = np.exp(-1 / tau)
    velocities = lfilter([1], [1, -a], rng.normal(size=(n + 50, 3, 3)) * np.sqrt(1 - a**2), axis=0)[-n:]
    return np.einsum("st,ftd->fsd", MIXING, velocities.cumsum(axis=0))


def truth(tau=2.0):
    """The Onsager matrix that belongs to `run`, in 1/(J m s)."""
    a = np.exp(-1 / tau)
    diffusion = (1 + a) / (1 - a) / 2  # of one mode in one direction, A^2 a frame (ps)
    return MIXING @ MIXING.T * diffusion * onsager.JOULE / (VOLUME * KELVIN)


def both(rng, n, n_replicas, floor=5.0):
    paths = [run(rng, n) for _ in range(n_replicas)]
    args = CHARGES, VOLUME, KELVIN, 1.0
    return onsager.green_kubo(paths, *args), onsager.einstein_helfand(paths, *args, msd.log_lags(n, 40), floor)


@pytest.fixture(scope="module")
def found():
    rng = np.random.default_rng(4)
    return [both(rng, 600, 2) for _ in range(120)]


@pytest.mark.parametrize("way", [0, 1])
def test_conductivity_unbiased_and_covered(found, way):
    exact = onsager.E2 * CHARGES @ truth() @ CHARGES
    sigma = [pair[0] if way == 0 else pair[1].sigma for pair in found]
    off, bar = np.array([(np.log(s.value / exact), s.ln_std) for s in sigma if not s.reason]).T
    assert len(off) > 105
    assert abs(np.exp(off).mean() - 1) < 0.06
    assert 0.6 < np.mean(np.abs(off) < bar) < 0.92
    assert np.mean(np.abs(off) < 1.96 * bar) > 0.91


def test_matrix_and_transference_numbers_covered(found):
    exact = truth()
    share = CHARGES * (exact @ CHARGES) / (CHARGES @ exact @ CHARGES)
    good = [pair[1] for pair in found if not pair[1].reason]
    assert len(good) > 100
    z = np.array([(one.L - exact) / one.L_std for one in good])
    assert np.mean(np.abs(z) < 1.96) > 0.9
    z = np.array([(one.transference - share) / one.transference_std for one in good])
    assert 0.58 < np.mean(np.abs(z) < 1) < 0.8
    assert np.mean(np.abs(z) < 1.96) > 0.9


def test_the_matrix_adds_up(found):
    for _, one in found[:20]:
        if not one.reason:
            assert one.transference.sum() == pytest.approx(1)
            assert pytest.approx(one.sigma.value) == onsager.E2 * CHARGES @ one.L @ CHARGES
            assert np.allclose(one.L, one.L.T)


def test_two_kinds_of_ions_have_the_transference_numbers_of_their_masses():
    """m+ P+ + m- P- = 0 relative to the centre of mass: t+ = m- / (m+ + m-), whatever the run."""
    rng = np.random.default_rng(8)
    light = run(rng, 500)[:, :1]
    path = np.concatenate([light, -7.0 / 35.0 * light], axis=1)
    one = onsager.einstein_helfand([path], np.array([1.0, -1.0]), VOLUME, KELVIN, 1.0, msd.log_lags(500, 40), 5.0)
    assert one.transference == pytest.approx([35 / 42, 7 / 42])
    assert one.transference_std == pytest.approx([0, 0], abs=1e-6)


def test_ions_that_do_not_move_on_conduct_nothing():
    """Vibrations about fixed sites: no number, by either way."""
    rng = np.random.default_rng(9)
    path = lfilter([1], [1, -0.8], rng.normal(size=(800, 3, 3)), axis=0)
    args = CHARGES, VOLUME, KELVIN, 1.0
    assert onsager.green_kubo([path], *args).reason
    assert onsager.einstein_helfand([path], *args, msd.log_lags(800, 40), 5.0).reason


def test_replicas_that_disagree_widen_the_bar():
    rng = np.random.default_rng(10)
    paths = [run(rng, 2000) * factor for factor in (0.5, 1.0, 2.0)]
    one = onsager.green_kubo(paths, CHARGES, VOLUME, KELVIN, 1.0)
    assert one.birge_ratio > 3
    alike = onsager.green_kubo([run(rng, 2000) for _ in range(3)], CHARGES, VOLUME, KELVIN, 1.0)
    assert one.ln_std > 3 * alike.ln_std
