"""What every adapter's files must be: weights to go on from, a compiled twin, nothing that runs code, one and the same
on two threads.
"""

import os
import pickle
import shutil
import subprocess
import sys

import numpy as np
import pytest
import train_compile
from ase import Atoms
from conftest import GENTLE, evaluate, those_installed
from thermoweave.potentials import start

# Only the adapters that promise it; the others must say that they do not.
starts = pytest.mark.parametrize("adapter", those_installed("ARCHITECTURE"), indirect=True)
compiles = pytest.mark.parametrize("adapter", those_installed("compile"), indirect=True)


@starts
def test_training_goes_on_from_a_start(adapter, name, hypers, weights, calculator, melt, tmp_path):
    """With a rate of next to nothing, the weights stay what they were."""
    other = adapter.train(melt[:8], melt[8:], {**hypers, **GENTLE[name]}, 2, tmp_path / "on", start=weights)
    further = adapter.calculator(other, "cpu", "float64")
    for frame in melt[:3]:
        assert evaluate(further, frame)[1] == pytest.approx(evaluate(calculator, frame)[1], abs=1e-3)


@starts
def test_a_start_may_know_more_species(adapter, name, hypers, weights, calculator, melt, tmp_path):
    frames = [frame[[atom.symbol != "K" for atom in frame]] for frame in melt]
    other = adapter.train(frames[:8], frames[8:], {**hypers, **GENTLE[name]}, 2, tmp_path / "on", start=weights)
    further = adapter.calculator(other, "cpu", "float64")
    assert evaluate(further, frames[0])[1] == pytest.approx(evaluate(calculator, frames[0])[1], abs=1e-3)


@starts
def test_architecture_is_among_the_hyperparameters(adapter):
    assert {"r_max", "dtype"} <= set(adapter.ARCHITECTURE) <= set(adapter.HYPERS)


@compiles
def test_compiled_model_has_the_same_forces(adapter, weights, calculator, melt, tmp_path):
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


@pytest.mark.parametrize("adapter", those_installed("ARCHITECTURE", has=False), indirect=True)
def test_no_start_where_none_can_be_used(name, weights, tmp_path):
    with pytest.raises(ValueError, match="cannot start from trained weights"):
        start.read(weights[0], name, tmp_path)


@pytest.mark.parametrize("adapter", those_installed("compile", has=False), indirect=True)
def test_nothing_compiled_where_nothing_can_be(adapter, name):
    assert not train_compile.wanted("auto", name, adapter)
    with pytest.raises(RuntimeError, match=f"{name} has no compiled form"):
        train_compile.wanted("always", name, adapter)
