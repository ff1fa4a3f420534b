"""Errors of a potential on labelled frames of its own runs, and how they compare with those on held-out labels.

Frames are the independent samples (the atoms of a frame are not), and there is a handful of them: intervals hold 68 %
and are wider by what so few frames leave open, as in `convergence`; one frame alone has none. A frame is what
`reduce_spot_errors` writes of it; `held_out` is the error of each potential ("seed1") at the frame's concentration.
"""

import math
from typing import NamedTuple

import numpy as np

from thermoweave.convergence import SHARE, Interval, mean, residual_rms, root_ratio
from thermoweave.statistics import jackknife

SIGNIFICANCE = 0.05  # how often chance alone says "worse"


class Ratio(NamedTuple):
    """Force RMSE of the frames over the held-out one (meV/A, of the potentials and concentrations of these frames).

    p_worse: chance of such a ratio or a higher one where both are the same. No ends and no p (NaN) of a single frame.
    n_held_out: labels behind the held-out error; below five at a concentration its own bar is that of single atoms
    (`prediction.mean_with_error`) and too small, and so are these.
    """

    value: float
    low: float
    high: float
    p_worse: float
    held_out: float
    n_held_out: int


def force_rmse(frames: list[dict], species: str = "all") -> Interval | None:
    """Force RMSE (meV/A) over the frames that hold a species; None where none does."""
    holding = [frame for frame in frames if species in frame["n_atoms"]]
    if not holding:
        return None
    sizes = np.array([frame["n_atoms"][species] for frame in holding], float)
    return _root_mean_square(sizes * np.square([frame["force_rmse"][species] for frame in holding]), sizes)


def energy_errors(conditions: list[dict]) -> dict[str, Interval | None]:
    """`rmse` of the energies (meV an atom) as they are; `offset`, their mean error, of a single condition; `spread`,
    what is left when each condition has lost its own.

    At a fixed density the cells of a condition are of one size: what a finite cutoff makes of that is the same in all
    of them, moves no ion and is in the offset only (Francis and Payne, J. Phys.: Condens. Matter 1990, 2, 4395).
    """
    groups = [np.array([frame["energy_error"] for frame in c["frames"]]) for c in conditions if c["frames"]]
    if not groups:
        return {"rmse": None, "offset": None, "spread": None}
    energies = np.concatenate(groups)
    residuals = np.concatenate([group - group.mean() for group in groups])
    return {
        "rmse": _root_mean_square(energies**2, np.ones(len(energies))),
        "offset": mean(energies) if len(groups) == 1 else None,
        "spread": residual_rms(residuals, len(energies) - len(groups)),
    }


def ratio(conditions: list[dict]) -> Ratio | None:
    """How much worse than on held-out labels the forces are; None without a frame that has something to compare with.

    Each frame counts relative to the held-out RMSE of its potential at its concentration. The standard error of the
    logarithm is the jackknife's over frames and that of the held-out errors (independent between concentrations; the
    same labels, so fully correlated, between seeds) in quadrature, with Student's t on the degrees of freedom of
    Welch and Satterthwaite (Welch, Biometrika 1947, 34, 28).
    """
    from scipy.stats import t

    pairs = [
        (frame, condition["held_out"][frame["potential"]], condition["concentration"])
        for condition in conditions
        for frame in condition["frames"]
        if condition["held_out"][frame["potential"]]
    ]
    if not pairs:
        return None
    sizes = np.array([frame["n_atoms"]["all"] for frame, *_ in pairs], float)
    reference = np.array([held["force_rmse"] for _, held, _ in pairs])
    squares = sizes * (np.array([frame["force_rmse"]["all"] for frame, *_ in pairs]) / reference) ** 2
    value, held_out = (float(np.sqrt(sums / sizes.sum())) for sums in (squares.sum(), sizes @ reference**2))
    labels = {x: held["n_frames"] for _, held, x in pairs}
    known = held_out, sum(labels.values())
    if len(pairs) == 1 or squares.min() == 0:
        return Ratio(value, math.nan, math.nan, math.nan, *known)
    log, std = jackknife(np.array([squares, sizes]).T, lambda sums: np.log(sums[0] / sums[1]) / 2)
    parts = [(std**2, len(pairs) - 1)]
    for x, n_labels in labels.items():
        error = sum(held["std"] / held["force_rmse"] for _, held, of in pairs if of == x) / len(pairs)
        parts.append((error**2, max(1, n_labels - 1)))
    variance = sum(part for part, _ in parts)
    freedom = variance**2 / sum(part**2 / n for part, n in parts)
    half = t.ppf((1 + SHARE) / 2, freedom) * math.sqrt(variance)
    p_worse = float(t.sf(log / math.sqrt(variance), freedom))
    return Ratio(value, value * math.exp(-half), value * math.exp(half), p_worse, *known)


def verdict(found: Ratio | None) -> str:
    """What the ratio says, in words."""
    if found is None:
        return "no held-out label to compare with"
    if math.isnan(found.p_worse):
        return "too few frames for an error bar"
    if found.p_worse < SIGNIFICANCE:
        return "worse than on held-out labels"
    return "no worse than on held-out labels, within the bars"


def _root_mean_square(squares: np.ndarray, sizes: np.ndarray) -> Interval:
    """Of sums of squares and counts of each frame."""
    if len(squares) == 1:
        return Interval(math.sqrt(squares[0] / sizes[0]), math.nan, math.nan)
    return root_ratio(squares, sizes)
