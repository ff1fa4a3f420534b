"""The smallest error that an estimator of a line or a mean could have, from the truth that no estimator knows."""

from collections.abc import Callable

import numpy as np

UNBIASED = 0.05


def msd_covariance(
    msd: Callable[[np.ndarray], np.ndarray], lags: np.ndarray, n_frames: int, fourth: float = 0.0
) -> np.ndarray:
    """
    Exact covariance (n_lags, n_lags) of the squared displacements, averaged over all time origins, of one particle in
    one dimension that moves as a process with stationary increments: Gaussian, plus hops.

    msd: mean squared displacement in one dimension at lags in frames. Two displacements have the covariance
    (m(s + a) + m(s - b) - m(s + a - b) - m(s)) / 2 for lags a, b and starts s apart; squares of Gaussian variables have
    twice its square. fourth: fourth cumulant that the hops of a frame add, A^4; it counts where windows overlap.
    """
    at = msd(np.arange(n_frames))
    found = np.empty((len(lags), len(lags)))
    for i, a in enumerate(lags):
        for j, b in enumerate(lags[i:], start=i):
            shift = np.arange(-(n_frames - b) + 1, n_frames - a)
            g = (at[abs(shift + a)] + at[abs(shift - b)] - at[abs(shift + a - b)] - at[abs(shift)]) / 2
            pairs = np.minimum(n_frames - a, n_frames - b + shift) - np.maximum(0, shift)
            overlap = np.clip(np.minimum(shift + a, b) - np.maximum(shift, 0), 0, None)
            found[i, j] = found[j, i] = pairs @ (2 * g**2 + fourth * overlap) / ((n_frames - a) * (n_frames - b))
    return found


def slope_std(
    msd: Callable[[np.ndarray], np.ndarray], lags: np.ndarray, n_frames: int, n_particles: int, fourth: float = 0.0
) -> float:
    """
    Relative standard error of D from the best line 6 D t + c through the MSD of independent particles in three
    dimensions, generalised least squares with the exact covariance.

    lags in frames. The line begins where someone who knows the MSD would let it begin: at the first lag from which on
    its slope is wrong by less than a twentieth of its standard error (half the bias that is allowed).
    """
    covariance = msd_covariance(msd, lags, n_frames, fourth) / (3 * n_particles)
    slope = (msd(np.array([10**6 + 1])) - msd(np.array([10**6])))[0]
    for start in range(len(lags) - 2):
        used = lags[start:]
        design = np.column_stack([used, np.ones(len(used))])
        weighted = np.linalg.solve(covariance[start:, start:], design)
        inverse = np.linalg.inv(design.T @ weighted)
        std = np.sqrt(inverse[0, 0])
        if abs((inverse @ weighted.T @ msd(used))[0] - slope) < UNBIASED * std:
            return float(std / slope)
    raise ValueError(f"no line through the MSD up to {lags[-1]} frames is straight enough")


def line_std(x: np.ndarray, std: np.ndarray) -> float:
    """Standard error of the slope of the best line through points at x with known independent errors."""
    w = 1 / std**2
    return float(np.sqrt(w.sum() / (w.sum() * (w @ x**2) - (w @ x) ** 2)))
