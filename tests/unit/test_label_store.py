"""The label store: the same label under the same name, whole or not at all."""

import errno
import multiprocessing
import os
import random

import numpy as np
import pytest
from ase import Atoms
from labelling import SETTINGS, pair
from thermoweave.label_store import LabelStore, label_id
from thermoweave.labellers import pwscf, settings_hash

LEVEL = {"settings": "s", "Li": "a", "Cl": "b", "K": "z"}
NAME = "ab" * 32
FORK = multiprocessing.get_context("fork")


def labelled(energy: float = -412.6371234567) -> Atoms:
    atoms = pair()
    atoms.info = {"REF_energy": energy, "REF_stress": np.arange(1, 7) * 0.01234567, "label_id": NAME}
    atoms.arrays["REF_forces"] = np.array([[3.54321, 0.1, 0.2], [-3.54321, -0.1, -0.2]])
    return atoms


@pytest.fixture
def store(tmp_path):
    store = LabelStore(tmp_path / "store")
    store.put(labelled())
    return store


def hash_of(**changes) -> str:
    return settings_hash("pwscf", {**SETTINGS, **changes}, pwscf.NUMERICS)


def test_the_order_of_the_atoms_does_not_matter():
    assert label_id(pair(), LEVEL) == label_id(pair()[[1, 0]], LEVEL)


def test_what_rounding_does_does_not_matter():
    assert label_id(pair(), LEVEL) == label_id(pair(2.47 + 1e-9), LEVEL)
    negative = pair()
    negative.positions[:, 1] = -1e-9
    assert label_id(pair(), LEVEL) == label_id(negative, LEVEL), "-0 is 0"


def test_species_that_are_not_there_do_not_matter():
    assert label_id(pair(), LEVEL) == label_id(pair(), {**LEVEL, "K": "y"})
    assert label_id(pair(), LEVEL) != label_id(pair(), {**LEVEL, "Cl": "c"}), "those that are there do"


def test_the_condition_does_not_matter():
    assert label_id(pair(), LEVEL) == label_id(pair(temperature="T1300"), LEVEL)


@pytest.mark.parametrize("change", ["distance", "cell", "species", "exchange", "periodicity", "settings"])
def test_what_the_numbers_depend_on_does(change):
    other, level = pair(2.48 if change == "distance" else 2.47), LEVEL
    if change == "cell":
        other.cell[2, 2] = 4.3
    if change == "species":
        other.symbols[0] = "K"
    if change == "exchange":
        other.symbols[:] = ["Cl", "Li"]
    if change == "periodicity":
        other.pbc = [True, True, False]
    if change == "settings":
        level = {**LEVEL, "settings": "t"}
    assert label_id(other, level) != label_id(pair(), LEVEL)


def test_the_way_to_convergence_does_not_matter_but_the_physics_does():
    assert hash_of(mixing_beta=0.3, electron_maxstep=7, diagonalization="cg", nbnd=9, npool=2) == hash_of()
    for change in ({"ecutwfc": 16}, {"conv_thr": 1e-8}, {"functional": "PBE"}, {"kpoints": [2, 1, 1]}):
        assert hash_of(**change) != hash_of()
    assert hash_of(system={"vdw_corr": "dft-d3"}) != hash_of(system={"vdw_corr": "dft-d2"})
    assert settings_hash("tblite", SETTINGS, pwscf.NUMERICS) != hash_of()


def test_a_cutoff_of_15_is_one_of_15_0():
    assert hash_of(ecutwfc=15.0) == hash_of(ecutwfc=15)


def test_a_label_comes_back_as_it_went_in(store):
    frame = store.get(NAME)
    assert frame.info["REF_energy"] == labelled().info["REF_energy"] and "checksum" not in frame.info
    assert np.array_equal(frame.info["REF_stress"], labelled().info["REF_stress"])
    assert frame.arrays["REF_forces"] == pytest.approx(labelled().arrays["REF_forces"], abs=1e-8)
    assert frame.positions == pytest.approx(pair().positions, abs=1e-8) and frame.pbc.all()


def test_a_label_that_is_not_there_is_none(tmp_path):
    assert LabelStore(tmp_path / "nowhere").get(NAME) is None


