"""
Errors of curves: a scatter that is pooled over neighbouring points, and replicas that may disagree.

The scatter of a few segments or replicas at one point of a curve is itself a poor estimate. What it is relative to its
expectation changes slowly along the curve, so that neighbours share it until enough degrees of freedom stand behind it.
"""

import numpy as np

POOLED = 40  # degrees of freedom behind a scatter: known to 1 / sqrt(2 * 40) = 11 %


def pooled(ratio: np.ndarray, dof: float) -> np.ndarray:
    """
    Running mean of ratios of variances along the last axis, NaN left out, over neighbours until there are `POOLED`.

    dof: degrees of freedom of a single point. Windows are cut off at the ends of the axis.
    """
    from scipy.ndimage import uniform_filter1d

    width = 2 * int(np.ceil((POOLED / dof - 1) / 2)) + 1
    if width <= 1 or not ratio.size:
        return ratio
    there = np.isfinite(ratio)
    shared = uniform_filter1d(np.where(there, ratio, 0.0), width, axis=-1, mode="constant")
    weight = uniform_filter1d(there.astype(float), width, axis=-1, mode="constant")
    return np.where(there, shared / np.maximum(weight, 1e-9), np.nan)


def combined(means: np.ndarray, variances: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """
    Mean over independent replicas, its standard error, and the squared Birge ratio of the replicas, pooled.

    means, variances: (replica, ..., point), the variance of each mean. Where the replicas scatter by more than their
    errors say, the variance grows by that ratio (Birge, Phys. Rev. 1932, 40, 207); it never shrinks. The ratio of a
    single replica is NaN.
    """
    n = len(means)
    within = variances.mean(axis=0)
    if n == 1:
        return means[0], np.sqrt(within), np.full(within.shape, np.nan)
    between = means.var(axis=0, ddof=1)
    ratio = np.divide(between, within, out=np.full(within.shape, np.nan), where=within > 0)
    ratio = pooled(ratio, n - 1)
    return means.mean(axis=0), np.sqrt(within / n * np.fmax(1.0, ratio)), ratio
