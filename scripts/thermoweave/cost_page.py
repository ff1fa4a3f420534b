"""The cost tables as a page."""

from itertools import groupby

from thermoweave.answer_html import Html, bullets, join, page, paragraph, table
from thermoweave.cost import COUNTED
from thermoweave.cost_shares import hours, percent, short

COUNTS = (
    "Core-hours are the wall time of a job times the cores that it held, idle ones included. The last run of a job is "
    "measured by Snakemake (its benchmark files), earlier ones by their messages: from the first to the last sign of "
    "life, which comes at least once a minute. What a job that was killed cost is a lower bound.",
    "Lost is what attempts cost that failed, were killed or were made again, less what they left for the next one: "
    "labels in the store, steps of a trajectory.",
    "Failed label attempts are those without a label, also where the structure had its label from a later rung of the "
    "ladder. They are part of what label jobs cost, and not of what is lost.",
    "A condition has the whole cost of its reductions and spot checks; jobs that moved several runs are shared by the "
    "wall time of the runs. Labels, training and exploring serve all conditions: they stand in the last line, and are "
    "spread over none.",
    "A figure has the whole cost of every job that it rests on, so figures share most of theirs and do not add up.",
    "Not counted: this audit and the archive (seconds), Snakemake itself, the installation, the wait in queues, and "
    "graphics processors, whose jobs are here with their cores.",
)


def cost_page(facts: dict, rules: list[dict], labels: list[dict], conditions: list[dict], figures: list[dict]) -> str:
    """The whole page; tables as in `audit_cost`, unrounded."""
    sections = {
        "rules": ("By stage and rule", by_rule(rules)),
        "labels": ("Labels", by_record(labels, facts)),
        "conditions": ("Conditions", by_condition(conditions)),
        "figures": ("Figures", by_figure(figures)),
        "counted": ("What is counted", bullets(COUNTS)),
    }
    return page(f"Cost: {hours(facts['core_h'])} core-hours", paragraph(facts["sentence"], "verdict"), sections)


def by_rule(rows: list[dict]) -> Html:
    """Rules under their stages, all of them last."""
    headings = ["rule", "core-hours", "share (%)", "of these lost", "jobs", "hours, summed over jobs"]
    energy = "energy_kWh" in rows[0]
    cells: list[list] = []
    for stage, found in groupby(rows, key=lambda row: row["stage"]):
        rules = list(found)
        if stage != "all":
            whole, share = (sum(row[key] for row in rules) for key in ("core_h", "share"))
            cells.append([f"{stage}: {hours(whole)} core-hours, {share:.1f} %"])
        for row in rules:
            line = [row["rule"] or "all", hours(row["core_h"]), f"{row['share']:.1f}", hours(row["lost_core_h"])]
            line += [row["jobs"], hours(row["wall_h"])]
            cells.append(line + ([hours(row["energy_kWh"])] if energy else []))
    return table(headings + (["energy (kWh)"] if energy else []), cells)


def by_record(rows: list[dict], facts: dict) -> Html:
    headings = [
        "labels of", "x", "structures", "accepted", "from the store", "failed attempts", "core-s a new label",
        "core-hours", "in failed attempts", "share (%)",
    ]  # fmt: skip
    cells = [
        [
            row["record"].replace("_", " ").replace("round", "round "), row["concentration"], row["structures"],
            row["accepted"], row["stored"], row["failed_attempts"],
            "–" if row["core_s_per_label"] is None else f"{row['core_s_per_label']:.3g}", hours(row["core_h"]),
            hours(row["failed_core_h"]), f"{row['failed_share']:.1f}",
        ]
        for row in rows
    ]  # fmt: skip
    told = (
        "What the labelling program took; the rest of a label job's time is its start. Failed attempts are included in "
        "what a new label cost."
    )
    stored = facts["labels_from_elsewhere"]
    if stored:
        told += (
            f" {stored} labels were in the store, computed by another campaign or before this record: what they had "
            "cost is not counted."
        )
    return join(paragraph(told), table(headings, cells))


def by_condition(rows: list[dict]) -> Html:
    headings = ["potential", "x", "T (K)", "runs", "core-hours", "of these lost", *COUNTED]
    keys = ["core_h", "lost_core_h", *COUNTED]
    names = ["potential", "concentration", "temperature", "runs"]
    cells = [[*(row[key] for key in names), *(hours(row[key]) for key in keys)] for row in rows]
    return join(paragraph("Core-hours. The last line is what no condition needed alone."), table(headings, cells))


def by_figure(rows: list[dict]) -> Html:
    headings = ["figure", "core-hours", "in failed label attempts", "in lost attempts of jobs", *COUNTED]
    cells = []
    for row in rows:
        shares = [
            percent(row[key], row["core_h"]).replace("less than", "<") for key in ("failed_label_core_h", "lost_core_h")
        ]
        cells.append([short(row["figure"]), hours(row["core_h"]), *shares, *(hours(row[stage]) for stage in COUNTED)])
    first = [row["sentence"] for row in rows if row["figure"].endswith("/arrhenius.svg")]
    return join(*map(paragraph, first), table(headings, cells))
