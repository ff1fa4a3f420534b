"""Choose what to label next from what the committee visited: doubtful frames that differ, and some at random."""

import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ase import Atoms
from thermoweave import environment, logs, selection
from thermoweave.frames import closest_distance, read_frames, write_frames
from thermoweave.seeds import generator_for
from thermoweave.tables import write_csv

log = logging.getLogger(__name__)

COLUMNS = (
    "condition", "candidates", "unphysical", "doubtful", "expected_error_meV_A", "uncertain", "random", "wall_contacts",
)  # fmt: skip


def select(
    frames: Sequence[Atoms], n: int, random_share: float, target: float, spacing_ps: float, rng: np.random.Generator
) -> list[Atoms]:
    """At most `n` of the frames, `info["chosen"]` saying why.

    A share is drawn at random from all walks alike, so that the calibration is tested on ordinary frames, too. The
    others are of the doubtful frames, those with an error that may be above `target` (its 95 % bound, meV/A) or with
    atoms inside the wall; places go to the walks by the mean square of these bounds (where no label is, they are wide).
    Fewer doubtful frames than places: fewer labels.
    """
    walks = np.array([frame.info["walk"] for frame in frames])
    times = np.array([frame.info["time_ps"] for frame in frames])
    drawn = selection.at_random(walks, times, round(random_share * n), spacing_ps, rng)
    near = np.zeros(len(frames), dtype=bool)
    for k in drawn:
        near |= ~selection.apart(walks, times, k, spacing_ps)
    touching = np.array([frame.info["wall_contacts"] > 0 for frame in frames])
    bound = np.array([frame.info["expected_error_high"] for frame in frames])
    doubtful = np.flatnonzero(((bound > target) | touching) & ~near)
    chosen = uncertain([frames[k] for k in doubtful], walks[doubtful], times[doubtful], n - len(drawn), spacing_ps)
    for k in drawn:
        frames[k].info["chosen"] = "random"
    for k in chosen:
        frames[doubtful[k]].info["chosen"] = "uncertain"
    return [frames[k] for k in [*(doubtful[k] for k in chosen), *drawn]]


def uncertain(frames: Sequence[Atoms], walks: np.ndarray, times: np.ndarray, n: int, spacing_ps: float) -> list[int]:
    """Indices of at most `n` doubtful frames."""
    if not len(frames) or n < 1:
        return []
    errors, bounds = (np.array([frame.info[f"expected_error{end}"] for frame in frames]) for end in ("", "_high"))
    needs = {str(name): float(np.mean(bounds[walks == name] ** 2)) for name in sorted(set(walks))}
    species = sorted({symbol for frame in frames for symbol in frame.symbols})
    vectors = np.array([selection.descriptor(frame, species) for frame in frames])
    # a walk has no more places than frames apart in time
    available = {name: 1 + int(np.ptp(times[walks == name]) / max(spacing_ps, 1e-6) + 1e-6) for name in needs}
    room = selection.places(needs, available, n)
    return selection.most_different(vectors, errors, walks, times, room, spacing_ps)[:n]


def explore_select(
    candidates: Sequence[Path], output: Path, table: Path, round: int, labels_per_round: int, random_share: float,
    target: float, spacing_ps: float, min_distance: float, seed: int,
) -> None:  # fmt: skip
    """Write the chosen frames, numbered, and a line a walk. No sane frame at all is an error; fewer chosen than there
    were places is said in the log.
    """
    frames = [frame for path in candidates for frame in read_frames(path)]
    sane = [frame for frame in frames if closest_distance(frame) >= min_distance]
    if not sane:
        raise RuntimeError(
            f"round {round}: no frame worth labelling among {len(frames)} candidates: every walk stopped at once, or "
            f"has atoms closer than {min_distance:g} A (label.gate.min_distance). "
            f"results/explore/round{round}/x*/walks.csv says why. Label more structures in round 0 "
            "(generate.structures), shorten the step (explore.timestep_fs) or raise explore.leave, and run again"
        )
    chosen = select(sane, labels_per_round, random_share, target, spacing_ps, generator_for(seed, "select", round))
    for index, frame in enumerate(chosen):
        frame.info["index"] = index
        # these say where the wall stands: like squeezed pairs they all train, and no test is on them
        frame.info["squeezed"] = frame.info["wall_contacts"] > 0
    counts = Counter(frame.info["chosen"] for frame in chosen)
    log.info(
        "%d of %d candidates chosen (at most %d; target %g meV/A): %s",
        len(chosen), len(frames), labels_per_round, target, dict(counts),
    )  # fmt: skip
    if len(chosen) < labels_per_round:
        log.warning("%d places stay empty: no other frame is doubtful and apart", labels_per_round - len(chosen))
    write_csv(table, rows(frames, sane, chosen, target), list(COLUMNS))
    write_frames(output, chosen)


def rows(frames: Sequence[Atoms], sane: Sequence[Atoms], chosen: Sequence[Atoms], target: float) -> list[dict]:
    """What each walk offered and what was taken."""
    table = []
    for name in dict.fromkeys(frame.info["walk"] for frame in frames):
        own, fit, taken = ([f for f in some if f.info["walk"] == name] for some in (frames, sane, chosen))
        errors = [frame.info["expected_error"] for frame in own]
        counts = Counter(frame.info["chosen"] for frame in taken)
        table.append(
            {
                "condition": name,
                "candidates": len(own),
                "unphysical": len(own) - len(fit),
                "doubtful": sum(frame.info["expected_error_high"] > target for frame in fit),
                "expected_error_meV_A": f"{np.sqrt(np.mean(np.square(errors))):.4g}",
                "uncertain": counts["uncertain"],
                "random": counts["random"],
                "wall_contacts": sum(frame.info["wall_contacts"] > 0 for frame in taken),
            }
        )
    return table


if __name__ == "__main__":
    environment.isolate()
    logs.start(snakemake.log[0])
    explore_select(
        snakemake.input.candidates,
        Path(snakemake.output.selected),
        Path(snakemake.output.table),
        int(snakemake.wildcards.round),
        target=float(snakemake.resources.target),
        **snakemake.params,
    )
