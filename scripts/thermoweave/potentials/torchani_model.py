"""TorchANI's models: built from plain values, read from model.pt, and as functions of pairs."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ase.units import Hartree

from thermoweave.potentials import tensors

if TYPE_CHECKING:
    import torch

WIDTH = 1.423  # ANI-2x's eta times the squared distance of its functions, radial (19.7) and angular (12.5)


def load(path: Path, device: str = "cpu") -> tuple[dict, "torch.nn.Module"]:
    """The plain values and the model of a model.pt. Raises ValueError where it holds anything else."""
    config, state = tensors.read(path, device)
    model = build(config["elements"], config["hypers"])
    model.load_state_dict(state)
    return config, model.to(device)


def build(elements: Sequence[str], hypers: dict) -> "torch.nn.Module":
    """The model with random weights; the functions are as wide as those of ANI-2x, in units of their distance."""
    import torch
    from torchani.arch import simple_ani

    start, radial, angular = hypers["r_min"], hypers["radial_shifts"], hypers["angular_shifts"]
    model = simple_ani(
        elements, lot="", ensemble_size=hypers["members"], radial_cutoff=hypers["r_max"], radial_start=start,
        radial_shifts=radial, radial_precision=WIDTH * (radial / (hypers["r_max"] - start)) ** 2,
        angular_cutoff=hypers["r_angular"], angular_start=start, sections=hypers["sections"],
        angular_shifts=angular, angular_precision=WIDTH * (angular / (hypers["r_angular"] - start)) ** 2,
        cutoff_fn=hypers["cutoff"], container_ctor=hypers["networks"], activation=hypers["activation"],
        bias=hypers["bias"], repulsion=False, self_energies="zero", strategy="pyaev",
    )  # fmt: skip
    return model.to(getattr(torch, hypers["dtype"]))


def slopes(model: "torch.nn.Module", numbers, i, j, vectors, create_graph: bool = False) -> tuple:
    """Energies of the atoms (eV), and their sum's derivative with respect to the pairs' vectors (see `pairwise`)."""
    import torch
    from torchani.neighbors import Neighbors

    vectors = vectors.clone().requires_grad_()
    species = model.species_converter(numbers[None])
    found = Neighbors(torch.stack([i, j]), vectors.norm(dim=1), vectors)
    positions = vectors.new_zeros(1, len(numbers), 3)  # of which nothing but the shape is read
    energies = Hartree * model.compute_from_neighbors(species, positions, found, atomic=True).energies[0]
    (gradient,) = torch.autograd.grad(energies.sum(), vectors, create_graph=create_graph)
    return energies if create_graph else energies.detach(), gradient


def facts(hypers: dict) -> dict:
    """How `pairwise.neighbours` lists pairs for it."""
    return {"r_max": hypers["r_max"], "both": False, "dtype": hypers["dtype"]}
