"""Whether a condition's stated error is that of its walk: the truth computed for the frames that the committee visited.

The hidden test set comes from molecular dynamics of the truth. A condition's expected error is that of the committee
where its own walks go, as runs of the grid do, and frames on which it errs more are found there.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

from explore_setup import CONCENTRATIONS, MEMBERS

import explore_loop  # isort: skip
import numpy as np
from explore_truth import label
from thermoweave.frames import read_frames
from thermoweave.potentials import manifest
from thermoweave.potentials.committee import frame_error
from thermoweave.potentials.wall import forces as wall_forces

EVERY = 2  # frames of a walk: they are 0.1 ps apart then


def check(
    folder: Path, seed: int, strategy: str, rounds: Sequence[int], report: Callable[[dict], None]
) -> None:  # fmt: skip
    """Tell a row for each condition of the rounds: true error over its walk and what its fresh labels state (meV/A)."""
    campaign = explore_loop.Campaign(folder / f"seed{seed}", folder / f"seed{seed}" / strategy, strategy, seed)
    for round in rounds:
        walked = campaign.learned(round)
        wall = manifest.read(walked / "member1" / "potential.json")["wall"]
        errors = defaultdict(list)
        for x in CONCENTRATIONS:
            frames = read_frames(walked / f"x{x}" / "candidates.extxyz")[::EVERY]
            for atoms, truth in zip(frames, label(frames), strict=True):
                forces, scatter = atoms.arrays["committee_forces"], atoms.arrays["deviation"]
                both = forces, forces + wall_forces(wall, atoms)
                found = [frame_error(mean, scatter, truth.arrays["REF_forces"], len(MEMBERS)) for mean in both]
                errors[atoms.info["walk"]].append(found)
        stated = explore_loop.judge(campaign, round, walked / "calibration.json")
        for condition, pairs in errors.items():
            true = dict(zip(("network", "total"), np.sqrt(np.mean(np.square(pairs), axis=0)).tolist(), strict=True))
            interval = dict(zip(("expected_error", "low", "high"), stated[condition], strict=True))
            report({"strategy": strategy, "seed": seed, "round": round, "condition": condition, **true, **interval})
