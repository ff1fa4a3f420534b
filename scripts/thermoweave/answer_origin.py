"""What the answer cost, and what it rests on."""

import time
from collections.abc import Sequence
from pathlib import Path

from thermoweave import trace
from thermoweave.answer_html import Html, bullets, folded, join, paragraph, table
from thermoweave.lineage import Job, Lineage
from thermoweave.tables import read_csv

COST_HEADINGS = {
    "stage": "stage", "rule": "rule", "jobs": "jobs", "wall_h": "hours, summed over jobs", "core_h": "core-hours",
    "lost_core_h": "of these lost", "share": "share (%)", "energy_kWh": "energy (kWh)",
}  # fmt: skip

FOLLOW = Html('<code>make trace POINT="arrhenius concentration=X temperature=T"</code>')


def cost(table_path: Path, figures_path: Path) -> Html:
    """Sentences of cost_figures.csv, those of Arrhenius figures before the table by rule, the others behind it."""
    sentences = [row["sentence"] for row in read_csv(figures_path)]
    first = [one for one in sentences if "arrhenius" in one.lower()]
    others = [one for one in sentences if one not in first]
    costs = read_csv(table_path)
    keys = list(costs[0])
    return join(
        *map(paragraph, first),
        table([COST_HEADINGS.get(key, key) for key in keys], [[row[key] for key in keys] for row in costs]),
        folded("Other figures", bullets(others)) if others else "",
    )


def lineage(graph: Lineage, figures: Sequence[tuple[str, Path]], folder: Path) -> Html:
    """What each backend's Arrhenius figure rests on: (backend, file) pairs, files as in the graph, below `folder`."""
    return join(
        paragraph(f"Behind the results of this campaign are {len(graph.jobs)} jobs that Snakemake has a record of."),
        *(chain(backend, str(path), graph, folder) for backend, path in figures),
        sources(graph.sources),
        paragraph(join("The way back from one point or row, up to its pseudopotentials, is told by ", FOLLOW, ".")),
    )


def chain(backend: str, figure: str, graph: Lineage, folder: Path) -> Html:
    """The jobs behind a figure, first to last, by rule; its labels and their level of theory."""
    jobs = graph.upstream([figure])
    rules: dict[tuple[str, str], list[Job]] = {}
    for job in jobs.values():
        rules.setdefault((job.stage, job.rule), []).append(job)
    lines = [
        [rule, stage, len(made), sum(len(job.outputs) for job in made), moment(min(job.start for job in made))]
        for (stage, rule), made in rules.items()
    ]
    start, end = min(job.start for job in jobs.values()), max(job.end for job in jobs.values())
    return join(
        paragraph(
            f"The Arrhenius figure of {backend} rests on {len(jobs)} jobs, made from {moment(start)} to {moment(end)} "
            f"UTC, and on {'; '.join(trace.labels(jobs, folder))}:"
        ),
        table(["rule", "stage", "jobs", "files", "first began (UTC)"], lines),
        paragraph("Level of theory of the labels:"),
        bullets(trace.level_of_theory(jobs, graph.sources, folder)),
    )


def sources(files: dict[str, str]) -> Html:
    """Files that no job made, with their hashes."""
    if not files:
        return paragraph("All files that these jobs name as their inputs were made by jobs of this campaign.")
    return join(
        paragraph("Files that no job made, with their sha256:"),
        bullets([f"{path}: {digest}" for path, digest in files.items()]),
    )


def moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.gmtime(seconds))


def methods(path: Path) -> Html:
    """The methods paragraph: what is in the <body> of a page, or all of a fragment."""
    content = Path(path).read_text()
    inside = content.partition("<body>")[2].partition("</body>")[0]
    return Html(inside or content)
