"""One instance of LAMMPS with the atoms of one system: put them in, run, read them. Serial; atoms keep their order."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations_with_replacement
from pathlib import Path

import numpy as np
from ase import Atoms, units
from ase.calculators.lammps import Prism
from ase.data import chemical_symbols
from ase.stress import full_3x3_to_voigt_6_stress, voigt_6_to_full_3x3_stress

from thermoweave.engines import Drive
from thermoweave.engines.lammps_library import start
from thermoweave.potentials import shifts

PS = 1000 * units.fs
SKIN = 1.0  # A beyond the cutoff: neighbours are found again once an atom has gone half of it
BEFORE = f"""
units metal
atom_style atomic
atom_modify map array sort 0 0.0
box tilt large
neighbor {SKIN} bin
neigh_modify every 1 delay 0 check yes
region cell prism 0 1 0 1 0 1 0 0 0
"""
AFTER = """
thermo 0
thermo_style custom step pe
compute virial all pressure NULL virial
variable calm atom 1
compute least all reduce min v_calm
variable least equal c_least
"""


@dataclass(frozen=True)
class Model:
    """DeePMD's graph with its types and the `neighbours` (`deepmd_graph`) that it takes notice of, the energy of each
    species (eV), and the wall: stiffness (eV/A^2) and r_min (A) by atomic number.
    """

    path: Path
    types: list[str]
    neighbours: list[tuple[float, list[int]]]
    shifts: dict[str, float]
    stiffness: float
    r_min: np.ndarray


class Instance:
    """LAMMPS with atoms of these species and masses, wherever `put` moves them.

    Raises ValueError for a species that no label held, RuntimeError where this LAMMPS lacks what it needs.
    """

    def __init__(self, model: Model, atoms: Atoms):
        self._shift = shifts.total(model.shifts, atoms)
        self._count, self._masses = len(atoms), atoms.get_masses()
        kinds, types = np.unique(np.stack([atoms.numbers, self._masses]), axis=1, return_inverse=True)
        symbols = [chemical_symbols[z] for z in kinds[0].astype(int)]
        walls = _walls(model, kinds[0].astype(int))
        self._lammps = start()
        self._all(BEFORE.splitlines())
        # LAMMPS's units are rounded to 1e-7, which 100 steps make visible: masses that make up for it
        masses = kinds[1] / PS**2 / self._lammps.extract_global("mvv2e")
        self._all(
            [
                f"create_box {len(symbols)} cell",
                f'pair_style hybrid/overlay deepmd "{model.path}"{" harmonic/cut" if walls else ""}',
                f"pair_coeff * * deepmd {' '.join(symbols)}",
                *walls,
                *(f"mass {k} {mass!r}" for k, mass in enumerate(masses.tolist(), 1)),
                *AFTER.splitlines(),
            ]
        )
        ids = list(range(1, self._count + 1))
        self._lammps.create_atoms(self._count, ids, (types.ravel() + 1).tolist(), [0.5] * (3 * self._count))
        self._walled, self._fixes, self.broken = bool(walls), [], False
        if walls:
            self._all(["compute wall all pair harmonic/cut evdwl"])
        self._near = []
        for k, (cutoff, sel) in enumerate(model.neighbours):
            of = [model.types.index(symbol) if len(sel) > 1 else 0 for symbol in symbols]
            self._all([f"compute near{k} all coord/atom cutoff {cutoff!r} {' '.join(map(str, range(1, len(of) + 1)))}"])
            self._near.append((f"near{k}", np.eye(len(sel), dtype=int)[of], np.array(sel)))

    def put(self, atoms: Atoms) -> None:
        """Cell, positions and velocities (less that of the centre of mass). The positions must be finite."""
        self._prism = Prism(atoms.cell.array)
        cell, box = self._prism.lammps_tilt, self._prism.get_lammps_prism().tolist()
        fractions = np.linalg.solve(cell.T, self._prism.vector_to_lammps(atoms.positions).T).T
        self._wrapped, self._positions = (fractions - np.floor(fractions)) @ cell, atoms.positions.copy()
        velocities = atoms.get_velocities() - atoms.get_momenta().sum(axis=0) / self._masses.sum()
        lengths = zip(("x final 0", "y final 0", "z final 0", "xy final", "xz final", "yz final"), box, strict=True)
        self._scatter("x", np.zeros((self._count, 3)))  # inside, whatever was left here
        self._all(["change_box all " + " ".join(f"{key} {value!r}" for key, value in lengths)])
        self._scatter("x", self._wrapped)
        self._scatter("v", self._prism.vector_to_lammps(velocities) * PS)
        self._scatter("image", np.zeros((self._count, 3), np.int32))
        self._begun, self._setup = self._step(), True

    def drive(self, drive: Drive, steps: int, seed: int | None, max_force: float) -> None:
        """What the next `steps` are under; they halt where a force is above `max_force` (eV/A) or no number."""
        limit = float(min(max_force, 1e150)) ** 2
        commands = [f"timestep {drive.timestep_fs / 1000!r}", "fix nve all nve"]
        if drive.thermostat_ps is not None:
            begin, end = drive.temperature
            commands.append(f"fix csvr all temp/csvr {begin!r} {end!r} {drive.thermostat_ps!r} {seed}")
        commands += [
            f'variable calm atom "fx*fx + fy*fy + fz*fz <= {limit!r}"',  # 0 where there is no number; max would skip it
            "fix halt all halt 1 v_least == 0 error continue message no",
        ]
        self._all(commands)
        self._span = f"start {self._begun} stop {self._begun + steps}"
        self._fixes = [command.split()[1] for command in commands if command.startswith("fix")]

    def free(self) -> None:
        """End what `drive` began."""
        self._all(f"unfix {name}" for name in self._fixes)
        self._fixes = []

    def run(self, steps: int) -> None:
        """Move; the first time after `put` with neighbours and forces of those positions alone."""
        before, span = self._step(), self._span if steps else ""
        self._all([f"run {steps} pre {'yes' if self._setup else 'no'} post no {span}"])
        self._setup = False
        if self._step() < before + steps:  # halted: LAMMPS has energy and virial of the last step that was asked for
            self._all(["run 0 post no"])

    @property
    def steps(self) -> int:
        """Steps since `put`."""
        return self._step() - self._begun

    @property
    def work(self) -> float:
        """Energy (eV) that the thermostat has given since `drive`."""
        return -self._lammps.extract_fix("csvr", 0, 0) if "csvr" in self._fixes else 0.0

    def move(self, atoms: Atoms) -> None:
        """The atoms go where they are now, however often they have left the cell."""
        moved = self._gather("x") - self._wrapped + self._gather("image") @ self._prism.lammps_tilt
        atoms.positions[:] = self._positions + self._prism.vector_to_ase(moved)
        atoms.set_momenta(self._prism.vector_to_ase(self._gather("v")) / PS * self._masses[:, None])

    @property
    def crowded(self) -> bool:
        """Whether an atom has more neighbours than the network takes notice of, from LAMMPS's own list of them."""
        for name, kinds, most in self._near:
            counts = self._lammps.numpy.extract_compute(name, 1, 2 if len(kinds) > 1 else 1).reshape(-1, len(kinds))
            if ((counts[: self._count] @ kinds).max(axis=0) > most).any():
                return True
        return False

    @property
    def touched(self) -> bool:
        """Whether an ion is inside the wall: LAMMPS knows without a search."""
        return self._walled and self._lammps.extract_compute("wall", 0, 0) > 0

    def results(self) -> tuple[float, np.ndarray, np.ndarray]:
        """Energy (eV), forces (eV/A) and stress (eV/A^3, in ASE's sign and Voigt order) after a `run`."""
        xx, yy, zz, xy, xz, yz = self._lammps.numpy.extract_compute("virial", 0, 1)
        pressure = voigt_6_to_full_3x3_stress([xx, yy, zz, yz, xz, xy]) / self._lammps.extract_global("nktv2p")
        stress = full_3x3_to_voigt_6_stress(-self._prism.tensor2_to_ase(pressure))
        energy = self._lammps.extract_compute("thermo_pe", 0, 0) + self._shift
        return energy, self._prism.vector_to_ase(self._gather("f")), stress

    def _all(self, commands: Iterable[str]) -> None:
        for command in commands:
            self._lammps.command(command)

    def _step(self) -> int:
        return self._lammps.extract_global("ntimestep")

    def _scatter(self, name: str, values: np.ndarray) -> None:
        values = np.ascontiguousarray(values)
        self._lammps.scatter_atoms(name, int(values.dtype == np.float64), 3, values.ctypes.data)

    def _gather(self, name: str) -> np.ndarray:
        values = self._lammps.gather_atoms(name, int(name != "image"), 3)
        return np.ctypeslib.as_array(values).reshape(-1, 3)


def _walls(model: Model, numbers: np.ndarray) -> list[str]:
    """The wall between types 1, 2, ... that are these elements. LAMMPS's harmonic/cut is k (r_min - r)^2, no half."""
    commands = []
    for a, b in combinations_with_replacement(range(len(numbers)), 2):
        r_min = float(model.r_min[numbers[a], numbers[b]])
        if r_min > 0:
            commands.append(f"pair_coeff {a + 1} {b + 1} harmonic/cut {model.stiffness / 2!r} {r_min!r}")
    return commands
