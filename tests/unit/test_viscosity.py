"""Viscosity from stress fluctuations that are known, and the correction for the size of the cell."""

import numpy as np
import pytest
from ase import units
from scipy.signal import lfilter
from thermoweave import viscosity


def stress(rng, n, amplitude, tau):
    """(n, 5), eV/A^3, forgetting with time constant tau in frames."""
    a = np.exp(-1 / tau)
    return amplitude * lfilter([1], [1, -a], rng.normal(size=(n + 100, 5)) * np.sqrt(1 - a**2), axis=0)[-n:]


def test_maxwell_fluid_unbiased_and_covered():
    """eta = V G tau / (kB T) with the variance of the stress kB T G / V; G tau of a melt, about 1 mPa s."""
    volume, kelvin, tau, step = 2000.0, 1000.0, 4.0, 0.01
    amplitude = 2e-3
    a = np.exp(-1 / tau)
    eta = volume / (units.kB * kelvin) * amplitude**2 * step * (1 + a) / (1 - a) / 2 * viscosity.PASCAL_S
    assert 1e-4 < eta < 1e-2  # Pa s, of a liquid
    rng = np.random.default_rng(1)
    found = [
        viscosity.viscosity([stress(rng, 1000, amplitude, tau) for _ in range(2)], volume, kelvin, step)
        for _ in range(80)
    ]
    off, bar = np.array([(np.log(one.value / eta), one.ln_std) for one in found]).T
    assert abs(np.exp(off).mean() - 1) < 0.05
    assert np.mean(np.abs(off) < 1.96 * bar) > 0.9
    assert bar.mean() < 1.7 * off.std()


def test_the_correction_is_that_of_the_formula():
    """Water at 298 K, eta = 0.72 mPa s, in a cell of 24.8 A."""
    D, std = viscosity.infinite_cell(
        np.array([2.4e-9]), np.array([1e-10]), 0.72e-3, 0.1, np.diag([24.8, 24.8, 24.8]), 298.0
    )
    shift = viscosity.XI * 1.380649e-23 * 298 / (6 * np.pi * 0.72e-3 * 24.8e-10)
    assert D[0] - 2.4e-9 == pytest.approx(shift)
    assert 3e-10 < shift < 4e-10
    assert std[0] == pytest.approx(np.hypot(1e-10, 0.1 * shift))


@pytest.mark.parametrize("cell", [np.diag([10.0, 10.0, 12.0]), np.array([[10.0, 0, 0], [3, 9.5, 0], [0, 0, 10]])])
def test_cells_that_are_not_cubic_are_refused(cell):
    with pytest.raises(ValueError, match="cubic"):
        viscosity.infinite_cell(np.ones(1), np.ones(1), 1e-3, 0.1, cell, 300.0)
