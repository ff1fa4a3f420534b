"""Fail the campaign when too much of it failed: unphysical results cannot end in success."""

import json
import logging
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from thermoweave import environment, logs, rejections
from thermoweave.attempts import last_attempts
from thermoweave.gate import ACCEPTED

log = logging.getLogger(__name__)

EVIDENCE = "results/label/round*/rejected.csv and the outputs in results/label/failed/"
SPOT_EVIDENCE = "results/label/spot_checks/*/rejected.csv"
ADVICE = (
    "Either the label settings do not suit what is there (occupations, cutoff), or the structures are too wild "
    "(generate.superheat, strain, contact_share); where one or two were unlucky, ask for more structures "
    "(labels that exist are not computed again)"
)


def audit_campaign(
    summaries: list[Path], verdicts: list[Path], out: Path, max_rejected_share: float,
    cluster_significance: float, max_failed_share: float, spot_checks: Sequence[Path] = (),
) -> None:  # fmt: skip
    """Write what was sent to label and rejected, how far rejections cluster, and which runs failed (JSON).

    Raises RuntimeError, naming what was rejected and what failed, when a share is above its limit, when rejections
    cluster in a condition with a probability of at most `cluster_significance`, or when a condition has no label. Of
    the spot checks (their summaries, if any) only the share counts: they are a few frames a condition.
    """
    labels, faults = audit_labels(last_attempts(summaries), max_rejected_share, cluster_significance)
    runs, run_faults = audit_runs([json.loads(Path(path).read_text()) for path in verdicts], max_failed_share)
    checks, check_faults = audit_spot_checks(last_attempts(spot_checks), max_rejected_share)
    result = {**labels, **runs, **checks}
    log.info("%s", json.dumps(result))
    faults += run_faults + check_faults
    if faults:
        raise RuntimeError("the campaign fails its audit: " + "; ".join(faults))
    partial = Path(f"{out}.partial")
    partial.write_text(json.dumps(result, indent=1))
    os.replace(partial, out)


def audit_labels(last: list[dict], max_rejected_share: float, cluster_significance: float) -> tuple[dict, list[str]]:
    """Facts about the labels, and sentences about what is wrong with them."""
    rejected = [row for row in last if row["outcome"] not in ACCEPTED]
    structures, losses = Counter(map(condition, last)), Counter(map(condition, rejected))
    counts = {key: (n, losses[key]) for key, n in structures.items()}
    worst = rejections.most_clustered(counts)
    facts = {
        "structures": len(last),
        "rejected": len(rejected),
        "rejected_share": len(rejected) / len(last),
        "max_rejected_share": max_rejected_share,
        "most_clustered": worst and {
            "where": worst.name, "structures": worst.structures, "rejected": worst.rejected, "p": worst.p
        },
        "cluster_significance": cluster_significance,
    }  # fmt: skip
    faults = []
    if facts["rejected_share"] > max_rejected_share:
        outcomes = sorted({f"{row['concentration']} {row['outcome']}" for row in rejected})
        faults.append(
            f"{len(rejected)} of {len(last)} structures have no label "
            f"(audit.max_rejected_share: {max_rejected_share:g}): {', '.join(outcomes)}; see {EVIDENCE}"
        )
    clusters = rejections.clusters(counts, cluster_significance)
    if clusters:
        told = "; apart from that, ".join(describe(cluster, rejected, cluster_significance) for cluster in clusters)
        faults.append(f"rejections cluster: {told}; see {EVIDENCE}. {ADVICE}")
    return facts, faults


def condition(row: dict) -> tuple[str, str]:
    """The concentration and temperature that a structure was made for, as in "x0.25", "T900"."""
    return row["concentration"], row["temperature"]


def describe(cluster: rejections.Cluster, rejected: list[dict], significance: float) -> str:
    """Where, how many of how many, how probable, and with which outcomes."""
    outcomes = Counter(row["outcome"] for row in rejected if condition(row) in cluster.conditions).most_common()
    nothing = " and no label" if cluster.rejected == cluster.structures else ""
    return (
        f"{cluster.name} has {cluster.rejected} of {cluster.structures} structures rejected{nothing}, "
        f"against {cluster.rejected_elsewhere} of {cluster.structures_elsewhere} elsewhere "
        f"(p = {cluster.p:.2g} by chance, audit.cluster_significance: {significance:g}; "
        f"{', '.join(f'{n} {outcome}' for outcome, n in outcomes)})"
    )


def audit_spot_checks(last: list[dict], max_rejected_share: float) -> tuple[dict, list[str]]:
    """Facts about the labels of spot checks; nothing where there are none."""
    if not last:
        return {}, []
    rejected = sum(row["outcome"] not in ACCEPTED for row in last)
    facts = {"structures": len(last), "rejected": rejected, "rejected_share": rejected / len(last)}
    if facts["rejected_share"] <= max_rejected_share:
        return {"spot_checks": facts}, []
    return {"spot_checks": facts}, [
        f"{rejected} of {len(last)} spot checks were rejected (audit.max_rejected_share: {max_rejected_share:g}): the "
        f"labels of production frames do not converge; see {SPOT_EVIDENCE}"
    ]


def audit_runs(verdicts: list[dict], max_failed_share: float) -> tuple[dict, list[str]]:
    """Facts about the runs, and sentences about what is wrong with them."""
    failed = [
        f"x{verdict['concentration']}/T{verdict['temperature']}/replica{verdict['replica']}: {verdict['reason']}"
        for verdict in verdicts
        if not verdict["passed"]
    ]
    facts = {
        "runs": len(verdicts),
        "failed": failed,
        "failed_share": len(failed) / len(verdicts),
        "max_failed_share": max_failed_share,
    }
    if facts["failed_share"] <= max_failed_share:
        return facts, []
    return facts, [
        f"{len(failed)} of {len(verdicts)} runs failed the health gate "
        f"(audit.max_failed_share: {max_failed_share:g}): {'; '.join(failed)}"
    ]


if __name__ == "__main__":
    environment.isolate()
    logs.start(snakemake.log[0])
    audit_campaign(
        list(snakemake.input.summaries),
        list(snakemake.input.verdicts),
        Path(snakemake.output[0]),
        **snakemake.params,
        spot_checks=snakemake.input.spot_checks,
    )
