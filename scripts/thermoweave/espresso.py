"""Quantum ESPRESSO's pw.x: write an input, read an output, and decide whether it is a label.

Nothing here starts a program; the functions take and give plain values, so that recorded outputs test them.
"""

import io
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.io.espresso import write_espresso_in
from ase.units import create_units

# as pw.x 7 has them
RYDBERG = create_units("2018")["Rydberg"]
RY_PER_BOHR = RYDBERG / create_units("2018")["Bohr"]


@dataclass
class PwOutput:
    """What pw.x said. `accuracies` are the estimated SCF accuracies in Ry, one an iteration; None where nothing was
    said.
    """

    job_done: bool
    energy: float | None  # eV
    forces: np.ndarray | None  # (n_atoms, 3), eV/A
    accuracies: list[float]  # Ry
    version: str | None
    ecutwfc: float | None  # Ry
    error: str | None  # pw.x's own error box


@dataclass
class Verdict:
    """`outcome` is "SUCCESS" or the name of the failure, `evidence` the sentence behind it."""

    outcome: str
    evidence: str

    @property
    def accepted(self) -> bool:
        return self.outcome == "SUCCESS"


def input_text(atoms: Atoms, settings: dict, electrons: dict, pseudopotentials: dict[str, str], pseudo_dir: str) -> str:
    """An SCF input with forces. `settings` is the config's section `label.pwscf`, `electrons` overrides of one
    attempt.
    """
    data = {
        "control": {
            "calculation": "scf",
            "tprnfor": True,
            "disk_io": "none",
            "outdir": "out",
            "pseudo_dir": pseudo_dir,
        },
        "system": {"ecutwfc": settings["ecutwfc"], "nosym": True, "occupations": settings["occupations"]},
        "electrons": {
            "conv_thr": settings["conv_thr"],
            "mixing_beta": settings["mixing_beta"],
            "electron_maxstep": settings["electron_maxstep"],
            **electrons,
        },
    }
    if settings["occupations"] == "smearing":
        data["system"].update(smearing=settings["smearing"], degauss=settings["degauss"])
    kpoints = settings["kpoints"]
    text = io.StringIO()
    write_espresso_in(
        text, atoms, input_data=data, pseudopotentials=pseudopotentials, kpts=None if kpoints == [1, 1, 1] else kpoints
    )
    return text.getvalue()


def parse_output(text: str) -> PwOutput:
    """Read a pw.x standard output, whole or cut off anywhere; never raises for its content."""
    energies = re.findall(r"^!\s+total energy\s+=\s+(\S+) Ry", text, re.M)
    error = re.search(r"Error in routine\s+(.*?)\n(.*?)\n\s*%%%", text, re.S)
    return PwOutput(
        job_done="JOB DONE." in text,
        energy=_number(energies[-1], RYDBERG) if energies else None,
        forces=_forces(text),
        accuracies=[_number(a, 1.0) for a in re.findall(r"estimated scf accuracy\s+<\s+(\S+) Ry", text)],
        version=_first(r"Program PWSCF v\.(\S+)", text),
        ecutwfc=_number(_first(r"kinetic-energy cutoff\s+=\s+(\S+)\s+Ry", text) or "nan", 1.0),
        error=" ".join(" ".join(error.groups()).split()) if error else None,
    )


def judge(output: PwOutput, n_atoms: int, settings: dict, max_net_force: float) -> Verdict:
    """The label gate of docs/design.md.

    The last estimated SCF accuracy is compared with conv_thr, because an unconverged run can print "convergence has
    been achieved" (seen with pw.x 6.7 and 7.2 and scf_must_converge=.false.).
    """
    last = output.accuracies[-1] if output.accuracies else np.inf
    if output.error:
        return Verdict("PW_ERROR", output.error)
    if not output.accuracies:
        return Verdict("NO_SCF", "the output holds no SCF iteration")
    if not last <= settings["conv_thr"]:
        return Verdict("UNCONVERGED", f"SCF accuracy {last:.1e} Ry after {len(output.accuracies)} iterations")
    if not output.job_done:
        return Verdict("STOPPED", "the output does not end with JOB DONE")
    if output.energy is None or not np.isfinite(output.energy):
        return Verdict("NO_ENERGY", "no finite total energy")
    if output.forces is None or len(output.forces) != n_atoms:
        found = 0 if output.forces is None else len(output.forces)
        return Verdict("NO_FORCES", f"forces of {found} atoms, expected {n_atoms}")
    if not np.isfinite(output.forces).all():
        return Verdict("NO_FORCES", "a force is not a finite number")
    if fault := net_force_fault(output.forces, max_net_force):
        return fault
    if not abs(output.ecutwfc - settings["ecutwfc"]) <= 1e-3:  # also where the output does not say
        return Verdict("WRONG_CUTOFF", f"pw.x ran with {output.ecutwfc} Ry, asked for {settings['ecutwfc']}")
    return Verdict("SUCCESS", f"SCF accuracy {last:.1e} Ry after {len(output.accuracies)} iterations")


def net_force_fault(forces: np.ndarray, allowed: float) -> Verdict | None:
    """NET_FORCE where forces (n_atoms, 3) do not add up to zero within `allowed` (eV/A an atom).

    pw.x subtracts the net force before it prints; this is for damaged outputs and for labels of other programs.
    """
    net = float(np.linalg.norm(forces.sum(axis=0)) / len(forces))
    return Verdict("NET_FORCE", f"net force {net:.3g} eV/A an atom, allowed {allowed:g}") if net > allowed else None


def _first(pattern: str, text: str) -> str | None:
    found = re.search(pattern, text, re.M)
    return found.group(1) if found else None


def _number(text: str, factor: float) -> float:
    """pw.x prints asterisks where a number does not fit: that is a NaN, not an error."""
    try:
        return float(text) * factor
    except ValueError:
        return float("nan")


def _forces(text: str) -> np.ndarray | None:
    """The total forces: the first block after the heading, before pw.x prints the contributions one by one."""
    heading = text.rfind("Forces acting on atoms")
    if heading < 0:
        return None
    rows = []
    for line in text[heading:].splitlines()[1:]:
        match = re.match(r"\s+atom\s+\d+\s+type\s+\d+\s+force\s+=\s+(\S+)\s+(\S+)\s+(\S+)", line)
        if match:
            rows.append([_number(value, RY_PER_BOHR) for value in match.groups()])
        elif line.strip():
            break
    return np.array(rows) if rows else None


def pseudopotential_files(folder: Path, species: list[str]) -> dict[str, str]:
    """The one file in `folder` for each species: `Li.gth`, `Li.upf`, `Li.pbe-....UPF`, `li_pbe_v1.4.uspp.F.UPF`.

    Raises FileNotFoundError naming the species when there is none, ValueError when there are several.
    """
    files = {}
    suffixes = (".gth", ".upf", ".psml")
    for symbol in species:
        pattern = re.compile(rf"{symbol}[._-]", re.I)
        found = sorted(p.name for p in folder.iterdir() if pattern.match(p.name) and p.suffix.lower() in suffixes)
        if not found:
            raise FileNotFoundError(
                f"{folder}: no pseudopotential for {symbol} (looked for {symbol}.gth, {symbol}.*.upf)"
            )
        if len(found) > 1:
            raise ValueError(f"{folder}: several pseudopotentials for {symbol}: {', '.join(found)}; keep one")
        files[symbol] = found[0]
    return files
