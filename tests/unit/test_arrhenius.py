"""Arrhenius fits: closed form, points that are no numbers, coverage over synthetic campaigns, refusals."""

import numpy as np
import pytest
from ase.units import kB
from thermoweave import arrhenius, censored

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
    assert fit.lnX0 == pytest.approx((Sxx * Sy - Sx * Sxy) / delta)
    assert fit.Ea_std_eV == pytest.approx(np.sqrt(S / delta))
    assert fit.lnX0_std == pytest.approx(np.sqrt(Sxx / delta))
    assert fit.cov == pytest.approx(-Sx / delta)
    assert fit.dof == 2
    assert fit.Ea_kJ_mol == pytest.approx(fit.Ea_eV * 96.485, rel=1e-5)


def test_an_error_common_to_all_points_moves_the_prefactor_only():
    common = arrhenius.fit(T, TRUTH, np.diag(np.full(4, 0.01)) + 0.25)
    alone = arrhenius.fit(T, TRUTH, np.full(4, 0.01))
    assert common.Ea_std_eV == pytest.approx(alone.Ea_std_eV)
    assert common.lnX0_std**2 == pytest.approx(alone.lnX0_std**2 + 0.25)


def test_coverage_over_campaigns():
    rng = np.random.default_rng(1)
    sigma = np.array([0.3, 0.1, 0.2, 0.05])
    inside, p_values = [], []
    for _ in range(1500):
        fit = arrhenius.fit(T, TRUTH + sigma * rng.normal(size=4), sigma**2)
        lnD, std = fit.predict(np.array([1000.0, 600.0]))
        band = (lnD - (LN_D0 - EA / (kB * np.array([1000.0, 600.0])))) / std
        inside.append([(fit.Ea_eV - EA) / fit.Ea_std_eV, (fit.lnX0 - LN_D0) / fit.lnX0_std, *band])
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
    assert fit.note == "nothing known at 900 K"
    assert fit.Ea_eV == pytest.approx(EA)


def test_two_points_are_refused():
    fit = arrhenius.fit(T, np.where(T < 1000, TRUTH, np.nan), np.full(4, 0.01))
    assert np.isnan([fit.Ea_eV, fit.Ea_std_eV, fit.lnX0, fit.lnX0_std, fit.cov, fit.chi2, fit.p_value]).all()
    assert fit.n_temperatures == 2
    assert "2 temperatures known, 3 are needed" in fit.note
    assert np.isnan(fit.predict(T)).all()


def test_a_bad_fit_is_reported_and_its_bars_are_not_inflated():
    bent = TRUTH + np.array([0.5, -0.5, -0.5, 0.5])
    fit, good = (arrhenius.fit(T, lnD, np.full(4, 0.01)) for lnD in (bent, TRUTH))
    assert fit.p_value < 1e-6
    assert "a line does not describe the points" in fit.note
    assert fit.Ea_std_eV == pytest.approx(good.Ea_std_eV)
    assert good.note == ""


def test_a_point_without_an_error_is_an_error():
    with pytest.raises(ValueError, match="variance of the logarithm must be positive"):
        arrhenius.fit(T, TRUTH, np.array([0.01, 0.0, 0.01, 0.01]))


def test_what_falls_on_heating_has_the_other_sign():
    eta = arrhenius.fit(T, -7 + EA / (kB * T), np.full(4, 0.01), sign=-1)
    assert (eta.Ea_eV, eta.lnX0) == (pytest.approx(EA), pytest.approx(-7))
    assert eta.predict(T)[0] == pytest.approx(-7 + EA / (kB * T))
    assert eta.note == ""
    assert arrhenius.fit(T, -7 - EA / (kB * T), np.full(4, 0.01), sign=-1).note == "rises on heating: Ea < 0"


def test_a_negative_energy_is_reported_not_hidden():
    fit = arrhenius.fit(T, -20 + 0.1 / (kB * T), np.full(4, 0.01))
    assert fit.Ea_eV == pytest.approx(-0.1)
    assert fit.note == "falls on heating: Ea < 0"


def test_identical_temperatures_are_one():
    fit = arrhenius.fit(np.array([900.0, 900, 900, 1000]), np.zeros(4), np.full(4, 0.01))
    assert np.isnan(fit.Ea_eV)
    assert "2 temperatures known, 3 are needed" in fit.note


def points(lnX, variance, estimate, std, bound=None):
    """Points at T that are logarithms where there is a variance, otherwise estimates; all in units of exp(TRUTH[0])."""
    known = np.isfinite(variance)
    bound = np.zeros(4, bool) if bound is None else np.asarray(bound)
    unit = np.exp(TRUTH[0])
    return censored.Points(
        T, np.where(known, lnX, np.nan), np.diag(variance), estimate * unit, std * unit, bound, known
    )


