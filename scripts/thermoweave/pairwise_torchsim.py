"""Networks that are functions of pairs' vectors (`pairwise`) as models of torch-sim: of many systems at once."""

from typing import TYPE_CHECKING

from ase import Atoms

from thermoweave import pairwise

if TYPE_CHECKING:
    from torch_sim.models.interface import ModelInterface
    from torch_sim.state import SimState


def batched(single: pairwise.Pairwise) -> "ModelInterface":
    """The same energies (eV), forces (eV/A) and stresses (eV/A^3), summed in float64.

    The systems are one graph, in which no pair joins one to another.
    """
    import torch
    from torch_sim.models.interface import ModelInterface

    class Batched(ModelInterface):
        _device, _dtype = torch.device(single.device), torch.float64
        _compute_forces = _compute_stress = True

        def forward(self, state: "SimState") -> dict[str, torch.Tensor]:
            sizes = state.system_idx.bincount().tolist()
            found = [pairwise.neighbours(atoms, **single.facts) for atoms in split(state, sizes)]
            firsts = [sum(sizes[:k]) for k in range(len(sizes))]
            numbers, i, j, vectors = zip(*found, strict=True)
            i, j = ([part + first for part, first in zip(parts, firsts, strict=True)] for parts in (i, j))
            graph = [torch.cat(parts).to(single.device) for parts in (numbers, i, j, vectors)]
            energies, slopes = (values.double() for values in single.network(*graph))
            pairs = [len(part) for part in vectors]
            virials = [v.T @ s for v, s in zip(graph[3].double().split(pairs), slopes.split(pairs), strict=True)]
            virials = torch.stack(virials)
            volumes = torch.linalg.det(state.cell).abs()
            return {
                "energy": torch.stack([part.sum() for part in energies.split(sizes)]),
                "forces": pairwise.forces(slopes, graph[1], graph[2], sum(sizes)),
                "stress": (virials + virials.mT) / 2 / volumes[:, None, None],
            }

    return Batched()


def split(state: "SimState", sizes: list[int]) -> list[Atoms]:
    """The systems of a state."""
    numbers, positions = (values.cpu().split(sizes) for values in (state.atomic_numbers, state.positions))
    cells = state.row_vector_cell.cpu()
    return [
        Atoms(z.numpy(), r.numpy(), cell=cell.numpy(), pbc=True)
        for z, r, cell in zip(numbers, positions, cells, strict=True)
    ]
