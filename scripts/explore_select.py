"""Choose what to label next from what the potential visited: frames that touched the wall, then doubtful ones."""

import logging
from pathlib import Path

from ase import Atoms
from thermoweave import environment, logs
from thermoweave.frames import closest_distance, read_frames, write_frames

log = logging.getLogger(__name__)


def select(candidates: list[Atoms], n: int, spacing_ps: float, min_distance: float) -> list[Atoms]:
    """`n` frames, one temperature after the other in turn, or fewer if there are no more.

    Within a temperature the frame with most wall contacts comes first (there the labels end), of equals the one on
    which the committee disagrees most (where there is one), then the later one (more decorrelated from the start).
    Frames nearer than `spacing_ps` to a chosen one of the same walk, or with atoms closer than `min_distance` (A), are
    passed over.
    """
    queues: dict[str, list[Atoms]] = {}
    for frame in candidates:
        if closest_distance(frame) >= min_distance:
            queues.setdefault(frame.info["temperature"], []).append(frame)
    for queue in queues.values():
        queue.sort(
            key=lambda frame: (
                -frame.info["wall_contacts"], -frame.info.get("force_deviation", 0.0), -frame.info["time_ps"]
            )
        )  # fmt: skip
    chosen: list[Atoms] = []
    while len(chosen) < n and any(queues.values()):
        for queue in queues.values():
            if not queue or len(chosen) == n:
                continue
            best = queue.pop(0)
            chosen.append(best)
            queue[:] = [f for f in queue if abs(f.info["time_ps"] - best.info["time_ps"]) >= spacing_ps - 1e-9]
    return chosen


def explore_select(candidates: Path, output: Path, n: int, spacing_ps: float, min_distance: float) -> None:
    """Write the chosen frames; fewer than asked for is said in the log, none at all is an error."""
    frames = read_frames(candidates)
    chosen = select(frames, n, spacing_ps, min_distance)
    for index, frame in enumerate(chosen):
        frame.info["index"] = index
    touching = sum(frame.info["wall_contacts"] > 0 for frame in chosen)
    log.info(
        "%d of %d candidates chosen (asked for %d), %d of them touch the wall", len(chosen), len(frames), n, touching
    )
    if not chosen:
        raise RuntimeError(
            f"{candidates}: no frame worth labelling: every walk stopped at once (see walks.csv beside it). "
            "Label more structures in round 0 (generate.structures) or shorten the step (explore.timestep_fs)."
        )
    write_frames(output, chosen)


if __name__ == "__main__":
    environment.isolate()
    logs.start(snakemake.log[0])
    explore_select(Path(snakemake.input.candidates), Path(snakemake.output.selected), **snakemake.params)
