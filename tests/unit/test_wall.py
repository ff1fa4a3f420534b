"""The wall where the data end: its energy, forces, virial, contacts, and that it is zero where the data reach."""

import sys

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.calculator import Calculator
from ase.stress import full_3x3_to_voigt_6_stress
from thermoweave.potentials import wall as walls

WALL = {"stiffness_eV_per_A2": 30.0, "r_min_A": {"Cl-Cl": 3.0, "Cl-Li": 2.2, "Li-Li": 2.6}, "unseen": []}


class Nothing(Calculator):
    """A network that predicts zero, so that only the wall is seen."""

    implemented_properties = ["energy", "forces", "stress"]

    def calculate(self, atoms=None, properties=("energy",), system_changes=()):
        super().calculate(atoms, properties, system_changes)
        self.results = {"energy": 0.0, "forces": np.zeros((len(atoms), 3)), "stress": np.zeros(6)}


def crowded(n=8, length=4.5, seed=3):
    """A dense box, shorter than twice the wall's range: many pairs touch, some through several images."""
    rng = np.random.default_rng(seed)
    cell = length * np.eye(3) + 0.3 * rng.standard_normal((3, 3))
    return Atoms("LiCl" * (n // 2), scaled_positions=rng.random((n, 3)), cell=cell, pbc=True)


def walled(atoms, wall=WALL):
    atoms = atoms.copy()
    atoms.calc = walls.Walled(Nothing(), wall, {"Li": 0.0, "Cl": 0.0})
    return atoms


def test_energy_of_one_contact_is_the_formula():
    atoms = walled(Atoms("LiCl", [[0, 0, 0], [0, 0, 2.0]], cell=[20] * 3, pbc=True))
    assert atoms.get_potential_energy() == pytest.approx(0.5 * 30 * 0.2**2)
    assert atoms.get_forces() == pytest.approx(np.array([[0, 0, -6.0], [0, 0, 6.0]]))
    assert atoms.calc.results["wall_contacts"] == 1
    assert atoms.calc.results["wall_energy"] == pytest.approx(0.6)


def test_zero_outside():
    atoms = walled(Atoms("LiCl", [[0, 0, 0], [0, 0, 2.3]], cell=[20] * 3, pbc=True))
    assert atoms.get_potential_energy() == 0
    assert not atoms.get_forces().any()
    assert atoms.calc.results["wall_contacts"] == 0


def test_forces_are_the_derivative_of_the_energy():
    atoms = walled(crowded())
    forces = atoms.get_forces()
    step = 1e-5
    for atom in range(len(atoms)):
        for axis in range(3):
            energies = []
            for sign in (1, -1):
                moved = walled(atoms)
                moved.positions[atom, axis] += sign * step
                energies.append(moved.get_potential_energy())
            assert -(energies[0] - energies[1]) / (2 * step) == pytest.approx(forces[atom, axis], abs=1e-4)


def test_stress_is_the_derivative_with_respect_to_strain():
    atoms = walled(crowded())
    step, stress = 1e-6, np.zeros((3, 3))
    for a in range(3):
        for b in range(3):
            energies = []
            for sign in (1, -1):
                strain = np.eye(3)
                strain[a, b] += sign * step
                strained = walled(atoms)
                strained.set_cell(atoms.cell.array @ strain.T, scale_atoms=True)
                energies.append(strained.get_potential_energy())
            stress[a, b] = (energies[0] - energies[1]) / (2 * step) / atoms.get_volume()
    assert atoms.get_stress() == pytest.approx(full_3x3_to_voigt_6_stress(stress), abs=1e-5)


def test_small_box_counts_every_image():
    """One ion in a cubic box touches its six images: three contacts a cell, eight times as many in 2 x 2 x 2 cells."""
    atoms = walled(Atoms("Li", cell=[2.5] * 3, pbc=True))
    assert atoms.get_potential_energy() == pytest.approx(3 * 0.5 * 30 * 0.1**2)
    assert atoms.calc.results["wall_contacts"] == 3
    assert atoms.get_forces() == pytest.approx(np.zeros((1, 3)), abs=1e-12)
    large = walled(atoms.repeat(2))
    assert large.get_potential_energy() == pytest.approx(8 * atoms.get_potential_energy())
    assert large.calc.results["wall_contacts"] == 24


def test_supercell_has_the_same_forces():
    atoms = walled(crowded())
    large = walled(atoms.repeat(2))
    assert large.get_forces() == pytest.approx(np.tile(atoms.get_forces(), (8, 1)), abs=1e-10)


def test_invariance():
    atoms = walled(crowded())
    forces = atoms.get_forces()
    moved = walled(atoms)
    moved.positions += [1.3, -7.1, 0.4]
    moved.wrap()
    assert moved.get_forces() == pytest.approx(forces, abs=1e-9)
    rotation, _ = np.linalg.qr(np.random.default_rng(0).standard_normal((3, 3)))
    turned = walled(atoms)
    turned.set_cell(atoms.cell.array @ rotation.T)
    turned.positions = atoms.positions @ rotation.T
    assert turned.get_forces() == pytest.approx(forces @ rotation.T, abs=1e-9)
    order = np.random.default_rng(1).permutation(len(atoms))
    assert walled(atoms[order]).get_forces() == pytest.approx(forces[order], abs=1e-9)


def test_fit_takes_the_closest_distance_and_leaves_the_data_alone():
    frames = [crowded(seed=seed) for seed in range(4)]
    wall = walls.fit_wall(frames)
    assert sorted(wall["r_min_A"]) == ["Cl-Cl", "Cl-Li", "Li-Li"]
    seen = [walls.pairs(atoms, walls.CAP) for atoms in frames]
    unlike = [d[atoms.numbers[i] != atoms.numbers[j]].min() for atoms, (i, j, d, _) in zip(frames, seen, strict=True)]
    assert min(unlike) - 1e-6 <= wall["r_min_A"]["Cl-Li"] <= min(unlike)
    for atoms in frames:
        atoms = walled(atoms, wall)
        assert atoms.get_potential_energy() == 0
        assert atoms.calc.results["wall_contacts"] == 0


def test_unseen_pairs_are_named(caplog):
    frames = [Atoms("LiCl", [[0, 0, 0], [0, 0, 2]], cell=[9] * 3, pbc=True)]
    wall = walls.fit_wall(frames)
    assert list(wall["r_min_A"]) == ["Cl-Li"]
    assert wall["unseen"] == ["Cl-Cl", "Li-Li"]
    assert "Cl-Cl, Li-Li" in caplog.text


@pytest.mark.parametrize(("frames", "stiffness"), [([], 30.0), ([crowded()], 0.0), ([crowded()], -1.0)])
def test_what_cannot_be_fitted_is_refused(frames, stiffness):
    with pytest.raises(ValueError, match="training frame|must be positive"):
        walls.fit_wall(frames, stiffness)


def test_pairs_without_vesin_are_the_same(monkeypatch):
    pytest.importorskip("vesin")
    atoms = crowded()
    fast = walls.pairs(atoms, 5.0)
    monkeypatch.setitem(sys.modules, "vesin", None)
    slow = walls.pairs(atoms, 5.0)
    assert len(fast[2]) == len(slow[2])
    assert np.sort(fast[2]) == pytest.approx(np.sort(slow[2]))
    r_min = walls.table({"r_min_A": {"Cl-Cl": 5.0, "Cl-Li": 5.0, "Li-Li": 5.0}})
    results = [walls.evaluate(r_min, 30.0, atoms.numbers, *found) for found in (fast, slow)]
    for a, b in zip(*results, strict=True):
        assert a == pytest.approx(b)


def test_an_element_that_no_label_held_is_refused_before_the_network_is_asked():
    class Asked(Nothing):
        def calculate(self, *arguments):
            raise AssertionError("the network was asked")

    wall = walls.fit_wall([Atoms("LiCl", [[0, 0, 0], [2.5, 0, 0]], cell=[9] * 3, pbc=True)], 30.0)
    atoms = Atoms("NaCl", [[0, 0, 0], [2.5, 0, 0]], cell=[9] * 3, pbc=True)
    atoms.calc = walls.Walled(Asked(), wall, {"Cl": 0.0, "Li": 0.0})
    with pytest.raises(ValueError, match="no label held Na; the potential knows Cl, Li"):
        atoms.get_potential_energy()
