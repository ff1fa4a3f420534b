"""What the campaign cost: core-hours by stage and rule, of labels, by condition and by figure, failures included."""

import json
import logging
import os
from collections import Counter
from pathlib import Path

from thermoweave import cost, cost_shares, environment, label_record, lineage, logs
from thermoweave.cost import COUNTED, Spent
from thermoweave.cost_page import cost_page
from thermoweave.cost_shares import energy, sentence, spending
from thermoweave.job_attempts import Attempt
from thermoweave.tables import write_csv

log = logging.getLogger(__name__)

FORMAT = 1
COLUMNS = {
    "csv": ["stage", "rule", "jobs", "wall_h", "core_h", "lost_core_h", "share"],
    "labels": [
        "record", "concentration", "structures", "accepted", "stored", "failed_attempts", "core_s_per_label", "core_h",
        "failed_core_h", "failed_share",
    ],
    "conditions": ["potential", "concentration", "temperature", "runs", *COUNTED, "core_h", "lost_core_h"],
    "figures": [
        "figure", "potential", "jobs", *COUNTED, "core_h", "failed_label_core_h", "lost_core_h", "failed_labels_share",
        "lost_share", "jobs_without_record", "labels_from_elsewhere", "sentence",
    ],
}  # fmt: skip


def audit_cost(folder: Path, graph: lineage.Lineage, out: dict[str, Path], power: float | None = None) -> None:
    """Write the tables (CSV), the facts (JSON) and the page.

    folder: the campaign's; graph: of its results; out: files by name: csv, labels, conditions, figures, json, html;
    power: W a busy core, then energies are stated.
    """
    records = label_record.read(folder / "results")
    spent = read(folder, graph, records)
    rules = by_rule(spent)
    labels = label_record.table(records)
    conditions = cost_shares.conditions(graph, spent, folder)
    figures = cost_shares.figures(graph, spent, folder)
    facts = summary(spent, records, graph, power)
    for row in figures:
        row["labels_from_elsewhere"] = facts["labels_from_elsewhere"]
        row["sentence"] = sentence(row, power)
    if power:
        facts["energy_kWh"] = energy(facts["core_h"], power)
        for row in (*rules, *conditions, *figures):
            row["energy_kWh"] = energy(row["core_h"], power)
    facts["figures"] = {row["figure"]: {key: row[key] for key in row if key != "figure"} for row in figures}
    for name, rows in {"csv": rules, "labels": labels, "conditions": conditions, "figures": figures}.items():
        columns = COLUMNS[name] + (["energy_kWh"] if power and name != "labels" else [])
        write_csv(out[name], [{key: row[key] for key in columns} for row in map(written, rows)], columns)
    _write(out["json"], json.dumps(facts, indent=1))
    _write(out["html"], cost_page(facts, rules, labels, conditions, figures))
    log.info("%s", facts["sentence"])


def read(folder: Path, graph: lineage.Lineage, records: dict[str, list[dict]]) -> dict[str, Spent]:
    """What every job took, its earlier attempts judged by what they left: labels, or steps of its runs."""
    known = label_record.known(records)
    moved = cost_shares.runs(graph, folder)

    def kept(name: str, earlier: tuple[Attempt, ...], last_s: float) -> float:
        if name in moved:  # runs go on where they were killed, and count their wall time over all attempts
            return max(0.0, sum(wall for _, wall in moved[name]) - last_s)
        return sum(label_record.kept_s(attempt.said, known) for attempt in earlier)

    spent = cost.read_jobs(folder / "results", kept)
    for name, members in moved.items():  # attempts that nobody has a record of: the runs know how long they took
        if name in spent:
            spent[name].wall_s = max(spent[name].wall_s, sum(wall for _, wall in members))
    for name, core_s in cost_shares.labelling(graph.jobs, folder).items():  # and so does the record of labels
        if name in spent:
            spent[name].wall_s = max(spent[name].wall_s, core_s / spent[name].cores)
    return spent


def by_rule(spent: dict[str, Spent]) -> list[dict]:
    """One row a rule, in the order of the stages, and one of all."""
    sums: dict[str, Counter] = {}
    for one in spent.values():
        for rule in (one.rule, ""):
            found = {"jobs": 1, "wall_h": one.wall_s / 3600, "core_h": one.core_h, "lost_core_h": one.lost_core_h}
            sums.setdefault(rule, Counter()).update(found)
    rules = sorted(sums.keys() - {""}, key=lambda rule: (COUNTED.index(rule.partition("_")[0]), rule))
    rows = [{"stage": rule.partition("_")[0] or "all", "rule": rule, **sums[rule]} for rule in [*rules, ""]]
    whole = sums[""]["core_h"]
    for row in rows:
        row["share"] = 100 * row["core_h"] / whole if whole else 0.0
    return rows


def summary(
    spent: dict[str, Spent], records: dict[str, list[dict]], graph: lineage.Lineage, power: float | None
) -> dict:
    """The facts of the whole campaign; keys as in docs/cost.md."""
    jobs = spent.keys() | {name for name, job in graph.jobs.items() if job.stage in COUNTED}
    rows = [row for record in records.values() for row in record]
    messages = [line for one in spent.values() if one.stage == "label" for a in one.earlier for line in a.said]
    stages = {stage: Counter(jobs=0, core_h=0.0, lost_core_h=0.0) for stage in COUNTED}
    for one in spent.values():
        stages[one.stage].update(jobs=1, core_h=one.core_h, lost_core_h=one.lost_core_h)
    facts = {
        "format": FORMAT,
        "core_h": sum(one.core_h for one in spent.values()),
        "lost_core_h": sum(one.lost_core_h for one in spent.values()),
        "failed_label_core_h": label_record.failed_core_s(rows) / 3600,
        "failed_label_attempts": sum(row["outcome"] not in label_record.ACCEPTED for row in rows),
        "labels_from_elsewhere": label_record.stored_elsewhere(records, messages),
        "jobs": len(jobs),
        "jobs_without_record": sum(name not in spent or not spent[name].recorded for name in jobs),
        "core_power_W": power,
        "stages": stages,
    }
    return facts | {"sentence": f"The campaign {spending(facts, power)}."}


def written(row: dict) -> dict:
    """A row as texts: hours with four decimals (0.4 s), percent with one."""
    digits = {key: 1 if key.endswith("share") else 4 for key, value in row.items() if isinstance(value, float)}
    return row | {key: f"{row[key]:.{n}f}" for key, n in digits.items()}


def _write(path: str | Path, text: str) -> None:
    partial = Path(f"{path}.partial")
    partial.write_text(text)
    os.replace(partial, path)


if __name__ == "__main__":
    environment.isolate()
    logs.start(snakemake.log[0])
    audit_cost(Path(), lineage.read(snakemake.input.lineage), dict(snakemake.output.items()), snakemake.params.power)
