#!/usr/bin/env python3
"""The way back from a point of a figure, or a row of a table, to the pseudopotentials.

    trace.py [--campaign FOLDER] TABLE[:LINE] [COLUMN=VALUE ...]

TABLE is a CSV file of the campaign, or the end of its name: arrhenius, nequip/budget, audit/nequip/conditions.csv. A
line (the header is line 1) or values of columns pick a row: trace.py arrhenius "quantity=D Li" concentration=0.25
temperature=1000. Without either, the whole table is traced. Works in a finished campaign and in an unpacked archive;
ends with status 1 where a hash does not agree. Standard library only.
"""

import signal
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "scripts"))

sys.dont_write_bytecode = True  # an archive stays as it is

from thermoweave import lineage, trace  # noqa: E402

LINEAGE = "results/audit/lineage.json"


def parse(words: list[str]) -> tuple[Path, str, int | None, dict[str, str]]:
    """Folder, table, line and values of columns, from the command line."""
    folder = Path()
    if words[:1] == ["--campaign"]:
        folder, words = Path(words[1]), words[2:]
    if not words or words[0].startswith("-"):
        raise ValueError(f"a table is needed.\n{__doc__}")
    table, _, line = words[0].partition(":")
    if line and not line.isdigit():
        raise ValueError(f"{words[0]}: after the colon belongs the number of a line")
    wrong = [word for word in words[1:] if "=" not in word]
    if wrong:
        raise ValueError(f"{wrong[0]}: not COLUMN=VALUE")
    values = dict(word.split("=", 1) for word in words[1:])
    return folder, table, int(line) if line else None, values


def main(words: list[str]) -> int:
    try:
        folder, name, line, values = parse(words)
        if not (folder / LINEAGE).is_file():
            raise ValueError(f"{folder / LINEAGE} is not there: it is written when a campaign is complete")
        graph = lineage.read(folder / LINEAGE)
        table = trace.find_table(graph, name)
        found = trace.follow(graph, folder, table, trace.find_row(folder / table, line, values))
    except (ValueError, OSError) as error:
        print(f"trace.py: {error}", file=sys.stderr)
        return 2
    for title, lines in found.steps:
        print(title)
        for text in lines:
            print(textwrap.fill(text, 118, initial_indent="  ", subsequent_indent="      ", break_long_words=False))
    for fault in found.faults:
        print(f"DOES NOT AGREE: {fault}")
    return 1 if found.faults else 0


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # as in `trace.py ... | head`
    sys.exit(main(sys.argv[1:]))
