"""What only TorchANI's adapter promises: ANI-2x's parameters as a start.

The parameters here are random ones in ANI-2x's architecture, not the published ones, which the package does not hold.
"""

import numpy as np
import pytest
from ase import Atoms, units
from thermoweave import potentials

torchani = pytest.importorskip("torchani", reason="runs in the torchani environment")
HCL = Atoms("OHHCl", [[0, 0, 0], [0.9, 0.2, 0.1], [-0.3, 0.9, 0], [0.4, -0.5, 2.3]])


@pytest.fixture(scope="module")
def ani_2x():
    """TorchANI's own ANI-2x, but for the file that it would download."""
    import torch

    torch.manual_seed(0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torchani.models, "_fetch_state_dict", lambda *_, **__: {})
        patch.setattr(torchani.arch.ANI, "load_state_dict", lambda *_: None)
        return torchani.models.ANI2x()


@pytest.mark.parametrize("prefix", ["potentials.nnp.", ""])  # of today's TorchANI, and of the one that published them
def test_checkpoint_of_ani_2x_has_its_forces(ani_2x, prefix, tmp_path):
    import torch

    adapter = potentials.adapter("torchani")
    state = {key.replace("potentials.nnp.", prefix): value for key, value in ani_2x.state_dict().items()}
    torch.save(state, tmp_path / "ani2x_state_dict.pt")
    weights, facts = adapter.checkpoint(tmp_path / "ani2x_state_dict.pt", tmp_path)
    assert facts["elements"] == ["H", "C", "N", "O", "S", "F", "Cl"]
    assert set(facts["hyperparameters"]) == set(adapter.ARCHITECTURE)
    positions = torch.tensor(HCL.positions[None], dtype=torch.float32, requires_grad=True)
    energy = ani_2x((torch.tensor(HCL.numbers[None]), positions)).energies.sum()
    forces = -units.Hartree * torch.autograd.grad(energy, positions)[0][0].numpy()
    atoms = HCL.copy()
    atoms.calc = adapter.calculator(weights, "cpu", "float32")
    assert atoms.get_forces() == pytest.approx(forces, abs=1e-4)
    own = ani_2x.energy_shifter.self_energies.sum().item()  # left out: O, H, H and Cl are not all of the elements
    assert abs(atoms.get_potential_energy()) < abs(units.Hartree * own) / 1000
    assert np.abs(forces).max() > 0.01


def test_training_goes_on_from_ani_2x(ani_2x, tmp_path):
    import torch

    adapter = potentials.adapter("torchani")
    torch.save(ani_2x.state_dict(), tmp_path / "ani2x_state_dict.pt")
    weights, facts = adapter.checkpoint(tmp_path / "ani2x_state_dict.pt", tmp_path)
    frames = [HCL.copy() for _ in range(2)]
    for atoms in frames:
        atoms.rattle(0.05, seed=1)
        atoms.info["REF_energy"], atoms.arrays["REF_forces"] = 0.0, np.zeros((4, 3))
    hypers = {**adapter.HYPERS, **facts["hyperparameters"], "epochs": 1, "learning_rate": 1e-9}
    further = adapter.train(frames[:1], frames[1:], hypers, 1, tmp_path / "on", start=weights)
    energies = []
    for files in (weights, further):
        frames[0].calc = adapter.calculator(files, "cpu", "float32")
        energies.append(frames[0].get_potential_energy())
    assert energies[1] == pytest.approx(energies[0], abs=1e-4)


@pytest.mark.parametrize("content", [{"a": 1.0}, [1, 2], {"neural_networks.0.H.0.weight": 1}])
def test_another_networks_file_is_refused(content, tmp_path):
    import torch

    torch.save(content, tmp_path / "other.pt")
    with pytest.raises(ValueError, match=r"other.pt does not hold the parameters of ANI-2x"):
        potentials.adapter("torchani").checkpoint(tmp_path / "other.pt", tmp_path)


def test_a_pickle_is_refused_and_not_run(tmp_path):
    import torch
    from test_weights import Bomb

    torch.save({"state": Bomb(tmp_path / "it-ran")}, tmp_path / "other.pt")
    with pytest.raises(ValueError, match="tensors only"):
        potentials.adapter("torchani").checkpoint(tmp_path / "other.pt", tmp_path)
    assert not (tmp_path / "it-ran").exists()
