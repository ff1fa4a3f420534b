"""Pseudopotential files: which one belongs to a species, and whether it is what it should be."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from ase.data import atomic_numbers, chemical_symbols

SUFFIXES = (".gth", ".upf", ".psml")
SUMS = "SHA256SUMS"
GTH_FUNCTIONALS = {1: "LDA", 11: "PBE"}  # pspxc of the ABINIT header
# Short names of UPF headers, and the four components that they may be spelled in.
UPF_FUNCTIONALS = {
    "LDA": {"PZ", "LDA", "SLA PZ NOGX NOGC"},
    "PBE": {"PBE", "SLA PW PBX PBC", "SLA PW PBE PBE"},
    "PBEsol": {"PBESOL", "SLA PW PSX PSC"},
    "revPBE": {"REVPBE", "SLA PW REVX PBC", "SLA PW RPB PBC"},
    "BLYP": {"BLYP", "B88 LYP", "SLA LYP B88 BLYP"},
}


@dataclass
class Pseudopotential:
    """A file's name, its sha256 and md5, and what its header says (None where it does not)."""

    name: str
    sha256: str
    md5: str  # what pw.x prints
    element: str | None
    functional: str | None  # a key of UPF_FUNCTIONALS, or the header's own words


def find(folder: Path, species: set[str], functional: str) -> dict[str, Pseudopotential]:
    """The one file in `folder` for each species: `Li.gth`, `Li.upf`, `Li.pbe-....UPF`, `li_pbe_v1.4.uspp.F.UPF`.

    Raises FileNotFoundError naming the species when there is none; ValueError when there are several, when a file is of
    another element or functional than asked for, or differs from the folder's SHA256SUMS (where there is one).
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: no such folder of pseudopotentials (resource pseudo_dir)")
    recorded = _recorded_sums(folder)
    return {symbol: _checked(folder, symbol, functional, recorded) for symbol in sorted(species)}


def _checked(folder: Path, symbol: str, functional: str, recorded: dict[str, str]) -> Pseudopotential:
    found = sorted(
        p for p in folder.iterdir() if re.match(rf"{symbol}[._-]", p.name, re.I) and p.suffix.lower() in SUFFIXES
    )
    if not found:
        raise FileNotFoundError(f"{folder}: no pseudopotential for {symbol} (looked for {symbol}.gth, {symbol}.*.upf)")
    if len(found) > 1:
        names = ", ".join(path.name for path in found)
        raise ValueError(f"{folder}: several pseudopotentials for {symbol}: {names}; keep one")
    pseudo = read(found[0])
    where = f"{folder / pseudo.name}"
    if recorded and pseudo.name not in recorded:
        raise ValueError(f"{where}: not in {SUMS} beside it; add it with `sha256sum {pseudo.name} >> {SUMS}`")
    if recorded and recorded[pseudo.name] != pseudo.sha256:
        raise ValueError(
            f"{where}: its sha256 {pseudo.sha256[:12]}... is not the {recorded[pseudo.name][:12]}... of {SUMS} beside "
            "it: the file is damaged or was exchanged; restore it, or record the new one in that file"
        )
    if pseudo.element not in (None, symbol):
        raise ValueError(f"{where}: its header says that it is for {pseudo.element}, its name for {symbol}")
    if pseudo.functional not in (None, functional):
        raise ValueError(
            f"{where}: made with {pseudo.functional}, label.pwscf.functional asks for {functional}; "
            "set that key, or pseudo_dir to files of that functional"
        )
    return pseudo


def read(path: Path) -> Pseudopotential:
    """What a file's bytes and header say."""
    content = path.read_bytes()
    head = content[:20000].decode(errors="replace")
    element, functional = _gth_header(head) if path.suffix.lower() == ".gth" else _upf_header(head)
    # md5 is no protection here: it is what pw.x prints of the file that it read
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
    return Pseudopotential(path.name, hashlib.sha256(content).hexdigest(), md5, element, functional)


def _gth_header(head: str) -> tuple[str | None, str | None]:
    lines = [line.split() for line in head.splitlines()[:3]]
    try:
        return chemical_symbols[int(float(lines[1][0]))], GTH_FUNCTIONALS.get(int(lines[2][1]), f"pspxc {lines[2][1]}")
    except (IndexError, ValueError):
        return None, None


def _upf_header(head: str) -> tuple[str | None, str | None]:
    """Version 2 has attributes, or lines `Element: K`; version 1 has the value first and its meaning behind it."""
    element = re.search(
        r'\belement\s*=\s*"\s*(\w+)\s*"|^\s*Element:\s*(\w+)|^\s*(\w+)\s+Element\s*$', head, re.M | re.I
    )
    functional = re.search(
        r'\bfunctional\s*=\s*"([^"]+)"|^\s*Functional:\s*(.+)$|^(.+?)\s+Exchange-Correlation functional',
        head, re.M | re.I,
    )  # fmt: skip
    symbol = next(filter(None, element.groups())).capitalize() if element else None
    said = " ".join(next(filter(None, functional.groups())).upper().replace("-", " ").split()) if functional else None
    return (symbol if symbol in atomic_numbers else None), _functional_of(said)


def _functional_of(said: str | None) -> str | None:
    """The name of a functional; version 1 spells it in four components and then in a word ("SLA PW PBX PBC PBE")."""
    for name, spellings in UPF_FUNCTIONALS.items():
        if said in spellings or said and " ".join(said.split()[:4]) in spellings:
            return name
    return said


def _recorded_sums(folder: Path) -> dict[str, str]:
    sums = folder / SUMS
    if not sums.exists():
        return {}
    recorded = {}
    for line in filter(str.strip, sums.read_text().splitlines()):
        digest, _, name = line.partition(" ")
        if not name.strip():
            raise ValueError(f"{sums}: {line!r} is no line of sha256sum (a check sum and a file name)")
        recorded[name.strip().lstrip("*")] = digest
    return recorded