DAMAGES = {
    "empty": lambda text: "",
    "truncated in the heading": lambda text: text[:60],
    "without its last atom": lambda text: text[: text.index("Cl ")],
    "truncated in a force": lambda text: text[: text.rindex("-0.2") + 2],
    "digit of a force": lambda text: text.replace("3.54321000", "3.54321001", 1),
    "digit of the energy": lambda text: text.replace("412.637123", "412.637124"),
    "digit of the stress": lambda text: text.replace("0.01234567", "0.01234568"),
    "digit of a position": lambda text: text.replace("2.57000000", "2.56000000"),
    "species": lambda text: text.replace("Cl ", "Br "),
    "cell": lambda text: text.replace('Lattice="4.2', 'Lattice="4.3'),
    "periodicity": lambda text: text.replace("T T T", "F T T"),
    "no stress": lambda text: text.replace("REF_stress", "some_stress"),
    "no forces": lambda text: text.replace("REF_forces", "old_forces"),
    "no energy": lambda text: text.replace("REF_energy", "old_energy"),
    "no check sum": lambda text: text.replace("checksum", "checked"),
    "label of another structure": lambda text: text.replace(NAME, "cd" * 32),
    "two frames": lambda text: text + text,
    "no text": lambda text: "\0\xff\n" * 40,
    "a letter in the energy": lambda text: text.replace("412.637", "41x.637"),
    "a letter in the stress": lambda text: text.replace("0.01234567", "0.0x234567"),
    "one line": lambda text: "2\n",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_entry_is_none_and_said(store, caplog, damage):
    path = store.path(NAME)
    text = path.read_text()
    assert DAMAGES[damage](text) != text
    path.write_bytes(DAMAGES[damage](text).encode("latin-1"))
    assert store.get(NAME) is None
    assert "damaged label, computed again" in caplog.text and str(path) in caplog.text
    store.put(labelled())
    assert store.get(NAME) is not None


def test_whatever_byte_is_damaged_no_other_label_comes_out(store):
    path, rng = store.path(NAME), random.Random(1)
    content, good = path.read_bytes(), store.get(NAME)
    for _ in range(300):
        at = rng.randrange(len(content))
        path.write_bytes(content[:at] + bytes([rng.choice(b'01x.TF "=\n\0\xff')]) + content[at + 1 :])
        frame = store.get(NAME)
        assert frame is None or frame == good and frame.info["REF_energy"] == good.info["REF_energy"]


def test_a_write_that_fails_leaves_the_old_entry(store, monkeypatch):
    before = store.path(NAME).read_bytes()

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        store.put(labelled(energy=-1.0))
    assert store.path(NAME).read_bytes() == before
    assert [path.name for path in store.path(NAME).parent.iterdir()] == [f"{NAME}.extxyz"], "nothing left lying about"


def write_often(folder, rounds):
    for _ in range(rounds):
        LabelStore(folder).put(labelled())


def test_writers_of_the_same_label_never_show_half_an_entry(store, caplog):
    writers = [FORK.Process(target=write_often, args=(store.folder, 150)) for _ in range(3)]
    for writer in writers:
        writer.start()
    reads = 0
    while any(writer.is_alive() for writer in writers):
        frame = store.get(NAME)
        assert frame is not None and frame.info["REF_energy"] == labelled().info["REF_energy"]
        reads += 1
    assert [writer.exitcode for writer in writers] == [0, 0, 0] and reads > 50
    assert not caplog.text
    assert [path.name for path in store.path(NAME).parent.iterdir()] == [f"{NAME}.extxyz"]


def test_a_store_that_cannot_be_written_says_what_to_do(tmp_path):
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "store"):
        with pytest.raises(OSError, match="label store not writable .* set the resource label_store") as caught:
            LabelStore(folder).prepare()
        assert str(folder) in str(caught.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_store_without_permission_says_what_to_do(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(OSError, match="label store not writable .Permission denied."):
        LabelStore(tmp_path / "store").prepare()


def test_a_folder_that_cannot_be_written_is_said_by_put(tmp_path):
    (tmp_path / NAME[:2]).write_text("a file where a folder should be")
    with pytest.raises(OSError, match="label store not writable .* label_store of rule label_structures"):
        LabelStore(tmp_path).put(labelled())
