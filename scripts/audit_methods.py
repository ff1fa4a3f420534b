"""The methods text: what was done, with which programs and settings, how much of it failed, and what to cite for it."""

import json
import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from thermoweave import (
    bibtex,
    environment,
    logs,
    methods_text,
    methods_text_labels,
    methods_text_limits,
    methods_text_potentials,
    methods_text_simulations,
    methods_text_structure,
    methods_text_theory,
    methods_text_transport,
)
from thermoweave.methods_text import Paragraph

log = logging.getLogger(__name__)


class Records(NamedTuple):
    """What one backend left: files, one or more of a kind."""

    backend: str
    manifests: Sequence[Path]  # potential.json of each seed, as it was trained
    compiled: Sequence[Path]  # and as it ran
    verdicts: Sequence[Path]  # of each run
    transport: Path  # transport.nc
    structure: Path
    spectra: Path
    arrhenius: Path  # arrhenius.nc
    energies: Path  # arrhenius.csv
    budget: Path
    spot_checks: Sequence[Path]  # spot_checks.csv, if there is one


class Labels(NamedTuple):
    """What the labelling left: the record of each round, labelled frames, and what may be there."""

    summaries: Sequence[Path]
    frames: Sequence[Path]
    coverage: Sequence[Path]  # conditions.csv of explore, if there was a round
    convergence: Path | None  # convergence.json, if somebody looked
    pseudopotentials: Mapping[str, Path]  # by species, of a labeller that has them


def audit_methods(
    config: Mapping, versions: Mapping[str, str], pins: Mapping[str, Mapping[str, str]], labels: Labels,
    records: Sequence[Records], references: Path, out: Mapping[str, Path],
) -> None:  # fmt: skip
    """
    Write the text three times and what it cites.

    config: sections of the campaign's config; versions: of thermoweave and snakemake; pins: packages and versions that
    each environment fixes; references: all that can be cited; out: paths by name (md, html, tex, bib, json).
    """
    paragraphs = text(config, versions, pins, labels, records)
    known = bibtex.read(references)
    cited = [known[key] for key in methods_text.cited(paragraphs)]
    title = config["archive"]["title"]
    write(out["md"], methods_text.markdown(title, paragraphs))
    write(out["html"], methods_text.html(title, paragraphs, known))
    write(out["tex"], methods_text.latex(paragraphs))
    write(out["bib"], bibtex.bibtex(cited))
    write(out["json"], json.dumps(bibtex.summary(cited), indent=1, ensure_ascii=False) + "\n")
    log.info("%d references", len(cited))


def text(
    config: Mapping, versions: Mapping[str, str], pins: Mapping[str, Mapping[str, str]], labels: Labels,
    records: Sequence[Records],
) -> list[Paragraph]:  # fmt: skip
    """Paragraphs, those without a sentence left out."""
    frames = methods_text_labels.heads(labels.frames)
    coverage = next(iter(labels.coverage), None)
    paragraphs = [
        ("Campaign", methods_text_labels.campaign(config, versions)),
        ("First structures", methods_text_labels.structures(config, labels.summaries, frames)),
        (
            "Labels",
            [
                *methods_text_labels.labels(config, labels.summaries, frames),
                *methods_text_theory.theory(config, frames, labels.pseudopotentials),
                *methods_text_theory.converged(labels.convergence),
            ],
        ),
        ("Active learning", methods_text_potentials.active_learning(config, labels.summaries, coverage)),
        *(found for each in records for found in of_backend(config, each, pins, several=len(records) > 1)),
        (
            "Not done, or not known",
            methods_text_limits.limits(
                config,
                len(labels.summaries),
                labels.convergence is not None,
                [each.verdicts for each in records],
                [each.transport for each in records],
                [path for each in records for path in each.spot_checks],
            ),
        ),
        ("Software", methods_text_limits.software(pins)),
    ]
    return [(heading, sentences) for heading, sentences in paragraphs if sentences]


def of_backend(
    config: Mapping, records: Records, pins: Mapping[str, Mapping[str, str]], several: bool
) -> list[Paragraph]:
    """Potentials, runs and results of one backend, with its name in the headings where there are several."""
    name = f", {methods_text_potentials.name(records.backend)}" if several else ""
    return [
        (
            f"Potentials{name}",
            methods_text_potentials.trained(records.backend, records.manifests, pins[records.backend]),
        ),
        (
            f"Simulations{name}",
            methods_text_simulations.simulations(config, records.verdicts, records.compiled, pins[records.backend]),
        ),
        (f"Transport{name}", methods_text_transport.transport(records.transport, config)),
        (
            f"Activation energies{name}",
            [
                *methods_text_transport.activation(records.energies, records.arrhenius, config),
                *methods_text_transport.budget(records.budget),
            ],
        ),
        (
            f"Structure and spectra{name}",
            [
                *methods_text_structure.structure(records.structure, config),
                *methods_text_structure.spectra(records.spectra, config),
            ],
        ),
        (f"Spot checks{name}", methods_text_structure.spot_checks(records.spot_checks)),
    ]


def write(path: Path, content: str) -> None:
    partial = Path(f"{path}.partial")
    partial.write_text(content, encoding="utf-8")
    os.replace(partial, path)


if __name__ == "__main__":
    environment.isolate()
    logs.start(snakemake.log[0])
    files, options = snakemake.input, snakemake.params
    n = len(options.backends)

    def parts(name: str) -> list[list[str]]:
        """The files of a kind, backend by backend."""
        found = list(files[name])
        size = len(found) // n
        return [found[k * size : (k + 1) * size] for k in range(n)]

    lists = [parts(name) for name in ("manifests", "compiled", "verdicts")]
    single = [files[name] for name in ("transport", "structure", "spectra", "arrhenius", "energies", "budget")]
    audit_methods(
        options.config,
        options.versions,
        options.pins,
        Labels(
            list(files.summaries),
            list(files.frames),
            list(files.coverage),
            next((Path(path) for path, _ in options.convergence), None),
            {species: Path(path) for species, path in options.pseudopotentials.items()},
        ),
        [Records(*each) for each in zip(options.backends, *lists, *single, parts("spot_checks"), strict=True)],
        Path(files.references),
        dict(snakemake.output.items()),
    )
