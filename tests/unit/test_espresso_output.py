"""Recorded outputs of pw.x 7.2, whole and damaged: each becomes a label or a named fault, never a traceback."""

import random
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from ase.io.espresso import read_espresso_out
from labelling import DATA, SETTINGS, recorded
from thermoweave import gate
from thermoweave.espresso_output import FUNCTIONALS, fault, parse_output
from thermoweave.gate import Calculation, Verdict

RYDBERG, HARTREE, BOHR = 13.605693122994, 27.211386245988, 0.529177210903
MD5 = {"Li": "166e14e76d8f526f3b2d5481ca1f227f", "Cl": "9c63004e15d40af15b6959989c96ed21"}
SMEARED = {**SETTINGS, "occupations": "smearing"}
BOX = " %%%%%%%%\n     Error in routine {} (1):\n     {}\n %%%%%%%%\n"


def verdict(text: str, settings=SETTINGS, md5=MD5, needs_stress=False, xml=None) -> Verdict:
    """What the gate says of an output of two ions."""
    output = parse_output(text, xml)
    calculation = Calculation(output.energy, output.forces, output.stress, fault(output, settings, md5))
    return gate.judge(calculation, n_atoms=2, max_net_force=0.01, needs_stress=needs_stress)


def replaced(old: str, new: str, name: str = "success", count: int = -1) -> str:
    text = recorded(name)
    assert old in text
    return text.replace(old, new, count)


def bands(*occupations: str, lsda: str = "false") -> str:
    k_points = "".join(f"<ks_energies><occupations>{o}</occupations></ks_energies>" for o in occupations)
    structure = f"<band_structure><lsda>{lsda}</lsda>{k_points}</band_structure>"
    return f'<qes:espresso xmlns:qes="http://qes"><output>{structure}</output></qes:espresso>'


def test_success_is_read_to_the_last_digit():
    output = parse_output(recorded("success"))
    assert output.energy == pytest.approx(-30.32826042 * RYDBERG, rel=1e-9)
    row = np.array([0.13779691, -0.00001627, -0.00001839]) * RYDBERG / BOHR
    assert output.forces == pytest.approx(np.array([row, -row]), rel=1e-7)
    assert output.accuracies[0] == 9.30025481 and output.accuracies[-1] == 3e-8 and len(output.accuracies) == 9
    assert (output.version, output.ecutwfc, output.nbnd, output.memory) == ("7.2", 15, 4, "1.74 MB")
    assert output.functional == FUNCTIONALS["LDA"] and output.pseudopotentials == MD5
    assert output.stress is None and output.error is None and not output.out_of_time
    assert verdict(recorded("success")).accepted


def test_ase_reads_the_same_numbers():
    with open(DATA / "pw_success.out") as file:
        (atoms,) = read_espresso_out(file)
    output = parse_output(recorded("success"))
    # ASE has older constants
    assert output.energy == pytest.approx(atoms.get_potential_energy(), rel=1e-6)
    assert output.forces == pytest.approx(atoms.get_forces(), rel=1e-6)


@pytest.mark.parametrize(
    ("name", "outcome", "said"),
    [
        ("unconverged", "UNCONVERGED", "3.0e-01 Ry after 3 iterations"),
        ("unconverged_said_converged", "UNCONVERGED", "3.0e-01 Ry after"),
        ("stopped", "STOPPED", "does not end with JOB DONE"),
        ("max_seconds", "OUT_OF_TIME", "2.9e+00 Ry after 2 iterations"),
        ("pbe", "WRONG_SETTINGS", "functional (1, 4, 3, 4), asked for LDA (1, 1, 0, 0)"),
        ("no_pseudopotential", "BAD_INPUT", "Li.gth not found"),
    ],
)
def test_failures_have_names(name, outcome, said):
    found = verdict(recorded(name))
    assert found.outcome == outcome and said in found.evidence


def test_the_unconverged_run_does_claim_convergence():
    text = recorded("unconverged_said_converged")
    assert "convergence has been achieved" in text and "JOB DONE." in text and "!    total energy" in text


def test_tighter_threshold_refuses_the_same_output():
    assert verdict(recorded("success"), {**SETTINGS, "conv_thr": 3e-8}).accepted
    assert verdict(recorded("success"), {**SETTINGS, "conv_thr": 2.9e-8}).outcome == "UNCONVERGED"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("cutoff     =      15.0000  Ry", "cutoff     =      12.0000  Ry", "cutoff of 12.0 Ry, asked for 15"),
        ("kinetic-energy cutoff", "no cutoff", "cutoff of nan Ry"),
        ("(   1   1   0   0   0   0   0)", "(   1   4   3   4   0   0   0)", "functional (1, 4, 3, 4), asked for LDA"),
        ("Exchange-correlation=", "Nothing of the kind=", "functional None, asked for LDA"),
        (MD5["Cl"], "0" * 32, "pseudopotential of Cl with md5 000000"),
        ("for Cl read from file", "for Br read from file", "pseudopotential of Cl with md5 None"),
    ],
)
def test_settings_that_were_not_asked_for_are_seen(old, new, said):
    found = verdict(replaced(old, new))
    assert found.outcome == "WRONG_SETTINGS" and said in found.evidence
    unconverged = verdict(replaced(old, new, "unconverged"))
    assert unconverged.outcome == "WRONG_SETTINGS", "an unconverged run says nothing of the structure, then"


