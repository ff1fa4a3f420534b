"""Quantum ESPRESSO's pw.x: read what it printed and decide whether its calculation is what was asked for.

Nothing here starts a program; the functions take and give plain values, so that recorded outputs test them.
"""

import re
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass

import numpy as np
from ase.units import create_units

from thermoweave.gate import Verdict

# as pw.x 7 has them
RYDBERG = create_units("2018")["Rydberg"]
BOHR = create_units("2018")["Bohr"]
# The first four indices that pw.x prints for exchange, correlation and their gradient corrections.
FUNCTIONALS = {
    "LDA": (1, 1, 0, 0),
    "PBE": (1, 4, 3, 4),
    "PBEsol": (1, 4, 10, 8),
    "revPBE": (1, 4, 4, 4),
    "BLYP": (1, 3, 1, 3),
}
MAX_TOP_OCCUPATION = 0.01  # of a state in the highest band


@dataclass
class PwOutput:
    """What pw.x said. None or empty where it said nothing."""

    heading: bool  # it is pw.x that speaks
    job_done: bool
    scf_begun: bool
    scf_ended: bool
    out_of_time: bool
    energy: float | None  # eV
    forces: np.ndarray | None  # (n_atoms, 3), eV/A
    stress: np.ndarray | None  # (6,), eV/A^3, ASE's sign and Voigt order
    accuracies: list[float]  # estimated SCF accuracy of each iteration, Ry
    version: str | None
    ecutwfc: float | None  # Ry
    functional: tuple[int, ...] | None  # the first four indices
    pseudopotentials: dict[str, str]  # species to md5 of the file that was read
    nbnd: int | None
    memory: str | None  # pw.x's estimate of its memory, as printed
    top_occupation: float | None  # largest occupation (0 to 1) of the highest band, from the XML
    error: str | None  # pw.x's own error box


def parse_output(text: str, xml: str | None = None) -> PwOutput:
    """Read a pw.x standard output, whole or cut off anywhere, and its XML file if there is one; never raises for their
    content.
    """
    energies = re.findall(r"^!\s+total energy\s+=\s+(\S+) Ry", text, re.M)
    # with input_dft it is printed for the pseudopotentials, too, before
    functionals = re.findall(r"Exchange-correlation\s*=[^(]*\(([\d\s]+)\)", text)
    memory = re.search(r"Estimated max dynamical RAM per process >\s+(\S+ \S+)", text)
    return PwOutput(
        heading="Program PWSCF" in text,
        job_done="JOB DONE." in text,
        scf_begun="Self-consistent Calculation" in text,
        scf_ended="End of self-consistent calculation" in text,
        out_of_time="Maximum CPU time exceeded" in text,
        energy=_number(energies[-1], RYDBERG) if energies else None,
        forces=_forces(text),
        stress=_stress(text),
        accuracies=[_number(a, 1.0) for a in re.findall(r"estimated scf accuracy\s+<\s+(\S+) Ry", text)],
        version=_first(r"Program PWSCF v\.(\S+)", text),
        ecutwfc=_number(_first(r"kinetic-energy cutoff\s+=\s+(\S+)\s+Ry", text) or "nan", 1.0),
        functional=tuple(int(i) for i in functionals[-1].split()[:4]) if functionals else None,
        pseudopotentials=dict(
            re.findall(r"PseudoPot\. #\s*\d+ for (\S+)\s+read from file:.*?MD5 check sum:\s+(\w+)", text, re.S)
        ),
        nbnd=int(_first(r"number of Kohn-Sham states=\s*(\d+)", text) or 0) or None,
        memory=memory.group(1) if memory else None,
        top_occupation=_top_occupation(xml) if xml else None,
        error=_error_box(text),
    )


