"""Vibrational densities of states of oscillators, Langevin particles and white noise."""

import numpy as np
import pytest
import synthetic
from thermoweave import spectra

STEP = 0.01  # ps


def test_oscillators_peak_at_their_frequencies_with_three_modes_an_atom():
    rng = np.random.default_rng(1)
    masses, frequencies = np.repeat([7.0, 35.0], 20), np.repeat([12.0, 5.0], 20)
    time = STEP * np.arange(2000)[:, None, None]
    phase = rng.uniform(0, 2 * np.pi, size=(1, 40, 3))
    velocities = np.sqrt(1 / masses)[:, None] * np.cos(2 * np.pi * frequencies[:, None] * time + phase)
    groups = [np.arange(20), np.arange(20, 40)]
    found = spectra.vdos([velocities], masses, groups, STEP, 0.5)
    assert found.frequency[found.vdos.argmax(axis=1)].tolist() == [12.0, 5.0]
    assert found.vdos.sum() * found.resolution == pytest.approx(3 * 40)
    assert np.allclose(found.modes, 60, rtol=1e-3)  # equipartition
    assert found.resolution == pytest.approx(0.5)
    assert found.nyquist == pytest.approx(50)


def test_langevin_particles_give_their_lorentzian_within_the_band():
    """S(f) = 12 N / (g (1 + (2 pi f / g)^2)) modes per THz with the friction g = 1 / friction time."""
    rng = np.random.default_rng(2)
    runs = [synthetic.langevin(rng, 4000, 30, 1.0, 0.1, STEP)[1] for _ in range(2)]
    found = spectra.vdos(runs, np.full(30, 20.0), [np.arange(30)], STEP, 0.25)
    low = (found.frequency > 0.2) & (found.frequency < 6)
    lorentzian = 12 * 30 * 0.1 / (1 + (2 * np.pi * found.frequency * 0.1) ** 2)
    assert np.allclose(found.vdos[0, low], lorentzian[low], rtol=0.12)
    z = (found.vdos[0, low] - lorentzian[low]) / found.vdos_std[0, low]
    assert np.mean(np.abs(z) < 2) > 0.85


def test_the_band_covers_white_noise():
    rng = np.random.default_rng(3)
    z = []
    for _ in range(40):
        found = spectra.vdos([rng.normal(size=(1000, 8, 3))], np.ones(8), [np.arange(8)], STEP, 1.0)
        flat = 24 / 50  # 3 N modes up to the Nyquist frequency
        z.append(((found.vdos[0] - flat) / found.vdos_std[0])[2:-2])
    z = np.concatenate(z)
    assert np.mean(np.abs(z) < 1) == pytest.approx(0.67, abs=0.04)
    assert np.mean(np.abs(z) < 1.96) > 0.91


def test_a_species_share_is_that_of_its_kinetic_energy():
    rng = np.random.default_rng(4)
    velocities = rng.normal(size=(500, 10, 3))
    velocities[:, 5:] *= np.sqrt(2)
    found = spectra.vdos([velocities], np.ones(10), [np.arange(5), np.arange(5, 10)], STEP, 1.0)
    assert found.modes.sum() == pytest.approx(30)
    assert found.modes[1] / found.modes[0] == pytest.approx(2, rel=0.05)
    assert (found.modes_std > 0).all()


def test_nothing_is_subtracted():
    """A constant velocity is all at zero frequency, and stays there."""
    found = spectra.vdos([np.ones((400, 2, 3))], np.ones(2), [np.arange(2)], STEP, 1.0)
    assert found.frequency[found.vdos[0].argmax()] == 0


def test_a_run_shorter_than_a_segment_says_what_to_do():
    with pytest.raises(ValueError, match="takes a run of 10 ps, this one has 5 ps: lengthen the production run"):
        spectra.vdos([np.zeros((500, 2, 3))], np.ones(2), [np.arange(2)], STEP, 0.1)
