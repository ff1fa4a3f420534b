"""The label gate on plain numbers."""

import numpy as np
import pytest
from ase import Atoms
from labelling import LIMITS, pair
from thermoweave import gate
from thermoweave.gate import Calculation, Verdict

FORCES = np.array([[1.0, -0.5, 0.25], [-1.0, 0.5, -0.25]])
STRESS = np.arange(6) / 100


def changed(array: np.ndarray, value: float) -> np.ndarray:
    copy = array.copy()
    copy[-1] = value
    return copy


def outcome(energy=-412.6, forces=FORCES, stress=STRESS, needs_stress=True, fault=None) -> str:
    calculation = Calculation(energy, forces, stress, fault)
    return gate.judge(calculation, n_atoms=2, max_net_force=0.01, needs_stress=needs_stress).outcome


def test_good_numbers_pass():
    assert outcome() == "SUCCESS"


@pytest.mark.parametrize("energy", [None, float("nan"), float("inf")])
def test_no_energy(energy):
    assert outcome(energy=energy) == "NO_ENERGY"


@pytest.mark.parametrize("forces", [None, FORCES[:1], np.vstack([FORCES, FORCES]), changed(FORCES, np.nan)])
def test_forces_of_every_atom_and_finite(forces):
    assert outcome(forces=forces) == "NO_FORCES"


def test_net_force_is_an_atom_s_share():
    assert outcome(forces=FORCES + [0.0099, 0, 0]) == "SUCCESS"
    assert outcome(forces=FORCES + [0.0101, 0, 0]) == "NET_FORCE"


@pytest.mark.parametrize("stress", [None, changed(STRESS, np.inf)])
def test_stress_only_where_it_is_asked_for(stress):
    assert outcome(stress=stress) == "NO_STRESS"
    assert outcome(stress=stress, needs_stress=False) == "SUCCESS"


def test_the_program_s_own_fault_comes_first():
    assert outcome(energy=None, fault=Verdict("KILLED", "")) == "KILLED"
    assert outcome(fault=Verdict("UNCONVERGED", "")) == "UNCONVERGED", "whatever the numbers look like"


def test_atoms_too_close():
    verdict = gate.structure_fault(pair(0.1), min_distance=0.7)
    assert verdict.outcome == "TOO_CLOSE" and "0.10 A apart, allowed 0.7" in verdict.evidence
    assert gate.structure_fault(pair(0.71), 0.7) is None


def test_periodic_images_are_too_close_too():
    across = Atoms("LiCl", [[0.05, 0, 0], [4.15, 0, 0]], cell=[4.2] * 3, pbc=True)
    assert "0.10 A" in gate.structure_fault(across, 0.7).evidence
    itself = Atoms("Li", cell=[0.5, 9, 9], pbc=True)
    assert "0.50 A" in gate.structure_fault(itself, 0.7).evidence


@pytest.mark.parametrize(
    ("limits", "outcome"),
    [(LIMITS, None), ({**LIMITS, "min_distance": 2.6}, "TOO_CLOSE"), ({**LIMITS, "max_net_force": 0.001}, "NET_FORCE")],
)
def test_stored_labels_meet_the_same_limits(limits, outcome):
    frame = pair()
    frame.info["REF_energy"] = -412.6
    frame.arrays["REF_forces"] = FORCES + [0.002, 0, 0]
    fault = gate.stored_fault(frame, limits, needs_stress=False)
    assert (fault and fault.outcome) == outcome
    assert gate.stored_fault(frame, LIMITS, needs_stress=True).outcome == "NO_STRESS"


def test_accepted_are_exactly_success_and_stored():
    names = [*gate.STRUCTURE_FAULTS, *gate.MACHINE_FAULTS, "SUCCESS", "STORED"]
    assert len(set(names)) == len(names)
    assert [name for name in names if Verdict(name, "").accepted] == ["SUCCESS", "STORED"]


@pytest.mark.parametrize("damage", ["positions", "cell"])
def test_a_coordinate_that_is_no_number_is_a_fault_of_the_structure(damage):
    atoms = Atoms("LiCl", [[0, 0, 0], [2.5, 0, 0]], cell=[5.0] * 3, pbc=True)
    if damage == "positions":
        atoms.positions[1, 2] = np.nan
    else:
        atoms.cell[0, 0] = np.inf
    assert gate.structure_fault(atoms, 0.7).outcome == "BAD_STRUCTURE"
