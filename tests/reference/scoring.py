"""How good estimates of a known truth are: bias, coverage, width over the ideal, and whether that will do."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

COVERAGE = (0.92, 0.98)  # of nominal 95 % intervals
BIAS = 0.1  # of the mean bar
WIDTH = 1.3  # mean bar over the standard error of the ideal estimator
BOUND_COVERAGE = 0.92  # at least, of nominal 95 % bounds


class Answer(NamedTuple):
    """
    What one trial gave for one quantity.

    estimate and bar (its standard error): NaN where no answer was given; value: the truth; ideal: standard error of the
    best estimator, NaN where it is not known; bound: the estimate is a one-sided 95 % bound, "upper" or "lower", of the
    truth and has no bar, or "none": no answer would be right; band: lower and upper end of the 68 % and of the 95 %
    interval, where they are not symmetric.
    """

    truth: str
    quantity: str
    method: str
    estimate: float
    bar: float
    value: float
    ideal: float = float("nan")
    seconds: float = float("nan")
    bound: str = ""
    band: tuple[float, ...] = ()


class Score(NamedTuple):
    """
    The answers of all trials for one quantity, by one method.

    n: trials; n_given: those with an answer; bias: mean error over the mean bar, with its standard error; within_68,
    within_95: share of the intervals (of the bounds; of the trials without an answer, where none is right) that hold
    the truth, of those given; scatter, width: the estimates' and the mean bar over the ideal; seconds: median of a
    trial.
    """

    truth: str
    quantity: str
    method: str
    n: int
    n_given: int
    bias: float
    bias_std: float
    within_68: float
    within_95: float
    scatter: float
    width: float
    seconds: float
    bound: str

    def error(self, share: float) -> float:
        """Binomial standard error of a share of the answers given (Agresti and Coull, Am. Stat. 1998, 52, 119)."""
        share = (share * self.n_given + 2) / (self.n_given + 4)
        return float(np.sqrt(share * (1 - share) / (self.n_given + 4)))

    def misses(self, tolerance: float = 0.0) -> list[str]:
        """The goals that were missed by more than `tolerance` standard errors of the figure."""
        if not self.n_given:
            return ["no answer"]
        slack = tolerance * self.error(0.95)
        if self.bound:
            return ["coverage"] if self.within_95 < BOUND_COVERAGE - slack else []
        found = []
        if not COVERAGE[0] - slack <= self.within_95 <= COVERAGE[1] + slack:
            found.append("coverage")
        if abs(self.bias) > BIAS + tolerance * self.bias_std:
            found.append("bias")
        if self.width > WIDTH * (1 + tolerance * self.bias_std / 2):
            found.append("width")
        return found

    @property
    def verdict(self) -> str:
        """Whether the goals are met, are missed by no more than two standard errors, or are missed."""
        if not self.misses():
            return "met"
        clear = self.misses(tolerance=2.0)
        return f"**missed: {', '.join(clear)}**" if clear else f"met within its error ({', '.join(self.misses())})"


def scores(answers: Iterable[Answer]) -> list[Score]:
    """One score for each truth, quantity and method, in the order of their first answers."""
    groups: dict[tuple[str, str, str], list[Answer]] = {}
    for answer in answers:
        groups.setdefault((answer.truth, answer.quantity, answer.method), []).append(answer)
    return [score(group) for group in groups.values()]


def symmetric(answer: Answer) -> tuple[float, ...]:
    """The band of a Gaussian error."""
    return tuple(answer.estimate + factor * answer.bar for factor in (-1.0, 1.0, -1.96, 1.96))


def score(group: list[Answer]) -> Score:
    """The score of answers to one question."""
    estimate, bar, value, ideal, seconds = np.array([answer[3:8] for answer in group], dtype=float).T
    truth, quantity, method, bound = *group[0][:3], group[0].bound
    given = ~np.isnan(estimate) & (~np.isnan(bar) | bool(bound))
    error, bar, n = (estimate - value)[given], bar[given], int(given.sum())
    nan, clock = float("nan"), float(np.median(seconds))
    if bound == "none":
        nothing = 1 - n / len(group)
        return Score(
            truth, quantity, method, len(group), len(group), *[nan] * 3, nothing, nan, nan, np.median(seconds), bound
        )
    if not n:
        return Score(truth, quantity, method, len(group), 0, *[nan] * 6, clock, bound)
    if bound:
        inside = error >= 0 if bound == "upper" else error <= 0
        return Score(
            truth, quantity, method, len(group), n, *[nan] * 3, inside.mean(), nan, nan, np.median(seconds), bound
        )
    finite = np.isfinite(error) & np.isfinite(bar)  # a band that reaches minus infinity is an answer, but has no width
    error, scale, best = error[finite], bar[finite].mean(), ideal[given].mean()
    spread = error.std(ddof=1) if finite.sum() > 1 else nan
    ends = np.array([answer.band or symmetric(answer) for answer in group])[given]
    within = [float(np.mean((low <= value[given]) & (value[given] <= high))) for low, high in (ends.T[:2], ends.T[2:])]
    return Score(
        truth, quantity, method, len(group), n, error.mean() / scale, spread / scale / np.sqrt(n), *within,
        spread / best, scale / best, clock, "",
    )  # fmt: skip
