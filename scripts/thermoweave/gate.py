"""The label gate: what a calculation must be, whatever the program, before it counts as a label.

Pure functions over plain values. What only one program can tell (SCF accuracy, cutoff, pseudopotentials) is judged by
its adapter in `labellers/` and comes in as `Calculation.fault`.
"""

from dataclasses import dataclass, field

import numpy as np
from ase import Atoms

from thermoweave.frames import closest_distance

# The structure's fault, or the method's with this structure: it climbs the ladder and, at its end, is rejected.
STRUCTURE_FAULTS = {
    "BAD_STRUCTURE": "a coordinate is not a finite number; never computed",
    "TOO_CLOSE": "two atoms nearer than label.gate.min_distance; never computed",
    "UNCONVERGED": "the last estimated SCF accuracy is above conv_thr, whatever the program says of itself",
    "STOPPED": "the program ended before its end without a reason",
    "PROGRAM_ERROR": "the program stopped with an error of its own in the middle of the calculation",
    "TOP_BAND_OCCUPIED": "the highest band holds electrons: there are too few bands",
    "NO_ENERGY": "no finite total energy",
    "NO_FORCES": "a force is missing or not finite",
    "NO_STRESS": "the stress was asked for and is missing or not finite",
    "NET_FORCE": "the forces do not add up to zero within label.gate.max_net_force",
}
# The machine's or the set-up's fault: no structure is rejected, the job fails and, run again, tries again.
MACHINE_FAULTS = {
    "NOT_STARTED": "the program is missing, or did not get to its own heading",
    "BAD_INPUT": "the program stopped with an error before its first SCF step: settings or pseudopotentials",
    "WRONG_SETTINGS": "cutoff, functional or pseudopotential in the output are not those asked for",
    "OUT_OF_TIME": "the job's runtime is over",
    "OUT_OF_MEMORY": "the program could not get the memory it needs",
    "KILLED": "the program was killed by a signal",
    "DISK_FULL": "no space left where the program works",
}
ACCEPTED = ("SUCCESS", "STORED")


@dataclass
class Verdict:
    """`outcome` is "SUCCESS" or the name of a fault, `evidence` the sentence behind it."""

    outcome: str
    evidence: str

    @property
    def accepted(self) -> bool:
        return self.outcome in ACCEPTED


@dataclass
class Calculation:
    """One attempt of a program. None where it said nothing; `fault` where the program, or what it printed, tells that
    this is no label.
    """

    energy: float | None = None  # eV
    forces: np.ndarray | None = None  # (n_atoms, 3), eV/A
    stress: np.ndarray | None = None  # (6,), eV/A^3, ASE's sign and Voigt order
    fault: Verdict | None = None
    evidence: str = ""  # of a success
    scf_steps: int = 0
    chosen: dict = field(
        default_factory=dict
    )  # settings that the program chose itself: what "x1.2" of a rung multiplies
    program: str = ""  # name and version
    printed: str = field(default="", repr=False)  # kept where the attempt fails


def structure_fault(atoms: Atoms, min_distance: float) -> Verdict | None:
    """BAD_STRUCTURE where a coordinate is not finite, TOO_CLOSE where two atoms (periodic images counted) are nearer
    than `min_distance` (A).
    """
    if not (np.isfinite(atoms.positions).all() and np.isfinite(atoms.cell.array).all()):
        return Verdict("BAD_STRUCTURE", "a coordinate or the cell is not a finite number")
    distance = closest_distance(atoms)
    if distance < min_distance:
        return Verdict("TOO_CLOSE", f"two atoms {distance:.2f} A apart, allowed {min_distance:g}")
    return None


def value_fault(
    energy: float | None, forces: np.ndarray | None, stress: np.ndarray | None, n_atoms: int, max_net_force: float,
    needs_stress: bool,
) -> Verdict | None:  # fmt: skip
    """What is wrong with the numbers of a label, or None.

    energy (eV), forces (n_atoms, 3) in eV/A, stress (6,) in eV/A^3; max_net_force in eV/A an atom. Most programs
    subtract the net force before they print it: that check is for damaged outputs and for the others.
    """
    if energy is None or not np.isfinite(energy):
        return Verdict("NO_ENERGY", "no finite total energy")
    if forces is None or len(forces) != n_atoms:
        return Verdict("NO_FORCES", f"forces of {0 if forces is None else len(forces)} atoms, expected {n_atoms}")
    if not np.isfinite(forces).all():
        return Verdict("NO_FORCES", "a force is not a finite number")
    net = float(np.linalg.norm(forces.sum(axis=0)) / n_atoms)
    if net > max_net_force:
        return Verdict("NET_FORCE", f"net force {net:.3g} eV/A an atom, allowed {max_net_force:g}")
    if needs_stress and (stress is None or not np.isfinite(stress).all()):
        return Verdict("NO_STRESS", "no finite stress, and label.stress asks for it")
    return None


def judge(calculation: Calculation, n_atoms: int, max_net_force: float, needs_stress: bool) -> Verdict:
    """The gate's word on a calculation: what its program had against it, else what its numbers tell."""
    if calculation.fault:
        return calculation.fault
    values = calculation.energy, calculation.forces, calculation.stress
    fault = value_fault(*values, n_atoms, max_net_force, needs_stress)
    return fault or Verdict("SUCCESS", calculation.evidence)


def stored_fault(frame: Atoms, limits: dict, needs_stress: bool) -> Verdict | None:
    """What the gate (`limits`: min_distance, max_net_force) has against a label from the store, or None."""
    values = frame.info.get("REF_energy"), frame.arrays.get("REF_forces"), frame.info.get("REF_stress")
    return structure_fault(frame, limits["min_distance"]) or value_fault(
        *values, len(frame), limits["max_net_force"], needs_stress
    )
