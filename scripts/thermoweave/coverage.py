"""Which conditions the labels cover: the expected force error over a walk against the target, and when to stop.

A condition is covered where the 95 % bound of its expected error, the wall's forces among it, is at most the target
and its walk came to its end. Nothing is said of conditions that no walk was at.
"""

from collections.abc import Sequence
from math import erf, sqrt

import numpy as np
from ase import Atoms

from thermoweave import calibration as calibrations
from thermoweave import statistics
from thermoweave.calibration import Calibration
from thermoweave.seeds import generator_for

COLUMNS = (
    "round", "concentration", "temperature", "margin", "n_labels", "frames", "expected_error_meV_A", "low_meV_A",
    "high_meV_A", "share_above_target", "verdict", "reason",
)  # fmt: skip
COVERED = "covered"


def n_blocks(deviations: np.ndarray) -> int:
    """How many pieces of a walk may be taken for independent: each as long as their statistical inefficiency."""
    g = statistics.statistical_inefficiency(np.log(deviations)) if len(deviations) > 1 else 1.0
    return max(1, int(len(deviations) / g))


def share_above(
    calibration: Calibration, condition: str, deviations: np.ndarray, walls: np.ndarray, target: float
) -> float:
    """Expected share of frames whose error is above `target`, the scatter about the calibration's line counted."""
    middle = calibrations.expected(calibration, condition, deviations)[0] / np.exp(calibration.noise**2)
    room = np.sqrt(np.maximum(target**2 - walls**2, 1e-12))  # that the wall leaves to the networks
    above = np.log(middle / room) / calibration.noise
    return float(np.mean([0.5 * (1 + erf(x / sqrt(2))) for x in above]))


def judge(
    calibration: Calibration, walk: dict, frames: Sequence[Atoms], target: float, n_labels: int, round: int, seed: int,
) -> dict:  # fmt: skip
    """A line of coverage.csv for a line of walks.csv and the walk's frames; errors in meV/A, of one force component.

    n_labels: of this condition, in the calibration.
    """
    row = dict.fromkeys(COLUMNS, "") | {key: walk[key] for key in ("concentration", "temperature", "margin")}
    row |= {"round": round, "frames": len(frames), "n_labels": n_labels}
    if not frames:
        return row | {"verdict": "not covered", "reason": f"no frame: {walk['stopped']}"}
    condition = frames[0].info["walk"]
    deviations, walls = (np.array([frame.info[key] for frame in frames]) for key in ("deviation", "wall_force"))
    rng = generator_for(seed, "coverage", round, *condition.split())
    blocks = (np.array_split(values, n_blocks(deviations)) for values in (deviations, walls))
    error, low, high = calibrations.of_condition(calibration, condition, *blocks, rng)
    reasons = []
    if walk["stopped"]:
        reasons.append(f"the walk ended after {len(frames)} of {walk['frames_planned']} frames: {walk['stopped']}")
    if not high <= target:
        what = "expected to be wrong by" if error > target else "may be wrong by up to"
        share = np.mean(walls**2) / error**2
        of_wall = f", {100 * share:.0f} % of it squared the wall's" if share > 0.1 else ""
        reasons.append(f"{what} {error if error > target else high:.0f} meV/A{of_wall}, target {target:g}")
    numbers = {"expected_error_meV_A": error, "low_meV_A": low, "high_meV_A": high}
    row |= {key: f"{value:.4g}" for key, value in numbers.items()}
    row["share_above_target"] = f"{share_above(calibration, condition, deviations, walls, target):.3g}"
    return row | {"verdict": "not covered" if reasons else COVERED, "reason": "; ".join(reasons)}


def covered_twice(before: Sequence[dict], now: Sequence[dict], conditions: Sequence[tuple[str, str]]) -> bool:
    """Whether each condition (concentration, temperature) was covered in a round and in the one before."""
    return all(
        {(row["concentration"], row["temperature"]) for row in table if row["verdict"] == COVERED and not row["margin"]}
        >= {(f"x{x}", f"T{t}") for x, t in conditions}
        for table in (before, now)
    )
