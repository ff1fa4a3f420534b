"""The answer page: activation energies and spectra first, then what they cost, rest on, and whether to believe them."""

import logging
import os
from collections.abc import Sequence
from pathlib import Path

from thermoweave import answer_origin, answer_results, answer_trust, environment, lineage, logs
from thermoweave.answer_html import Html, heading, join, page
from thermoweave.answer_results import Answer
from thermoweave.tables import read_csv

log = logging.getLogger(__name__)


def audit_answer(
    answers: Sequence[Answer], errors: Sequence[Path], parity: Sequence[Sequence[Path]], coverage: Sequence[Path],
    coverage_figures: Sequence[Path], cost: Path, cost_figures: Path, graph: Path, methods: Path, title: str,
    folder: Path, out: Path,
) -> None:  # fmt: skip
    """
    Write the page, one file that needs nothing else.

    answers, errors, parity: of each backend, in the order of the config (errors.csv; parity plots, a seed each);
    coverage: explore's conditions.csv, if there was a round; cost, cost_figures: tables of the audit; graph:
    lineage.json, whose files are below `folder`; methods: methods.html.
    """
    covered = [row for path in coverage for row in read_csv(path)]
    origin = lineage.read(graph)
    names = [answer.backend for answer in answers]
    drawn = [(answer.backend, answer.arrhenius) for answer in answers]
    sections = {
        "results": ("Answer", by_backend(names, [answer_results.results(answer) for answer in answers])),
        "coverage": ("Coverage", answer_trust.coverage(covered, coverage_figures)),
        "errors": (
            "Errors of the potential",
            by_backend(
                names,
                [
                    answer_trust.errors(answer.backend, table, figures, answer.conditions)
                    for answer, table, figures in zip(answers, errors, parity, strict=True)
                ],
            ),
        ),
        "health": ("Health of the runs", by_backend(names, [answer_trust.health(one.conditions) for one in answers])),
        "cost": ("Cost", answer_origin.cost(cost, cost_figures)),
        "lineage": ("Lineage", answer_origin.lineage(origin, drawn, folder)),
        "methods": ("Methods", answer_origin.methods(methods)),
    }
    verdict = join(*(answer_results.verdict(answer, covered) for answer in answers))
    partial = Path(f"{out}.partial")
    partial.write_text(page(title, verdict, sections))
    os.replace(partial, out)
    log.info("%s: %.1f MB", out, Path(out).stat().st_size / 1e6)


def by_backend(names: Sequence[str], pieces: Sequence[Html]) -> Html:
    """What each backend has, below its name where there are several."""
    if len(names) == 1:
        return pieces[0]
    return join(*(join(heading(name), piece) for name, piece in zip(names, pieces, strict=True)))


if __name__ == "__main__":
    environment.isolate()
    logs.start(snakemake.log[0])
    files = snakemake.input
    kinds = ("energies", "budget", "conditions", "points", "arrhenius", "vdos", "conductivity_spectrum")
    backends = snakemake.params.backends
    n_seeds = len(files.parity) // len(backends)
    audit_answer(
        [Answer(*paths) for paths in zip(backends, *(files[kind] for kind in kinds), strict=True)],
        list(files.errors),
        [files.parity[k * n_seeds : (k + 1) * n_seeds] for k in range(len(backends))],
        list(files.coverage),
        list(files.coverage_figures),
        files.cost,
        files.cost_figures,
        files.lineage,
        files.methods,
        snakemake.params.title,
        Path(),
        snakemake.output[0],
    )
