"""Tables: CSV for programs, HTML for the report."""

import csv
import html
import math
import os
from pathlib import Path

STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 1.2em; color: #1a1a1a; }
table { border-collapse: collapse; } caption { text-align: left; padding: 0 0 .8em 0; max-width: 60em; }
th, td { padding: .25em .8em; border-bottom: 1px solid #ddd; text-align: right; white-space: nowrap; }
th { border-bottom: 2px solid #444; vertical-align: bottom; } td.text, th.text { text-align: left; }
tr.gap td { color: #a33; }
"""


ROW, GAP_ROW = "<tr>{}</tr>", '<tr class="gap">{}</tr>'


def read_csv(path: str | Path) -> list[dict[str, str]]:
    """Rows of a CSV file as texts under their column names."""
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def write_csv(path: str | Path, rows: list[dict], columns: list[str]) -> None:
    """Write rows under a temporary name, then rename; with no rows the header stands alone."""
    partial = f"{path}.partial"
    with open(partial, "w", newline="") as file:
        table = csv.DictWriter(file, columns)
        table.writeheader()
        table.writerows(rows)
    os.replace(partial, path)


class Record:
    """A CSV file that grows row by row under a temporary name and is whole once the `with` block ends.

    Rows that a killed job left under that name are kept: the record has them all.
    """

    def __init__(self, path: str | Path, columns: list[str]):
        self.path, self.partial, self.columns = Path(path), Path(f"{path}.partial"), columns
        found = read_csv(self.partial) if self.partial.exists() else []
        self.rows = [row for row in found if None not in row.values()]  # a full disk leaves half a line

    def __enter__(self) -> "Record":
        write_csv(self.partial, self.rows, self.columns)
        return self

    def __exit__(self, kind: type | None, *_) -> None:
        if kind is None:
            os.replace(self.partial, self.path)

    def add(self, row: dict) -> None:
        """Append a row; it is in the file when this returns."""
        self.rows.append({key: str(value) for key, value in row.items()})
        with open(self.partial, "a", newline="") as file:
            csv.DictWriter(file, self.columns).writerow(row)


def write_html(path: str | Path, title: str, caption: str, columns: dict[str, str], rows: list[dict]) -> None:
    """A page with one table. `columns` maps keys of the rows to headings; a row with a true `gap` is set in red."""
    texts = {key for key in columns if any(not _is_number(row.get(key, "")) for row in rows)}

    def cell(tag: str, key: str, content) -> str:
        kind = ' class="text"' if key in texts else ""
        return f"<{tag}{kind}>{html.escape(str(content))}</{tag}>"

    head = "".join(cell("th", key, heading) for key, heading in columns.items())
    body = "\n".join(
        (GAP_ROW if row.get("gap") else ROW).format("".join(cell("td", key, row.get(key, "")) for key in columns))
        for row in rows
    )
    page = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f"<style>{STYLE}</style></head><body><table>"
        f"<caption><b>{html.escape(title)}.</b> {html.escape(caption)}</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table></body></html>\n"
    )
    partial = f"{path}.partial"
    Path(partial).write_text(page)
    os.replace(partial, path)


def with_error(value: float, std: float) -> str:
    """`1.23 ± 0.05` with two significant digits of the error; a dash where there is no number."""
    if not math.isfinite(value):
        return "–"
    if not (math.isfinite(std) and std > 0):
        return f"{value:.3g}"
    digits = max(0, 1 - math.floor(math.log10(std)))
    return f"{value:.{digits}f} ± {std:.{digits}f}"


def _is_number(text) -> bool:
    try:
        float(str(text).split(" ± ")[0].replace("–", "nan") or "nan")
    except ValueError:
        return False
    return True
