"""Arrhenius fits: closed form, coverage over synthetic campaigns, refusals."""

import numpy as np
import pytest
from ase.units import kB
from thermoweave import arrhenius

T = np.array([800.0, 900.0, 1050.0, 1300.0])
EA, LN_D0 = 0.28, -16.0
TRUTH = LN_D0 - EA / (kB * T)


def test_two_clusters_of_equal_errors_follow_the_textbook():
    """Straight line through weighted means: slope and variances by hand (Numerical Recipes, 15.2)."""
    sigma = np.array([0.1, 0.2, 0.1, 0.3])
    y = TRUTH + np.array([0.05, -0.1, 0.02, 0.1])
    x, w = -1 / (kB * T), 1 / sigma**2
    S, Sx, Sy, Sxx, Sxy = w.sum(), w @ x, w @ y, w @ x**2, w @ (x * y)
    delta = S * Sxx - Sx**2
    fit = arrhenius.fit(T, y, sigma**2)
    assert fit.Ea_eV == pytest.approx((S * Sxy - Sx * Sy) / delta)
    assert fit.lnD0 == pytest.approx((Sxx * Sy - Sx * Sxy) / delta)
    assert fit.Ea_std_eV == pytest.approx(np.sqrt(S / delta))
    assert fit.lnD0_std == pytest.approx(np.sqrt(Sxx / delta))
    assert fit.cov == pytest.approx(-Sx / delta)
    assert fit.dof == 2
    assert fit.Ea_kJ_mol == pytest.approx(fit.Ea_eV * 96.485, rel=1e-5)


def test_an_error_common_to_all_points_moves_lnD0_only():
    common = arrhenius.fit(T, TRUTH, np.diag(np.full(4, 0.01)) + 0.25)
    alone = arrhenius.fit(T, TRUTH, np.full(4, 0.01))
    assert common.Ea_std_eV == pytest.approx(alone.Ea_std_eV)
    assert common.lnD0_std**2 == pytest.approx(alone.lnD0_std**2 + 0.25)


def test_coverage_over_campaigns():
    rng = np.random.default_rng(1)
    sigma = np.array([0.3, 0.1, 0.2, 0.05])
    inside, p_values = [], []
    for _ in range(1500):
        fit = arrhenius.fit(T, TRUTH + sigma * rng.normal(size=4), sigma**2)
        lnD, std = fit.predict(np.array([1000.0, 600.0]))
        band = (lnD - (LN_D0 - EA / (kB * np.array([1000.0, 600.0])))) / std
        inside.append([(fit.Ea_eV - EA) / fit.Ea_std_eV, (fit.lnD0 - LN_D0) / fit.lnD0_std, *band])
        p_values.append(fit.p_value)
    inside = np.abs(inside)
    assert np.allclose(np.mean(inside < 1, axis=0), 0.683, atol=0.035)
    assert np.allclose(np.mean(inside < 1.96, axis=0), 0.95, atol=0.02)
    assert np.mean(np.array(p_values) < 0.5) == pytest.approx(0.5, abs=0.04)


def test_gaps_are_left_out_and_named():
    lnD = TRUTH.copy()
    lnD[1] = np.nan
    fit = arrhenius.fit(T, lnD, np.full(4, 0.01))
    assert fit.gaps == (900.0,)
    assert fit.temperatures_used == (800.0, 1050.0, 1300.0)
    assert fit.n_temperatures == 3
    assert fit.note == "no D at 900 K"
    assert fit.Ea_eV == pytest.approx(EA)


def test_two_points_are_refused():
    fit = arrhenius.fit(T, np.where(T < 1000, TRUTH, np.nan), np.full(4, 0.01))
    assert np.isnan([fit.Ea_eV, fit.Ea_std_eV, fit.lnD0, fit.lnD0_std, fit.cov, fit.chi2, fit.p_value]).all()
    assert fit.n_temperatures == 2
    assert "2 temperatures with a D, 3 are needed" in fit.note
    assert np.isnan(fit.predict(T)).all()


def test_a_bad_fit_is_reported_and_its_bars_are_not_inflated():
    bent = TRUTH + np.array([0.5, -0.5, -0.5, 0.5])
    fit, good = (arrhenius.fit(T, lnD, np.full(4, 0.01)) for lnD in (bent, TRUTH))
    assert fit.p_value < 1e-6
    assert "a line does not describe the points" in fit.note
    assert fit.Ea_std_eV == pytest.approx(good.Ea_std_eV)
    assert good.note == ""


def test_a_point_without_an_error_is_an_error():
    with pytest.raises(ValueError, match="variance of ln D must be positive"):
        arrhenius.fit(T, TRUTH, np.array([0.01, 0.0, 0.01, 0.01]))
