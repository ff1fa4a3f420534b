"""Labels are read without duplicates and split so that no frame changes sides."""

import hashlib

import numpy as np
import pytest
from ase import Atoms
from thermoweave import datasets
from thermoweave.frames import write_frames


def label(key, concentration="x0.50", temperature="T1000", number=0, symbols="LiCl"):
    atoms = Atoms(symbols, np.arange(3 * 2).reshape(2, 3), cell=[9] * 3, pbc=True)
    atoms.info |= {
        "REF_energy": -1.0, "label_id": hashlib.sha256(str(key).encode()).hexdigest(),
        "concentration": concentration, "temperature": temperature, "round": number, "level": "settings:a Li:b",
    }  # fmt: skip
    atoms.arrays["REF_forces"] = np.zeros((2, 3))
    return atoms


def sides(frames):
    return {atoms.info["label_id"]: name for name, part in datasets.split(frames).items() for atoms in part}


def test_split_has_all_frames_once():
    frames = [label(k) for k in range(40)]
    assert len(sides(frames)) == 40
    assert {name: len(part) for name, part in datasets.split(frames).items()} == {"train": 30, "valid": 5, "test": 5}


def test_squeezed_frames_all_train():
    frames = [label(k) for k in range(40)]
    for frame in frames[:20]:
        frame.info["squeezed"] = True
    parts = datasets.split(frames)
    assert not any(frame.info.get("squeezed") for frame in parts["test"] + parts["valid"])
    assert {name: len(part) for name, part in parts.items()} == {"train": 34, "valid": 3, "test": 3}


def test_frames_keep_their_side_when_rounds_and_concentrations_are_added():
    first = [label(k) for k in range(20)]
    more = [label(k, number=1) for k in range(20, 40)] + [label(k, concentration="x0.20") for k in range(40, 60)]
    before, after = sides(first), sides(more + first)
    assert all(after[key] == name for key, name in before.items())


def test_every_concentration_is_tested():
    frames = [label(k, concentration=f"x0.{k % 3}0") for k in range(18)]
    assert {atoms.info["concentration"] for atoms in datasets.split(frames)["test"]} == {"x0.00", "x0.10", "x0.20"}


@pytest.mark.parametrize("frames", [[], [label(k) for k in range(3)], [label(k, number=k) for k in range(9)]])
def test_too_few_labels_are_refused(frames):
    with pytest.raises(ValueError, match="labels"):
        datasets.split(frames)


def test_an_element_that_is_only_held_out_is_named():
    frames = sorted((label(k) for k in range(8)), key=lambda atoms: atoms.info["label_id"])
    frames[1].symbols = "KCl"
    with pytest.raises(ValueError, match="no training frame holds K"):
        datasets.split(frames)


def test_read_drops_duplicates_and_says_so(tmp_path, caplog):
    write_frames(tmp_path / "a.extxyz", [label(1), label(2)])
    write_frames(tmp_path / "b.extxyz", [label(2), label(3)])
    frames = datasets.read_labels([tmp_path / "a.extxyz", tmp_path / "b.extxyz"])
    assert len(frames) == 3
    assert "dropped 1 label" in caplog.text
    assert datasets.condition(frames[0]) == ("0.50", "1000")
    assert datasets.digest(frames) == datasets.digest(frames[::-1])
    assert datasets.digest(frames) != datasets.digest(frames[1:])


def test_no_labels(tmp_path):
    write_frames(tmp_path / "empty.extxyz", [])
    with pytest.raises(ValueError, match="no labels"):
        datasets.read_labels([tmp_path / "empty.extxyz"])


def broken(change):
    atoms = label(1)
    change(atoms)
    return atoms


@pytest.mark.parametrize(
    ("atoms", "message"),
    [
        (broken(lambda atoms: atoms.info.pop("REF_energy")), "REF_energy"),
        (broken(lambda atoms: atoms.arrays.pop("REF_forces")), "REF_forces"),
        (broken(lambda atoms: atoms.info.update(REF_energy=np.nan)), "not finite"),
        (broken(lambda atoms: atoms.info.update(concentration="0.50")), "read as a number"),
    ],
)
def test_what_is_no_label_is_named(tmp_path, atoms, message):
    write_frames(tmp_path / "labels.extxyz", [label(0), atoms])
    with pytest.raises(ValueError, match=message) as error:
        datasets.read_labels([tmp_path / "labels.extxyz"])
    assert "labels.extxyz, frame 1" in str(error.value)
