"""Collect all labels of a campaign in one file, with a card that counts what is in it and what was rejected."""

import json
import logging
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from ase import Atoms
from thermoweave import datasets, environment, logs
from thermoweave.attempts import last_attempts
from thermoweave.frames import write_frames
from thermoweave.gate import ACCEPTED

log = logging.getLogger(__name__)

KEYS = """\
| key | meaning |
|---|---|
| `REF_energy` | total energy, eV |
| `REF_forces` | forces, eV/A |
| `REF_stress` | stress, eV/A^3, ASE's sign and Voigt order (where it was computed) |
| `label_id` | sha256 over structure, settings and pseudopotentials |
| `level` | first digits of the sha256 of the settings and of each pseudopotential |
| `labeller` | program and version |
| `concentration`, `temperature`, `round` | what the structure was made for, and when it was chosen |
"""


def archive_labels(
    frames: Sequence[Path], summaries: Sequence[Path], settings: dict, out_frames: Path, out_card: Path
) -> None:
    """Write the labels (extended XYZ, each once, by label_id) and their card (Markdown).

    `settings`: what the config says of labels. Raises RuntimeError where the record has an accepted label that no file
    has, or the other way round.
    """
    found = datasets.read_labels([path for path in frames if Path(path).stat().st_size])
    attempts = last_attempts(summaries)
    accepted = {row["label_id"] for row in attempts if row["outcome"] in ACCEPTED}
    labels = {atoms.info["label_id"] for atoms in found}
    if accepted != labels:
        raise RuntimeError(
            f"{len(accepted - labels)} labels of the record are in no file, {len(labels - accepted)} in the files are "
            f"not on record (first: {min(accepted ^ labels)}): run the rule label_summary again"
        )
    write_frames(out_frames, found)
    partial = Path(f"{out_card}.partial")
    partial.write_text(card(found, attempts, settings))
    os.replace(partial, out_card)
    log.info("%d labels, %d rejected", len(found), len(attempts) - len(accepted))


def card(found: Sequence[Atoms], attempts: Sequence[dict], settings: dict) -> str:
    """What a user of the data has to know."""
    rejected = [row for row in attempts if row["outcome"] not in ACCEPTED]
    elements = sorted({symbol for atoms in found for symbol in atoms.symbols})
    levels = sorted({atoms.info.get("level", "not on record") for atoms in found})
    sizes = sorted({len(atoms) for atoms in found})
    lines = [
        "# Labels", "",
        f"{len(found)} labelled structures of {', '.join(elements)} with {' or '.join(map(str, sizes))} atoms in "
        f"`labels.extxyz` (extended XYZ), of {len(attempts)} that were sent (rejected: {len(rejected)}). They are "
        "what potentials learned from or were tested on; labels of spot checks and of other settings have records of "
        "their own.", "",
        KEYS,
        "## How they were computed", "",
        *(f"- {name}" for name in sorted({atoms.info.get("labeller", "not on record") for atoms in found})),
        *(f"- level of theory: {level}" for level in levels),
        "", "```json", json.dumps(settings, indent=1), "```", "",
        "## Where they are", "",
        *table(("round", "concentration", "temperature", "labels"), Counter(map(place, found))),
        "", "## Rejected", "",
    ]  # fmt: skip
    if not rejected:
        return "\n".join([*lines, "None.", ""])
    reasons = Counter((row["concentration"], row["temperature"], row["outcome"]) for row in rejected)
    lines += table(("concentration", "temperature", "outcome", "structures"), reasons)
    lines += ["", *(f"- {row['label_id']}: {row['outcome']}: {row['evidence']}" for row in rejected), ""]
    return "\n".join(lines)


def place(atoms: Atoms) -> tuple[str, ...]:
    return (str(atoms.info["round"]), *datasets.condition(atoms))


def table(heads: Sequence[str], counts: Counter) -> list[str]:
    """A Markdown table of counts."""
    rows = [f"| {' | '.join(map(str, key))} | {count} |" for key, count in sorted(counts.items())]
    return [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}", *rows]


if __name__ == "__main__":
    environment.isolate()
    logs.start(snakemake.log[0])
    archive_labels(
        snakemake.input.frames, snakemake.input.summaries, snakemake.params.settings,
        snakemake.output.frames, snakemake.output.card,
    )  # fmt: skip
