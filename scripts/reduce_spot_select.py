"""Draw the frames of a condition's production runs that DFT checks."""

import logging
from pathlib import Path

from thermoweave import conditions, environment, logs, spot_frames
from thermoweave.frames import write_frames
from thermoweave.seeds import generator_for

log = logging.getLogger(__name__)

MEMORY_MB = 100  # a few frames


def reduce_spot_select(
    trajectories: list[Path], verdicts: list[Path], output: Path, backend: str, concentration: str, temperature: str,
    n: int, seeds: dict[int, str], seed: int,
) -> None:  # fmt: skip
    """Write `n` frames (none where no replica passed) as extended XYZ; see `spot_frames.draw`."""
    condition = conditions.read(trajectories, verdicts, concentration, temperature, MEMORY_MB)
    frames = spot_frames.draw(condition, n, seeds, generator_for(seed, "spot", backend, concentration, temperature))
    for atoms in frames:
        log.info("replica %(replica)d, frame %(frame)d at %(time_ps)g ps, %(potential)s", atoms.info)
    if not frames:
        log.warning("no frame: no replica passed (%s)", condition.gap)
    write_frames(output, frames)


if __name__ == "__main__":
    environment.isolate()
    logs.start(snakemake.log[0])
    reduce_spot_select(
        snakemake.input.trajectories,
        snakemake.input.verdicts,
        Path(snakemake.output[0]),
        **snakemake.wildcards,
        **snakemake.params,
    )
