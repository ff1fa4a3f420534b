"""Judge which conditions the labels cover after a round."""

import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from thermoweave import calibration as calibrations
from thermoweave import coverage, environment, logs
from thermoweave.frames import read_frames
from thermoweave.tables import read_csv, write_csv

log = logging.getLogger(__name__)


def explore_judge(
    calibration: Path, pairs: Sequence[Path], candidates: Sequence[Path], walks: Sequence[Path], output: Path,
    round: int, target: float, seed: int,
) -> None:  # fmt: skip
    """Write a line a walk of what is covered (coverage.COLUMNS).

    calibration: with the labels that the round chose; pairs: all that went into it; candidates, walks: frames and
    lines of each concentration's walks.
    """
    known = calibrations.read(calibration)
    n_labels = Counter(row["condition"] for table in pairs for row in read_csv(table))
    table = []
    for path, walked in zip(candidates, walks, strict=True):
        visited: dict[str, list] = {}
        for atoms in read_frames(path):
            visited.setdefault(atoms.info["walk"], []).append(atoms)
        for walk in read_csv(walked):
            name = " ".join(walk[key] for key in ("concentration", "temperature", "margin")).strip()
            table.append(coverage.judge(known, walk, visited.get(name, []), target, n_labels[name], round, seed))
    write_csv(output, table, list(coverage.COLUMNS))
    for line in table:
        log.info("%s %s %s: %s %s", *(line[k] for k in ("concentration", "temperature", "margin", "verdict", "reason")))


if __name__ == "__main__":
    environment.isolate()
    logs.start(snakemake.log[0])
    explore_judge(
        Path(snakemake.input.calibration),
        snakemake.input.pairs,
        snakemake.input.candidates,
        snakemake.input.walks,
        Path(snakemake.output[0]),
        int(snakemake.wildcards.round),
        **snakemake.params,
    )
