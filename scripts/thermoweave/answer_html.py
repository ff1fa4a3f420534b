"""Pieces of the answer page: one file, readable on a phone and on paper, without scripts and with nothing to fetch."""

import base64
import re
from collections.abc import Sequence
from html import escape
from pathlib import Path

SMALLEST = 0.6  # of a figure's own width: below that its text (9 pt) cannot be read, and it scrolls
PHONE = 368  # px of a column on a screen of 400
PX_PER_PT = 4 / 3  # CSS, by definition

# Colours are set, also the background, and no dark scheme is offered: figures are drawn on white.
STYLE = """
body { margin: 0; background: #fff; color-scheme: light; }
.answer { max-width: 62rem; margin: 0 auto; padding: 1rem; background: #fff; color: #1a1a1a;
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; -webkit-text-size-adjust: 100%; }
.answer h1 { font-size: 1.6rem; font-weight: 700; line-height: 1.2; margin: 0 0 .6rem; }
.answer h2 { font-size: 1.25rem; font-weight: 700; margin: 2.2rem 0 .6rem; border-bottom: 2px solid #444; }
.answer h3 { font-size: 1.05rem; font-weight: 700; margin: 1.4rem 0 .4rem; }
.answer p, .answer ul { margin: .5rem 0; } .answer ul { padding-left: 1.2rem; list-style: disc; }
.answer a { color: #00528a; text-decoration: underline; } .answer code { font-size: .9em; }
.answer nav { width: auto; height: auto; background: none; color: inherit; margin: .8rem 0; }
.answer nav a { display: inline-block; padding: .2rem .9rem .2rem 0; }
.answer .verdict { font-size: 1.1rem; border-left: .3rem solid #00704e; padding: .1rem 0 .1rem .8rem; }
.answer .verdict.short { border-color: #b34a00; }
.answer .scroll { overflow-x: auto; margin: .6rem 0; }
.answer figure { margin: 1rem 0; } .answer img { display: block; width: 100%; height: auto; margin: 0 auto; }
.answer figcaption, .answer .small { font-size: .9rem; color: #444; }
.answer table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; margin: 0; }
.answer th, .answer td { padding: .25rem .7rem; border: 0; border-bottom: 1px solid #ddd; text-align: right;
  vertical-align: top; white-space: nowrap; overflow-wrap: normal; font-weight: 400; color: inherit; }
.answer thead th { font-weight: 700; vertical-align: bottom; border-bottom: 2px solid #444; white-space: normal; }
.answer tbody th, .answer thead th:first-child { position: sticky; left: 0; background: #fff; text-align: left; }
.answer th.group { font-weight: 700; padding-top: .8rem; } .answer .text, .answer .said { text-align: left; }
.answer .said span { display: inline-block; white-space: normal; max-width: min(40rem, 55vw); }
.answer .bad { color: #a02020; }
.answer details { margin: .6rem 0; } .answer summary { cursor: pointer; }
.answer .hint { display: none; } @media (max-width: 40rem) { .answer .hint { display: inline; } }
@media print { .answer .scroll { overflow: visible; } .answer figure, .answer tr { break-inside: avoid; } }
"""


class Html(str):
    """A text that is HTML already: not escaped again."""


def text(content: object) -> Html:
    """Anything as HTML that shows it."""
    return content if isinstance(content, Html) else Html(escape(str(content)))


def join(*pieces: object) -> Html:
    """Pieces one after another; those that are not HTML yet are escaped."""
    return Html("".join(text(piece) for piece in pieces))


def paragraph(content: object, kind: str = "") -> Html:
    return Html(f"<p{_class(kind)}>{text(content)}</p>\n")


def heading(content: object) -> Html:
    return Html(f"<h3>{text(content)}</h3>\n")


def bad(content: object) -> Html:
    """A text in red: the words say what is wrong, too."""
    return Html(f'<span class="bad">{text(content)}</span>')


