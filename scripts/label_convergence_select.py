"""Choose the structures of round 0 that are labelled at several levels of theory."""

import logging
from pathlib import Path

from thermoweave import convergence, environment, logs
from thermoweave.frames import read_frames, write_frames

log = logging.getLogger(__name__)


def label_convergence_select(structures: list[Path], out: Path, n_structures: int) -> None:
    """Write `n_structures` of the files' structures, spread over concentrations, then over temperatures."""
    chosen = convergence.select([atoms for path in structures for atoms in read_frames(path)], n_structures)
    for atoms in chosen:
        log.info("%s", convergence.name(atoms))
    write_frames(out, chosen)


if __name__ == "__main__":
    environment.isolate()
    logs.start(snakemake.log[0])
    label_convergence_select(
        list(snakemake.input.structures), Path(snakemake.output.structures), snakemake.params.n_structures
    )
