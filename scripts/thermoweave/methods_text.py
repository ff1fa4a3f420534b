"""The words of the methods text, and its three forms: Markdown for pandoc, HTML with numbers, LaTeX.

A paragraph is a heading and sentences. In a sentence, `[@Key; @Other]` cites (keys of resources/references.bib), `*D*`
is a symbol in italics, and `[ADD: ...]` is what no record says and the author has to.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape

from thermoweave.bibtex import Reference, as_html
from thermoweave.citations import METHODS

Paragraph = tuple[str, list[str]]

CITATION = re.compile(r" \[(@\w+(?:; @\w+)*)\]")
SYMBOL = re.compile(r"\*(\w+)\*")
GAP = re.compile(r"\[ADD: [^\]]+\]")
MARKS = re.compile(r"( \[@[\w;@ ]+\]|\*\w+\*|\[ADD: [^\]]+\])")
SUPERSCRIPTS = str.maketrans("0123456789-+", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺")
UNIT = re.compile(r"(?<=[\d⁰-⁹]) (?=(?:K|[fp]s|m?eV|Ry|Å|THz|GPa|g/cm³|%)(?!\w))| (?=±)|(?<=±) ")  # no line ends here
SMALL = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
LOWERED = {over: plain for plain, over in SUPERSCRIPTS.items()}
LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "Å": r"\AA{}", "×": r"$\times$", "±": r"$\pm$", "–": "--",
    "−": "$-$", "≤": r"$\leq$", "≥": r"$\geq$", "Γ": r"$\Gamma$", "σ": r"$\sigma$", "\N{NO-BREAK SPACE}": "~",
}  # fmt: skip
STYLE = """
body { margin: 0 auto; padding: 1rem; max-width: 44rem; background: #fff; color: #1a1a1a; color-scheme: light;
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; -webkit-text-size-adjust: 100%; }
h3 { font-size: 1.05rem; margin: 1.4rem 0 .4rem; } p { margin: .5rem 0; } a { color: #00528a; }
ol { padding-left: 2rem; } li { margin: .3rem 0; } mark { background: #ffe9a8; }
"""
ABOUT = (
    "Written from the records of this campaign, for you to shorten and edit. The same text is in methods.md (for "
    "pandoc) and methods.tex (for LaTeX); references.bib has all that it cites."
)
TO_ADD = " What no record says is marked [ADD: like this]."


def cite(*keys: str) -> str:
    """` [@Key; @Other]`; nothing where there is nothing to cite."""
    return f" [{'; '.join(f'@{key}' for key in dict.fromkeys(keys))}]" if keys else ""


def method(*names: str) -> str:
    """The citation of methods by their names in `citations.METHODS`."""
    return cite(*(key for name in names for key in METHODS[name]))


def counted(n: int, noun: str, plural: str = "") -> str:
    """`1 label`, `63 labels`."""
    return f"{n} {noun if n == 1 else plural or f'{noun}s'}"


def was(n: int) -> str:
    return "was" if n == 1 else "were"


def capital(text: str) -> str:
    """A text at the beginning of a sentence, a small number spelled out."""
    first, space, rest = text.partition(" ")
    if first.isdigit() and int(first) < len(SMALL):
        first = SMALL[int(first)]
    return f"{first[:1].upper()}{first[1:]}{space}{rest}"


def listed(items: Iterable[object], last: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    texts = [str(item) for item in items]
    return f" {last} ".join(filter(None, [", ".join(texts[:-1]), texts[-1]])) if texts else ""


def number(value: float) -> str:
    """`0.41`, `−3`, `10⁻⁷`, `2.5 × 10⁻⁷`."""
    text = f"{value:g}"
    if "e" not in text:
        return text.replace("-", "−")
    mantissa, exponent = text.split("e")
    power = f"10{str(int(exponent)).translate(SUPERSCRIPTS)}"
    return power if mantissa == "1" else f"{mantissa} × {power}".replace("-", "−")


def numbers(values: Iterable[float]) -> str:
    """Distinct numbers in ascending order, as a list."""
    return listed(number(value) for value in sorted(set(values)))


def between(values: Iterable[float], digits: int = 4) -> str:
    """`64`, or `64 to 128`."""
    ends = [f"{end(values):.{digits}g}" for values in [list(values)] for end in (min, max)]
    return ends[0] if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"


def share(n: int, total: int) -> str:
    """`all 15`, `12 of 15`, `none of the 15`."""
    return f"all {total}" if n == total > 1 else f"none of the {total}" if n == 0 < total else f"{n} of {total}"


def cited(paragraphs: Sequence[Paragraph]) -> list[str]:
    """Keys in the order of their first citation."""
    text = " ".join(sentence for _, sentences in paragraphs for sentence in sentences)
    return list(dict.fromkeys(key for group in CITATION.findall(text) for key in re.findall(r"\w+", group)))


def about(paragraphs: Sequence[Paragraph]) -> str:
    """What the text is, for its reader."""
    return ABOUT + (TO_ADD if any(GAP.search(text) for _, texts in paragraphs for text in texts) else "")


def markdown(title: str, paragraphs: Sequence[Paragraph]) -> str:
    """For pandoc: `pandoc --citeproc --bibliography references.bib methods.md -o methods.docx`."""
    body = "\n\n".join(f"**{heading}.** {' '.join(sentences)}" for heading, sentences in paragraphs)
    return f"<!-- {about(paragraphs)} -->\n\n# {title}\n\n{body}\n\n# References\n"


def latex(paragraphs: Sequence[Paragraph]) -> str:
    """To be put into a paper with \\input, or copied; references.bib is its bibliography."""
    lines = [f"% {about(paragraphs)}"]
    for heading, sentences in paragraphs:
        pieces = MARKS.split(UNIT.sub("\N{NO-BREAK SPACE}", " ".join(sentences)))
        lines.append(rf"\paragraph{{{latex_text(heading)}.}} " + "".join(map(latex_piece, pieces)))
    return "\n\n".join(lines) + "\n"


def latex_piece(piece: str) -> str:
    """One of the marks of a sentence, or the text between them."""
    if found := CITATION.fullmatch(piece):
        return rf"~\cite{{{found[1].replace('; ', ',').replace('@', '')}}}"
    if found := SYMBOL.fullmatch(piece):
        return f"${found[1]}$"
    return rf"\textbf{{{latex_text(piece)}}}" if GAP.fullmatch(piece) else latex_text(piece)


def latex_text(text: str) -> str:
    """Plain text with its special characters as LaTeX has them, `10⁻⁷` among them."""
    plain = "".join(LATEX.get(character, character) for character in text)
    return re.sub("[⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺]+", lambda found: f"$^{{{found[0].translate(LOWERED)}}}$", plain)


def html(title: str, paragraphs: Sequence[Paragraph], references: Mapping[str, Reference]) -> str:
    """A page with numbered references; its body is a part of the answer page, too."""
    keys = cited(paragraphs)
    body = "\n".join(
        f"<p><b>{escape(heading)}.</b> {html_text(' '.join(sentences), keys)}</p>" for heading, sentences in paragraphs
    )
    items = "\n".join(f'<li id="reference-{key}">{as_html(references[key])}</li>' for key in keys)
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{escape(title)}: methods</title>\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<style>{STYLE}</style>\n</head>\n'
        f"<body>\n<p><i>{html_text(about(paragraphs), keys)}</i></p>\n{body}\n"
        f"<h3>References</h3>\n<ol>\n{items}\n</ol>\n</body>\n</html>\n"
    )


def html_text(text: str, keys: Sequence[str]) -> str:
    def links(found: re.Match) -> str:
        named = re.findall(r"\w+", found[1])
        marks = (f'<a href="#reference-{key}">{keys.index(key) + 1}</a>' for key in named)
        return f"\N{NO-BREAK SPACE}[{', '.join(marks)}]"

    text = UNIT.sub("\N{NO-BREAK SPACE}", escape(text, quote=False).replace("'", "’"))
    text = CITATION.sub(links, SYMBOL.sub(r"<i>\1</i>", text))
    return GAP.sub(lambda found: f"<mark>{found[0]}</mark>", text)
