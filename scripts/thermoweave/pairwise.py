"""Networks that are functions of the vectors between neighbours: what the adapters of SchNetPack and TorchANI share.

Such a network is called as network(numbers, i, j, vectors), with the tensors of `neighbours`, and returns the atoms'
energies (eV) and their sum's derivative with respect to each vector (eV/A), from which forces and stress follow.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from ase.stress import full_3x3_to_voigt_6_stress

if TYPE_CHECKING:
    import torch

Tensors = tuple["torch.Tensor", "torch.Tensor", "torch.Tensor", "torch.Tensor"]

# Of the four tensors of `neighbours`: which dimension counts what.
SIZES = ({0: "atoms"}, {0: "pairs"}, {0: "pairs"}, {0: "pairs"})


def neighbours(atoms: Atoms, r_max: float, both: bool, dtype: str, device: str = "cpu") -> Tensors:
    """Atomic numbers, and i, j and the vector from i to j (A) of each pair within `r_max`, once per periodic image;
    with `both`, from either end.

    Two pairs beyond the cutoff, which count for nothing, are added, so that lone atoms have pairs, too.
    """
    import torch
    from vesin import NeighborList

    search = NeighborList(cutoff=r_max, full_list=both, n_threads=1)
    i, j, vectors = search.compute(atoms.positions, atoms.cell.array, atoms.pbc, "ijD")
    i, j = (np.pad(indices.astype(np.int64), (0, 2)) for indices in (i, j))
    vectors = np.concatenate([vectors, 2 * r_max * np.eye(3)[:2]])
    numbers, i, j = (torch.tensor(values, device=device) for values in (atoms.numbers, i, j))
    return numbers, i, j, torch.tensor(vectors, dtype=getattr(torch, dtype), device=device)


def forces(slopes: "torch.Tensor", i: "torch.Tensor", j: "torch.Tensor", n_atoms: int) -> "torch.Tensor":
    """Forces (eV/A) on the atoms, (n_atoms, 3), from the derivatives with respect to the pairs' vectors."""
    return slopes.new_zeros(n_atoms, 3).index_add(0, i, slopes).index_add(0, j, -slopes)


def compile(
    network: "torch.nn.Module", example: tuple["torch.Tensor", ...], target: Path, facts: dict, sizes: tuple = SIZES
) -> Path:
    """Write a network as machine code (AOTInductor) for any number of atoms and pairs; needs a C++ compiler.

    `example`: inputs of it; `facts`: plain values to keep in the file (for `Pairwise`, the arguments `r_max`, `both`
    and `dtype` of `neighbours`); `sizes`: which dimension of each input is a number of "atoms" or "pairs", if any.
    """
    import torch
    from torch._inductor.utils import fresh_cache
    from torch.export import Dim, export
    from torch.fx.experimental.proxy_tensor import make_fx

    target = Path(target).resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    ranges = {"atoms": Dim("atoms", min=1, max=2**20), "pairs": Dim("pairs", min=2, max=2**28)}
    shapes = tuple(size and {axis: ranges[name] for axis, name in size.items()} for size in sizes)
    traced = make_fx(network, tracing_mode="symbolic", _allow_non_fake_inputs=True)(*example)
    program = export(traced, example, dynamic_shapes=shapes)
    # torch leaves its cache in /tmp for good, if it is not told otherwise, and its headers (280 MB) even so
    options = {"aot_inductor.metadata": {"facts": json.dumps(facts)}, "aot_inductor.precompile_headers": False}
    with fresh_cache(dir=str(target.parent)), torch.no_grad():
        torch._inductor.aoti_compile_and_package(program, package_path=str(target), inductor_configs=options)
    return target


class Pairwise(Calculator):
    """ASE calculator of a network: energy (eV), forces (eV/A) and stress (eV/A^3), summed in float64."""

    implemented_properties = ("energy", "free_energy", "forces", "stress")

    def __init__(self, network: Callable, facts: dict, device: str = "cpu"):
        super().__init__()
        self.network, self.facts, self.device = network, facts, device

    @classmethod
    def compiled(cls, path: Path, device: str = "cpu") -> "Pairwise":
        """That of a file that `compile` wrote."""
        import torch

        network = torch._inductor.aoti_load_package(str(path))
        return cls(network, json.loads(network.get_metadata()["facts"]), device)

    def calculate(self, atoms=None, properties=("energy",), system_changes=tuple(all_changes)):
        super().calculate(atoms, properties, system_changes)
        numbers, i, j, vectors = neighbours(atoms, **self.facts, device=self.device)
        energies, slopes = (values.double() for values in self.network(numbers, i, j, vectors))
        energy = energies.sum().item()
        self.results = {
            "energy": energy,
            "free_energy": energy,
            "forces": forces(slopes, i, j, len(atoms)).cpu().numpy(),
        }
        if atoms.cell.rank == 3:
            virial = (vectors.double().T @ slopes).cpu().numpy()
            self.results["stress"] = full_3x3_to_voigt_6_stress((virial + virial.T) / 2 / atoms.get_volume())
