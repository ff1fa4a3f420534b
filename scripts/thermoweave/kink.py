"""
A break in an Arrhenius line between two temperatures, as at a phase transition: two lines against one.

The largest gain of chi squared over all places of the break is compared with that of noise of the same covariance about
one line, searched in the same way (Andrews, Econometrica 1993, 61, 821; the gain has no free parameter under the null,
so random numbers give its distribution as exactly as one likes).
"""

from typing import NamedTuple

import numpy as np
from ase.units import kB

from thermoweave.censored import Points

MIN_TEMPERATURES = 5
MIN_SIDE = 2  # temperatures of a line
MIN_P_VALUE = 0.01
N_DRAWS = 9999
SEED = 19930408


class Kink(NamedTuple):
    """p of the best break, the temperatures (K) around it, and the gain of chi squared; NaN where there is no test."""

    p_value: float
    below: float
    above: float
    gain: float


def search(points: Points) -> Kink:
    """Search the logarithms for a break; NaN with fewer than five temperatures."""
    points = points.select(points.logarithms)
    T = points.temperature
    levels = np.unique(T)
    if len(levels) < MIN_TEMPERATURES:
        return Kink(*[float("nan")] * 4)
    root = np.linalg.cholesky(points.covariance)
    beta = 1 / (kB * T)
    line = np.column_stack([np.ones_like(beta), beta - beta.mean()])
    breaks = list(zip(levels[MIN_SIDE - 1 : -MIN_SIDE], levels[MIN_SIDE:], strict=False))
    extra = np.array([_extra(line, below < T, root) for below, _ in breaks])  # break, 2, n
    gains = ((extra @ np.linalg.solve(root, points.lnX)) ** 2).sum(axis=1)
    noise = np.random.default_rng(SEED).standard_normal((len(T), N_DRAWS))
    searched = ((extra @ noise) ** 2).sum(axis=1).max(axis=0)
    best = int(np.argmax(gains))
    p_value = (1 + np.sum(searched >= gains[best])) / (1 + N_DRAWS)
    return Kink(float(p_value), float(breaks[best][0]), float(breaks[best][1]), float(gains[best]))


def _extra(line: np.ndarray, hot: np.ndarray, root: np.ndarray) -> np.ndarray:
    """(2, n), orthonormal: what a second line on the hot side adds to one line, for whitened data."""
    q, _ = np.linalg.qr(np.linalg.solve(root, np.hstack([line, line * hot[:, None]])))
    return q[:, 2:].T


def note(found: Kink) -> str:
    """In words, where there is a break; otherwise nothing."""
    if not found.p_value < MIN_P_VALUE:
        return ""
    return (
        f"two lines with a break between {found.below:g} and {found.above:g} K describe the points better than one "
        f"(p = {found.p_value:.2g} with the search for the break): look for a phase transition"
    )
