"""A MACE network as machine code (AOTInductor), for any number of atoms and pairs: three to six times as fast.

It is compiled as a function of the pairs' vectors (`mace_pairs`), so that one file is for one system and for many.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.data import chemical_symbols

from thermoweave import pairwise
from thermoweave.potentials import mace_files, mace_pairs


def write(weights: Path, target: Path, device: str) -> Path:
    """Compile a model.pt for this machine's `device`; the compiler's cache is beside `target` while it works."""
    from mace.tools.compile import disable_e3nn_codegen, simplify

    with traceable():
        with disable_e3nn_codegen():  # the network without TorchScript inside
            mace = simplify(mace_files.load(weights)).requires_grad_(False).to(device)
        facts = mace_pairs.facts(mace)
        elements = [chemical_symbols[z] for z in mace.atomic_numbers]
        inputs = pairwise.neighbours(_example(elements), **facts, device=device)
        return pairwise.compile(mace_pairs.network(mace), inputs, target, facts)


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


def _example(elements: list[str]) -> Atoms:
    """Atoms to trace with: which ones, and how many, does not matter."""
    sites = 3.0 * np.array(list(np.ndindex(2, 4, len(elements))))
    atoms = Atoms(elements * 8, sites, cell=[6, 12, 3 * len(elements)], pbc=True)
    atoms.rattle(0.2, seed=1)
    return atoms
