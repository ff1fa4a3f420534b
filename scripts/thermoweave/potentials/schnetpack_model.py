"""SchNetPack's models: built from plain values, read from model.pt, and as functions of pairs."""

from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from thermoweave.potentials import tensors

if TYPE_CHECKING:
    import torch


def package() -> ModuleType:
    """schnetpack, which imports a name that torch has made private since: lend it that name."""
    from torch.utils.data import dataloader

    if not hasattr(dataloader, "T_co"):
        dataloader.T_co = dataloader._T_co
    import schnetpack

    return schnetpack


def load(path: Path, device: str = "cpu") -> tuple[dict, "torch.nn.Module"]:
    """The plain values and the model of a model.pt. Raises ValueError where it holds anything else."""
    config, state = tensors.read(path, device)
    model = build(config["hypers"])
    model.load_state_dict(state)
    return config, model.to(device)


def build(hypers: dict) -> "torch.nn.Module":
    """The model with random weights."""
    spk = package()
    import torch
    from schnetpack import atomistic, representation
    from schnetpack.nn import GaussianRBF, MollifierCutoff

    class PerAtom(torch.nn.Module):
        model_outputs = ["energy_per_atom"]

        def forward(self, inputs: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
            inputs["energy_per_atom"] = inputs["energy"] / inputs["_n_atoms"]
            return inputs

    network = {"PaiNN": representation.PaiNN, "SchNet": representation.SchNet}[hypers["model"]](
        n_atom_basis=hypers["num_features"], n_interactions=hypers["num_layers"],
        radial_basis=GaussianRBF(n_rbf=hypers["num_radial_basis"], cutoff=hypers["r_max"]),
        cutoff_fn=MollifierCutoff(hypers["r_max"]),  # smooth to all orders; CosineCutoff only to the first
    )  # fmt: skip
    energy = atomistic.Atomwise(hypers["num_features"], output_key="energy")
    modules = [energy, atomistic.Forces(), PerAtom()]
    model = spk.model.NeuralNetworkPotential(network, [atomistic.PairwiseDistances()], modules)
    return model.to(getattr(torch, hypers["dtype"]))


def network(model: "torch.nn.Module") -> "torch.nn.Module":
    """The model as a function of pairs (see `pairwise`)."""
    import torch
    from schnetpack import properties

    class Network(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.representation, self.output = model.representation, model.output_modules[0].outnet

        def forward(self, numbers, i, j, vectors):
            vectors = vectors.clone().requires_grad_()
            inputs = {properties.Z: numbers, properties.idx_i: i, properties.idx_j: j, properties.Rij: vectors}
            energies = self.output(self.representation(inputs)["scalar_representation"])[:, 0]
            (slopes,) = torch.autograd.grad(energies.sum(), vectors)
            return energies.detach(), slopes

    return Network().requires_grad_(False)


def facts(hypers: dict) -> dict:
    """How `pairwise.neighbours` lists pairs for it."""
    return {"r_max": hypers["r_max"], "both": True, "dtype": hypers["dtype"]}
