"""A MACE network as a function of the vectors between neighbours (see `pairwise`)."""

from typing import TYPE_CHECKING

from thermoweave.potentials import mace_files

if TYPE_CHECKING:
    import torch


def network(mace: "torch.nn.Module") -> "torch.nn.Module":
    """All atoms are put at one place, and the vectors are what MACE takes for the shifts of periodic images."""
    import torch

    class Network(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.mace = mace

        def forward(self, numbers, i, j, vectors):
            vectors = vectors.clone().requires_grad_()
            kinds = (numbers[:, None] == self.mace.atomic_numbers).to(vectors.dtype)
            one = torch.zeros_like(numbers)
            found = self.mace(
                {
                    "positions": vectors.new_zeros(numbers.shape[0], 3), "node_attrs": kinds, "shifts": vectors,
                    "edge_index": torch.stack([i, j]), "cell": vectors.new_zeros(3, 3), "head": one[:1],
                    "batch": one, "ptr": one.new_zeros(2),
                },
                compute_force=False,
            )  # fmt: skip
            energies = found["node_energy"]
            (slopes,) = torch.autograd.grad(energies.sum(), vectors)
            return energies.detach(), slopes

    return Network().requires_grad_(False)


def facts(mace: "torch.nn.Module") -> dict:
    """How `pairwise.neighbours` lists pairs for it."""
    return {"r_max": float(mace.r_max), "both": True, "dtype": mace_files.dtype(mace.state_dict())}
