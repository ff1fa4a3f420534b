"""A potential.json as a function of many systems: the adapter's batched network, and what `wall.Walled` adds to one."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from ase import Atoms
from ase.stress import full_3x3_to_voigt_6_stress

from thermoweave import potentials
from thermoweave.engines import System
from thermoweave.potentials import manifest as manifests
from thermoweave.potentials import shifts, wall

if TYPE_CHECKING:
    from torch_sim.state import SimState


class Forces:
    """A loaded potential. `evaluate` keeps nothing from one call to the next."""

    def __init__(self, potential: Path, device: str):
        manifest = manifests.read(potential)
        weights = manifests.files(potential, manifest)
        self._network = potentials.adapter(manifest["backend"]).torchsim(weights, device, manifest["dtype"])
        self._shifts = manifest["energy_shifts_eV"]
        self._r_min, self._stiffness = wall.table(manifest["wall"]), manifest["wall"]["stiffness_eV_per_A2"]

    def evaluate(self, systems: Sequence[System]) -> None:
        """Energy, forces, stress and wall contacts of each; NaN where positions are no numbers."""
        levels = [shifts.total(self._shifts, system.atoms) for system in systems]
        for system in systems:
            system.energy, system.forces = np.nan, np.full((len(system.atoms), 3), np.nan)
            system.stress, system.wall_contacts = np.full(6, np.nan), 0
        finite = [k for k, system in enumerate(systems) if np.isfinite(system.atoms.positions).all()]
        if not finite:
            return
        found = self._network(self._state([systems[k].atoms for k in finite]))
        energies, forces, stresses = (found[key].double().cpu().numpy() for key in ("energy", "forces", "stress"))
        ends = np.cumsum([len(systems[k].atoms) for k in finite])
        for k, energy, force, stress in zip(finite, energies, np.split(forces, ends[:-1]), stresses, strict=True):
            system = systems[k]
            system.energy, system.forces = float(energy) + levels[k], force.copy()
            system.stress = full_3x3_to_voigt_6_stress(stress)
            self._add_wall(system)

    def _state(self, batch: Sequence[Atoms]) -> "SimState":
        """torch-sim's state, with cell vectors as columns."""
        import torch
        from torch_sim.state import SimState

        def tensor(values: Sequence, dtype: torch.dtype) -> torch.Tensor:
            return torch.as_tensor(np.concatenate(values), device=self._network.device).to(dtype)

        real = self._network.dtype
        return SimState(
            positions=tensor([atoms.positions for atoms in batch], real),
            masses=tensor([atoms.get_masses() for atoms in batch], real),
            cell=tensor([atoms.cell.array.T[None] for atoms in batch], real),
            pbc=True,
            atomic_numbers=tensor([atoms.numbers for atoms in batch], torch.int64),
            system_idx=tensor([np.full(len(atoms), k) for k, atoms in enumerate(batch)], torch.int64),
        )

    def _add_wall(self, system: System) -> None:
        if not self._r_min.any():
            return
        atoms = system.atoms
        # one system after another: 0.05 ms for 64 ions, where the network takes milliseconds
        found = wall.pairs(atoms, self._r_min.max())
        energy, forces, virial, contacts = wall.evaluate(self._r_min, self._stiffness, atoms.numbers, *found)
        system.wall_contacts = contacts
        if contacts:
            system.energy += energy
            system.forces += forces
            system.stress = system.stress - full_3x3_to_voigt_6_stress(virial) / atoms.get_volume()
