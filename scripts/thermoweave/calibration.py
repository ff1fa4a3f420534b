"""How wrong a committee is where it disagrees by so much: its deviation turned into an expected force error.

Pairs of deviation d and true error e (both meV/A, root mean square over a frame's force components) of labels that the
committee had not seen are described by

    ln(e / d) = a + b (ln d - centre) + u_condition + v_group + noise,

with u ~ N(0, tau^2) over the conditions and v ~ N(0, omega^2) over the groups (which committee, which kind of labels).
So a condition with few labels borrows from all, one without any is as uncertain as conditions differ, and a committee
that no fresh label has tested as uncertain as committees differ (partial pooling: A. Gelman and J. Hill, Data Analysis
Using Regression and Multilevel/Hierarchical Models, Cambridge 2007, ch. 12). Given tau/sigma and omega/sigma the model
is conjugate (normal and inverse gamma), and these two are summed over a grid: no sampling, the same numbers each time.
"""

import itertools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

CONFIDENCE = 0.90  # of two-sided intervals; their upper ends are 95 % bounds
TAILS, ONE_SIDED = (0.05, 0.95), 1.645
# Priors, in natural logarithms: an error is the deviation times 1.3, give or take a factor of 20, and slopes beyond one
# half are unlikely; with some ten pairs they no longer matter.
RATIO, RATIO_STD, SLOPE_STD = 0.3, 3.0, 0.5
NOISE, NOISE_WEIGHT = 0.3, 3.0  # typical noise, and how many pairs this guess is worth
SCALES = np.geomspace(0.05, 4.0, 10)  # tau/sigma and omega/sigma
NEGLIGIBLE = 1e-6  # weight of a pair of scales, of the largest
SCALE_STD = 1.0  # of their half-normal prior


class Pair(NamedTuple):
    """Of one label: deviation and error in meV/A, the condition and the group that it belongs to."""

    deviation: float
    error: float
    condition: str
    group: str


class Line(NamedTuple):
    """ln(e / d) = intercept + slope (ln d - centre), with the covariance of the two (2, 2)."""

    intercept: float
    slope: float
    covariance: list[list[float]]


class Calibration(NamedTuple):
    """A line a condition, `elsewhere` for conditions without labels; `noise`: standard deviation of ln e about it."""

    centre: float
    noise: float
    n_pairs: int
    elsewhere: Line
    conditions: dict[str, Line]

    def line(self, condition: str) -> Line:
        return self.conditions.get(condition, self.elsewhere)


def fit(pairs: Sequence[Pair], group: str) -> Calibration:
    """The calibration of the committee and labels `group`, which may be one that no pair has.

    Raises ValueError where a deviation or an error is not a positive number.
    """
    for pair in pairs:
        if not (0 < pair.deviation < np.inf and 0 < pair.error < np.inf):
            advice = "members that never differ are one potential: take a backend whose train.seeds matter"
            raise ValueError(
                f"{pair.condition}, {pair.group}: deviation {pair.deviation} and error {pair.error} meV/A cannot be "
                f"calibrated: both must be positive numbers; {'train again' if pair.deviation else advice}"
            )
    log_d = np.log([pair.deviation for pair in pairs])
    centre = float(log_d.mean()) if len(pairs) else float(np.log(100))
    y = np.log([pair.error for pair in pairs]) - log_d - RATIO
    conditions, groups = (sorted({getattr(pair, name) for pair in pairs}) for name in ("condition", "group"))
    X = np.zeros((len(pairs), 2 + len(conditions) + len(groups)))
    X[:, 0], X[:, 1] = 1, log_d - centre
    for row, pair in zip(X, pairs, strict=True):
        row[2 + conditions.index(pair.condition)] = 1
        row[2 + len(conditions) + groups.index(pair.group)] = 1
    where = {name: 2 + k for k, name in enumerate(conditions)}
    own = 2 + len(conditions) + groups.index(group) if group in groups else None
    found = [posterior(X, y, len(conditions), tau, omega) for tau, omega in itertools.product(SCALES, SCALES)]
    weights = np.exp(np.array([one.log_evidence for one in found]) - max(one.log_evidence for one in found))
    kept = [k for k, weight in enumerate(weights) if weight > NEGLIGIBLE]
    found, weights = [found[k] for k in kept], weights[kept] / weights[kept].sum()
    noise = float(np.sqrt(sum(w * one.variance for w, one in zip(weights, found, strict=True))))
    lines = {name: line(found, weights, column, own) for name, column in where.items()}
    return Calibration(centre, noise, len(pairs), line(found, weights, None, own), lines)


class Posterior(NamedTuple):
    """Given tau/sigma and omega/sigma: mean and covariance of the coefficients, sigma^2, how well that explains y."""

    mean: np.ndarray
    covariance: np.ndarray
    variance: float
    tau: float
    omega: float
    log_evidence: float


def posterior(X: np.ndarray, y: np.ndarray, n_conditions: int, tau: float, omega: float) -> Posterior:
    """Conjugate posterior of y = X beta + noise with beta ~ N(0, sigma^2 D) and sigma^2 ~ inverse gamma."""
    n_groups = X.shape[1] - 2 - n_conditions
    fixed = np.array([RATIO_STD, SLOPE_STD]) / NOISE
    D = np.concatenate([fixed, np.full(n_conditions, tau), np.full(n_groups, omega)]) ** 2
    precision = X.T @ X + np.diag(1 / D)
    inverse = np.linalg.inv(precision)
    mean = inverse @ (X.T @ y)
    weight = NOISE_WEIGHT + len(y)
    squares = NOISE_WEIGHT * NOISE**2 + y @ y - mean @ precision @ mean
    evidence = -0.5 * (np.linalg.slogdet(precision)[1] + np.log(D).sum()) - 0.5 * weight * np.log(squares)
    # half-normal prior of the two scales, on a grid that is even in their logarithms
    evidence += sum(np.log(scale) - 0.5 * (scale / SCALE_STD) ** 2 for scale in (tau, omega))
    variance = squares / (weight - 2)
    return Posterior(mean, variance * inverse, variance, tau, omega, evidence)


