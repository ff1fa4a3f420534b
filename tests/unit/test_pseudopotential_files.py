"""Files of pseudopotentials: the one of a species is found, and what is not what it should be is named."""

import hashlib
import re
import shutil

import numpy as np
import pytest
from labelling import PSEUDOPOTENTIALS, SETTINGS
from thermoweave import pseudopotentials
from thermoweave.labellers import pwscf
from thermoweave.pseudopotentials import find, read

UPF_2 = '<UPF version="2.0.1">\n<PP_HEADER\n element="{}"\n functional="{}"\n/>'
UPF_2_TEXT = '<UPF version="2.0.1">\n<PP_INFO>\n   Element: {}\n   Functional: {}\n</PP_INFO>'
# a file of the first version, as those of GBRV in SSSP: values before their meaning
UPF_1 = """<PP_HEADER>
   0                   Version Number
  {}                   Element
   US                  Ultrasoft pseudopotential
    T                  Nonlinear Core Correction
 {}    PBE  Exchange-Correlation functional
"""


@pytest.fixture
def folder(tmp_path):
    for name in ("Li.gth", "Cl.gth", "K.upf"):
        shutil.copy(PSEUDOPOTENTIALS / name, tmp_path)
    return tmp_path


def sums(folder) -> None:
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in sorted(folder.iterdir())]
    (folder / "SHA256SUMS").write_text("".join(lines))


def test_the_shipped_files_are_those_of_their_check_sums():
    found = find(PSEUDOPOTENTIALS, {"Li", "K", "Cl"}, "LDA")
    assert {symbol: pseudo.name for symbol, pseudo in found.items()} == {"Cl": "Cl.gth", "K": "K.upf", "Li": "Li.gth"}
    assert {(pseudo.element, pseudo.functional) for pseudo in found.values()} == {
        ("Cl", "LDA"), ("K", "LDA"), ("Li", "LDA")
    }  # fmt: skip
    assert all(pseudo.sha256 in (PSEUDOPOTENTIALS / "SHA256SUMS").read_text() for pseudo in found.values())
    assert found["Li"].md5 == "166e14e76d8f526f3b2d5481ca1f227f", "as pw.x printed it in the recorded outputs"


def test_shipped_pseudopotentials_have_the_published_numbers():
    """GTH-LDA parameters of PRB 54, 1703 and PRB 58, 3641, read as pw.x reads them."""
    lithium = (PSEUDOPOTENTIALS / "Li.gth").read_text().split("\n")
    assert np.array(lithium[3].split()[:4], float).tolist() == [0.78755305, 2, -1.89261247, 0.28605968]
    chlorine = (PSEUDOPOTENTIALS / "Cl.gth").read_text().split("\n")
    assert np.array(chlorine[5].split()[:4], float).tolist() == [0.33820832, 2, 9.06223968, -1.96193036]


def test_files_are_found_by_species(tmp_path):
    for name in ("Li.gth", "cl_pbe_v1.4.uspp.F.UPF", "K.pbe-spn.UPF", "Klmn.upf", "Cl.txt", "K.ld1.in", "C.upf"):
        (tmp_path / name).write_text("")
    found = find(tmp_path, {"Cl", "K", "Li"}, "PBE")
    names = {symbol: pseudo.name for symbol, pseudo in found.items()}
    assert names == {"Cl": "cl_pbe_v1.4.uspp.F.UPF", "K": "K.pbe-spn.UPF", "Li": "Li.gth"}


def test_an_element_without_a_file_is_named(folder):
    with pytest.raises(FileNotFoundError, match=r"no pseudopotential for Na .looked for Na.gth, Na.\*.upf"):
        find(folder, {"Li", "Na"}, "LDA")


def test_two_files_of_an_element_are_named(folder):
    (folder / "Li.upf").write_text("")
    with pytest.raises(ValueError, match="several pseudopotentials for Li: Li.gth, Li.upf; keep one"):
        find(folder, {"Li"}, "LDA")


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere: no such folder of pseudopotentials .resource pseudo_dir"):
        find(tmp_path / "nowhere", {"Li"}, "LDA")


def test_a_file_that_is_not_the_recorded_one_is_named(folder):
    sums(folder)
    find(folder, {"Li", "Cl"}, "LDA")
    (folder / "Li.gth").write_text((folder / "Li.gth").read_text().replace("0.78755305", "0.78755306"))
    with pytest.raises(ValueError, match=r"Li.gth: its sha256 \w{12}... is not the \w{12}... of SHA256SUMS"):
        find(folder, {"Li"}, "LDA")
    find(folder, {"Cl"}, "LDA")


