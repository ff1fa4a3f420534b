"""Collect the attempts of all batches of a round: the record of what was labelled, rejected, and at which cost."""

import logging
from pathlib import Path

from thermoweave import environment, logs
from thermoweave.attempts import COLUMNS
from thermoweave.gate import ACCEPTED
from thermoweave.tables import read_csv, write_csv

log = logging.getLogger(__name__)


def label_summary(attempts: list[Path], out_summary: Path, out_rejected: Path) -> None:
    """summary.csv: one line an attempt. rejected.csv: the last attempt of each structure that has no label."""
    rows, last = [], {}
    for path in attempts:
        for row in read_csv(path):
            rows.append({"batch": f"{Path(path).parent.name}/{Path(path).stem}", **{key: row[key] for key in COLUMNS}})
            last[row["label_id"]] = rows[-1]
    rejected = [row for row in last.values() if row["outcome"] not in ACCEPTED]
    columns = ["batch", *COLUMNS]
    write_csv(out_summary, rows, columns)
    write_csv(out_rejected, rejected, columns)
    core_h = sum(float(row["core_s"]) for row in rows) / 3600
    log.info("%d structures, %d attempts, %d rejected, %.3f core-hours", len(last), len(rows), len(rejected), core_h)
    for row in rejected:
        log.warning(
            "rejected: %s %s, %s: %s", row["concentration"], row["temperature"], row["outcome"], row["evidence"]
        )


if __name__ == "__main__":
    environment.isolate()
    logs.start(snakemake.log[0])
    label_summary(list(snakemake.input.attempts), snakemake.output.summary, snakemake.output.rejected)
