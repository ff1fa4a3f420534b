"""Which conditions the labels cover: the expected force error over a walk against the target, and when to stop.

A condition is covered where the 95 % bound of its expected error is at most the target and its walk came to its end,
touching the wall no more than it may. Nothing is said of conditions that no walk was at.
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


def blocks(deviations: np.ndarray) -> list[np.ndarray]:
    """A walk's deviations in pieces that may be taken for independent: as long as their statistical inefficiency."""
    g = statistics.statistical_inefficiency(np.log(deviations)) if len(deviations) > 1 else 1.0
    return np.array_split(deviations, max(1, int(len(deviations) / g)))


def share_above(calibration: Calibration, condition: str, deviations: np.ndarray, target: float) -> float:
    """Expected share of frames whose error is above `target`, the scatter about the calibration's line counted."""
    expected, _ = calibrations.expected(calibration, condition, deviations)
    above = np.log(expected / target) - calibration.noise**2  # of the middle of each frame's errors
    return float(np.mean([0.5 * (1 + erf(x / (sqrt(2) * calibration.noise))) for x in above]))


def judge(
    calibration: Calibration, walk: dict, frames: Sequence[Atoms], target: float, max_wall_contacts: float,
    n_labels: int, round: int, seed: int,
) -> dict:  # fmt: skip
    """A line of coverage.csv for a line of walks.csv and the walk's frames; errors in meV/A, of one force component.

    max_wall_contacts: a frame; n_labels: of this condition, in the calibration.
    """
    row = dict.fromkeys(COLUMNS, "") | {key: walk[key] for key in ("concentration", "temperature", "margin")}
    row |= {"round": round, "frames": len(frames), "n_labels": n_labels}
    if not frames:
        return row | {"verdict": "not covered", "reason": f"no frame: {walk['stopped']}"}
    condition = frames[0].info["walk"]
    deviations = np.array([frame.info["deviation"] for frame in frames])
    rng = generator_for(seed, "coverage", round, *condition.split())
    error, low, high = calibrations.of_condition(calibration, condition, blocks(deviations), rng)
    reasons = []
    if walk["stopped"]:
        reasons.append(f"the walk ended after {len(frames)} of {walk['frames_planned']} frames: {walk['stopped']}")
    contacts = float(np.mean([frame.info["wall_contacts"] for frame in frames]))
    if contacts > max_wall_contacts:
        reasons.append(
            f"{contacts:.2g} wall contacts a frame (explore.max_wall_contacts: {max_wall_contacts:g})"
        )
    if high > target:
        what = "expected to be wrong by" if error > target else "may be wrong by up to"
        reasons.append(f"{what} {error if error > target else high:.0f} meV/A, target {target:g}")
    numbers = {"expected_error_meV_A": error, "low_meV_A": low, "high_meV_A": high}
    row |= {key: f"{value:.4g}" for key, value in numbers.items()}
    row["share_above_target"] = f"{share_above(calibration, condition, deviations, target):.3g}"
    return row | {"verdict": "not covered" if reasons else COVERED, "reason": "; ".join(reasons)}


def covered_twice(before: Sequence[dict], now: Sequence[dict], conditions: Sequence[tuple[str, str]]) -> bool:
    """Whether each condition (concentration, temperature) was covered in a round and in the one before."""
    return all(
        {(row["concentration"], row["temperature"]) for row in table if row["verdict"] == COVERED and not row["margin"]}
        >= {(f"x{x}", f"T{t}") for x, t in conditions}
        for table in (before, now)
    )
