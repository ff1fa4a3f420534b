"""
Linear models of ln X when some points are too uncertain for a logarithm, or are bounds: maximum likelihood.

A point that is left out because it came out small makes what is left too large. So every point takes part with what
it says: a logarithm with its Gaussian error, an estimate with a Gaussian error of its own (which may be below zero), or
an estimate known to be too high, which bounds X from above (Tobin, Econometrica 1958, 26, 24; Amemiya, J. Econometrics
1984, 24, 3). With logarithms only this is generalised least squares in closed form (Aitken, Proc. R. Soc. Edinb. 1936,
55, 42). Errors are from the observed information (Efron and Hinkley, Biometrika 1978, 65, 457).
"""

from typing import NamedTuple

import numpy as np

MAX_ITERATIONS = 100
CONVERGED = 1e-9  # distance from the maximum, as twice the expected gain of log likelihood


class Points(NamedTuple):
    """
    X at temperatures (n,) in K, each in one of three ways, or a gap.

    lnX (n,) with its covariance (n, n), where there is one; otherwise estimate and std (n,) of X itself, of which
    `bound` (n,) says whether it is too high. `resolved` (n,): good enough to be reported as a number. sign: 1 where X
    rises with temperature as D does, -1 where it falls, as the viscosity does.
    """

    temperature: np.ndarray
    lnX: np.ndarray
    covariance: np.ndarray
    estimate: np.ndarray
    std: np.ndarray
    bound: np.ndarray
    resolved: np.ndarray
    sign: float = 1.0

    @property
    def logarithms(self) -> np.ndarray:
        """Which points have ln X with an error, (n,)."""
        return np.isfinite(self.lnX) & np.isfinite(np.diag(self.covariance))

    @property
    def linear(self) -> np.ndarray:
        """Which points have no logarithm, but an estimate with an error, (n,)."""
        return ~self.logarithms & np.isfinite(self.estimate) & (self.std > 0)

    @property
    def informative(self) -> np.ndarray:
        """Which points say something about X, (n,)."""
        return self.logarithms | self.linear

    def select(self, which: np.ndarray) -> "Points":
        """Some of the points."""
        T, lnX, covariance, *others, sign = self
        return Points(T[which], lnX[which], covariance[np.ix_(which, which)], *(a[which] for a in others), sign)


def logarithms(temperature: np.ndarray, lnX: np.ndarray, covariance: np.ndarray, sign: float = 1.0) -> Points:
    """
    Points that are all logarithms, NaN for a gap; covariance as variances (n,) or a matrix (n, n).

    Raises ValueError for a variance that is not positive: a point without an error cannot be weighed.
    """
    temperature, lnX, covariance = (np.asarray(a, dtype=float) for a in (temperature, lnX, covariance))
    covariance = np.diag(covariance) if covariance.ndim == 1 else covariance
    nan, no = np.full(len(lnX), np.nan), np.zeros(len(lnX), bool)
    points = Points(temperature, lnX, covariance, nan, nan, no, no, sign)
    points = points._replace(resolved=points.logarithms)
    variance = np.diag(covariance)[points.resolved]
    if np.any(variance <= 0):
        where = temperature[points.resolved].tolist()
        raise ValueError(f"the variance of the logarithm must be positive, got {variance} at {where} K")
    return points


class Solution(NamedTuple):
    """
    Parameters (m, p) of m models and their covariance (m, p, p); log likelihood (m,) up to a constant of the data; chi2
    (m,) of the points that are no bounds; converged (m,): a maximum was found and its information is positive definite.
    """

    parameters: np.ndarray
    covariance: np.ndarray
    log_likelihood: np.ndarray
    chi2: np.ndarray
    converged: np.ndarray


def solve(design: np.ndarray, points: Points) -> Solution:
    """
    Fit ln X = design @ parameters for m models at once, design (m, n, p), to points that are all informative.

    At least p of them must be logarithms: they give the start of the iteration (Fisher scoring with halved steps).
    """
    log, linear = points.logarithms, points.linear
    root = np.linalg.cholesky(points.covariance[np.ix_(log, log)])
    white, target = np.linalg.solve(root, design[:, log]), np.linalg.solve(root, points.lnX[log])
    information = np.swapaxes(white, 1, 2) @ white
    parameters = np.linalg.solve(information, np.einsum("mnp,n->mp", white, target)[..., None])[..., 0]
    scale = np.log(points.std[linear])
    rest = design[:, linear], points.estimate[linear] / points.std[linear], scale, points.bound[linear]
    converged = np.ones(len(design), bool)
    if linear.any():
        parameters, converged = _maximise(white, target, rest, parameters)
    cost, chi2, _, _, observed = _cost(parameters, white, target, rest)
    positive = np.linalg.eigvalsh(observed)[:, 0] > 0
    observed[~positive] = np.eye(design.shape[2])
    return Solution(parameters, np.linalg.inv(observed), -cost, chi2, converged & positive)