def test_each_functional_is_told_from_the_others():
    assert len(set(FUNCTIONALS.values())) == len(FUNCTIONALS)
    assert verdict(recorded("pbe"), {**SETTINGS, "functional": "PBE"}).accepted
    text = replaced("(   1   4   3   4   0   0   0)", "(   1   4  10   8   0   0   0)", "pbe")
    assert verdict(text, {**SETTINGS, "functional": "PBEsol"}).accepted
    assert verdict(text, {**SETTINGS, "functional": "PBE"}).outcome == "WRONG_SETTINGS"


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        (lambda: replaced("force =     0.13", "force = ********13"), "NO_FORCES"),
        (lambda: replaced("force =     0.13779691", "force =            NaN"), "NO_FORCES"),
        (lambda: replaced("force =     0.13", "force =     0.25", count=1), "NET_FORCE"),
        (lambda: replaced("=     -30.32826042 Ry", "= *************** Ry"), "NO_ENERGY"),
        (lambda: replaced("=     -30.32826042 Ry", "=             NaN Ry"), "NO_ENERGY"),
        (lambda: replaced("!    total energy", "     total energy"), "NO_ENERGY"),
        (lambda: replaced("<       0.00000003 Ry", "<  ************** Ry"), "UNCONVERGED"),
        (lambda: replaced("<       0.00000003 Ry", "<             NaN Ry"), "UNCONVERGED"),
        (lambda: replaced("     atom    2 type", "\n"), "NO_FORCES"),
        (lambda: replaced("JOB DONE.", ""), "STOPPED"),
        (lambda: "garbage \x00 \ufffd", "STOPPED"),
        (lambda: "", "STOPPED"),
    ],
)
def test_damaged_outputs_are_outcomes(text, outcome):
    assert verdict(text()).outcome == outcome


def test_every_prefix_of_an_output_is_an_outcome():
    text = recorded("success")
    for end in range(0, len(text), 97):
        assert not verdict(text[:end]).accepted or "JOB DONE." in text[:end]


def test_damaged_bytes_are_outcomes():
    """Wherever a byte is damaged: never a traceback."""
    rng = random.Random(1)
    text = recorded("success")
    for _ in range(300):
        at = rng.randrange(len(text))
        assert verdict(text[:at] + rng.choice("*x9-\n\0") + text[at + 1 :]).outcome


def test_an_error_before_the_first_iteration_is_the_set_up_s():
    start, scf = recorded("success").split("Self-consistent Calculation")
    assert verdict(start + BOX.format("setup", "too few bands")).outcome == "BAD_INPUT"
    found = verdict(start + "Self-consistent Calculation" + BOX.format("cdiaghg", "S matrix not positive definite"))
    assert found.outcome == "PROGRAM_ERROR" and found.evidence == "cdiaghg (1): S matrix not positive definite"
    assert verdict(start + "Self-consistent Calculation" + scf + BOX.format("c_bands", "too bad")).outcome != "SUCCESS"


def test_energy_forces_and_stress_are_those_of_the_xml():
    """pw.x's own other file has them in Hartree and bohr; its stress is minus the one of ASE."""
    output = parse_output(recorded("stress"))
    root = ElementTree.parse(DATA / "pw_stress.xml").getroot().find("output")
    forces, stress = (np.array(root.findtext(name).split(), float) for name in ("forces", "stress"))
    assert output.energy == pytest.approx(float(root.findtext("total_energy/etot")) * HARTREE, abs=1e-7)
    assert output.forces.ravel() == pytest.approx(forces * HARTREE / BOHR, abs=1e-6)
    voigt = -stress.reshape(3, 3)[[0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]] * HARTREE / BOHR**3
    assert output.stress == pytest.approx(voigt, abs=1e-6)


def test_stress_only_where_it_is_asked_for():
    md5 = parse_output(recorded("stress")).pseudopotentials
    assert verdict(recorded("stress"), md5=md5, needs_stress=True).accepted
    assert verdict(recorded("success"), needs_stress=True).outcome == "NO_STRESS"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("-0.00027561 ", "*********** "),
        ("0.00000268  -0.00027561 ", "************************ "),
        ("-0.00002563   0.00000268  -0.00027561", "\n"),
        ("-0.00027248 ", "        NaN "),
    ],
)
def test_half_a_stress_is_none(old, new):
    assert verdict(replaced(old, new, "stress"), needs_stress=True).outcome == "NO_STRESS"


@pytest.mark.parametrize(
    ("xml", "outcome"),
    [
        (bands("1 1 0.9 0.009", "1 1 0 0"), "SUCCESS"),
        (bands("1 1 1 0", "1 1 0.5 0.011"), "TOP_BAND_OCCUPIED"),
        (bands("1 0 1 0.2", lsda="true"), "TOP_BAND_OCCUPIED"),
        (bands("1 0.2 1 0", lsda="true"), "TOP_BAND_OCCUPIED"),
        (bands("1 0.2 1 0"), "SUCCESS"),
        (bands(), "SUCCESS"),
        ("<half a fi", "SUCCESS"),
        (None, "SUCCESS"),
    ],
)
def test_electrons_in_the_highest_band(xml, outcome):
    found = verdict(recorded("success"), SMEARED, xml=xml)
    assert found.outcome == outcome
    assert outcome == "SUCCESS" or "highest of 4 bands is filled to" in found.evidence


def test_the_recorded_metal_has_too_few_bands():
    text, xml = recorded("top_band_occupied"), (DATA / "pw_top_band_occupied.xml").read_text()
    lithium = {"Li": MD5["Li"]}
    found = verdict(text, SMEARED, lithium, xml=xml)
    assert found.outcome == "TOP_BAND_OCCUPIED" and "highest of 2 bands is filled to 0.48" in found.evidence
    assert verdict(text, SMEARED, lithium).accepted, "only the XML tells"


def test_fixed_occupations_fill_the_highest_band():
    assert verdict(recorded("success"), xml=bands("1 1 1 1")).accepted
