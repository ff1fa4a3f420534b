"""The label gate on recorded outputs of pw.x 7.2 (two ions, 15 Ry)."""

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from thermoweave import espresso

DATA = Path(__file__).parent / "data"
SETTINGS = {
    "ecutwfc": 15,
    "conv_thr": 1e-7,
    "mixing_beta": 0.7,
    "electron_maxstep": 100,
    "occupations": "fixed",
    "kpoints": [1, 1, 1],
}


def verdict(name, settings=SETTINGS, n_atoms=2, change=lambda text: text):
    text = change((DATA / f"pw_{name}.out").read_text())
    return espresso.judge(espresso.parse_output(text), n_atoms, settings, max_net_force=0.01)


def test_success_is_read_to_the_last_digit():
    output = espresso.parse_output((DATA / "pw_success.out").read_text())
    assert verdict("success").accepted
    assert output.energy == pytest.approx(-30.32826042 * 13.605693122994, rel=1e-8)
    # atom 1 of the file: 0.13780090 Ry/bohr
    assert output.forces[0, 0] == pytest.approx(3.5429, abs=1e-4)
    assert output.forces.shape == (2, 3)
    assert output.version == "7.2" and len(output.accuracies) == 9


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("unconverged", "UNCONVERGED"),
        ("unconverged_said_converged", "UNCONVERGED"),
        ("stopped", "STOPPED"),
        ("no_pseudopotential", "PW_ERROR"),
    ],
)
def test_failures_have_names(name, outcome):
    assert verdict(name).outcome == outcome


def test_the_unconverged_run_does_claim_convergence():
    text = (DATA / "pw_unconverged_said_converged.out").read_text()
    assert "convergence has been achieved" in text and "JOB DONE." in text and "!    total energy" in text


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        (lambda t: t.replace("force =     0.13", "force = ********13"), "NO_FORCES"),
        (lambda t: t.replace("force =     0.13", "force =     0.25", 1), "NET_FORCE"),
        (lambda t: t.replace("cutoff     =      15.0000  Ry", "cutoff     =      12.0000  Ry"), "WRONG_CUTOFF"),
        (lambda t: t.replace("kinetic-energy cutoff", "no cutoff"), "WRONG_CUTOFF"),
        (lambda t: "garbage \x00 \xff", "NO_SCF"),
        (lambda t: "", "NO_SCF"),
        (lambda t: t[: t.index("atom    2 type")] + "\n JOB DONE.", "NO_FORCES"),
    ],
)
def test_damaged_outputs_are_outcomes(change, outcome):
    assert verdict("success", change=change).outcome == outcome


def test_every_prefix_of_an_output_is_an_outcome():
    text = (DATA / "pw_success.out").read_text()
    for end in range(0, len(text), 97):
        result = espresso.judge(espresso.parse_output(text[:end]), 2, SETTINGS, 0.01)
        assert not result.accepted or "JOB DONE." in text[:end]


def test_tighter_threshold_refuses_the_same_output():
    assert verdict("success", {**SETTINGS, "conv_thr": 1e-9}).outcome == "UNCONVERGED"


def test_input_has_what_was_asked_for():
    atoms = Atoms("LiCl", [[0, 0, 0], [2.5, 0, 0]], cell=[4.2] * 3, pbc=True)
    text = espresso.input_text(atoms, SETTINGS, {"mixing_beta": 0.3}, {"Li": "Li.gth", "Cl": "Cl.gth"}, "here")
    assert "mixing_beta      = 0.3" in text and "K_POINTS gamma" in text and "tprnfor          = .true." in text
    smeared = {**SETTINGS, "occupations": "smearing", "smearing": "gaussian", "degauss": 0.01, "kpoints": [2, 2, 2]}
    text = espresso.input_text(atoms, smeared, {}, {"Li": "Li.gth", "Cl": "Cl.gth"}, "here")
    assert "degauss          = 0.01" in text and "2 2 2" in text


def test_pseudopotentials_are_found_by_species(tmp_path):
    for name in ("Li.gth", "cl_pbe_v1.4.uspp.F.UPF", "K.pbe-spn.UPF", "Klmn.upf", "Cl.txt"):
        (tmp_path / name).write_text("")
    found = espresso.pseudopotential_files(tmp_path, ["Cl", "K", "Li"])
    assert found == {"Cl": "cl_pbe_v1.4.uspp.F.UPF", "K": "K.pbe-spn.UPF", "Li": "Li.gth"}
    with pytest.raises(FileNotFoundError, match="no pseudopotential for Na"):
        espresso.pseudopotential_files(tmp_path, ["Na"])
    (tmp_path / "Li.upf").write_text("")
    with pytest.raises(ValueError, match="several pseudopotentials for Li"):
        espresso.pseudopotential_files(tmp_path, ["Li"])


def test_shipped_pseudopotentials_have_the_published_numbers():
    """GTH-LDA parameters of PRB 54, 1703 and PRB 58, 3641, read as pw.x reads them."""
    folder = Path(__file__).parents[2] / "resources" / "pseudopotentials"
    lithium = (folder / "Li.gth").read_text().split("\n")
    assert np.array(lithium[3].split()[:4], float).tolist() == [0.78755305, 2, -1.89261247, 0.28605968]
    chlorine = (folder / "Cl.gth").read_text().split("\n")
    assert np.array(chlorine[5].split()[:4], float).tolist() == [0.33820832, 2, 9.06223968, -1.96193036]
