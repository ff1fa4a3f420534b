"""
Straight lines through mean squared displacements, with the full covariance between lags, and where they begin.

The line is fitted at log-spaced lags by generalised least squares (GLS). The covariance is the exact one of overlapping
time windows of Brownian particles, plus white noise of the positions for the rattling in a cage (Bullerjahn, von Bulow,
Hummer, J. Chem. Phys. 2020, 153, 024116; the idea of the full covariance also in McCluskey et al., J. Chem. Theory
Comput. 2025, 21, 79).
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

MIN_LAGS = 5  # a line with fewer points tells nothing about its own quality
MIN_P_VALUE = 0.05  # of the straight line: below, the MSD is curved
MAX_DIFFERENCE = 1.645  # between the slope and that from twice the onset on, in standard errors
MAX_EXPONENT = 1.2  # of the MSD where the fit begins: above, the particles are still flying


class Line(NamedTuple):
    """A fitted MSD, slope * t + intercept, in A^2 and ps; `weights` @ msd is the slope."""

    slope: float
    intercept: float
    slope_std: float
    chi2: float
    dof: int
    p_value: float
    weights: np.ndarray


def covariance_shapes(lags: np.ndarray, n_frames: int) -> np.ndarray:
    """`shapes_of`, computed once for lags and frames that several fits share."""
    return shapes_of(tuple(lags.tolist()), n_frames)


@lru_cache(maxsize=4)
def shapes_of(lags: tuple[int, ...], n_frames: int) -> np.ndarray:
    """
    (3, n_lags, n_lags): the parts of the covariance between time-averaged squared displacements, one dimension.

    For positions x = Brownian motion with step variance s per frame + white noise of variance e, two displacements have
    the covariance g = s o + e k, with o the overlap of their windows in frames and k the coincidences of their ends.
    For Gaussian variables that of their squares is 2 g^2; averaged over all pairs of windows it is
    2 (s^2 shapes[0] + s e shapes[1] + e^2 shapes[2]).
    """
    shapes = np.empty((3, len(lags), len(lags)))
    for i, short in enumerate(lags):
        for j, long in enumerate(lags[i:], start=i):
            windows, windows_long = n_frames - short, n_frames - long
            shift = np.arange(-short, long + 1)  # start of the short window minus start of the long one
            pairs = np.minimum(windows, windows_long + shift) - np.maximum(0, shift)
            weight = np.clip(pairs, 0, None) / (windows * windows_long)
            overlap = np.minimum(shift + short, long) - np.maximum(shift, 0)
            overlap = np.clip(overlap, 0, None).astype(float)
            ends = (shift == 0) * 1.0 + (shift + short == long) - (shift + short == 0) - (shift == long)
            parts = (weight @ overlap**2, weight @ (2 * overlap * ends), weight @ ends**2)
            shapes[:, i, j] = shapes[:, j, i] = parts
    return shapes


def fit_line(time: np.ndarray, msd: np.ndarray, step: float, shapes: np.ndarray, n_particles: float) -> Line:
    """
    GLS fit of slope * t + intercept to the MSD of `n_particles` in three dimensions.

    time, msd: (n_lags,), ps and A^2; step: ps between frames; shapes: from `covariance_shapes` for the same lags. The
    covariance follows from the fitted line and is iterated to self-consistency; it does not follow the noise of the
    single lags, which would bias D downwards.
    """
    from scipy.stats import chi2 as chi2_distribution

    design = np.column_stack([time, np.ones_like(time)])
    slope, noise = msd[-1] / time[-1], 0.0
    floor = 1e-6 * slope  # a covariance needs a positive slope
    for _ in range(50):
        s, e = slope * step / 3, noise / 6
        covariance = 6 / n_particles * (s**2 * shapes[0] + s * e * shapes[1] + e**2 * shapes[2])
        scale = np.sqrt(np.diag(covariance))
        root = np.linalg.cholesky(covariance / np.outer(scale, scale))
        white = np.linalg.solve(root, design / scale[:, None])
        estimator = np.linalg.pinv(white)
        solution = estimator @ np.linalg.solve(root, msd / scale)
        previous, slope, noise = slope, max(solution[0], floor), max(solution[1], 0.0)
        if abs(slope - previous) < 1e-6 * previous:
            break
    residual = np.linalg.solve(root, (msd - design @ solution) / scale)
    weights = estimator[0] @ np.linalg.inv(root) / scale
    slope_std = np.linalg.norm(estimator[0])
    chi2, dof = float(residual @ residual), len(time) - 2
    return Line(*solution, slope_std, chi2, dof, float(chi2_distribution.sf(chi2, dof)), weights)


def find_onset(lags: np.ndarray, msd: np.ndarray, step: float, n_frames: int, n_particles: np.ndarray, floor: float):
    """
    (index, line, reason): where the MSD becomes a straight line, and the line from there on.

    The onset is the first lag, not below `floor` ps, from which the GLS line describes the MSD within its errors
    (p >= 0.05), a fit from twice that lag on has the same slope, and the local exponent d ln MSD / d ln t there is
    below 1.2 (not ballistic). Where no lag will do, the last candidate comes back with the reason; where there is no
    candidate, (None, None, reason).

    lags (frames), msd and n_particles: (n_lags,), the latter from `independent_particles`. An exponent of exactly 1 is
    not asked for: 6 D t + c with a large c is diffusion, too, as in a crystal.
    """
    last = len(lags) - MIN_LAGS
    candidates = np.flatnonzero((lags * step >= floor - 1e-9) & (np.arange(len(lags)) <= last))
    if not len(candidates):
        return None, None, f"half the run ({lags[-1] * step:g} ps) has fewer than {MIN_LAGS} lags beyond {floor:g} ps"
    shapes = covariance_shapes(lags, n_frames)

    def fit_from(first: int, particles: float) -> Line:
        return fit_line(lags[first:] * step, msd[first:], step, shapes[:, first:, first:], particles)

    for start in candidates:
        line, time = fit_from(start, n_particles[start]), lags[start] * step
        ballistic = line.slope * time > MAX_EXPONENT * (line.slope * time + line.intercept)
        later = int(np.searchsorted(lags, 2 * lags[start]))
        steady = len(lags) - later < MIN_LAGS or same_slope(line, fit_from(later, n_particles[start]))
        if line.p_value >= MIN_P_VALUE and steady and not ballistic:
            return start, line, ""
    fault = "still ballistic" if ballistic else "not a straight line"
    return start, line, f"diffusive regime not reached: MSD {fault} at {time:.3g} ps"


def same_slope(line: Line, tail: Line) -> bool:
    """
    Whether the slope of a line agrees with that of a fit to the later part of the same data.

    The line is the efficient estimate, so the variance of the difference is that of the variances (Hausman,
    Econometrica 1978, 46, 1251). A curve that chi squared cannot tell from a line yet shows up here first.
    """
    spread = np.sqrt(max(0.0, tail.slope_std**2 - line.slope_std**2))
    return abs(tail.slope - line.slope) <= MAX_DIFFERENCE * spread
