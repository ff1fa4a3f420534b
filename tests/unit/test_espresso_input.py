"""The input of an SCF, read back with ASE."""

import io

import numpy as np
import pytest
from ase.io.espresso import read_espresso_in, read_fortran_namelist
from labelling import SETTINGS, pair
from thermoweave.espresso_input import ELECTRONS, SYSTEM, input_text

FILES = {"Li": "Li.gth", "Cl": "Cl.upf"}


def text(settings=SETTINGS, max_seconds=float("inf"), needs_stress=False) -> str:
    return input_text(pair(), settings, FILES, "/a folder", max_seconds, needs_stress)


def namelists(**arguments) -> dict:
    sections, _ = read_fortran_namelist(io.StringIO(text(**arguments)))
    return sections


def test_the_structure_is_there():
    atoms = read_espresso_in(io.StringIO(text()))
    assert atoms.positions == pytest.approx(pair().positions) and list(atoms.symbols) == ["Li", "Cl"]
    assert np.array_equal(atoms.cell, pair().cell)
    assert "Li 6.94 Li.gth" in text() and "Cl 35.45 Cl.upf" in text()


def test_the_settings_are_there():
    sections = namelists()
    assert sections["system"].items() >= {"ecutwfc": 15, "occupations": "fixed", "nosym": True}.items()
    assert sections["electrons"].items() >= {"conv_thr": 1e-7, "mixing_beta": 0.7, "electron_maxstep": 100}.items()
    control = {"calculation": "scf", "tprnfor": True, "tstress": False, "outdir": "out", "pseudo_dir": "/a folder"}
    assert sections["control"].items() >= control.items() and "max_seconds" not in sections["control"]


def test_stress_and_clock_only_where_asked_for():
    control = namelists(needs_stress=True, max_seconds=1234.56)["control"]
    assert control["tstress"] is True and control["max_seconds"] == 1234.6


def test_what_a_rung_changes_is_there():
    changes = {"diagonalization": "cg", "mixing_mode": "local-TF", "nbnd": 9, "startingwfc": "random", "npool": 4}
    sections = namelists(settings={**SETTINGS, **changes, "mixing_beta": 0.1})
    assert sections["electrons"].items() >= {"diagonalization": "cg", "mixing_beta": 0.1}.items()
    assert sections["electrons"]["mixing_mode"] == "local-TF" and sections["electrons"]["startingwfc"] == "random"
    assert sections["system"]["nbnd"] == 9 and "npool" not in text(settings={**SETTINGS, "npool": 4})


def test_further_keys_of_the_config_are_there():
    sections = namelists(settings={**SETTINGS, "system": {"ecutrho": 90, "vdw_corr": "dft-d3"}})
    assert sections["system"]["ecutrho"] == 90 and sections["system"]["vdw_corr"] == "dft-d3"


def test_kpoints():
    assert "K_POINTS gamma" in text()
    assert "K_POINTS automatic\n2 1 3  0 0 0" in text({**SETTINGS, "kpoints": [2, 1, 3]})


def test_every_key_of_the_labeller_has_one_namelist():
    assert not ELECTRONS & SYSTEM