def fault(output: PwOutput, settings: dict, md5: dict[str, str]) -> Verdict | None:
    """What tells that a run of pw.x is no label, before its numbers are looked at; None if nothing does.

    `settings` is the config's section label.pwscf with a rung's changes, `md5` the check sum of each species'
    pseudopotential. The last estimated SCF accuracy is compared with conv_thr, because an unconverged run can print
    "convergence has been achieved" (seen with pw.x 6.7 and 7.2 and scf_must_converge=.false.).
    """
    if wrong := _not_asked_for(output, settings, md5):
        return Verdict("WRONG_SETTINGS", wrong)
    if output.error and not output.scf_begun:
        return Verdict("BAD_INPUT", output.error)
    last = output.accuracies[-1] if output.accuracies else np.inf
    so_far = f"SCF accuracy {last:.1e} Ry after {len(output.accuracies)} iterations"
    if output.out_of_time:
        return Verdict("OUT_OF_TIME", so_far)
    if output.error and "convergence NOT achieved" not in output.error:
        return Verdict("PROGRAM_ERROR", output.error)
    if not output.accuracies:
        return Verdict("STOPPED", "the output ends before the first SCF iteration")
    if not last <= settings["conv_thr"]:
        return Verdict("UNCONVERGED" if output.scf_ended else "STOPPED", so_far)
    if not output.job_done:
        return Verdict("STOPPED", "the output does not end with JOB DONE")
    top = output.top_occupation
    if settings["occupations"] == "smearing" and top is not None and top > MAX_TOP_OCCUPATION:
        return Verdict("TOP_BAND_OCCUPIED", f"a state of the highest of {output.nbnd} bands is filled to {top:.2g}")
    return None


def _not_asked_for(output: PwOutput, settings: dict, md5: dict[str, str]) -> str | None:
    """The first of cutoff, functional, pseudopotentials that pw.x says to have and that was not asked for.

    A run that got to its first SCF iteration has said all three.
    """
    if not output.scf_begun:
        return None
    if not abs(output.ecutwfc - settings["ecutwfc"]) <= 1e-3:  # also where the output does not say
        return f"pw.x ran with a cutoff of {output.ecutwfc} Ry, asked for {settings['ecutwfc']}"
    if output.functional != FUNCTIONALS[settings["functional"]]:
        indices = FUNCTIONALS[settings["functional"]]
        return f"pw.x ran with the functional {output.functional}, asked for {settings['functional']} {indices}"
    for symbol, expected in md5.items():
        if (found := output.pseudopotentials.get(symbol)) != expected:
            return f"pw.x read a pseudopotential of {symbol} with md5 {found}, the file in pseudo_dir has {expected}"
    return None


def _first(pattern: str, text: str) -> str | None:
    found = re.search(pattern, text, re.M)
    return found.group(1) if found else None


def _number(text: str, factor: float) -> float:
    """pw.x prints asterisks where a number does not fit: that is a NaN, not an error."""
    try:
        return float(text) * factor
    except ValueError:
        return float("nan")


def _error_box(text: str) -> str | None:
    error = re.search(r"Error in routine\s+(.*?)\n(.*?)\n\s*%%%", text, re.S)
    return " ".join(" ".join(error.groups()).split()) if error else None


def _forces(text: str) -> np.ndarray | None:
    """The total forces: the first block after the heading, before pw.x prints the contributions one by one."""
    heading = text.rfind("Forces acting on atoms")
    if heading < 0:
        return None
    rows = []
    for line in text[heading:].splitlines()[1:]:
        match = re.match(r"\s+atom\s+\d+\s+type\s+\d+\s+force\s+=\s+(\S+)\s+(\S+)\s+(\S+)", line)
        if match:
            rows.append([_number(value, RYDBERG / BOHR) for value in match.groups()])
        elif line.strip():
            break
    return np.array(rows) if rows else None


def _stress(text: str) -> np.ndarray | None:
    """The last total stress; pw.x prints minus what ASE calls stress."""
    blocks = re.findall(r"total\s+stress.*\n((?:\s*\S+\s+\S+\s+\S+.*\n?){3})", text)
    if not blocks:
        return None
    rows = [[_number(value, -RYDBERG / BOHR**3) for value in line.split()] for line in blocks[-1].splitlines()[:3]]
    if [len(row) for row in rows] != [6, 6, 6]:  # the right half is in kbar
        return None
    return np.array([rows[i][j] for i, j in ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))])


def _top_occupation(xml: str) -> float | None:
    """Largest occupation of the last band over all k-points and spins, per state (0 to 1)."""
    try:
        root = ElementTree.fromstring(xml)
    except ElementTree.ParseError:
        return None
    bands = root.find(".//output/band_structure")
    occupations = bands.findall(".//ks_energies/occupations") if bands is not None else []
    tops = []
    for block in occupations:
        values = [float(value) for value in (block.text or "").split()]
        spins = 2 if bands.findtext("lsda", "false").strip() == "true" else 1
        tops += [values[len(values) * k // spins - 1] for k in range(1, spins + 1)] if values else []
    return max(tops) if tops else None
