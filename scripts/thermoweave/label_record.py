"""The record of all label attempts of a campaign: what labels cost, and what was spent on attempts that failed."""

import re
from collections.abc import Iterable
from pathlib import Path

from thermoweave.gate import ACCEPTED
from thermoweave.tables import read_csv

SHOWN = 8  # characters of a label's id in the log of its job
TOLD = re.compile(rf"\d+/\d+ ([0-9a-f]{{{SHOWN}}}): ([A-Z_]+), .*, (\d+\.\d) s\)")  # label_structures' messages


def read(results: Path) -> dict[str, list[dict]]:
    """Rows of every attempt by record: round0, ..., spot_checks/BACKEND, convergence."""
    label = results / "label"
    found = {path.parent.name: read_csv(path) for path in sorted(label.glob("round*/summary.csv"), key=_number)}
    for path in sorted(label.glob("spot_checks/*/summary.csv")):
        found[f"spot_checks/{path.parent.name}"] = read_csv(path)
    levels = sorted(label.glob("convergence/levels/*.csv"))
    if levels:
        found["convergence"] = [row for path in levels for row in read_csv(path)]
    return found


def _number(summary: Path) -> int:
    return int(summary.parent.name.removeprefix("round"))


def failed_core_s(rows: Iterable[dict]) -> float:
    """Core-seconds of attempts without a label, those included whose structure had its label from a later rung."""
    return sum(float(row["core_s"]) for row in rows if row["outcome"] not in ACCEPTED)


def table(records: dict[str, list[dict]]) -> list[dict]:
    """One row a record and concentration.

    `stored`: labels that were found in the store and cost nothing here; `core_s_per_label`: of all attempts over the
    labels that were computed here, None where none was; `failed_share`: percent of the core-hours.
    """
    groups: dict[tuple[str, str], list[dict]] = {}
    for name, rows in records.items():
        for row in rows:
            groups.setdefault((name, row["concentration"].removeprefix("x")), []).append(row)
    return [{"record": name, "concentration": x, **_sum(rows)} for (name, x), rows in groups.items()]


def _sum(rows: list[dict]) -> dict:
    last = {row["label_id"]: row["outcome"] for row in rows}
    spent, failed = sum(float(row["core_s"]) for row in rows), failed_core_s(rows)
    computed = sum(row["outcome"] == "SUCCESS" for row in rows)
    return {
        "structures": len(last),
        "accepted": sum(outcome in ACCEPTED for outcome in last.values()),
        "stored": sum(row["outcome"] == "STORED" for row in rows),
        "failed_attempts": sum(row["outcome"] not in ACCEPTED for row in rows),
        "core_s_per_label": spent / computed if computed else None,
        "core_h": spent / 3600,
        "failed_core_h": failed / 3600,
        "failed_share": 100 * failed / spent if spent else 0.0,
    }


def known(records: dict[str, list[dict]]) -> set[tuple[str, str]]:
    """What the records have, as id and outcome; of labels out of the store, too, that they succeeded."""
    rows = [row for record in records.values() for row in record]
    return {(row["label_id"][:SHOWN], "SUCCESS" if row["outcome"] in ACCEPTED else row["outcome"]) for row in rows}


def kept_s(messages: Iterable[str], known: set[tuple[str, str]]) -> float:
    """Seconds that an attempt of a label job, by its messages, spent on labels and failures which the records have."""
    told = [found.groups() for found in map(TOLD.fullmatch, messages) if found]
    return sum(float(wall) for identifier, outcome, wall in told if (identifier, outcome) in known)


def stored_elsewhere(records: dict[str, list[dict]], messages: Iterable[str]) -> int:
    """Labels out of the store that no attempt of this campaign is known to have computed."""
    rows = [row for record in records.values() for row in record]
    here = {row["label_id"][:SHOWN] for row in rows if row["outcome"] == "SUCCESS"}
    here |= {m[1] for m in map(TOLD.fullmatch, messages) if m and m[2] == "SUCCESS"}
    return len({row["label_id"] for row in rows if row["outcome"] == "STORED" and row["label_id"][:SHOWN] not in here})
