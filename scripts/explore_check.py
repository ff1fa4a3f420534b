"""Check a round by its labels: is the committee as wrong as was expected, and what is to be expected with them?"""

import logging
from collections.abc import Sequence
from pathlib import Path

from thermoweave import calibration as calibrations
from thermoweave import committee_errors, environment, logs
from thermoweave.frames import read_frames
from thermoweave.potentials.manifest import write_json
from thermoweave.tables import write_csv

log = logging.getLogger(__name__)


def explore_check(
    selected: Path, labels: Sequence[Path], earlier: Sequence[Path], before: Path, out_pairs: Path,
    out_calibration: Path, round: int, n_members: int,
) -> None:  # fmt: skip
    """Write the pairs on the fresh labels, and the calibration with them.

    earlier: all other tables of pairs, those of this round's held-out labels among them; before: the calibration that
    the round walked with, which its fresh labels test. A round that asked for nothing has no fresh labels. Raises
    RuntimeError where every label was rejected.
    """
    known, asked = calibrations.read(before), read_frames(selected)
    frames = [atoms for path in labels for atoms in read_frames(path)]
    if asked and not frames:
        raise RuntimeError(
            f"every label of round {round + 1} was rejected: results/label/round{round + 1}/batch*.csv says why. "
            "Mend the label settings and run again (labels that exist are kept in the store). Where the structures are "
            "too wild, lower explore.leave; all rounds are then walked again"
        )
    rows = committee_errors.fresh(asked, frames, round, n_members, known)
    inside = [float(row["low_meV_A"]) < float(row["error_meV_A"]) < float(row["high_meV_A"]) for row in rows]
    log.info(
        "%d of %d fresh labels have an error inside the %.0f %% interval in which it was expected",
        sum(inside), len(inside), 100 * calibrations.CONFIDENCE,
    )  # fmt: skip
    write_csv(out_pairs, rows, list(committee_errors.COLUMNS))
    pairs = committee_errors.pairs([*earlier, out_pairs])
    write_json(out_calibration, calibrations.as_json(calibrations.fit(pairs, committee_errors.group(round, "fresh"))))


if __name__ == "__main__":
    environment.isolate()
    logs.start(snakemake.log[0])
    explore_check(
        Path(snakemake.input.selected),
        snakemake.input.labels,
        snakemake.input.earlier,
        Path(snakemake.input.calibration),
        Path(snakemake.output.pairs),
        Path(snakemake.output.calibration),
        int(snakemake.wildcards.round),
        snakemake.params.n_members,
    )
