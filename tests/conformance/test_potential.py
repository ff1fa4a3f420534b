"""What every adapter must be: forces, symmetries, files, on a tiny float64 model trained for seconds.

Each environment tests the adapters whose package it holds; the double, lennard_jones, is everywhere.
"""

import shutil
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms, units
from ase.md.velocitydistribution import thermalize_momenta
from ase.md.verlet import VelocityVerlet
from conftest import R_MAX, evaluate


@pytest.fixture
def atoms(melt, calculator):
    atoms = melt[0].copy()
    atoms.calc = calculator
    return atoms


def test_it_learned_something(calculator, melt):
    """Forces go the way of the labels' forces."""
    forces = np.array([evaluate(calculator, frame)[1] for frame in melt])
    labels = np.array([frame.arrays["REF_forces"] for frame in melt])
    assert np.corrcoef(forces.ravel(), labels.ravel())[0, 1] > 0.5


def test_forces_are_the_derivative_of_the_energy(atoms):
    forces, step = atoms.get_forces(), 1e-4
    for atom, axis in [(0, 0), (1, 1), (2, 2), (5, 0), (11, 1)]:
        energies = []
        for sign in (1, -1):
            moved = atoms.copy()
            moved.positions[atom, axis] += sign * step
            energies.append(evaluate(atoms.calc, moved)[0])
        assert -(energies[0] - energies[1]) / (2 * step) == pytest.approx(forces[atom, axis], abs=1e-6)
    assert np.abs(forces).max() > 0.01
    assert forces.sum(axis=0) == pytest.approx(np.zeros(3), abs=1e-9)


def test_stress_is_the_derivative_with_respect_to_strain(atoms):
    stress, step = atoms.get_stress(voigt=False), 1e-5
    for a, b in [(0, 0), (1, 2)]:
        energies = []
        for sign in (1, -1):
            strain = np.eye(3)
            strain[a, b] += sign * step / 2
            strain[b, a] += sign * step / 2
            strained = atoms.copy()
            strained.set_cell(atoms.cell.array @ strain, scale_atoms=True)
            energies.append(evaluate(atoms.calc, strained)[0])
        assert (energies[0] - energies[1]) / (2 * step) / atoms.get_volume() == pytest.approx(stress[a, b], abs=1e-6)


def test_invariance(atoms):
    energy, forces = atoms.get_potential_energy(), atoms.get_forces()
    moved = atoms.copy()
    moved.positions += [0.7, -11.3, 2.9]
    moved.wrap()
    rotation, _ = np.linalg.qr(np.random.default_rng(0).standard_normal((3, 3)))
    turned = atoms.copy()
    turned.set_cell(atoms.cell.array @ rotation.T)
    turned.positions = atoms.positions @ rotation.T
    order = np.random.default_rng(1).permutation(len(atoms))
    left_handed = atoms.copy()
    left_handed.set_cell(atoms.cell.array[[1, 0, 2]])
    cases = [(moved, forces), (turned, forces @ rotation.T), (atoms[order], forces[order]), (left_handed, forces)]
    for case, expected in cases:
        new_energy, new_forces = evaluate(atoms.calc, case)
        assert new_energy == pytest.approx(energy, abs=1e-8)
        assert new_forces == pytest.approx(expected, abs=1e-8)


def test_small_cell_and_supercell_agree(atoms):
    """The box is shorter than twice the cutoff, so an atom sees several images of the same neighbour, and of itself."""
    assert min(atoms.cell.lengths()) < 2 * R_MAX
    energy, forces = evaluate(atoms.calc, atoms.repeat(2))
    assert energy == pytest.approx(8 * atoms.get_potential_energy(), abs=1e-7)
    assert forces == pytest.approx(np.tile(atoms.get_forces(), (8, 1)), abs=1e-8)


def test_smooth_at_the_cutoff(calculator):
    """An ion that leaves another's cutoff: energy and forces go to those of two lone ions without a step."""

    def pair(distance):
        return evaluate(calculator, Atoms("LiCl", [[0, 0, 0], [0, 0, distance]], cell=[30] * 3, pbc=True))

    far, _ = pair(R_MAX + 1)
    for inside, bound in ((1e-2, 1e-4), (1e-3, 1e-6)):
        energy, forces = pair(R_MAX - inside)
        assert energy == pytest.approx(far, abs=bound)
        assert forces == pytest.approx(np.zeros((2, 3)), abs=bound)
    assert abs(pair(R_MAX - 1.5)[0] - far) > 1e-6


def test_same_numbers_after_reload(adapter, weights, calculator, melt, tmp_path):
    copies = [Path(shutil.copy(path, tmp_path)) for path in weights]
    again = adapter.calculator(copies, "cpu", "float64")
    for frame in melt[:3]:
        energy, forces = evaluate(calculator, frame)
        new_energy, new_forces = evaluate(again, frame)
        assert new_energy == energy
        assert np.array_equal(new_forces, forces)


def test_same_seed_same_weights(adapter, hypers, calculator, melt, tmp_path):
    other = adapter.train(melt[:8], melt[8:], hypers, 1, tmp_path / "again")
    repeated = adapter.calculator(other, "cpu", "float64")
    for frame in melt[:3]:
        assert np.array_equal(evaluate(calculator, frame)[1], evaluate(repeated, frame)[1])


def test_divergence_is_an_error(adapter, hypers, melt, tmp_path):
    frames = [frame.copy() for frame in melt[:8]]
    frames[0].info["REF_energy"] = float("nan") if adapter.__name__.endswith("lennard_jones") else 1e300
    with pytest.raises(RuntimeError, match="diverged|ended with status|not finite"):
        adapter.train(frames, melt[8:], hypers, 1, tmp_path / "run")


def test_isolated_atoms_have_their_own_energies(calculator):
    """Far apart, atoms do not know of each other: energies add, and no force is left."""
    alone = {s: evaluate(calculator, Atoms(s, cell=[30] * 3, pbc=True))[0] for s in ("Li", "Cl")}
    energy, forces = evaluate(calculator, Atoms("LiCl", [[0, 0, 0], [0, 0, 15]], cell=[30] * 3, pbc=True))
    assert energy == pytest.approx(sum(alone.values()), abs=1e-7)
    assert forces == pytest.approx(np.zeros((2, 3)), abs=1e-9)


def test_energy_is_conserved(atoms):
    """NVE, 100 steps of 1 fs from 300 K: the drift is of the order of the integrator's error."""
    thermalize_momenta(atoms, temperature_K=300, rng=np.random.default_rng(0))
    start = atoms.get_total_energy()
    VelocityVerlet(atoms, 1 * units.fs).run(100)
    kinetic = atoms.get_kinetic_energy()
    assert abs(atoms.get_total_energy() - start) < 0.02 * max(kinetic, 0.5)
