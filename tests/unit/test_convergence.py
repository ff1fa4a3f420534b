"""Labels at several levels of theory: what is chosen, what the differences are, whether their intervals hold."""

import csv
import json
import logging
import math
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path

import label_convergence
import label_convergence_select
import numpy as np
import pytest
from ase import Atoms
from ase.units import GPa
from thermoweave import convergence
from thermoweave.frames import read_frames, write_frames

TRIALS = 2000
LEVELS = {"asked": {}, "40Ry": {"ecutwfc": 40}, "60Ry": {"ecutwfc": 60}}


def salt(n_K: int, temperature: str = "T1000", index: int = 0, squeezed: bool = False) -> Atoms:
    """Six ions in a cell of 6 A, `n_K` of them K, without two at one place."""
    rng = np.random.default_rng(index)
    atoms = Atoms(["K"] * n_K + ["Li"] * (3 - n_K) + ["Cl"] * 3, cell=[6, 6, 6], pbc=True)
    atoms.positions = rng.uniform(0, 6, (6, 3))
    atoms.info.update(concentration=f"x{n_K}", temperature=temperature, index=index, squeezed=squeezed)
    return atoms


def labelled(atoms: Atoms, energy: float, forces: np.ndarray, pressure_GPa: float | None = None) -> Atoms:
    frame = atoms.copy()
    frame.info["REF_energy"] = energy
    frame.arrays["REF_forces"] = np.broadcast_to(forces, (6, 3)).astype(float)
    if pressure_GPa is not None:
        frame.info["REF_stress"] = np.array([-1, -1, -1, 0, 0, 0]) * pressure_GPa * GPa
    return frame


def attempt(label_id: str, outcome: str = "SUCCESS", core_s: float = 2.0) -> dict:
    where = {"concentration": "x1", "temperature": "T1000", "evidence": "after 9 iterations"}
    return {"label_id": label_id, "outcome": outcome, "core_s": str(core_s), **where}


def test_selection_spreads_over_concentrations_and_then_over_temperatures():
    structures = [salt(n, f"T{T}", 10 * k + n) for n in (0, 1, 2) for k, T in enumerate([900, 900, 1100, 1300])]
    chosen = convergence.select(structures, 6)
    assert Counter(atoms.info["concentration"] for atoms in chosen) == {"x0": 2, "x1": 2, "x2": 2}
    assert {atoms.info["temperature"] for atoms in chosen} == {"T900", "T1100", "T1300"}
    assert len({(atoms.info["concentration"], atoms.info["temperature"]) for atoms in chosen}) == 6
    again = convergence.select(structures, 6)
    assert [convergence.name(atoms) for atoms in again] == [convergence.name(atoms) for atoms in chosen]


def test_squeezed_structures_are_never_taken(tmp_path):
    structures = [salt(1, "T900", index, squeezed=index % 2 == 0) for index in range(6)]
    write_frames(tmp_path / "structures.extxyz", structures)
    label_convergence_select.label_convergence_select(
        [tmp_path / "structures.extxyz"], tmp_path / "chosen.extxyz", n_structures=3
    )
    assert [atoms.info["index"] for atoms in read_frames(tmp_path / "chosen.extxyz")] == [1, 3, 5]
    with pytest.raises(ValueError, match=r"structures: 4 asked for, round 0 has 3 without a squeezed pair; ask for fe"):
        convergence.select(structures, 4)


def test_a_level_changes_a_mapping_key_by_key():
    settings = {"ecutwfc": 25, "system": {"vdw_corr": "d3", "ecutrho": 100}}
    changed = convergence.changed(settings, {"ecutwfc": 40, "system": {"ecutrho": 160}})
    assert changed == {"ecutwfc": 40, "system": {"vdw_corr": "d3", "ecutrho": 160}}
    assert convergence.changed(settings, {"nbnd": 40}) == {**settings, "nbnd": 40}
    assert settings["ecutwfc"] == 25


def test_known_differences_give_known_numbers():
    structures = [salt(n, index=10 * n + k) for n in (0, 1, 2, 3) for k in range(2)]
    relative = np.array([1, -1, 2, -2, -1, 1, -2, 2]) * 1e-3  # eV an atom, without a share in species' energies
    shift = [0.3 * (3 - n) + 0.7 * n for n in (0, 0, 1, 1, 2, 2, 3, 3)]  # eV: 0.3 an Li, 0.7 a K
    reference = [labelled(atoms, -100.0, 0.5, 2.0) for atoms in structures]
    level = [
        labelled(atoms, -100.0 + s + 6 * r, [0.53, 0.5, 0.46], 2.5)
        for atoms, s, r in zip(structures, shift, relative, strict=True)
    ]
    found = convergence.compare(level, reference)
    assert found["energy_shift_meV_atom"].value == pytest.approx(1000 * 1.5 / 6)
    assert found["energy_rms_meV_atom"].value == pytest.approx(math.sqrt(20 / (8 - 2)))
    assert found["force_rms_meV_A"].value == pytest.approx(math.sqrt((30**2 + 40**2) / 3))
    assert found["force_rms_meV_A"].low == pytest.approx(found["force_rms_meV_A"].high)  # the same in each structure
    assert found["force_relative_percent"].value == pytest.approx(100 * math.sqrt((0.03**2 + 0.04**2) / 3) / 0.5)
    assert found["force_max_meV_A"] == pytest.approx(40)
    assert found["stress_rms_GPa"].value == pytest.approx(0.5 / math.sqrt(2))
    assert found["pressure_shift_GPa"].value == pytest.approx(0.5)
    del level[0].info["REF_stress"]
    assert "stress_rms_GPa" not in convergence.compare(level, reference)


