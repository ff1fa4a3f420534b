"""References: a reader of resources/references.bib, and its entries as BibTeX, HTML and for the archive's metadata.

The file is written by hand in a strict format (one field a line, values in braces, no macros), so that a slip is an
error and no library is needed.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path

TYPES = {  # schema.org, by kind of entry
    "article": "ScholarlyArticle", "inproceedings": "ScholarlyArticle", "misc": "ScholarlyArticle", "book": "Book",
    "software": "SoftwareApplication",
}  # fmt: skip
REQUIRED = {
    "article": {"journal", "volume"}, "inproceedings": {"booktitle"}, "misc": {"howpublished"}, "book": {"publisher"},
    "software": set(),
}  # fmt: skip
FIELDS = ("author", "title", "journal", "booktitle", "howpublished", "publisher", "volume", "number", "pages", "year",
          "doi")  # fmt: skip


@dataclass(frozen=True)
class Reference:
    """An entry: its key, its kind ("article", ...), its fields as they are written."""

    key: str
    kind: str
    fields: Mapping[str, str]

    @property
    def title(self) -> str:
        return self.fields["title"]

    @property
    def doi(self) -> str:
        return self.fields.get("doi", "")


def read(path: Path) -> dict[str, Reference]:
    """References by key. Raises ValueError, with the line, for what is not in our own strict format, and for an entry
    that lacks a field or is there twice.
    """
    found: dict[str, Reference] = {}
    head, fields = None, {}
    for number, line in enumerate(Path(path).read_text(encoding="utf-8").splitlines(), 1):
        where = f"{path}, line {number}"
        if head is None and (match := re.fullmatch(r"@(\w+)\{(\w+),", line)):
            head, fields = match.groups(), {}
        elif head and line == "}":
            if head[1] in found:
                raise ValueError(f"{where}: {head[1]} is there already; keep one of the two")
            found[head[1]] = checked(Reference(head[1], head[0], fields), where)
            head = None
        elif head and (match := re.fullmatch(r"  (\w+) = \{(.+)\},", line)) and match[1] not in fields:
            fields[match[1]] = re.sub(r"^\{(.*)\}$", r"\1", match[2])
        elif head or (line and not line.startswith("%")):
            raise ValueError(
                f"{where}: {line!r} is none of @kind{{Key, / two spaces, name = {{value}}, / }} / % comment"
            )
    if head:
        raise ValueError(f"{path}: {head[1]} has no closing brace")
    return found


def checked(reference: Reference, where: str) -> Reference:
    """The reference. Raises ValueError for an unknown kind or field, and for what is missing."""
    if reference.kind not in REQUIRED:
        raise ValueError(f"{where}: @{reference.kind} of {reference.key}; it can be {', '.join(REQUIRED)}")
    names = set(reference.fields)
    if missing := ({"author", "title", "year"} | REQUIRED[reference.kind]) - names:
        raise ValueError(f"{where}: {reference.key} has no {', '.join(sorted(missing))}")
    if unknown := names - set(FIELDS):
        raise ValueError(f"{where}: {reference.key} has {', '.join(sorted(unknown))}; fields are {', '.join(FIELDS)}")
    if reference.doi and not re.fullmatch(r"10\.\d{4,}/\S+", reference.doi):
        raise ValueError(f"{where}: doi of {reference.key}: {reference.doi!r} is none (10.NNNN/...)")
    return reference


def bibtex(references: Iterable[Reference]) -> str:
    """A BibTeX file. Titles have a second pair of braces: no style changes the case of NequIP or of DFT."""
    entries = []
    for each in references:
        doubled = {"title", "author"} if each.kind == "software" else {"title"}  # a group's name has no parts
        fields = {name: f"{{{value}}}" if name in doubled else value for name, value in each.fields.items()}
        lines = [f"  {name} = {{{value}}},\n" for name, value in fields.items()]
        entries.append(f"@{each.kind}{{{each.key},\n{''.join(lines)}}}\n")
    return "\n".join(entries)


def summary(references: Iterable[Reference]) -> list[dict[str, str]]:
    """Key, title, type (of schema.org) and, where there is one, doi of each: what the archive's metadata take."""
    rows = [{"key": each.key, "title": each.title, "type": TYPES[each.kind], "doi": each.doi} for each in references]
    return [{name: value for name, value in row.items() if value} for row in rows]


def authors(reference: Reference) -> str:
    """`F. Mölder, K. P. Jablonski, et al.`: initials before names."""
    names = []
    for name in reference.fields["author"].split(" and "):
        last, *junior, first = name.split(", ") if ", " in name else (name, "")
        initials = re.sub(r"(\w)[^\W\d_]*\.?", r"\1.", first)
        names.append("et al." if name == "others" else " ".join(filter(None, [initials, last, *junior])))
    if names[-1] == "et al.":
        return f"{', '.join(names[:-1])} {names[-1]}"
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def as_html(reference: Reference) -> str:
    """A line of a list of references, with a link to the DOI."""
    fields = {name: escape(value) for name, value in reference.fields.items()}
    place = [fields[name] for name in ("journal", "booktitle", "howpublished", "publisher") if name in fields]
    place += [f"<b>{fields['volume']}</b>"] if "volume" in fields else []
    place += [f"({fields['number']})"] if "number" in fields else []
    source = ", ".join(filter(None, [" ".join(place), fields.get("pages")]))
    parts = [escape(authors(reference)), f"<i>{fields['title']}</i>", *([source] if source else [])]
    link = f' <a href="https://doi.org/{fields["doi"]}">doi:{fields["doi"]}</a>' if reference.doi else ""
    return f"{', '.join(parts)} ({fields['year']}).{link}"
