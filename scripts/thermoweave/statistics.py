"""Means with honest errors: correlated series, blocks, jackknife, replicas that may disagree."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class Combined(NamedTuple):
    """Mean over replicas. `variance` is that of the mean; `birge_ratio` is NaN for a single replica."""

    mean: float
    variance: float
    birge_ratio: float
    n_replicas: int


def statistical_inefficiency(series: np.ndarray) -> float:
    """
    Number of consecutive samples that are worth one independent sample, g = 1 + 2 tau >= 1.

    The sum over the normalised autocorrelation stops where it first falls to zero or below, as in Chodera et al.,
    J. Chem. Theory Comput. 2007, 3, 26 (and `pymbar.timeseries`, fast=False).

    series: (n,). A constant series gives n: it holds one piece of information.
    """
    series = np.asarray(series, dtype=float)
    n = len(series)
    deviation = series - series.mean()
    if not deviation.any():
        return float(n)
    spectrum = np.abs(np.fft.rfft(deviation, 2 * n)) ** 2
    correlation = np.fft.irfft(spectrum)[:n] / (deviation @ deviation)  # already weighted by (1 - t / n)
    negative = np.flatnonzero(correlation <= 0)
    stop = negative[0] if len(negative) else n
    return float(max(1.0, 1.0 + 2.0 * correlation[1:stop].sum()))


def correlated_mean(series: np.ndarray) -> tuple[float, float]:
    """Mean of a stationary correlated series (n,) and its standard error, sqrt(g s^2 / n)."""
    series = np.asarray(series, dtype=float)
    g = statistical_inefficiency(series)
    return float(series.mean()), float(np.sqrt(g * series.var(ddof=1) / len(series)))


def mean_of_series(replicas: list[np.ndarray]) -> tuple[float, float]:
    """Mean over replicas of a correlated series and its standard error; NaN without any."""
    if not replicas:
        return float("nan"), float("nan")
    means, errors = zip(*map(correlated_mean, replicas), strict=True)
    return float(np.mean(means)), float(np.linalg.norm(errors) / len(errors))


def block_means(samples: np.ndarray, n_blocks: int) -> np.ndarray:
    """
    Means of `n_blocks` consecutive blocks along the first axis: (n_blocks, ...). A remainder at the front is left out.

    Raises ValueError where there are fewer samples than blocks.
    """
    samples = np.asarray(samples)
    length = len(samples) // n_blocks
    if length == 0:
        raise ValueError(f"{len(samples)} samples cannot fill {n_blocks} blocks")
    tail = samples[len(samples) - n_blocks * length :]
    return tail.reshape(n_blocks, length, *samples.shape[1:]).mean(axis=1)


def mean_of_blocks(blocks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean over independent blocks (first axis) and its standard error; the error of a single block is NaN."""
    blocks = np.asarray(blocks, dtype=float)
    if len(blocks) < 2:
        return blocks.mean(axis=0), np.full(blocks.shape[1:], np.nan)
    return blocks.mean(axis=0), blocks.std(axis=0, ddof=1) / np.sqrt(len(blocks))


def jackknife(blocks: np.ndarray, estimator: Callable[[np.ndarray], np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """
    An estimator of the mean over blocks (first axis) and its standard error by leaving out one block at a time.

    For what is not linear in the data, such as the place of a minimum (Efron and Stein, Ann. Stat. 1981, 9, 586).
    """
    blocks = np.asarray(blocks, dtype=float)
    n = len(blocks)
    estimate = np.asarray(estimator(blocks.mean(axis=0)), dtype=float)
    if n < 2:
        return estimate, np.full(estimate.shape, np.nan)
    total = blocks.sum(axis=0)
    left_out = np.array([estimator((total - block) / (n - 1)) for block in blocks], dtype=float)
    return estimate, np.sqrt((n - 1) * left_out.var(axis=0))


def combine_replicas(values: np.ndarray, variances: np.ndarray) -> Combined:
    """
    Mean of independent replicas of equal length, with a variance that grows where they disagree.

    The mean is unweighted: the variance of a diffusion coefficient goes with its square, so weights from it would
    favour the replicas that happen to be slow. Its variance is that of the replicas, sum(v) / n^2, times the square
    of the Birge ratio R^2 = chi^2 / (n - 1) where R > 1 (Birge, Phys. Rev. 1932, 40, 207; the scale factor of the
    Particle Data Group). R is never used to shrink a bar, so bars of replicas that agree are slightly too wide.

    values, variances: (n,). Raises ValueError where there is none.
    """
    values, variances = np.asarray(values, dtype=float), np.asarray(variances, dtype=float)
    n = len(values)
    if n == 0:
        raise ValueError("no replica to combine")
    mean = values.mean()
    within = variances.sum() / n**2
    if n == 1:
        return Combined(float(mean), float(within), float("nan"), 1)
    chi2 = np.sum((values - mean) ** 2) / variances.mean()
    ratio = np.sqrt(chi2 / (n - 1))
    return Combined(float(mean), float(within * max(1.0, ratio) ** 2), float(ratio), n)
