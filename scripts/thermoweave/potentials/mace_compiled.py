"""A MACE network as machine code (AOTInductor), for any number of atoms and neighbours: three to six times as fast.

The network with its forces and stress is traced to one graph of tensors, exported with the numbers of atoms and pairs
left open, and compiled.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from ase.data import atomic_numbers
from ase.stress import full_3x3_to_voigt_6_stress

from thermoweave import pairwise
from thermoweave.potentials import mace_files

if TYPE_CHECKING:
    import torch


# Of the six tensors of `graph`: which dimension counts what.
SIZES = ({0: "atoms"}, {0: "atoms"}, {1: "pairs"}, {0: "pairs"}, {0: "pairs"}, None)


def write(weights: Path, target: Path, device: str) -> None:
    """Compile a model.pt for this machine's `device`; the compiler's cache is beside `target` while it works."""
    with traceable():
        network = _prepared(weights).to(device)
        facts = {
            "elements": [int(z) for z in network.atomic_numbers],
            "r_max": float(network.r_max),
            "dtype": str(next(network.parameters()).dtype).removeprefix("torch."),
        }
        pairwise.compile(_flat(network), graph(_example(facts["elements"]), facts, device), target, facts, SIZES)


@contextmanager
def traceable() -> Iterator[None]:
    """e3nn's spherical harmonics as Python: TorchScript would fix the number of pairs at that of the example."""
    import mace  # noqa: F401 - before e3nn, see mace_files
    from e3nn.o3 import _spherical_harmonics

    scripted = _spherical_harmonics._spherical_harmonics
    _spherical_harmonics._spherical_harmonics = scripted._torchdynamo_inline
    try:
        yield
    finally:
        _spherical_harmonics._spherical_harmonics = scripted


def _prepared(weights: Path) -> "torch.nn.Module":
    """The network without TorchScript inside."""
    from mace.tools.compile import disable_e3nn_codegen, simplify

    with disable_e3nn_codegen():
        return simplify(mace_files.load(weights)).requires_grad_(False)


def _example(elements: Sequence[int]) -> Atoms:
    """Atoms to trace with: which ones, and how many, does not matter."""
    sites = 3.0 * np.array(list(np.ndindex(2, 4, len(elements))))
    atoms = Atoms(list(elements) * 8, sites, cell=[6, 12, 3 * len(elements)], pbc=True)
    atoms.rattle(0.2, seed=1)
    return atoms


def _flat(network: "torch.nn.Module") -> "torch.nn.Module":
    """The network as a function of tensors: atoms' energies (eV, float64), forces (eV/A), stress (eV/A^3)."""
    import torch

    class Flat(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.network = network

        def forward(self, positions, node_attrs, edge_index, unit_shifts, shifts, cell):
            integers = {"dtype": torch.int64, "device": positions.device}
            found = self.network(
                {
                    "positions": positions.clone(), "node_attrs": node_attrs, "edge_index": edge_index, "cell": cell,
                    "unit_shifts": unit_shifts, "shifts": shifts, "head": torch.zeros(1, **integers),
                    "batch": torch.zeros(positions.shape[0], **integers), "ptr": torch.zeros(2, **integers),
                },
                compute_stress=True,
            )  # fmt: skip
            return found["node_energy"], found["forces"], found["stress"]

    return Flat()


def graph(atoms: Atoms, facts: dict, device: str) -> tuple["torch.Tensor", ...]:
    """The tensors that the compiled network takes.

    Two pairs beyond the cutoff are added, which count for nothing, so that lone atoms have pairs, too.
    Raises ValueError for a species that the network does not know.
    """
    import torch
    from vesin import NeighborList

    found = NeighborList(cutoff=facts["r_max"], full_list=True, n_threads=1)
    i, j, unit = found.compute(atoms.positions, atoms.cell.array, atoms.pbc, "ijS")
    cell = atoms.cell.complete().array  # mace works out the shifts again from the cell and the unit shifts
    unit = np.concatenate([unit, [[2 * facts["r_max"] / np.linalg.norm(cell[0]), 0, 0]] * 2])
    pairs = np.pad(np.array([i, j]).astype(np.int64), ((0, 0), (0, 2)))
    kinds = atoms.numbers[:, None] == np.array(facts["elements"])
    if not kinds.any(axis=1).all():
        strangers = sorted({s for s in atoms.symbols if atomic_numbers[s] not in facts["elements"]})
        raise ValueError(f"the network does not know {', '.join(strangers)}")
    positions, kinds, unit, shifts, cell = (
        torch.tensor(values, dtype=getattr(torch, facts["dtype"]), device=device)
        for values in (atoms.positions, kinds, unit, unit @ cell, cell)
    )
    return positions, kinds, torch.tensor(pairs, device=device), unit, shifts, cell


class Compiled(Calculator):
    """ASE calculator of a compiled MACE. Units: eV, A."""

    implemented_properties = ("energy", "free_energy", "energies", "forces", "stress")

    def __init__(self, path: Path, device: str):
        from torch._inductor import aoti_load_package

        super().__init__()
        self.network, self.device = aoti_load_package(str(path)), device
        self.facts = json.loads(self.network.get_metadata()["facts"])

    def calculate(
        self, atoms: Atoms, properties: Sequence[str] = ("energy",), system_changes: Sequence[str] = tuple(all_changes)
    ) -> None:
        super().calculate(atoms, properties, system_changes)
        energies, forces, stress = (
            values.cpu().double().numpy() for values in self.network(*graph(atoms, self.facts, self.device))
        )
        energy = float(energies.sum())
        self.results = {"energy": energy, "free_energy": energy, "energies": energies, "forces": forces}
        if atoms.cell.rank == 3:
            self.results["stress"] = full_3x3_to_voigt_6_stress(stress[0])
