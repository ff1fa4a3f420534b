"""What only SchNetPack's adapter promises: a second model, and no files that run code."""

import numpy as np
import pytest
from conftest import R_MAX, TINY, installed
from thermoweave import potentials
from thermoweave.potentials import schnetpack_model

if not installed("schnetpack"):  # importing it takes the adapter's help
    pytest.skip("runs in the schnetpack environment", allow_module_level=True)
adapter = potentials.adapter("schnetpack")
HYPERS = {**adapter.HYPERS, **TINY["schnetpack"], "r_max": R_MAX, "dtype": "float64"}


@pytest.fixture(scope="module")
def weights(melt, tmp_path_factory):
    hypers = {**HYPERS, "model": "SchNet"}
    return adapter.train(melt[:8], melt[8:], hypers, 1, tmp_path_factory.mktemp("schnet"))


def test_schnet_is_a_potential(weights, melt, tmp_path):
    """Forces are the derivative of the energy, images count, and a compiled model says the same."""
    atoms = melt[0].copy()
    atoms.calc = adapter.calculator(weights, "cpu", "float64")
    forces, energies = atoms.get_forces(), []
    for sign in (1, -1):
        moved = atoms.copy()
        moved.positions[3, 1] += sign * 1e-4
        moved.calc = atoms.calc
        energies.append(moved.get_potential_energy())
    assert (energies[1] - energies[0]) / 2e-4 == pytest.approx(forces[3, 1], abs=1e-6)
    large = melt[0].repeat(2)
    large.calc = adapter.calculator(weights, "cpu", "float64")
    assert large.get_forces() == pytest.approx(np.tile(forces, (8, 1)), abs=1e-8)
    atoms.calc = adapter.calculator([adapter.compile(weights, tmp_path)], "cpu", "float64")
    assert atoms.get_forces() == pytest.approx(forces, abs=1e-8)
    labels = np.array([frame.arrays["REF_forces"] for frame in melt[:1]])
    assert np.corrcoef(forces.ravel(), labels.ravel())[0, 1] > 0.5


def test_the_model_stays_that_of_the_start(weights, melt, tmp_path):
    hypers = {**HYPERS, "model": "SchNet", "epochs": 1, "learning_rate": 1e-9}
    config, _ = schnetpack_model.load(adapter.train(melt[:8], melt[8:], hypers, 2, tmp_path / "on", start=weights)[0])
    assert config["hypers"]["model"] == "SchNet"


def test_a_model_of_the_packages_own_is_refused(tmp_path):
    """SchNetPack saves a pickled module."""
    import torch

    torch.save(schnetpack_model.build(HYPERS).representation, tmp_path / "best_model")
    with pytest.raises(ValueError, match="more than tensors and plain values"):
        adapter.calculator([tmp_path / "best_model"], "cpu", "float64")