def coverage(intervals: list[convergence.Interval], truth: float) -> float:
    return float(np.mean([interval.low <= truth <= interval.high for interval in intervals]))


@pytest.mark.parametrize("n", [2, 3, 6, 12])
def test_intervals_of_force_differences_hold_what_they_say(n):
    """72 components a structure, whose size differs from structure to structure by a third; or not at all."""
    rng = np.random.default_rng(n)
    for sigma in (0.0, 0.3):
        scale = rng.lognormal(0, sigma, (TRIALS, n))
        squares = (scale[:, :, None] * rng.standard_normal((TRIALS, n, 72))) ** 2
        intervals = [convergence.root_ratio(trial, np.full(n, 72)) for trial in squares.sum(axis=2)]
        assert coverage(intervals, math.exp(sigma**2)) == pytest.approx(convergence.SHARE, abs=0.04)


def test_intervals_of_relative_force_differences_hold_what_they_say():
    """The difference grows with the force of a structure, a twentieth of it; the linearised variance holds 62 %."""
    rng = np.random.default_rng(1)
    force = rng.lognormal(0, 0.3, (TRIALS, 6))
    reference = (force[:, :, None] * rng.standard_normal((TRIALS, 6, 72))) ** 2
    difference = (0.05 * force[:, :, None] * rng.standard_normal((TRIALS, 6, 72))) ** 2
    pairs = zip(difference.sum(axis=2), reference.sum(axis=2), strict=True)
    intervals = [convergence.root_ratio(*pair) for pair in pairs]
    assert coverage(intervals, 0.05) == pytest.approx(convergence.SHARE, abs=0.04)


def test_what_differs_in_one_structure_only_has_no_interval():
    one = convergence.root_ratio(np.array([0.0, 0.0, 9.0]), np.ones(3))
    assert one.value == pytest.approx(math.sqrt(3)) and math.isnan(one.low) and math.isnan(one.high)
    assert convergence.root_ratio(np.zeros(3), np.ones(3)) == convergence.Interval(0.0, 0.0, 0.0)


@pytest.mark.parametrize(("draw", "margin"), [("standard_normal", 0.03), ("laplace", 0.2)])
def test_intervals_of_energy_differences_hold_what_they_say(draw, margin):
    """Two species' energies are fitted to six structures; heavy tails (Laplace) cost a part of the coverage."""
    structures = [salt(n, index=k) for k, n in enumerate((0, 0, 1, 1, 3, 3))]
    noise = getattr(np.random.default_rng(2), draw)(size=(TRIALS, 6))
    truth = math.sqrt(2) if draw == "laplace" else 1.0
    fits = [convergence.without_species_energies(trial, structures) for trial in noise]
    assert {freedom for _, freedom in fits} == {4}
    share = coverage([convergence.residual_rms(*fit) for fit in fits], truth)
    assert share == pytest.approx(convergence.SHARE, abs=margin)


def test_intervals_of_means_hold_what_they_say():
    values = np.random.default_rng(3).standard_normal((TRIALS, 2))
    assert coverage([convergence.mean(pair) for pair in values], 0) == pytest.approx(convergence.SHARE, abs=0.03)
    assert math.isnan(convergence.mean([1.0]).low)


def test_the_cost_of_a_stored_label_is_looked_up():
    own = [attempt("a", "UNCONVERGED", 3), attempt("a", "SUCCESS", 4), attempt("b", "STORED", 0)]
    own += [attempt("c", "STORED", 0), attempt("d", "UNCONVERGED", 9)]
    earlier = [attempt("a", "SUCCESS", 4), attempt("b", "STOPPED", 5), attempt("b", "SUCCESS", 1)]
    assert convergence.core_seconds(own, own + earlier) == [7, 6]


def rows(path: Path) -> dict[str, dict]:
    with open(path, newline="") as file:
        return {row["level"]: row for row in csv.DictReader(file)}