def line(found: Sequence[Posterior], weights: np.ndarray, condition: int | None, group: int | None) -> Line:
    """Intercept and slope, averaged over the posteriors; `condition`, `group`: their columns, None for a new one."""
    summed = [0] + [column for column in (condition, group) if column is not None]  # what the intercept is made of
    means, covariances = [], []
    for one in found:
        new = (condition is None) * one.tau**2 + (group is None) * one.omega**2
        means.append([one.mean[summed].sum(), one.mean[1]])
        intercept, both = one.covariance[np.ix_(summed, summed)].sum(), one.covariance[summed, 1].sum()
        covariances.append([[intercept + new * one.variance, both], [both, one.covariance[1, 1]]])
    mean = weights @ np.array(means)
    between = np.array(means) - mean
    covariance = np.einsum("k,kij->ij", weights, covariances) + np.einsum("k,ki,kj->ij", weights, between, between)
    return Line(float(mean[0]) + RATIO, float(mean[1]), covariance.tolist())


def expected(
    calibration: Calibration, condition: str, deviation: np.ndarray, wall: np.ndarray | float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Expected force error (root mean square, meV/A) of frames with these deviations (meV/A), and its 95 % bound.

    wall: root mean square force of the wall where the labels end (meV/A), which is wrong by as much as it is there: in
    quadrature.
    """
    d = np.asarray(deviation, dtype=float)
    one = calibration.line(condition)
    z = np.log(d) - calibration.centre
    (var_a, cov), (_, var_b) = one.covariance
    std = np.sqrt(np.maximum(var_a + 2 * cov * z + var_b * z**2, 0))
    error = d * np.exp(one.intercept + one.slope * z + calibration.noise**2)
    return np.hypot(error, wall), np.hypot(error * np.exp(ONE_SIDED * std), wall)


def interval(calibration: Calibration, condition: str, deviation: float) -> tuple[float, float]:
    """Where the networks' error on one label is found with `CONFIDENCE`: what fresh labels test (meV/A)."""
    error, high = (float(value) for value in expected(calibration, condition, np.array(deviation)))
    middle = error / np.exp(calibration.noise**2)
    half = ONE_SIDED * np.hypot(np.log(high / error) / ONE_SIDED, calibration.noise)
    return middle * float(np.exp(-half)), middle * float(np.exp(half))


def of_condition(
    calibration: Calibration, condition: str, deviations: Sequence[np.ndarray], walls: Sequence[np.ndarray],
    rng: np.random.Generator, n_draws: int = 1000,
) -> tuple[float, float, float]:  # fmt: skip
    """Expected force error over the frames of a condition, and the ends of its interval (meV/A).

    deviations, walls: those of each block of frames (meV/A, see `expected`); blocks are taken for independent, frames
    within one for alike: they lie on the same side of the calibration's line. The interval holds what the calibration
    leaves open, on which side each block lies, and that there are so many blocks (Bayesian bootstrap: D. B. Rubin, Ann.
    Stat. 9, 130 (1981); with a single block that cannot be known).
    """
    one, noise = calibration.line(condition), calibration.noise
    draws = rng.multivariate_normal([one.intercept, one.slope], one.covariance, n_draws, method="eigh")
    sides = noise * rng.standard_normal((n_draws, len(deviations)))
    shares = rng.dirichlet(np.ones(len(deviations)), n_draws) * [len(block) for block in deviations]

    def mean_square(a: np.ndarray, b: np.ndarray, block: np.ndarray, wall: np.ndarray) -> np.ndarray:
        """Of a block, a number a draw."""
        lines = a[:, None] + b[:, None] * (np.log(block) - calibration.centre)
        return np.mean(np.exp(2 * (np.log(block) + lines)) + wall**2, axis=1)

    blocks = list(zip(deviations, walls, strict=True))
    squares = np.stack(
        [mean_square(draws[:, 0] + side, draws[:, 1], *block) for side, block in zip(sides.T, blocks, strict=True)], 1
    )
    low, high = np.sqrt(np.quantile((squares * shares).sum(1) / shares.sum(1), TAILS))
    frames = np.concatenate(deviations), np.concatenate(walls)
    # the mean over both sides: of a log-normal error its square's is exp(2 noise^2) times that of the middle
    middle = mean_square(np.array([one.intercept + noise**2]), np.array([one.slope]), *frames)[0]
    return float(np.sqrt(middle)), float(low), float(high)


def as_json(calibration: Calibration) -> dict:
    """Plain values."""
    lines = {name: one._asdict() for name, one in calibration.conditions.items()}
    return {**calibration._asdict(), "elsewhere": calibration.elsewhere._asdict(), "conditions": lines}


def read(path: Path) -> Calibration:
    """That of a calibration.json, which `explore_calibrate` wrote."""
    return from_json(json.loads(Path(path).read_text()))


def from_json(values: dict) -> Calibration:
    """What `as_json` wrote."""
    lines = {name: Line(**one) for name, one in values["conditions"].items()}
    return Calibration(**{**values, "elsewhere": Line(**values["elsewhere"]), "conditions": lines})
