"""What every adapter must be: forces, symmetries, files, on a tiny float64 model trained for seconds.

Each environment tests the adapters whose package it holds; the double, lennard_jones, is everywhere.
"""

import inspect
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms, units
from ase.md.velocitydistribution import thermalize_momenta
from ase.md.verlet import VelocityVerlet
from conftest import GENTLE, R_MAX


@pytest.fixture(scope="session")
def weights(adapter, hypers, melt, tmp_path_factory):
    return adapter.train(melt[:8], melt[8:], hypers, 1, tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="session")
def calculator(adapter, weights):
    return adapter.calculator(weights, "cpu", "float64")


@pytest.fixture
def atoms(melt, calculator):
    atoms = melt[0].copy()
    atoms.calc = calculator
    return atoms


def evaluate(calculator, atoms):
    copy = Atoms(atoms.numbers, atoms.positions, cell=atoms.cell, pbc=atoms.pbc, calculator=calculator)
    return copy.get_potential_energy(), copy.get_forces()


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
    cases = [(moved, forces), (turned, forces @ rotation.T), (atoms[order], forces[order])]
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


@pytest.fixture(scope="session")
def name(adapter):
    return adapter.__name__.rpartition(".")[2]


@pytest.fixture(scope="session")
def startable(adapter):
    if "start" not in inspect.signature(adapter.train).parameters:
        pytest.skip("this backend does not start from trained weights")
    return adapter


def test_training_goes_on_from_a_start(startable, name, hypers, weights, calculator, melt, tmp_path):
    """With a rate of next to nothing, the weights stay what they were."""
    other = startable.train(melt[:8], melt[8:], {**hypers, **GENTLE[name]}, 2, tmp_path / "on", start=weights)
    further = startable.calculator(other, "cpu", "float64")
    for frame in melt[:3]:
        assert evaluate(further, frame)[1] == pytest.approx(evaluate(calculator, frame)[1], abs=1e-3)


def test_a_start_may_know_more_species(startable, name, hypers, weights, calculator, melt, tmp_path):
    frames = [frame[[atom.symbol != "K" for atom in frame]] for frame in melt]
    other = startable.train(frames[:8], frames[8:], {**hypers, **GENTLE[name]}, 2, tmp_path / "on", start=weights)
    further = startable.calculator(other, "cpu", "float64")
    assert evaluate(further, frames[0])[1] == pytest.approx(evaluate(calculator, frames[0])[1], abs=1e-3)


def test_architecture_is_among_the_hyperparameters(startable):
    assert {"r_max", "dtype"} <= set(startable.ARCHITECTURE) <= set(startable.HYPERS)


def test_compiled_model_has_the_same_forces(adapter, weights, calculator, melt, tmp_path):
    if not hasattr(adapter, "compile"):
        pytest.skip("this backend compiles nothing")
    if adapter.COMPILER and not shutil.which(adapter.COMPILER):
        pytest.skip(f"needs {adapter.COMPILER}")
    compiled = adapter.calculator([adapter.compile(weights, tmp_path)], "cpu", "float64")
    far = Atoms("LiCl", [[0, 0, 0], [0, 0, 15]], cell=[30] * 3, pbc=True)
    for atoms in (melt[0], melt[1].repeat(2), melt[2][:1], far):
        energy, forces = evaluate(calculator, atoms)
        new_energy, new_forces = evaluate(compiled, atoms)
        assert new_forces == pytest.approx(forces, abs=adapter.TOLERANCE["float64"])
        assert new_energy == pytest.approx(energy, abs=len(atoms) * adapter.TOLERANCE["float64"])
    copy = melt[0].copy()
    stresses = []
    for copy.calc in (calculator, compiled):
        stresses.append(copy.get_stress())
    assert stresses[1] == pytest.approx(stresses[0], abs=adapter.TOLERANCE["float64"])


class Bomb:
    """Runs code when it is loaded from a pickle."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return (open, (str(self.mark), "w"))


@pytest.mark.parametrize("kind", ["pickle", "torch"])
def test_a_file_that_runs_code_is_refused(adapter, weights, tmp_path, kind):
    mark = tmp_path / "it-ran"
    for path in weights:
        if kind == "pickle":
            (tmp_path / path.name).write_bytes(pickle.dumps({"config": Bomb(mark), "state": Bomb(mark)}))
        else:
            pytest.importorskip("torch").save({"config": Bomb(mark), "state": Bomb(mark)}, tmp_path / path.name)
    with pytest.raises(ValueError):  # noqa: PT011 - each backend says it in its own words
        adapter.calculator([tmp_path / path.name for path in weights], "cpu", "float64")
    assert not mark.exists()


FORCES = """
import sys, numpy as np
from ase.io import read
from thermoweave import potentials
atoms = read(sys.argv[2], format="traj")
atoms.calc = potentials.adapter(sys.argv[1]).calculator(sys.argv[4:], "cpu", "float64")
np.save(sys.argv[3], atoms.get_forces())
"""


def test_two_threads_are_one_thread(name, weights, calculator, melt, tmp_path):
    melt[0].repeat(2).write(tmp_path / "atoms.traj")
    argv = [name, tmp_path / "atoms.traj", tmp_path / "forces.npy", *weights]
    environment = {**os.environ, "OMP_NUM_THREADS": "2", "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", FORCES, *map(str, argv)], env=environment, check=True)
    assert np.load(tmp_path / "forces.npy") == pytest.approx(evaluate(calculator, melt[0].repeat(2))[1], abs=1e-9)


def test_single_precision(adapter, hypers, melt, tmp_path):
    """In float32 the symmetries hold to its rounding, and a supercell's energy still adds up to the meV."""
    weights = adapter.train(melt[:8], melt[8:], {**hypers, "dtype": "float32"}, 1, tmp_path / "single")
    single = adapter.calculator(weights, "cpu", "float32")
    energy, forces = evaluate(single, melt[0])
    moved = melt[0].copy()
    moved.positions += [3.1, -5.7, 0.4]
    assert evaluate(single, moved)[1] == pytest.approx(forces, abs=1e-4 * max(1, np.abs(forces).max()))
    assert evaluate(single, melt[0].repeat(2))[0] == pytest.approx(8 * energy, abs=1e-3)


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
