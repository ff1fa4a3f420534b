"""A positive transport coefficient of one condition: value, error on the scale of its logarithm, replicas."""

from typing import NamedTuple

import numpy as np

from thermoweave import statistics


class Coefficient(NamedTuple):
    """
    A value in SI units with the standard error of its logarithm, that of each replica (n_replicas,), how much these
    disagree (1: as expected), and why it is not to be used, or "".
    """

    value: float
    ln_std: float
    replicas: np.ndarray
    birge_ratio: float
    reason: str


def combined(value: float, ln_std: float, replicas: np.ndarray, reason: str) -> Coefficient:
    """The bar grows where replicas disagree more than it says (`statistics.combine_replicas`)."""
    n = len(replicas)
    found = statistics.combine_replicas(replicas / value, np.full(n, n * ln_std**2))
    return Coefficient(value, float(np.sqrt(found.variance)), replicas, found.birge_ratio, reason)


def gap(reason: str, n_replicas: int) -> Coefficient:
    """No number, and why."""
    nan = float("nan")
    return Coefficient(nan, nan, np.full(n_replicas, nan), nan, reason)


def refused(found: Coefficient, reason: str) -> Coefficient:
    """A coefficient that is not to be used for a reason from outside, which comes first."""
    return found._replace(reason="; ".join(filter(None, (reason, found.reason))))
