"""
Predictions at any temperature, with bands that hold the choice between line and curve.

What is predicted is a mixture: the Arrhenius line and the Vogel-Fulcher-Tammann curves of all T0, each with its own
Gaussian error, weighed by evidence (Hoeting et al., Stat. Sci. 1999, 14, 382). Below T0 a curve says X = 0: so does a
band, where such curves are not excluded.
"""

from typing import NamedTuple

import numpy as np

from thermoweave import vtf
from thermoweave.vtf import Vtf

PROBABILITIES = (0.025, 0.1587, 0.8413, 0.975)
NEGLIGIBLE = 1e-7  # weight of a part of the mixture
N_HALVINGS = 60


class Prediction(NamedTuple):
    """
    ln X of the chosen form at temperatures (n,), half the width of the 68 % band (infinite where that reaches X = 0),
    and the 68 % and 95 % bands over both forms, each (n,).
    """

    lnX: np.ndarray
    std: np.ndarray
    lower_68: np.ndarray
    upper_68: np.ndarray
    lower_95: np.ndarray
    upper_95: np.ndarray


def predict(curves: Vtf, temperature: np.ndarray) -> Prediction:
    """ln X at temperatures (n,) in K; NaN where there is no fit."""
    temperature = np.asarray(temperature, float)
    if np.isnan(curves.ln_odds):
        return Prediction(*np.full((6, len(temperature)), np.nan))
    p = curves.probability
    weight = np.append(p * curves.weight, 1 - p)
    slope = vtf.basis(temperature, np.append(curves.T0, 0.0), curves.reference)
    frozen = np.isinf(slope)
    design = np.stack([np.ones_like(slope), -curves.sign * np.where(frozen, 0.0, slope)], axis=2)
    parameters = np.vstack([curves.parameters, curves.line])
    covariance = np.concatenate([curves.covariance, curves.line_covariance[None]])
    mean = np.where(frozen, -np.inf, curves.sign * np.einsum("mnp,mp->mn", design, parameters))
    std = np.sqrt(np.einsum("mnp,mpq,mnq->mn", design, covariance, design))
    band = quantiles(weight, mean, std, np.array(PROBABILITIES))
    middle = quantiles(curves.weight, mean[:-1], std[:-1], np.array([0.5]))[0] if curves.preferred else mean[-1]
    band[:2], band[2:] = np.minimum(band[:2], middle), np.maximum(band[2:], middle)
    lower_95, lower_68, upper_68, upper_95 = curves.sign * (band if curves.sign > 0 else band[::-1])
    with np.errstate(invalid="ignore"):
        half = np.where(np.isinf(lower_68) | np.isinf(upper_68), np.inf, (upper_68 - lower_68) / 2)
    return Prediction(curves.sign * middle, half, lower_68, upper_68, lower_95, upper_95)


def quantiles(weight: np.ndarray, mean: np.ndarray, std: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """
    (q, n): quantiles of n mixtures of m Gaussians, weight (m,), mean and std (m, n), by bisection.

    A mean may be minus infinity: the weight of such parts lies below every number.
    """
    from scipy.special import ndtr

    kept = weight > NEGLIGIBLE
    weight, mean, std = weight[kept] / weight[kept].sum(), mean[kept], std[kept]
    frozen = np.isneginf(mean)
    lowest = np.where(frozen, np.inf, mean - 9 * std).min(axis=0)
    highest = np.where(frozen, -np.inf, mean + 9 * std).max(axis=0)
    below = np.array(probability)[:, None] <= weight @ frozen + 1e-12
    low, high = (np.where(below, 0.0, end) for end in (lowest, highest))
    for _ in range(N_HALVINGS):
        middle = (low + high) / 2
        share = np.einsum("m,qmn->qn", weight, ndtr((middle[:, None] - mean) / std))
        low, high = np.where(share < probability[:, None], (middle, high), (low, middle))
    return np.where(below, -np.inf, (low + high) / 2)


def region(temperature: np.ndarray, fitted: np.ndarray) -> list[str]:
    """Whether each temperature (K) is inside those that were fitted; no fit: ""."""
    if not len(fitted):
        return ["" for _ in temperature]
    return ["interpolation" if min(fitted) <= T <= max(fitted) else "extrapolation" for T in temperature]
