"""Write down what every result rests on, from the records that Snakemake keeps of its jobs."""

import html
import logging
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from thermoweave import environment, lineage, logs, trace

log = logging.getLogger(__name__)

STAGES = {
    "generate": "structures", "label": "labels", "train": "trainings", "explore": "walks and their judgement",
    "simulate": "runs", "reduce": "reductions",
}  # fmt: skip
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 1.2em auto; padding: 0 1em; max-width: 60em; color: #1a1a1a; }
div.wide { overflow-x: auto; } table { border-collapse: collapse; }
th, td { padding: .25em .7em; border-bottom: 1px solid #ddd; text-align: right; white-space: nowrap; }
th { border-bottom: 2px solid #444; vertical-align: bottom; } td:first-child, th:first-child { text-align: left; }
details { margin: .5em 0; } summary { cursor: pointer; } dt { font-weight: 600; margin-top: .6em; }
dd { margin-left: 1em; overflow-wrap: anywhere; } p.fault { color: #a33; }
"""
INTRO = (
    "Jobs that each table or figure rests on, by stage, as Snakemake recorded them. Below, each one's way back: "
    "reduction, trajectory, potential, training, labels, level of theory and pseudopotentials. For a single point: "
    'make trace POINT="TABLE:LINE", or by columns: make trace POINT="arrhenius concentration=X temperature=T".'
)


def audit_lineage(
    folder: Path, results: Sequence[str], pseudopotentials: Iterable[str], out_json: Path, out_html: Path
) -> None:
    """Write the graph behind `results`, files below the campaign's `folder`, and a page with the way back of each.

    Raises ValueError where a result has no record, RuntimeError where a hash on the way does not agree with its file.
    """
    graph = lineage.from_records(folder, results, pseudopotentials)
    lineage.write(graph, out_json)
    tables = sorted(path for path in results if path.endswith(".csv"))
    traces = {table: trace.follow(graph, folder, table, {}) for table in tables}
    faults = list(dict.fromkeys(fault for each in traces.values() for fault in each.faults))
    partial = Path(f"{out_html}.partial")
    partial.write_text(page(graph, traces, faults))
    os.replace(partial, out_html)
    log.info("%d jobs behind %d results, %d sources", len(graph.jobs), len(results), len(graph.sources))
    if faults:
        raise RuntimeError(
            "what the results rest on was changed after it was used: " + "; ".join(faults) + ". Put the files back, or "
            "remove them, and run Snakemake again: it makes anew what rests on them"
        )


def page(graph: lineage.Lineage, traces: dict[str, trace.Trace], faults: Sequence[str]) -> str:
    """The page: jobs by stage of each table, then their ways back, folded."""
    head = "".join(f"<th>{name}</th>" for name in ("result", "made by", *STAGES.values()))
    rows = []
    for table in traces:
        jobs = graph.upstream([table])
        count = Counter(job.stage for job in jobs.values())
        made = graph.jobs[graph.made_by(table)].rule
        rows.append("".join(f"<td>{cell}</td>" for cell in (table, made, *(count[stage] or "–" for stage in STAGES))))
    body = "".join(f"<tr>{row}</tr>\n" for row in rows)
    told = "".join(f'<p class="fault">Does not agree: {html.escape(fault)}</p>' for fault in faults)
    ways = "\n".join(f"<details><summary>{table}</summary>{steps(found)}</details>" for table, found in traces.items())
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Lineage</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head><body>'
        f"<h1>Lineage</h1><p>{html.escape(INTRO)}</p>{told}"
        f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>\n{body}</tbody></table></div>{ways}'
        "</body></html>\n"
    )


def steps(found: trace.Trace) -> str:
    """The steps of a way back, as a list."""
    return "<dl>" + "".join(
        f"<dt>{title}</dt>" + "".join(f"<dd>{html.escape(line)}</dd>" for line in lines) for title, lines in found.steps
    ) + "</dl>"  # fmt: skip


if __name__ == "__main__":
    environment.isolate()
    logs.start(snakemake.log[0])
    files, out = list(dict.fromkeys(snakemake.input)), snakemake.output
    audit_lineage(Path(), files, snakemake.params.pseudopotentials.values(), out.json, out.html)
