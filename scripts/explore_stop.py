"""Decide whether the loop goes on after a round: the one decision in the workflow that is taken while it runs."""

import logging
from collections.abc import Sequence
from pathlib import Path

from thermoweave import cost, coverage, environment, logs
from thermoweave.potentials.manifest import write_json
from thermoweave.tables import read_csv

log = logging.getLogger(__name__)

STAGES = ("generate", "label", "train", "explore")


def explore_stop(
    tables: Sequence[Path], output: Path, round: int, conditions: Sequence[tuple[str, str]], core_h: float | None,
    benchmarks: Path,
) -> None:  # fmt: skip
    """Write {"ends": bool, "reason": sentence} (JSON).

    tables: coverage.csv of the round before, where there is one, and of this one; conditions: (concentration,
    temperature) that must be covered in both; core_h: what labels, potentials and walks may cost in all, or None.
    """
    judged = [read_csv(path) for path in tables]
    if len(judged) == 2 and coverage.covered_twice(*judged, conditions):
        ends, reason = True, f"every condition was covered in rounds {round - 1} and {round}"
    else:
        missing = [row for row in judged[-1] if row["verdict"] != coverage.COVERED and not row["margin"]]
        ends, reason = False, f"{len(missing)} of {len(conditions)} conditions are not covered in round {round}"
        if not missing:
            reason = f"every condition is covered in round {round}: once more, and the loop ends"
    if not ends and core_h is not None:
        spent = sum(row["core_h"] for row in cost.read_benchmarks(benchmarks) if row["stage"] in STAGES)
        if spent >= core_h:
            ends = True
            reason += f"; {spent:.4g} core-hours are spent, explore.budget.core_h allows {core_h:g}"
    log.info("round %d: %s; the loop %s", round, reason, "ends" if ends else "goes on")
    write_json(output, {"ends": ends, "reason": reason})


if __name__ == "__main__":
    environment.isolate()
    logs.start(snakemake.log[0])
    explore_stop(
        snakemake.input.coverage, Path(snakemake.output[0]), int(snakemake.wildcards.round), **snakemake.params
    )
