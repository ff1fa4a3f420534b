"""What only NequIP's adapter promises, and Allegro, the other model that it holds."""

import pickle
import zipfile

import numpy as np
import pytest
from conftest import GENTLE, R_MAX
from thermoweave.potentials import nequip

pytest.importorskip("nequip", reason="runs in the nequip environment")

ALLEGRO = {
    **nequip.HYPERS,
    "model": "Allegro",
    "r_max": R_MAX,
    "dtype": "float64",
    "num_scalar_features": 16,
    "num_tensor_features": 4,
    "mlp_width": 16,
    "epochs": 10,
    "batch_size": 1,
    "learning_rate": 0.05,
    "ema_decay": 0.9,
}


@pytest.fixture(scope="module")
def weights(melt, tmp_path_factory):
    return nequip.train(melt[:8], melt[8:], ALLEGRO, 1, tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def calculator(weights):
    return nequip.calculator(weights)


def evaluate(calculator, atoms):
    copy = atoms.copy()
    copy.calc = calculator
    return copy.get_potential_energy(), copy.get_forces()


def test_the_learning_curve_stays(weights):
    assert (weights[0].parent / "metrics.csv").exists()


def test_allegro_learned_something(calculator, melt):
    forces = np.array([evaluate(calculator, frame)[1] for frame in melt])
    labels = np.array([frame.arrays["REF_forces"] for frame in melt])
    assert np.corrcoef(forces.ravel(), labels.ravel())[0, 1] > 0.5


def test_allegro_forces_are_the_derivative_of_the_energy(calculator, melt):
    forces, step = evaluate(calculator, melt[0])[1], 1e-4
    for atom, axis in [(0, 0), (5, 1), (11, 2)]:
        energies = []
        for sign in (1, -1):
            moved = melt[0].copy()
            moved.positions[atom, axis] += sign * step
            energies.append(evaluate(calculator, moved)[0])
        assert -(energies[0] - energies[1]) / (2 * step) == pytest.approx(forces[atom, axis], abs=1e-6)


def test_allegro_small_cell_and_supercell_agree(calculator, melt):
    energy, forces = evaluate(calculator, melt[0])
    larger, repeated = evaluate(calculator, melt[0].repeat(2))
    assert larger == pytest.approx(8 * energy, abs=1e-7)
    assert repeated == pytest.approx(np.tile(forces, (8, 1)), abs=1e-8)


def test_allegro_sees_nothing_beyond_the_cutoff(calculator):
    """Strictly local: a third ion within reach of a neighbour, but not of the first, does not change its energy."""
    from ase import Atoms

    chain = Atoms("LiClLi", [[0, 0, 0], [0, 0, 3], [0, 0, 6]], cell=[30] * 3, pbc=True)
    first = []
    for atoms in (chain, chain[:2]):
        atoms.calc = calculator
        first.append(atoms.get_potential_energies()[0])
    assert first[0] == pytest.approx(first[1], abs=1e-10)


def test_allegro_goes_on_from_a_start(calculator, weights, melt, tmp_path):
    other = nequip.train(melt[:8], melt[8:], {**ALLEGRO, **GENTLE["nequip"]}, 2, tmp_path / "on", start=weights)
    further = nequip.calculator(other)
    assert evaluate(further, melt[0])[1] == pytest.approx(evaluate(calculator, melt[0])[1], abs=1e-3)


def test_allegro_compiled_has_the_same_forces(calculator, weights, melt, tmp_path):
    compiled = nequip.calculator([nequip.compile(weights, tmp_path)])
    for atoms in (melt[0], melt[1].repeat(2), melt[2][:1]):
        energy, forces = evaluate(calculator, atoms)
        new_energy, new_forces = evaluate(compiled, atoms)
        assert new_forces == pytest.approx(forces, abs=nequip.TOLERANCE["float64"])
        assert new_energy == pytest.approx(energy, abs=len(atoms) * nequip.TOLERANCE["float64"])
    assert [path.name for path in tmp_path.iterdir()] == [nequip.COMPILED]


def test_ten_steps_can_be_trained(melt, tmp_path):
    """torch's one-cycle schedule divides by zero where a tenth of the steps is one."""
    hypers = {**ALLEGRO, "epochs": 5, "batch_size": 4}
    assert nequip.train(melt[:8], melt[8:], hypers, 1, tmp_path / "run")


def test_a_foreign_package_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "model.nequip.zip", "w") as package:
        package.writestr("model/eager_model.pkl", pickle.dumps(1))
    with pytest.raises(ValueError, match="more than tensors and plain values"):
        nequip.calculator([tmp_path / "model.nequip.zip"])


def test_a_config_names_no_function_to_call(weights, tmp_path):
    """Only the adapter's own names are looked up, whatever a file says."""
    import torch

    content = torch.load(weights[0], weights_only=True)
    content["config"] |= {"_target_": "os.abort", "radial_chemical_embed": {"_target_": "os.abort"}}
    torch.save(content, tmp_path / "model.pt")
    assert nequip.calculator([tmp_path / "model.pt"])
