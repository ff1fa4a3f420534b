"""Tables of numbers: as CSV, and in Markdown to paste into docs/performance.md."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np


def write_csv(path: Path, rows: Sequence[dict]) -> None:
    """One line a row; columns are the keys of all rows, in the order in which they turn up."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)


def markdown(rows: Sequence[dict]) -> str:
    """The same rows as a table; numbers with three digits."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    lines = [columns, ["---"] * len(columns), *([cell(row.get(key, "")) for key in columns] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def cell(value: object) -> str:
    if not isinstance(value, float):
        return str(value)
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def spread(values: Sequence[float]) -> str:
    """Median of what was measured in turns, with the range of all."""
    return f"{cell(float(np.median(values)))} ({cell(float(min(values)))}-{cell(float(max(values)))})"