def cold(estimate: float, std: float, bound: bool = False) -> arrhenius.Arrhenius:
    """The fit of three exact numbers and an estimate at the coldest temperature, in units of the truth there."""
    values = np.array([estimate, np.nan, np.nan, np.nan]), np.array([std, np.nan, np.nan, np.nan])
    variance = np.array([np.nan, 0.04, 0.04, 0.04])
    return arrhenius.fit_points(points(TRUTH, variance, *values, [bound, False, False, False]))


def test_an_estimate_too_uncertain_for_a_logarithm_moves_the_fit_its_way():
    without = arrhenius.fit(T[1:], TRUTH[1:], np.full(3, 0.04))
    low, right, high, vague = cold(0.1, 0.3), cold(1.0, 0.6), cold(2.0, 0.6), cold(0.0, 100.0)
    assert low.Ea_eV > right.Ea_eV > high.Ea_eV
    assert right.Ea_std_eV < without.Ea_std_eV
    assert vague.Ea_eV == pytest.approx(EA, abs=0.01)
    assert vague.Ea_std_eV == pytest.approx(without.Ea_std_eV, rel=0.02)
    assert right.censored == (800.0,)
    assert right.dof == 2
    assert right.note == "not resolved at 800 K: in the fit as uncertain or as a bound"


def test_a_bound_takes_part_only_where_it_is_in_the_way():
    without = arrhenius.fit(T[1:], TRUTH[1:], np.full(3, 0.04))
    far, near = cold(10.0, 0.3, bound=True), cold(0.5, 0.1, bound=True)
    assert far.Ea_eV == pytest.approx(EA, abs=1e-4)
    assert far.Ea_std_eV == pytest.approx(without.Ea_std_eV, rel=1e-3)
    assert near.Ea_eV > EA + 0.2 * without.Ea_std_eV
    assert near.dof == far.dof == 1
    assert "the line is above the upper bound at 800 K" in cold(0.01, 0.01, bound=True).note


def test_bounds_alone_are_no_line():
    std = np.array([0.5, 0.5, 0.5, np.nan])
    fit = arrhenius.fit_points(points(TRUTH, np.array([np.nan] * 3 + [0.01]), 2 * std, std))
    assert np.isnan(fit.Ea_eV)
    assert "1 temperatures resolved, 2 are needed" in fit.note


def test_the_likelihood_has_the_derivatives_it_says():
    x, t, h = np.array([0.3, 1.5, 4.0, 0.3, 1.5, 4.0]), np.array([-1.0, 0.5, 3.0] * 2), 1e-5
    bound = np.arange(6) > 2
    low, mid, high = (censored._linear_cost(x + k * h, t, bound) for k in (-1, 0, 1))
    assert mid[2] == pytest.approx((high[0] - low[0]) / (2 * h), rel=1e-6)
    assert mid[4] == pytest.approx((high[2] - low[2]) / (2 * h), rel=1e-6)
    assert (mid[3] >= 0).all()


def campaigns(kind: str, n: int = 500):
    """Fits with and without what is not resolved at the coldest temperature, of n campaigns."""
    rng, rel, both = np.random.default_rng(3), 0.15, []
    for _ in range(n):
        x = np.exp(TRUTH - TRUTH[0] + rel * rng.normal(size=4))
        std = rel * x
        if kind == "rare hops":
            count = rng.poisson(3.0)
            x[0], std[0] = count / 3, np.sqrt(max(count, 1)) / 3
        elif kind == "noise":
            x[0], std[0] = rng.normal(1.0, 0.6), 0.6
        else:  # not yet diffusive: too high, by the same error or more
            x[0], std[0] = rng.normal(rng.uniform(1.3, 3.0), 0.3), 0.3
        resolved = (x > 2 * std) & (np.arange(4) > (kind == "bound") - 1)
        variance = np.where(resolved, (std / np.where(resolved, x, 1)) ** 2, np.nan)
        lnX = np.log(np.where(resolved, x, 1)) + TRUTH[0]
        bound = ~resolved & (kind == "bound")
        both.append((arrhenius.fit_points(points(lnX, variance, x, std, bound)), arrhenius.fit(T, lnX, variance)))
    return [np.array([[fit.Ea_eV - EA, fit.Ea_std_eV] for fit in fits]).T for fits in zip(*both, strict=True)]


@pytest.mark.parametrize("kind", ["rare hops", "noise", "bound"])
def test_coverage_with_a_cold_point_that_is_not_resolved(kind):
    (error, std), (error_without, std_without) = campaigns(kind)
    z = error / std
    assert np.mean(np.abs(z) < 1) == pytest.approx(0.683, abs=0.07)
    assert 0.92 < np.mean(np.abs(z) < 1.96) < 0.98
    assert abs(error.mean()) < 0.2 * std.mean()
    # a fit that leaves out what came out small is wider, and takes the cold D for too large: Ea too low
    assert std.mean() < std_without.mean()
    assert error_without.mean() < error.mean() - (0.0 if kind == "bound" else 0.03 * std.mean())