def _cost(parameters: np.ndarray, white: np.ndarray, target: np.ndarray, rest: tuple) -> tuple:
    """Minus the log likelihood of each model, chi2, gradient, and two second derivatives: never negative, observed."""
    design, *given = rest
    residual = np.einsum("mnp,mp->mn", white, parameters) - target
    with np.errstate(over="ignore", invalid="ignore"):  # a step too far is seen by its cost and halved
        x = np.exp(np.einsum("mnp,mp->mn", design, parameters) - given[1])
        cost, square, slope, safe, observed = _linear_cost(x, given[0], given[2])
    gradient = np.einsum("mnp,mn->mp", white, residual) + np.einsum("mnp,mn->mp", design, x * slope)
    information = np.swapaxes(white, 1, 2) @ white
    weights = x * slope + x**2 * observed, np.maximum(x**2 * safe, x * slope + x**2 * observed)
    observed, safe = (information + np.einsum("mnp,mn,mnq->mpq", design, weight, design) for weight in weights)
    chi2 = (residual**2).sum(axis=1)
    return 0.5 * chi2 + cost.sum(axis=1), chi2 + square.sum(axis=1), gradient, safe, observed


def _linear_cost(x: np.ndarray, t: np.ndarray, bound: np.ndarray) -> tuple:
    """
    Minus the log likelihood of X = x for an estimate t, both in units of its error, which of them are bounds; z^2;
    first derivative by x, a second one that is never negative, the second one.

    The variance belongs to what was seen. Where X is larger than that, more would have been seen, with a larger error:
    as for a count of rare events it grows with X, here as (m + x) / 2m with m = max(t, 1).
    """
    from scipy.special import log_ndtr

    m = np.maximum(t, 1.0)
    variance, growth = (m + x) / (2 * m), 1 / (m + x)  # growth: its logarithmic derivative
    z = (t - x) / np.sqrt(variance)
    dz = -1 / np.sqrt(variance) - 0.5 * z * growth
    ddz = 0.5 * growth * (1 / np.sqrt(variance) - dz + z * growth)
    log_p = log_ndtr(z)
    hazard = np.exp(-0.5 * z**2 - 0.5 * np.log(2 * np.pi) - log_p)
    cost = np.where(bound, -log_p, 0.5 * np.log(variance) + 0.5 * z**2)
    slope = np.where(bound, -hazard * dz, 0.5 * growth + z * dz)
    safe = np.where(bound, hazard * (z + hazard), 1.0) * dz**2
    observed = np.where(bound, safe - hazard * ddz, safe - 0.5 * growth**2 + z * ddz)
    return cost, np.where(bound, 0.0, z**2), slope, safe, observed


def _maximise(white: np.ndarray, target: np.ndarray, rest: tuple, start: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Parameters of maximum likelihood and which models got there; from a start where all is finite."""
    parameters, left = start, np.full(len(start), np.inf)
    for _ in range(MAX_ITERATIONS):
        cost, _, gradient, information, _ = _cost(parameters, white, target, rest)
        if not np.isfinite(cost).all():
            break
        step = -(np.linalg.pinv(information, hermitian=True) @ gradient[..., None])[..., 0]
        left = -(gradient * step).sum(axis=1)
        moving = left > CONVERGED
        if not moving.any():
            break
        size = np.where(moving, 1.0, 0.0)
        for _ in range(40):
            trial = parameters + size[:, None] * step
            with np.errstate(invalid="ignore"):
                worse = moving & ~(_cost(trial, white, target, rest)[0] <= cost - 1e-4 * size * left)
            if not worse.any():
                break
            size[worse] /= 2
        parameters = np.where((moving & ~worse)[:, None], trial, parameters)
        if worse[moving].all():
            break
    return parameters, left <= CONVERGED