def bullets(items: Sequence[object]) -> Html:
    """A list; nothing where there are no items."""
    return Html("<ul>" + "".join(f"<li>{text(item)}</li>\n" for item in items) + "</ul>\n" if items else "")


def folded(title: str, content: Html) -> Html:
    """What only some readers want to see."""
    return Html(f"<details><summary>{text(title)}</summary>\n{content}</details>\n")


def table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> Html:
    """
    A table that scrolls in its own box. Columns with words are set left.

    The last cell of a short row takes the columns that remain: a row of one cell is a heading for those below.
    """
    n = len(headings)
    words = {k for row in rows if len(row) == n for k, cell in enumerate(row) if re.search(r"[A-Za-z]{3}", str(cell))}
    head = "".join(
        f'<th scope="col"{_class("text" if k in words else "")}>{text(name)}</th>' for k, name in enumerate(headings)
    )
    body = "\n".join(f"<tr>{_cells(row, n, words)}</tr>" for row in rows)
    return Html(f'<div class="scroll"><table><thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>\n')


def _cells(row: Sequence[object], n: int, words: set[int]) -> str:
    if len(row) == 1:
        return f'<th class="group" scope="rowgroup" colspan="{n}">{text(row[0])}</th>'
    first, *others = row
    cells = [f'<th scope="row">{text(first)}</th>']
    for k, cell in enumerate(others, 1):
        if k == len(others) and (rest := n - k) > 1:
            cells.append(f'<td class="said" colspan="{rest}"><span>{text(cell)}</span></td>')
        else:
            shown = cell if isinstance(cell, Html) else re.sub(r"^-(?=\d)", "−", str(cell))
            cells.append(f"<td{_class('text' if k in words else '')}>{text(shown)}</td>")
    return "".join(cells)


def figure(path: Path, title: str, caption: str) -> Html:
    """An SVG file in the page, as wide as its column but never so small that it cannot be read."""
    content = Path(path).read_bytes()
    width = _width(content, path)
    data = base64.b64encode(content).decode()
    smallest = SMALLEST * width
    hint = ' <span class="hint">Swipe to see all of it.</span>' if smallest > PHONE else ""
    size = f"max-width: {1.2 * width:.0f}px; min-width: {smallest:.0f}px"
    return Html(
        f'<figure><div class="scroll" tabindex="0"><img src="data:image/svg+xml;base64,{data}" alt="{text(title)}" '
        f'style="{size}"></div><figcaption><b>{text(title)}.</b> {text(caption)}{hint}</figcaption></figure>\n'
    )


def _width(content: bytes, path: Path) -> float:
    """Its own width (CSS px)."""
    found = re.search(rb'<svg [^>]*\bwidth="([\d.]+)(pt|px)?"', content)
    if found is None:
        raise ValueError(f"{path}: no width in its <svg>, as figures of this workflow have")
    return float(found[1]) * (PX_PER_PT if found[2] == b"pt" else 1)


def section(name: str, title: str, content: Html) -> Html:
    """A part of the page, with a heading that a link `#answer-NAME` leads to."""
    return Html(f'<section><h2 id="answer-{name}">{text(title)}</h2>\n{content}</section>\n')


def page(title: str, verdict: Html, sections: dict[str, tuple[str, Html]]) -> str:
    """The whole page; `sections`: heading and content by name."""
    links = " ".join(f'<a href="#answer-{name}">{text(heading)}</a>' for name, (heading, _) in sections.items())
    body = "".join(section(name, heading, content) for name, (heading, content) in sections.items())
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{text(title)}</title>\n'
        f"<style>{STYLE}</style>\n</head>\n<body>\n"
        f'<main class="answer"><h1>{text(title)}</h1>\n{verdict}<nav>{links}</nav>\n{body}</main>\n</body>\n</html>\n'
    )


def _class(kind: str) -> str:
    return f' class="{kind}"' if kind else ""
