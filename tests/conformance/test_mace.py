"""What only MACE's adapter promises: published files, and the levels of a start."""

import json

import numpy as np
import pytest
from ase import Atoms
from thermoweave import potentials
from thermoweave.potentials import mace_files

pytest.importorskip("mace", reason="runs in the mace environment")

ADAPTER = potentials.adapter("mace")
# max_L and max_ell: tensor products with constants that a .model keeps in its TorchScript
TINY = {"num_channels": 4, "max_L": 1, "max_ell": 2, "radial_MLP": [8], "r_max": 4.5, "dtype": "float64", "epochs": 1}


@pytest.fixture(scope="module")
def hypers():
    return {**ADAPTER.HYPERS, **TINY}


@pytest.fixture(scope="module")
def run(melt, hypers, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    ADAPTER.train(melt[:8], melt[8:], hypers, 1, folder)
    return folder


@pytest.fixture
def network(run):
    return mace_files.load(run / "model.pt")


class Bomb:
    """Runs code when it is loaded from a pickle."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return (open, (str(self.mark), "w"))


def evaluate(path, atoms):
    calculator = ADAPTER.calculator([path], "cpu", "float64")
    copy = Atoms(atoms.numbers, atoms.positions, cell=atoms.cell, pbc=True, calculator=calculator)
    return copy.get_potential_energy(), copy.get_forces()


def test_the_learning_curve_stays(run):
    rows = [json.loads(line) for line in next(run.glob("results/*_train.txt")).read_text().splitlines()]
    assert {"opt", "eval"} == {row["mode"] for row in rows}


def test_reads_what_mace_writes(run, hypers, melt, tmp_path, monkeypatch):
    """... to the same forces, and without loading the TorchScript in it."""
    import torch

    def loaded(*_, **__):
        raise AssertionError("TorchScript of the file was loaded")

    monkeypatch.setattr(torch.jit, "load", loaded)
    weights, facts = ADAPTER.checkpoint(run / "mace.model", tmp_path)
    monkeypatch.undo()
    assert facts == {
        "elements": ["Li", "Cl", "K"],
        "hyperparameters": {key: hypers[key] for key in ADAPTER.ARCHITECTURE},
    }
    energy, forces = evaluate(run / "model.pt", melt[0])
    new_energy, new_forces = evaluate(weights[0], melt[0])
    assert new_energy == pytest.approx(energy, abs=1e-12)
    assert new_forces == pytest.approx(forces, abs=1e-12)


def test_code_in_a_published_file_is_refused(network, tmp_path):
    import torch

    network.extra = Bomb(tmp_path / "it-ran")
    torch.save(network, tmp_path / "bomb.model")
    with pytest.raises(ValueError, match=r"bomb.model is refused: it holds \w*io.open"):
        ADAPTER.checkpoint(tmp_path / "bomb.model", tmp_path)
    assert not (tmp_path / "it-ran").exists()


def test_the_import_of_mace_allows_no_code(tmp_path):
    """It sets TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD, which must not reach what asks for weights only."""
    import pickle

    import torch

    torch.save({"config": Bomb(tmp_path / "it-ran")}, tmp_path / "model.pt")
    with pytest.raises(pickle.UnpicklingError):
        torch.load(tmp_path / "model.pt", weights_only=True)
    with pytest.raises(ValueError, match="refused"):
        mace_files.load(tmp_path / "model.pt")
    assert not (tmp_path / "it-ran").exists()


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("train.extxyz", "not a network that torch.save wrote"),
        ("mace_compiled.model", "torchscript"),
        ("checkpoints/*.pt", "holds a dict"),
        ("model.pt", "holds a dict"),
    ],
)
def test_other_files_are_refused(run, tmp_path, pattern, reason):
    with pytest.raises(ValueError, match=reason):
        ADAPTER.checkpoint(next(run.glob(pattern)), tmp_path)


def test_several_heads_are_refused(network, tmp_path):
    import torch

    network.heads = ["pbe", "r2scan"]
    torch.save(network, tmp_path / "two.model")
    with pytest.raises(ValueError, match="heads pbe, r2scan: .*mace_select_head"):
        ADAPTER.checkpoint(tmp_path / "two.model", tmp_path)


def test_a_start_keeps_its_level_and_its_species(network, hypers, melt, tmp_path):
    """A published network has atomic energies of its own, and knows more species than the labels."""
    network.atomic_energies_fn.atomic_energies += 100.0 * network.atomic_numbers
    mace_files.save(network, tmp_path / "start.pt")
    frames = [frame[[atom.symbol != "K" for atom in frame]] for frame in melt]
    gentle = {**hypers, "epochs": 1, "learning_rate": 1e-9}
    weights = ADAPTER.train(frames[:8], frames[8:], gentle, 2, tmp_path / "on", start=[tmp_path / "start.pt"])
    energy, forces = evaluate(tmp_path / "start.pt", melt[0])  # with K
    new_energy, new_forces = evaluate(weights[0], melt[0])
    assert new_energy == pytest.approx(energy, abs=1e-4)
    assert new_forces == pytest.approx(forces, abs=1e-4)
    assert np.abs(forces).max() > 1e-3
