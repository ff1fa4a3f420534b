"""Methods text: what was studied, the first structures, and what became of the structures that were sent to label."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from thermoweave import labellers, rejections
from thermoweave.attempts import last_attempts
from thermoweave.citations import PROGRAMS
from thermoweave.gate import ACCEPTED
from thermoweave.methods_text import cite, counted, listed, method, number, was
from thermoweave.tables import read_csv
from thermoweave.trace import FRAME

KINDS = {"pwscf": "by density functional theory ", "tblite": "by tight binding ", "ase": ""}
FIRST_RUNG = "as asked"  # of config/ladder.toml


def campaign(config: Mapping, versions: Mapping[str, str]) -> list[str]:
    """The campaign as a whole; `versions` of thermoweave and snakemake."""
    system, n = config["system"], len(config["concentrations"]) * len(config["temperatures"])
    at = [
        " + ".join(unit if amounts[end] == 1 else f"{number(amounts[end])} {unit}"
                   for unit, amounts in system["composition"].items() if amounts[end])
        for end in (0, 1)
    ]  # fmt: skip
    return [
        f"The campaign was run with Thermoweave {versions['thermoweave']}{cite(*PROGRAMS['thermoweave'])}, a workflow "
        f"for Snakemake {versions['snakemake']}{cite(*PROGRAMS['snakemake'])}.",
        f"It covers the ions {listed(charged(system['charges']))} in mixtures whose composition is linear in *x*, from "
        f"{at[0]} at *x* = 0 to {at[1]} at *x* = 1: *x* = {listed(config['concentrations'])} at "
        f"{listed(config['temperatures'])} K, {counted(n, 'condition')} in all.",
    ]


def charged(charges: Mapping[str, float]) -> list[str]:
    """`Li⁺`, `Mg²⁺`, `O²⁻`; a charge that is no whole number stands beside its element."""
    found = []
    for element, charge in charges.items():
        size = "" if abs(charge) == 1 else str(abs(int(charge))).translate(str.maketrans("23456789", "²³⁴⁵⁶⁷⁸⁹"))
        whole = charge == int(charge)
        sign = "⁺" if charge > 0 else "⁻" if charge < 0 else ""
        found.append(f"{element}{size}{sign}" if whole else f"{element} ({number(charge)} e)")
    return found


def density(config: Mapping) -> str:
    """Where densities come from. The config has numbers, not their source."""
    rule = config["system"]["density"]["rule"]
    how = {
        "additive_volumes": "those of the pure liquids, linear in temperature, with molar volumes that add",
        "table": "given for each composition as linear functions of temperature",
    }[rule]
    return f"Densities were {how} [ADD: source of the densities]."


def structures(config: Mapping, summaries: Sequence[Path], frames: Sequence[Mapping[str, str]]) -> list[str]:
    """How the structures of round 0 were made. `frames`: heads of the labelled ones, with their number of atoms."""
    section = config["generate"]
    first = {row["label_id"] for row in read_csv(summaries[0])}
    atoms = {int(frame["atoms"]) for frame in frames if frame["label_id"] in first}
    size = f" of {listed(sorted(atoms))} atoms" if atoms else ""
    text = [
        f"The first {counted(len(first), 'structure')}{size} {was(len(first))} random packings of the ions, relaxed, "
        f"and run for {number(section['md_ps'])} ps with a pair potential of Born–Mayer repulsion and damped shifted "
        f"electrostatics{method('pair_potential')}, in turn for {listed(section['temperatures'])} K"
    ]
    if section["superheat"] > 1:
        text.append(f"sampled at up to {number(section['superheat'])} times that temperature")
    if section["strain"]:
        text.append(f"in cells whose length was changed by up to {number(100 * section['strain'])} %")
    if section["contact_share"]:
        low, high = section["contact_scale"]
        text.append(
            f"and with one pair of ions pushed together to {number(low)}–{number(high)} of its distance in "
            f"{number(100 * section['contact_share'])} % of them"
        )
    sentences = [f"{', '.join(text)}.", density(config)]
    if "teacher" in section:
        teacher = section["teacher"]
        sentences.append(
            f"Each was then run for {number(teacher['md_ps'])} ps with a trained {teacher['backend']} potential "
            f"[ADD: reference of {Path(teacher['potential']).name}]."
        )
    return sentences


def labels(config: Mapping, summaries: Sequence[Path], frames: Sequence[Mapping[str, str]]) -> list[str]:
    """How many structures were sent to label, accepted and rejected, and what was asked of a label."""
    rows = [row for path in summaries for row in read_csv(path)]
    last = last_attempts(summaries)
    rejected = [row for row in last if row["outcome"] not in ACCEPTED]
    programs = sorted({frame["labeller"] for frame in frames} or {row["program"] for row in rows if row["program"]})
    quantities = "energies, forces and stresses" if config["label"]["stress"] else "energies and forces"
    gate, labeller, accepted = config["label"]["gate"], labellers.of(config["label"]), len(last) - len(rejected)
    sentences = [
        f"Labels ({quantities}) were computed {KINDS[labeller]}with {listed(map(named, programs))}"
        f"{cite(*PROGRAMS.get(labeller, ()))}.",
        f"Of {counted(len(last), 'structure')} sent to label, {accepted} {was(accepted)} accepted and "
        f"{len(rejected) or 'none'} rejected{outcomes(rejected)}.",
        f"A label was accepted if the calculation had converged and the forces added up to zero within "
        f"{number(gate['max_net_force'])} eV/Å per atom; structures with two atoms closer than "
        f"{number(gate['min_distance'])} Å were not computed.",
        *repeated(rows, last),
    ]
    if worst := rejections.most_clustered(by_condition(last)):
        sentences.append(
            f"Whether rejections cluster was tested by Fisher's exact test with resampling{method('rejections')}: the "
            f"group that looks worst, {worst.name.replace('/', ' ')}, lost {worst.rejected} of {worst.structures} "
            f"(p = {worst.p:.2g})."
        )
    return sentences


def named(program: str) -> str:
    """`pw.x 7.2 (Quantum ESPRESSO)`."""
    return f"{program} (Quantum ESPRESSO)" if program.startswith("pw.x") else program


def outcomes(rejected: Sequence[Mapping[str, str]]) -> str:
    """` (2 UNCONVERGED, 1 TOO_CLOSE)`, with the names of the record."""
    found = Counter(row["outcome"] for row in rejected).most_common()
    return f" ({', '.join(f'{n} {outcome}' for outcome, n in found)})" if found else ""


def repeated(rows: Sequence[Mapping[str, str]], last: Sequence[Mapping[str, str]]) -> list[str]:
    """Attempts that failed, and labels that needed other settings of the calculation."""
    failed = [row for row in rows if row["program"] and row["outcome"] not in ACCEPTED]
    rungs = Counter(row["rung"] for row in last if row["outcome"] == "SUCCESS" and row["rung"] != FIRST_RUNG)
    sentences = []
    if failed:
        sentences.append(f"{counted(len(failed), 'attempt')} at a label failed, those of rejected structures included.")
    if rungs:
        told = listed(f"{n} after “{rung}”" for rung, n in rungs.most_common())
        sentences.append(
            f"{counted(rungs.total(), 'label')} came of a repeated attempt ({told}; rungs of the recovery ladder)."
        )
    return sentences


def by_condition(last: Sequence[Mapping[str, str]]) -> dict[tuple[str, str], tuple[int, int]]:
    """Structures, and how many of them were rejected, by concentration and temperature."""
    sent = Counter((row["concentration"], row["temperature"]) for row in last)
    lost = Counter((row["concentration"], row["temperature"]) for row in last if row["outcome"] not in ACCEPTED)
    return {key: (n, lost[key]) for key, n in sent.items()}


def heads(paths: Sequence[Path]) -> list[dict[str, str]]:
    """Of every labelled frame: label_id, labeller, level, and its number of atoms."""
    found = []
    for path in paths:
        lines = Path(path).read_text().splitlines()
        for number_of_atoms, line in zip(lines, lines[1:], strict=False):
            head = {key: quoted or bare for key, quoted, bare in FRAME.findall(line)}
            if "label_id" in head and re.fullmatch(r"\s*\d+\s*", number_of_atoms):
                found.append({**head, "atoms": number_of_atoms.strip()})
    return found