def test_a_file_that_is_not_on_record_is_named(folder):
    sums(folder)
    (folder / "Na.gth").write_text("")
    with pytest.raises(ValueError, match="Na.gth: not in SHA256SUMS .* `sha256sum Na.gth >> SHA256SUMS`"):
        find(folder, {"Na"}, "LDA")


@pytest.mark.parametrize("line", ["one_word", "   "])
def test_a_damaged_list_of_check_sums_is_named(folder, line):
    sums(folder)
    with open(folder / "SHA256SUMS", "a") as file:
        file.write(f"{line}\n")
    if line.strip():
        with pytest.raises(ValueError, match="SHA256SUMS"):
            find(folder, {"Li"}, "LDA")
    else:
        find(folder, {"Li"}, "LDA")


@pytest.mark.parametrize(
    ("name", "content", "element", "functional"),
    [
        ("Li.gth", "Li q1\n 3 1 230101\n 10 1 1 0 2001 0\n", "Li", "LDA"),
        ("Li.gth", "Li q1\n 3 1 230101\n 10 11 1 0 2001 0\n", "Li", "PBE"),
        ("Li.gth", "Li q1\n 3 1 230101\n 10 7 1 0 2001 0\n", "Li", "pspxc 7"),
        ("Li.gth", "no header", None, None),
        ("Li.upf", UPF_2.format("Li", "PBE"), "Li", "PBE"),
        ("Li.UPF", UPF_2.format("LI", "SLA PZ NOGX NOGC"), "Li", "LDA"),
        ("Li.upf", UPF_2.format(" Li ", "SLA-PW-PBX-PBC"), "Li", "PBE"),
        ("Li.upf", UPF_2.format("Li", " SLA  PW   PSX  PSC"), "Li", "PBEsol"),
        ("Li.upf", UPF_2.format("Li", "revpbe"), "Li", "revPBE"),
        ("Li.upf", UPF_2.format("Li", "SCAN"), "Li", "SCAN"),
        ("Li.upf", UPF_2_TEXT.format("Li", "PBE"), "Li", "PBE"),
        ("Li.upf", UPF_1.format("Li", "SLA  PW   PBX  PBC"), "Li", "PBE"),
        ("Li.upf", "", None, None),
    ],
)
def test_what_a_header_says(tmp_path, name, content, element, functional):
    (tmp_path / name).write_text(content)
    pseudo = read(tmp_path / name)
    assert (pseudo.element, pseudo.functional) == (element, functional)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("Li.gth", "Cl q7\n 17 7 230101\n 10 1 1 0 2001 0\n"),
        ("Li.upf", UPF_2.format("Cl", "PZ")),
        ("Li.upf", UPF_1.format("Cl", "SLA  PZ   NOGX NOGC")),
    ],
)
def test_a_file_of_another_element_is_named(tmp_path, name, content):
    (tmp_path / name).write_text(content)
    with pytest.raises(ValueError, match=f"{name}: its header says that it is for Cl, its name for Li"):
        find(tmp_path, {"Li"}, "LDA")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("Li.gth", "Li q1\n 3 1 230101\n 10 11 1 0 2001 0\n"),
        ("Li.upf", UPF_2.format("Li", "PBE")),
        ("Li.upf", UPF_1.format("Li", "SLA  PW   PBX  PBC")),
    ],
)
def test_a_file_of_another_functional_is_named(tmp_path, name, content):
    (tmp_path / name).write_text(content)
    with pytest.raises(ValueError, match=f"{name}: made with PBE, label.pwscf.functional asks for LDA"):
        find(tmp_path, {"Li"}, "LDA")
    assert find(tmp_path, {"Li"}, "PBE")["Li"].functional == "PBE"


def test_every_fault_of_every_species_comes_at_once(folder):
    (folder / "Cl.gth").unlink()
    shutil.copy(folder / "K.upf", folder / "Li.upf")
    found = pwscf.faults(SETTINGS, {"Li", "K", "Cl"}, folder)
    assert [re.search(r"for (\w+)", fault).group(1) for fault in found] == ["Cl", "Li"]


def test_a_missing_folder_is_said_once(tmp_path):
    assert len(pwscf.faults(SETTINGS, {"Li", "K", "Cl"}, tmp_path / "nowhere")) == 1


def test_the_level_knows_the_bytes_of_each_file(folder):
    machine = pwscf.Machine(pseudo_dir=folder)
    before = pwscf.level(SETTINGS, machine, {"Li", "Cl"})
    assert before["Li"] == pseudopotentials.read(folder / "Li.gth").sha256 and before.keys() == {"settings", "Li", "Cl"}
    with open(folder / "Li.gth", "a") as file:
        file.write("\n")
    after = pwscf.level(SETTINGS, machine, {"Li", "Cl"})
    assert {key for key in before if before[key] != after[key]} == {"Li"}
