"""The answer itself: what may be believed in a sentence, activation energies with their error budget, figures."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from thermoweave.answer_html import Html, bad, bullets, figure, folded, heading, join, paragraph, table
from thermoweave.budget import LINES, NAMES
from thermoweave.tables import read_csv, with_error

AT_LEAST = "≥ "  # before a total of budget.csv that lacks a line
SECOND = ("D_corrected", "conductivity_ne")  # other readings of quantities that the table has
SPOKEN = {"conductivity": "conductivity", "conductivity_ne": "conductivity, Nernst–Einstein", "viscosity": "viscosity"}
KINDS = {
    "number": "known",
    "uncertain": "known within a factor only",
    "upper bound": "known as an upper bound only",
    "gap": "not known at all",
}


class Answer(NamedTuple):
    """Files of one backend: arrhenius.csv, budget.csv, audit's conditions.csv, and figures as SVG, where the CSV of
    the Arrhenius figure lies beside it as `points`.
    """

    backend: str
    energies: Path
    budget: Path
    conditions: Path
    points: Path
    arrhenius: Path
    vdos: Path
    conductivity_spectrum: Path


def counted(n: int, of: int, one: str, many: str) -> str:
    """`all 15 runs`, `none of the 6 runs`, `4 of 10 runs`, `the only run`."""
    if of == 1:
        return f"the only {one}" if n else f"not even the only {one}"
    return f"all {of} {many}" if n == of else f"none of the {of} {many}" if n == 0 else f"{n} of {of} {many}"


def verdict(answer: Answer, coverage: Sequence[dict]) -> Html:
    """One sentence: runs that passed, conditions that the labels cover, energies and points that are known."""
    runs = read_csv(answer.conditions)
    passed = sum(row["verdict"] == "passed" for row in runs)
    n_conditions = len({(row["concentration"], row["temperature"]) for row in runs})
    covered = sum(row["verdict"] == "covered" for row in coverage)
    rows = [row for row in read_csv(answer.energies) if not row["quantity"].startswith(SECOND)]
    fitted = sum(bool(row["Ea_eV"]) for row in rows)
    bounded = sum(row["total"].startswith(AT_LEAST) for row in budgets(answer).values())
    kinds = Counter(row["kind"] for row in read_csv(answer.points))
    said = [
        f"{counted(passed, len(runs), 'run', 'runs')} at {n_conditions} conditions passed the health checks",
        f"the labels cover {counted(covered, len(coverage), 'condition', 'conditions')}"
        if coverage
        else "which conditions the labels cover is not known",
        f"{counted(fitted, len(rows), 'activation energy', 'activation energies')} could be fitted"
        + (f", {bounded} with an error that is a lower bound" if bounded else ""),
        f"{counted(kinds['number'], kinds.total(), 'point', 'points')} of the Arrhenius plot are known",
    ]
    sentence = "; ".join(said) + "."
    parts = (passed, len(runs)), (covered, len(coverage)), (fitted, len(rows)), (kinds["number"], kinds.total())
    whole = coverage and not bounded and all(n == of for n, of in parts)
    told = join(Html("<b>"), f"{answer.backend}: ", Html("</b>"), sentence[0].upper() + sentence[1:])
    return paragraph(told, "verdict" if whole else "verdict short")


def budgets(answer: Answer) -> dict[tuple[str, str], dict]:
    """Lines of budget.csv that are of activation energies, by concentration and quantity."""
    rows = [row for row in read_csv(answer.budget) if not row["temperature"]]
    return {(row["concentration"], row["quantity"].removeprefix("Ea of ")): row for row in rows}


def results(answer: Answer) -> Html:
    """Arrhenius figure, activation energies, spectra."""
    kinds = Counter(row["kind"] for row in read_csv(answer.points))
    points = ", ".join(f"{kinds[kind]} {told}" for kind, told in KINDS.items() if kinds[kind])
    return join(
        figure(
            answer.arrhenius,
            f"Arrhenius plot, {answer.backend}",
            f"Diffusion, conductivity and viscosity against inverse temperature. Of {kinds.total()} points: {points}. "
            "Bars: one standard error, of the sampling alone.",
        ),
        energies(answer),
        figure(
            answer.vdos,
            f"Vibrational density of states, {answer.backend}",
            "Of each species, at each concentration and temperature. Bands: one standard error.",
        ),
        figure(
            answer.conductivity_spectrum,
            f"Spectrum of the conductivity, {answer.backend}",
            "In all, and its parts by pair of species. Bands: one standard error.",
        ),
    )


def energies(answer: Answer) -> Html:
    """The table of activation energies, and below it what is not known and what to mind."""
    rows, found = read_csv(answer.energies), budgets(answer)
    first = [row for row in rows if not row["quantity"].startswith(SECOND)]
    second = [row for row in rows if row["quantity"].startswith(SECOND)]
    headings = ["quantity", "Ea (eV)", *(f"{NAMES[line]} (meV)" for line in LINES), "total (meV)"]
    return join(
        heading(f"Activation energies, {answer.backend}"),
        table(headings, by_concentration(first, lambda row: energy_row(row, found))),
        paragraph(
            "Ea ± its total error, one standard deviation, and where that comes from. – is not known: the total is "
            "then a lower bound (≥, or more).",
            "small",
        ),
        not_known(list(found.values())),
        remarks(first),
        folded(
            "Fitted besides: D corrected to an infinite cell, conductivity without cross terms",
            table(["quantity", "Ea (eV), error of the fit"], by_concentration(second, alone)),
        ),
    )


def by_concentration(rows: Sequence[dict], shown: Callable[[dict], list]) -> list[list[object]]:
    """Table rows below a heading for each concentration."""
    found: dict[str, list] = {}
    for row in rows:
        found.setdefault(row["concentration"], []).append(shown(row))
    return [line for x, lines in found.items() for line in ([f"x = {x}"], *lines)]


def spoken(quantity: str) -> str:
    """`D of Li`, `conductivity`."""
    kind, _, species = quantity.partition(" ")
    if not species:
        return SPOKEN[quantity]
    return f"D of {species}" + (", corrected" if kind == "D_corrected" else "")


def energy_row(row: dict, found: dict[tuple[str, str], dict]) -> list[object]:
    """A fit with its budget; a fit alone, or none, with the reason."""
    name = spoken(row["quantity"])
    if row["form"] == "VTF":
        name += f" (VTF, at {float(row['Ea_temperature_K']):.0f} K)"
    budget = found.get((row["concentration"], row["quantity"]))
    if not row["Ea_eV"]:
        return [name, bad(f"no fit: {row['note'].removesuffix(': no fit')}")]
    if budget is None:
        return [name, with_error(float(row["Ea_eV"]), float(row["Ea_std_eV"])), "error of the fit; no budget"]
    total = float(budget["total"].removeprefix(AT_LEAST)) / 1000
    more = " or more" if budget["total"].startswith(AT_LEAST) else ""
    value = with_error(float(row["Ea_eV"]), total) + more
    return [name, value, *(budget[line] for line in LINES), budget["total"]]


def alone(row: dict) -> list[object]:
    """A fit with its own error only."""
    if not row["Ea_eV"]:
        return [spoken(row["quantity"]), bad(f"no fit: {row['note'].removesuffix(': no fit')}")]
    return [spoken(row["quantity"]), with_error(float(row["Ea_eV"]), float(row["Ea_std_eV"]))]


def not_known(rows: Sequence[dict]) -> Html:
    """Lines of the budget that are not known, why, and of which energies."""
    found: dict[str, list[str]] = {}
    for row in rows:
        for reason in filter(None, row["unknown"].split("; ")):
            found.setdefault(reason, []).append(
                f"{spoken(row['quantity'].removeprefix('Ea of '))} at x = {row['concentration']}"
            )
    told = [f"{reason} ({'all' if len(where) == len(rows) else ', '.join(where)})" for reason, where in found.items()]
    return join(paragraph("Not known of the errors:") if told else "", bullets(told))


def remarks(rows: Sequence[dict]) -> Html:
    """What to mind about fits that were made."""
    told = [
        f"{spoken(row['quantity'])} at x = {row['concentration']}: {row['note']}"
        for row in rows
        if row["note"] and row["Ea_eV"]
    ]
    return join(paragraph("To mind:") if told else "", bullets(told))
