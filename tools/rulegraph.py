#!/usr/bin/env python3
"""Write the pipeline picture of README.md from the rulegraph: one box a stage, a Mermaid flowchart.

Usage: snakemake --rulegraph mermaid-js | rulegraph.py README.md [--check]
With --check nothing is written, and the exit status is 1 where the picture in README.md is out of date.
"""

import re
import sys
from pathlib import Path

STAGES = ["generate", "label", "train", "explore", "simulate", "reduce", "audit"]
MARKERS = "<!-- rulegraph: written by `make rulegraph` -->", "<!-- /rulegraph -->"


def flowchart(graph: str) -> str:
    """Stages as boxes of their rules, arrows between rules; `all` is left out, for everything leads to it."""
    rules = dict(re.findall(r"(id\d+)\[(\w+)\]", graph))
    arrows = [(rules[a], rules[b]) for a, b in re.findall(r"(id\d+) --> (id\d+)", graph)]
    lines = ["```mermaid", "flowchart LR"]
    for stage in STAGES:
        members = sorted(rule for rule in rules.values() if rule.partition("_")[0] == stage)
        lines += [f"    subgraph {stage}", *(f"        {rule}" for rule in members), "    end"]
    lines += sorted(f"    {a} --> {b}" for a, b in arrows if b != "all")
    return "\n".join([*lines, "```"])


def main() -> None:
    readme = Path(sys.argv[1])
    text = readme.read_text()
    start, end = (text.index(marker) for marker in MARKERS)
    new = text[: start + len(MARKERS[0])] + "\n" + flowchart(sys.stdin.read()) + "\n" + text[end:]
    if "--check" not in sys.argv:
        readme.write_text(new)
    elif new != text:
        sys.exit(f"{readme}: the pipeline picture is out of date; run `make rulegraph`")


if __name__ == "__main__":
    main()
