"""What error to expect of the committee of a round where it disagrees, before it walks: from all labels until now."""

import logging
from collections.abc import Sequence
from pathlib import Path

from thermoweave import calibration as calibrations
from thermoweave import committee_errors, environment, logs
from thermoweave.potentials.manifest import write_json
from thermoweave.tables import write_csv

log = logging.getLogger(__name__)


def explore_calibrate(
    predictions: Sequence[Path], earlier: Sequence[Path], out_pairs: Path, out_calibration: Path, round: int
) -> None:
    """Write the pairs on held-out labels, and the calibration for frames of this round's walks.

    predictions: of the members, on the test labels of all rounds so far; earlier: tables of pairs of rounds before.
    """
    rows = committee_errors.held_out(predictions, round)
    write_csv(out_pairs, rows, list(committee_errors.COLUMNS))
    found = calibrations.fit(committee_errors.pairs([out_pairs, *earlier]), committee_errors.group(round, "fresh"))
    log.info(
        "%d pairs; a frame with a deviation of 100 meV/A is expected to be wrong by %.0f meV/A (95 %% bound: %.0f)",
        found.n_pairs, *(float(value) for value in calibrations.expected(found, "elsewhere", 100.0)),
    )  # fmt: skip
    write_json(out_calibration, calibrations.as_json(found))


if __name__ == "__main__":
    environment.isolate()
    logs.start(snakemake.log[0])
    explore_calibrate(
        snakemake.input.predictions,
        snakemake.input.earlier,
        Path(snakemake.output.pairs),
        Path(snakemake.output.calibration),
        int(snakemake.wildcards.round),
    )
