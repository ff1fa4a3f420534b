"""Fail the campaign when too much of it failed: unphysical results cannot end in success."""

import json
import logging
import os
from pathlib import Path

from label_summary import ACCEPTED
from thermoweave import environment, logs
from thermoweave.tables import read_csv

log = logging.getLogger(__name__)


def audit_campaign(
    summaries: list[Path], verdicts: list[Path], out: Path, n_planned: int, max_rejected_share: float,
    max_failed_share: float,
) -> None:  # fmt: skip
    """Write the structures planned and sent to label, and the shares of rejected labels and failed runs (JSON).

    Raises RuntimeError, naming what was rejected and what failed, when a share is above its limit.
    """
    last: dict[str, dict] = {}
    for path in summaries:
        last.update({row["label_id"]: row for row in read_csv(path)})
    rejected = [row for row in last.values() if row["outcome"] not in ACCEPTED]
    judged = [json.loads(Path(path).read_text()) for path in verdicts]
    failed = [verdict for verdict in judged if not verdict["passed"]]
    result = {
        "structures_planned": n_planned,
        "structures": len(last),
        "rejected": len(rejected),
        "rejected_share": len(rejected) / len(last),
        "max_rejected_share": max_rejected_share,
        "runs": len(judged),
        "failed": [f"x{v['concentration']}/T{v['temperature']}/replica{v['replica']}: {v['reason']}" for v in failed],
        "failed_share": len(failed) / len(judged),
        "max_failed_share": max_failed_share,
    }
    log.info("%s", json.dumps(result))
    if len(last) < n_planned:
        log.warning(
            "%d structures were planned, %d were found to label: see the logs of explore_select", n_planned, len(last)
        )
    faults = []
    if result["rejected_share"] > max_rejected_share:
        outcomes = sorted({f"{row['concentration']} {row['outcome']}" for row in rejected})
        faults.append(
            f"{len(rejected)} of {len(last)} structures have no label "
            f"(audit.max_rejected_share: {max_rejected_share:g}): "
            f"{', '.join(outcomes)}; see results/label/round*/rejected.csv and the outputs in results/label/failed/"
        )
    if result["failed_share"] > max_failed_share:
        faults.append(
            f"{len(failed)} of {len(judged)} runs failed the health gate "
            f"(audit.max_failed_share: {max_failed_share:g}): "
            f"{'; '.join(result['failed'])}"
        )
    if faults:
        raise RuntimeError("the campaign fails its audit: " + "; ".join(faults))
    partial = Path(f"{out}.partial")
    partial.write_text(json.dumps(result, indent=1))
    os.replace(partial, out)


if __name__ == "__main__":
    environment.isolate()
    logs.start(snakemake.log[0])
    audit_campaign(
        list(snakemake.input.summaries), list(snakemake.input.verdicts), Path(snakemake.output[0]), **snakemake.params
    )
