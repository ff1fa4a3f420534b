"""First structures: whole, neutral, at the asked density, reproducible, with close contacts of every pair."""

import numpy as np
import pytest
from ase import Atoms
from generate_structures import generate_structures, squeeze_pair, squeezed_indices
from morse_labels import write_labels
from thermoweave.frames import closest_distance, read_frames
from thermoweave.generators import ionic_melt
from train_potential import train_potential

RADII = {"Li": 0.816, "K": 1.463, "Cl": 1.585}
CHARGES = {"Li": 1, "K": 1, "Cl": -1}
OPTIONS = {
    "composition": {"LiCl": [1, 0], "KCl": [0, 1]},
    "density": {"rule": "additive_volumes", "coefficients": {"LiCl": [1.8842, -4.328e-4], "KCl": [2.1359, -5.831e-4]}},
    "charges": CHARGES,
    "radii": RADII,
    "n_units": 6,
    "temperatures": ["900", "1200"],
    "strain": 0.0,
    "superheat": 1.0,
    "contact_share": 0.5,
    "contact_scale": [0.8, 0.8],
    "md_ps": 0.05,
    "seed": 3,
}


def structures(path, concentration="0.50", n=4, **changes):
    generate_structures(path, concentration, n_structures=n, **{**OPTIONS, **changes})
    return read_frames(path)


def test_structures_are_neutral_and_at_density(tmp_path):
    frames = structures(tmp_path / "s.extxyz")
    for frame in frames:
        assert sum(CHARGES[s] for s in frame.symbols) == 0 and len(frame) == 12
        kelvin = float(frame.info["temperature"].removeprefix("T"))
        molar = 3 * 42.39 / (1.8842 - 4.328e-4 * kelvin) + 3 * 74.55 / (2.1359 - 5.831e-4 * kelvin)
        assert frame.get_volume() == pytest.approx(molar / 0.602214, rel=1e-3)
        assert closest_distance(frame) > 0.8
    assert [f.info["temperature"] for f in frames] == ["T900", "T1200", "T900", "T1200"]
    assert frames[0].info["concentration"] == "x0.50"


def test_same_seed_same_structures_and_more_of_them_change_none(tmp_path):
    few = structures(tmp_path / "few.extxyz", n=2)
    more = structures(tmp_path / "more.extxyz", n=3)
    other = structures(tmp_path / "other.extxyz", n=2, seed=4)
    for one, same, different in zip(few, more, other, strict=False):
        np.testing.assert_array_equal(one.positions, same.positions)
        assert not np.allclose(one.positions, different.positions)


def test_a_share_is_squeezed_pair_after_pair(tmp_path):
    plain = structures(tmp_path / "plain.extxyz", n=6, contact_share=0.0)
    squeezed = structures(tmp_path / "squeezed.extxyz", n=6)
    changed = [not np.allclose(a.positions, b.positions) for a, b in zip(plain, squeezed, strict=True)]
    assert sum(changed) == 3
    assert changed == [frame.info["squeezed"] for frame in squeezed]


def test_squeezing_moves_the_nearest_pair_only():
    atoms = Atoms("LiLiK", [[0.5, 0, 0], [9.5, 0, 0], [5, 5, 5]], cell=[10] * 3, pbc=True)
    assert squeeze_pair(atoms, ("Li", "Li"), 0.5)
    assert atoms.get_distance(0, 1, mic=True) == pytest.approx(0.5)
    np.testing.assert_allclose(atoms.positions[2], 5)
    assert not squeeze_pair(atoms, ("Cl", "K"), 0.5)


def test_forces_of_the_ionic_potential_are_its_gradient():
    rng = np.random.default_rng(1)
    atoms = ionic_melt.random_packing({"Li": 2, "K": 2, "Cl": 4}, 300.0, RADII, rng)
    atoms.calc = ionic_melt.BornMayer(CHARGES, RADII)
    forces = atoms.get_forces()
    for i, k in ((0, 0), (3, 1), (7, 2)):
        energies = []
        for step in (1e-4, -1e-4):
            moved = atoms.copy()
            moved.calc = atoms.calc
            moved.positions[i, k] += step
            energies.append(moved.get_potential_energy())
        assert -(energies[0] - energies[1]) / 2e-4 == pytest.approx(forces[i, k], rel=1e-4, abs=1e-5)
    np.testing.assert_allclose(forces.sum(axis=0), 0, atol=1e-9)


def test_packing_ends_even_in_a_small_cell():
    atoms = ionic_melt.random_packing({"K": 6, "Cl": 6}, 250.0, RADII, np.random.default_rng(0))
    assert len(atoms) == 12 and str(atoms.symbols) == "K6Cl6"


def test_every_temperature_has_structures_of_both_kinds():
    squeezed = squeezed_indices(13, 4, 0.5)
    assert len(squeezed) == 7
    for temperature in range(4):
        own = {index for index in range(13) if index % 4 == temperature}
        assert own & squeezed and own - squeezed
    assert squeezed_indices(5, 2, 0.0) == set() and squeezed_indices(5, 2, 1.0) == set(range(5))


@pytest.fixture(scope="module")
def teacher(tmp_path_factory):
    """A pair potential trained on LiCl, as generate.teacher has it."""
    folder = tmp_path_factory.mktemp("teacher")
    labels = write_labels(folder / "labels.extxyz")
    paths = [folder / name for name in ("potential.json", "errors.json", "predictions.npz", "training")]
    sampled = {"concentrations": ["0.00", "0.10"], "temperatures": ["900", "1000"]}
    train_potential([labels], *paths, "lennard_jones", {}, 1, sampled)
    return {"backend": "lennard_jones", "potential": str(paths[0]), "md_ps": 0.05, "timestep_fs": 1.0}


SALT = {"composition": {"LiCl": [1, 0]}, "temperatures": ["300"], "contact_share": 0.0}


def test_a_teacher_moves_the_melt(tmp_path, teacher):
    plain = structures(tmp_path / "plain.extxyz", "0.00", 2, **SALT)
    taught = structures(tmp_path / "taught.extxyz", "0.00", 2, **SALT, teacher=teacher)
    for before, after in zip(plain, taught, strict=True):
        assert before.cell == pytest.approx(after.cell) and before.info == after.info
        assert np.abs(before.positions - after.positions).max() > 0.05
        assert closest_distance(after) > 0.7
    assert sorted(path.name for path in tmp_path.iterdir()) == ["plain.extxyz", "taught.extxyz"]


def test_a_teacher_of_other_species_is_refused(tmp_path, teacher):
    with pytest.raises(ValueError, match="knows Cl, Li, not K"):
        structures(tmp_path / "s.extxyz", "0.50", 2, teacher=teacher)


def test_a_teacher_that_loses_the_melt_is_refused(tmp_path, teacher):
    hot = {**SALT, "temperatures": ["900000"], "md_ps": 0.002}
    density = {"rule": "table", "coefficients": {"0.00": [1.5, 0]}}
    with pytest.raises(RuntimeError, match="loses the melt at 900000 K"):
        structures(tmp_path / "s.extxyz", "0.00", 1, **hot, density=density, teacher=teacher)
    assert not (tmp_path / "s.extxyz").exists()
