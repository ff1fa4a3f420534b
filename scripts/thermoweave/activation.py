"""
Activation energies against concentration: polynomials of order 0, 1 and 2, averaged by their evidence.

Generalised least squares of each order; weights exp(-BIC / 2) (Schwarz, Ann. Stat. 1978, 6, 461), so that the band
holds the choice of the order.
"""

from typing import NamedTuple

import numpy as np

MIN_CONCENTRATIONS = 3
MAX_ORDER = 2
MIN_P_VALUE = 0.05


class Polynomials(NamedTuple):
    """
    The probability of each order, its coefficients in (c - centre) / scale, lowest first, and their covariance;
    chi2, dof and p_value of the most probable order; `note` says in words what is wrong. Nothing in it without a fit.
    """

    probability: np.ndarray
    coefficients: list[np.ndarray]
    covariance: list[np.ndarray]
    centre: float
    scale: float
    chi2: float
    dof: int
    p_value: float
    note: str

    @property
    def order(self) -> int:
        """The most probable one; -1 without a fit."""
        return int(np.argmax(self.probability)) if len(self.probability) else -1

    def predict(self, concentration: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation of the average over orders at concentrations (n,); NaN without a fit."""
        x = (np.asarray(concentration, float) - self.centre) / self.scale
        if not len(self.probability):
            return np.full(len(x), np.nan), np.full(len(x), np.nan)
        powers = [np.vander(x, len(a), increasing=True) for a in self.coefficients]
        mean = np.array([p @ a for p, a in zip(powers, self.coefficients, strict=True)])
        variance = np.array([((p @ c) * p).sum(axis=1) for p, c in zip(powers, self.covariance, strict=True)])
        centre = self.probability @ mean
        return centre, np.sqrt(self.probability @ (variance + (mean - centre) ** 2))


def fit(concentration: np.ndarray, Ea: np.ndarray, Ea_std: np.ndarray) -> Polynomials:
    """
    Fit Ea (n,) with standard errors (n,), NaN for a gap, at concentrations (n,) that are independent of each other.

    An order leaves at least one degree of freedom. With fewer than three values there is no fit, and the note says so.
    """
    from scipy.stats import chi2 as chi2_distribution

    used = np.isfinite(Ea) & (Ea_std > 0)
    n = int(used.sum())
    if n < MIN_CONCENTRATIONS:
        nan, note = float("nan"), f"{n} concentrations with an Ea, {MIN_CONCENTRATIONS} are needed: no curve"
        return Polynomials(np.empty(0), [], [], 0.0, 1.0, nan, 0, nan, note)
    c, target, weight = concentration[used], Ea[used] / Ea_std[used], 1 / Ea_std[used]
    centre, scale = float(c.mean()), float(np.ptp(c) / 2)
    coefficients, covariance, chi2 = [], [], []
    for order in range(min(MAX_ORDER, n - 2) + 1):
        white = np.vander((c - centre) / scale, order + 1, increasing=True) * weight[:, None]
        inverse = np.linalg.pinv(white)
        coefficients.append(inverse @ target)
        covariance.append(inverse @ inverse.T)
        chi2.append(float(np.sum((target - white @ coefficients[-1]) ** 2)))
    bic = np.array(chi2) + np.log(n) * np.arange(1, len(chi2) + 1)
    probability = np.exp(-0.5 * (bic - bic.min()))
    best = int(np.argmin(bic))
    dof = n - best - 1
    p_value = float(chi2_distribution.sf(chi2[best], dof))
    note = f"no smooth curve describes Ea within its errors (p = {p_value:.2g})" if p_value < MIN_P_VALUE else ""
    args = probability / probability.sum(), coefficients, covariance, centre, scale
    return Polynomials(*args, chi2[best], dof, p_value, note)
