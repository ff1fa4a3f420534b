"""Curves beside lines: evidence, bands, extrapolation; breaks of a line; both with campaigns whose truth is known."""

import numpy as np
import pytest
from ase.units import kB
from scipy.special import ndtri
from thermoweave import arrhenius, censored, extrapolation, kink, vtf

T = np.array([900.0, 1000, 1100, 1200, 1300])
REFERENCE = 1 / np.mean(1 / T)
LINE = -16 - 0.3 / (kB * T)
T0, B = 650.0, 600.0
CURVE = -16 - B / (T - T0)
EA_CURVE = kB * B * REFERENCE**2 / (REFERENCE - T0) ** 2


def points(truth, sigma, rng=None, sign=1.0):
    noise = sigma * rng.normal(size=len(T)) if rng else 0.0
    return censored.logarithms(T, truth + noise, np.full(len(T), sigma**2), sign)


def test_without_T0_the_curve_is_the_line():
    fit, curves = arrhenius.fit_points(points(LINE, 0.1)), vtf.fit(points(LINE, 0.1))
    assert curves.line[1] == pytest.approx(fit.Ea_eV)
    assert np.sqrt(curves.line_covariance[1, 1]) == pytest.approx(fit.Ea_std_eV)
    assert vtf.basis(T, np.zeros(1), REFERENCE)[0] == pytest.approx(1 / (kB * T) - 1 / (kB * REFERENCE))


def test_exact_data_of_a_curve_give_its_parameters():
    curves = vtf.fit(points(CURVE, 0.003))
    assert curves.preferred
    assert curves.T0_mean[0] == pytest.approx(T0, abs=5)
    assert curves.B[0] == pytest.approx(B, rel=0.03)
    assert curves.Ea[0] == pytest.approx(EA_CURVE, rel=0.005)


def test_the_viscosity_is_a_mirror_image():
    down, up = vtf.fit(points(CURVE, 0.05)), vtf.fit(points(-CURVE, 0.05, sign=-1.0))
    assert up.ln_odds == pytest.approx(down.ln_odds)
    assert up.Ea == pytest.approx(down.Ea)
    at = np.array([298.0, 700, 1050])
    mirror, seen = extrapolation.predict(down, at), extrapolation.predict(up, at)
    assert seen.lnX == pytest.approx(-mirror.lnX)
    assert seen.upper_95 == pytest.approx(-mirror.lower_95)
    assert seen.std == pytest.approx(mirror.std)


def test_the_unit_of_T0_grid_does_not_matter(monkeypatch):
    sharp = vtf.fit(points(CURVE, 0.01))
    monkeypatch.setattr(vtf, "N_T0", 301)
    assert vtf.fit(points(CURVE, 0.01)).ln_odds == pytest.approx(sharp.ln_odds, abs=0.02)


def test_never_preferred_with_three_temperatures():
    three = points(CURVE, 0.001).select(np.array([True, False, True, False, True]))
    assert vtf.fit(three).ln_odds > np.log(vtf.MIN_ODDS)
    assert not vtf.fit(three).preferred


def test_what_falls_on_heating_is_no_curve():
    assert vtf.fit(points(-20 + 1.0 / (kB * T), 0.02)).probability < 0.01


def test_lines_are_rarely_called_curves_and_the_bands_hold():
    rng, at = np.random.default_rng(5), np.array([950.0, 1150, 800])
    truth = -16 - 0.3 / (kB * at)
    called, inside = [], []
    for _ in range(300):
        curves = vtf.fit(points(LINE, 0.1, rng))
        called.append(curves.preferred)
        band = extrapolation.predict(curves, at)
        inside.append(
            [(band.lower_68 < truth) & (truth < band.upper_68), (band.lower_95 < truth) & (truth < band.upper_95)]
        )
    assert np.mean(called) < 0.02  # Markov's inequality: at most 1 / MIN_ODDS
    assert np.mean(inside, axis=0)[0] == pytest.approx(0.70, abs=0.08)
    assert np.mean(inside, axis=0)[1] == pytest.approx(0.95, abs=0.035)


def test_curves_are_found_and_covered_where_they_can_be_told():
    rng, at = np.random.default_rng(6), np.array([950.0, 1150])
    truth = -16 - B / (at - T0)
    rows = []
    for _ in range(300):
        curves = vtf.fit(points(CURVE, 0.025, rng))
        band, (Ea, std) = extrapolation.predict(curves, at), curves.Ea
        rows.append([
            curves.preferred,
            curves.T0_quantile(0.025) < T0 < curves.T0_quantile(0.975),
            abs(Ea - EA_CURVE) < 1.96 * std,
            *((band.lower_95 < truth) & (truth < band.upper_95)),
        ])  # fmt: skip
    preferred, *covered = np.mean(rows, axis=0)
    assert preferred > 0.95
    assert np.allclose(covered, 0.95, atol=0.035)


def test_room_temperature_from_a_melt_is_broad_and_flagged():
    curves, at = vtf.fit(points(LINE, 0.1)), np.array([298.0, 900, 1000])
    band = extrapolation.predict(curves, at)
    line = arrhenius.fit_points(points(LINE, 0.1)).predict(at)
    assert band.lnX == pytest.approx(line[0])
    assert band.lower_95[0] == -np.inf  # a melt may be frozen there
    assert band.upper_95[0] > band.lnX[0] + 1
    assert band.std[1:] == pytest.approx(line[1][1:], rel=0.3)
    assert extrapolation.region(at, T) == ["extrapolation", "interpolation", "interpolation"]


def test_quantiles_of_a_mixture():
    q = np.array([0.025, 0.5, 0.9])
    one = extrapolation.quantiles(np.ones(1), np.array([[3.0]]), np.array([[2.0]]), q)
    assert one[:, 0] == pytest.approx(3 + 2 * ndtri(q))
    half = extrapolation.quantiles(np.array([0.2, 0.8]), np.array([[-np.inf], [0.0]]), np.ones((2, 1)), q)
    assert half[0, 0] == -np.inf
    assert half[1:, 0] == pytest.approx(ndtri((q[1:] - 0.2) / 0.8))


def test_no_fit_no_prediction():
    band = extrapolation.predict(vtf.refused(), np.array([300.0, 900]))
    assert np.isnan(band).all()
    assert np.isnan(vtf.refused().Ea).all()
    assert not vtf.refused().preferred


def test_a_break_is_found_where_it_is():
    found = kink.search(points(np.where(T < 1050, LINE - 1, LINE), 0.1))
    assert found.p_value == pytest.approx(1 / (1 + kink.N_DRAWS))
    assert (found.below, found.above) == (1000, 1100)
    assert kink.note(found).startswith("two lines with a break between 1000 and 1100 K")
    assert kink.note(kink.search(points(LINE, 0.1))) == ""


def test_four_temperatures_are_too_few_for_a_break():
    assert np.isnan(kink.search(points(LINE, 0.1).select(T < 1250)))[0]


def test_false_alarms_and_power_of_the_search(monkeypatch):
    monkeypatch.setattr(kink, "N_DRAWS", 1999)
    rng = np.random.default_rng(7)
    truths = LINE, np.where(T < 1050, LINE - 0.45, LINE)
    p = np.array([[kink.search(points(truth, 0.1, rng)).p_value for truth in truths] for _ in range(400)])
    assert np.mean(p[:, 0] < 0.05) == pytest.approx(0.05, abs=0.03)
    assert np.mean(p[:, 0] < 0.01) < 0.03
    assert np.mean(p[:, 0] < 0.5) == pytest.approx(0.5, abs=0.08)
    assert np.mean(p[:, 1] < 0.05) > 0.3