def compare(folder: Path, structures: list[Atoms], labels: dict, attempts: dict | None = None) -> dict[str, dict]:
    """The table that the script writes."""
    attempts = attempts or {level: [attempt(f"{level}{k}") for k in range(len(labels[level]))] for level in LEVELS}
    files = [folder / f"convergence.{kind}" for kind in ("csv", "json", "svg")]
    label_convergence.label_convergence(structures, labels, attempts, LEVELS, [], *files)
    return rows(files[0])


def test_table_json_and_figure(tmp_path):
    structures = [salt(n, index=10 * n + k) for n in (0, 1, 3) for k in range(2)]
    rng = np.random.default_rng(0)
    forces = rng.standard_normal((6, 6, 3))
    labels = {
        level: [
            labelled(a, rng.normal(0, s), f + rng.normal(0, s, (6, 3)), 1 + s)
            for a, f in zip(structures, forces, strict=True)
        ]
        for level, s in (("asked", 0.1), ("40Ry", 0.02), ("60Ry", 0.0))
    }
    table = compare(tmp_path, structures, labels)
    assert list(table) == list(LEVELS)
    assert table["asked"]["settings"] == "those of the campaign" and table["40Ry"]["settings"] == "ecutwfc 40"
    assert float(table["asked"]["force_rms_meV_A"]) == pytest.approx(100, rel=0.2)
    low, value, high = (float(table["40Ry"][f"energy_rms_meV_atom{end}"]) for end in ("_low", "", "_high"))
    assert low < value < high
    assert table["60Ry"]["force_rms_meV_A"] == "" and table["60Ry"]["note"] == "the reference"
    assert float(table["60Ry"]["core_s_per_label"]) == 2
    written = json.loads((tmp_path / "convergence.json").read_text())
    assert written["reference"] == "60Ry" and written["levels"]["40Ry"]["changes"] == {"ecutwfc": 40}
    assert written["levels"]["40Ry"]["force_rms_meV_A"]["low"] < written["levels"]["40Ry"]["force_rms_meV_A"]["value"]
    text = " ".join(ET.parse(tmp_path / "convergence.svg").getroot().itertext())
    for part in ("asked", "40Ry", "60Ry", "meV/Å", "stress", "core-seconds", "%"):
        assert part in text


def test_a_rejected_structure_is_left_out_named_and_counted(tmp_path, caplog):
    structures = [salt(1, index=k) for k in range(4)]
    frames = [labelled(atoms, 0.0, np.arange(3) * (k + 1)) for k, atoms in enumerate(structures)]
    attempts = {level: [attempt(f"{level}{k}") for k in range(4)] for level in LEVELS}
    attempts["40Ry"][1] = attempt("40Ry1", "UNCONVERGED")
    labels = {"asked": frames, "40Ry": [frames[0], *frames[2:]], "60Ry": frames[:3]}
    with caplog.at_level(logging.INFO):
        table = compare(tmp_path, structures, labels, attempts)
    counted = {level: (row["n_structures"], row["n_left_out"]) for level, row in table.items()}
    assert counted == {"asked": ("3", "1"), "40Ry": ("2", "2"), "60Ry": ("3", "1")}
    assert table["asked"]["energy_rms_meV_atom"] == "0" and table["asked"]["stress_rms_GPa"] == ""
    assert "40Ry: left out, without this label or the reference's: x1 T1000 #1" in caplog.text
    assert "40Ry: rejected: x1 T1000, UNCONVERGED: after 9 iterations" in caplog.text
    assert "40Ry: left out x1 T1000 #1" in " ".join(ET.parse(tmp_path / "convergence.svg").getroot().itertext())


def test_one_structure_is_a_refusal_and_not_a_number(tmp_path):
    structures = [salt(n, index=n) for n in (0, 3)]
    frames = [labelled(atoms, 0.0, [1.0, 2.0, 3.0]) for atoms in structures]
    table = compare(tmp_path, structures, {"asked": frames[:1], "40Ry": frames, "60Ry": frames})
    assert table["asked"]["note"] == "no comparison: 1 of 2 structures have both labels"
    assert table["asked"]["force_rms_meV_A"] == ""
    # two compositions and two species' energies: nothing is left to say of the energy
    assert table["40Ry"]["energy_rms_meV_atom"] == "" and "species' energies" in table["40Ry"]["note"]
    assert table["40Ry"]["force_rms_meV_A"] == "0"


def test_no_label_at_the_reference_is_a_refusal_and_not_a_crash(tmp_path):
    structures = [salt(1, index=k) for k in range(2)]
    frames = [labelled(atoms, 0.0, 1.0) for atoms in structures]
    attempts = {level: [attempt(level, "UNCONVERGED")] for level in LEVELS}
    table = compare(tmp_path, structures, {"asked": frames, "40Ry": frames, "60Ry": []}, attempts)
    assert all("no comparison" in table[level]["note"] for level in ("asked", "40Ry"))
    assert "</svg>" in (tmp_path / "convergence.svg").read_text()
