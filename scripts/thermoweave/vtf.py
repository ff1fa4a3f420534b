"""
Vogel-Fulcher-Tammann curves, ln X = ln A - B / (T - T0), beside Arrhenius lines, and what evidence says of the two.

With ln X and the apparent activation energy E = kB B T^2 / (T - T0)^2 at one temperature as parameters, both mean the
same for every T0, the curve is linear in them, and T0 = 0 is the Arrhenius line. Flat priors of the two then cancel
from the ratio of evidences (Kass and Raftery, J. Am. Stat. Assoc. 1995, 90, 773), and what is left is an average of the
likelihood over T0, uniform in [0, 0.95 T_min]: no maximum has to exist where T0 cannot be told.
"""

from typing import NamedTuple

import numpy as np
from ase.units import kB

from thermoweave import censored
from thermoweave.censored import Points

MIN_TEMPERATURES = 4  # to prefer a curve
MAX_T0 = 0.95  # of the lowest temperature
MIN_ODDS = 10.0  # to prefer a curve: "strong" (Jeffreys, Theory of Probability, 1961, appendix B)
N_T0 = 81
N_ZOOMS = 3
FALLS_OFF = 18.0  # of ln(likelihood): beyond, nothing adds to the average


class Vtf(NamedTuple):
    """
    Curves for a set of T0 (m,) in K with their posterior weights (m,): ln X and apparent E (eV) at the reference
    temperature, parameters (m, 2) with covariance (m, 2, 2). The line is the same for T0 = 0: (2,) and (2, 2).

    ln_odds: ln(evidence of the curve / of the line); NaN and no T0 without a fit. n: temperatures that are no bounds;
    chi2: of the best curve.
    """

    reference: float
    T0: np.ndarray
    weight: np.ndarray
    parameters: np.ndarray
    covariance: np.ndarray
    line: np.ndarray
    line_covariance: np.ndarray
    ln_odds: float
    n: int
    chi2: float
    sign: float

    @property
    def probability(self) -> float:
        """Of the curve, when both were as probable before: NaN without a fit."""
        from scipy.special import expit

        return float(expit(self.ln_odds))

    @property
    def preferred(self) -> bool:
        """Whether the curve is to be used instead of the line."""
        return self.n >= MIN_TEMPERATURES and self.ln_odds > np.log(MIN_ODDS)

    @property
    def Ea(self) -> tuple[float, float]:
        """Apparent activation energy (eV) of the curve at the reference temperature and its standard error."""
        return _moments(self.weight, self.parameters[:, 1], self.covariance[:, 1, 1])

    @property
    def Ea_form_std(self) -> float:
        """What the activation energy (eV) at the reference temperature differs between the forms, by evidence."""
        p = self.probability
        weight, Ea = np.append(p * self.weight, 1 - p), np.append(self.parameters[:, 1], self.line[1])
        return _moments(weight, Ea, np.zeros(len(Ea)))[1]

    @property
    def B(self) -> tuple[float, float]:
        """B (K) of the curve and its standard error."""
        factor = (1 - self.T0 / self.reference) ** 2 / kB
        return _moments(self.weight, factor * self.parameters[:, 1], factor**2 * self.covariance[:, 1, 1])

    @property
    def T0_mean(self) -> tuple[float, float]:
        """T0 (K) and its standard error."""
        return _moments(self.weight, self.T0, np.zeros(len(self.T0)))

    def T0_quantile(self, probability: float) -> float:
        """T0 (K) below which it is with that probability, given a curve."""
        if not len(self.T0):
            return float("nan")
        below = np.cumsum(self.weight) - 0.5 * self.weight
        return float(np.interp(probability, below, self.T0))


def _moments(weight: np.ndarray, mean: np.ndarray, variance: np.ndarray) -> tuple[float, float]:
    """Mean and standard deviation of a mixture; NaN of an empty one."""
    if not len(weight):
        return float("nan"), float("nan")
    centre = weight @ mean
    return float(centre), float(np.sqrt(weight @ (variance + (mean - centre) ** 2)))


def basis(temperature: np.ndarray, T0: np.ndarray, reference: float) -> np.ndarray:
    """
    (m, n): what the apparent activation energy (eV) at the reference temperature is multiplied with, for T0 (m,).

    1 / (kB T) - 1 / (kB T_ref) for T0 = 0; infinite where T is not above T0.
    """
    T, T0 = np.asarray(temperature, float), np.asarray(T0, float)[:, None]
    with np.errstate(divide="ignore"):
        curve = (reference - T0) * (reference - T) / (kB * reference**2 * (T - T0))
    return np.where(T > T0, curve, np.inf)


def fit(points: Points) -> Vtf:
    """
    The curves for all T0 and their evidence, from the points that an Arrhenius line was fitted to.

    The reference is the temperature of the mean 1/T. E > 0 is asked for: a curve that falls on heating is none.
    """
    points = points.select(points.informative)
    reference = float(1 / np.mean(1 / points.temperature))
    line = _at(points, np.zeros(1), reference)
    low, high = 0.0, MAX_T0 * points.temperature.min()
    width = high
    for _ in range(N_ZOOMS):
        T0 = np.linspace(low, high, N_T0)
        curves = _at(points, T0, reference)
        ln_evidence = _ln_evidence(curves) + _ln_positive(curves)
        inside = np.flatnonzero(ln_evidence > ln_evidence.max() - FALLS_OFF)
        low, high = T0[max(0, inside[0] - 1)], T0[min(N_T0 - 1, inside[-1] + 1)]
    top = ln_evidence.max()
    area = np.exp(ln_evidence - top) * (T0[1] - T0[0])
    area[[0, -1]] /= 2  # trapezoids
    return Vtf(
        reference=reference,
        T0=T0,
        weight=area / area.sum(),
        parameters=curves.parameters,
        covariance=curves.covariance,
        line=line.parameters[0],
        line_covariance=line.covariance[0],
        ln_odds=float(top + np.log(area.sum() / width) - _ln_evidence(line)[0]),
        n=int(np.sum(~(points.linear & points.bound))),
        chi2=float(curves.chi2[np.argmax(curves.log_likelihood)]),
        sign=points.sign,
    )


def refused() -> Vtf:
    """No curve, because there is no line."""
    nan, none = float("nan"), np.empty(0)
    empty = none, none, np.empty((0, 2)), np.empty((0, 2, 2)), np.full(2, nan), np.full((2, 2), nan)
    return Vtf(nan, *empty, ln_odds=nan, n=0, chi2=nan, sign=1.0)


def _at(points: Points, T0: np.ndarray, reference: float) -> censored.Solution:
    curve = -points.sign * basis(points.temperature, T0, reference)
    return censored.solve(np.stack([np.ones_like(curve), curve], axis=2), points)


def _ln_evidence(found: censored.Solution) -> np.ndarray:
    """Of each model, up to a constant; exact where all points are logarithms, otherwise Laplace's approximation."""
    ln_volume = 0.5 * np.linalg.slogdet(found.covariance)[1]
    return np.where(found.converged, found.log_likelihood + ln_volume, -np.inf)


def _ln_positive(found: censored.Solution) -> np.ndarray:
    """ln of the probability that E > 0."""
    from scipy.special import log_ndtr

    return log_ndtr(found.parameters[:, 1] / np.sqrt(found.covariance[:, 1, 1]))
