"""The wall where the data end: a repulsion inside the closest distance that the training labels hold.

A network says nothing sensible about contacts that no label showed it, and a melt finds such a contact within a
picosecond. For every unordered pair of species the wall adds

    u(r) = k/2 (r_min - r)^2   for r < r_min,   0 elsewhere,

where r_min is the closest distance of that pair in the training frames, all periodic images counted, so that the wall
is zero on every training frame and adds no bias wherever the labels reach. A pair of species that no training frame
holds closer than `CAP` has no r_min and gets no wall; it is listed as "unseen" in the manifest, and a warning says so.

The wall is plain data, {"stiffness_eV_per_A2": k, "r_min_A": {"Cl-Li": 1.9, ...}, "unseen": ["K-K"]}, part of
potential.json. Every engine applies it with `table` (once) and `evaluate` (each step); in ASE `Walled` does both.
"""

import logging
import math
from collections.abc import Sequence
from itertools import combinations_with_replacement

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from ase.data import atomic_numbers
from ase.stress import full_3x3_to_voigt_6_stress

from thermoweave.potentials.shifts import total

STIFFNESS = 30.0  # eV/A^2: stops an ion of 1300 K (kT = 0.11 eV) within 0.1 A, and is still integrated well at 2 fs
CAP = 6.0  # A: beyond this distance two ions are no contact

log = logging.getLogger(__name__)


def pairs(atoms: Atoms, cutoff: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Each pair of atoms (and of an atom with an image of itself) closer than `cutoff` (A), once per periodic image.

    Returns i, j (int), d (A) and D = r_j - r_i (A, shape (pairs, 3)). With vesin where it is installed (0.05 ms for
    64 atoms), else with ASE (50 times slower).
    """
    try:
        from vesin import NeighborList
    except ImportError:
        from ase.neighborlist import neighbor_list

        i, j, d, vector, shift = neighbor_list("ijdDS", atoms, cutoff)
        # ASE lists each pair from both ends: keep i < j, and of an atom's own images the half with a positive shift
        sign = shift @ np.array([1, 1000, 1000000])
        once = (i < j) | ((i == j) & (sign > 0))
        return i[once], j[once], d[once], vector[once]
    search = NeighborList(cutoff=cutoff, full_list=False, n_threads=1)
    i, j, d, vector = search.compute(atoms.positions, atoms.cell.array, atoms.pbc, "ijdD")
    return i.astype(np.intp), j.astype(np.intp), d, vector


def fit_wall(frames: Sequence[Atoms], stiffness: float = STIFFNESS) -> dict:
    """The wall of a training set: per pair of species (symbols in alphabetical order) the closest distance.

    Parameters: `frames`, the training frames (not the held-out ones); `stiffness`, k in eV/A^2.
    Raises ValueError without frames or with a stiffness that is not positive.
    """
    if not frames:
        raise ValueError("the wall needs at least one training frame: none was given")
    if not stiffness > 0:
        raise ValueError(f"the wall's stiffness is {stiffness} eV/A^2: it must be positive")
    closest = np.full((len(atomic_numbers), len(atomic_numbers)), np.inf)
    for atoms in frames:
        i, j, d, _ = pairs(atoms, CAP)
        np.minimum.at(closest, (atoms.numbers[i], atoms.numbers[j]), d)
    closest = np.minimum(closest, closest.T)
    r_min, unseen = {}, []
    for a, b in combinations_with_replacement(sorted({s for atoms in frames for s in atoms.symbols}), 2):
        distance = closest[atomic_numbers[a], atomic_numbers[b]]
        if np.isfinite(distance):
            r_min[f"{a}-{b}"] = math.floor(distance * 1e6) / 1e6  # rounded down: zero on the label itself
        else:
            unseen.append(f"{a}-{b}")
    if unseen:
        log.warning(
            "no training frame holds %s closer than %g A: this pair gets no wall, and the network knows nothing of its "
            "contacts; label structures with more of these ions before simulating cells where they can meet",
            ", ".join(unseen),
            CAP,
        )
    return {"stiffness_eV_per_A2": float(stiffness), "r_min_A": r_min, "unseen": unseen}


def table(wall: dict) -> np.ndarray:
    """r_min (A) by atomic number, shape (119, 119), symmetric; 0 (never reached) where there is no wall."""
    r_min = np.zeros((len(atomic_numbers), len(atomic_numbers)))
    for pair, distance in wall["r_min_A"].items():
        a, b = (atomic_numbers[symbol] for symbol in pair.split("-"))
        r_min[a, b] = r_min[b, a] = distance
    return r_min


def evaluate(
    r_min: np.ndarray, stiffness: float, numbers: np.ndarray,
    i: np.ndarray, j: np.ndarray, d: np.ndarray, vector: np.ndarray,
) -> tuple[float, np.ndarray, np.ndarray, int]:  # fmt: skip
    """Energy (eV), forces (eV/A, (atoms, 3)), virial -dU/d(strain) (eV, (3, 3)) and number of contacts of the wall.

    `r_min` from `table`; `i, j, d, vector` a list with each pair once (`pairs`, or an engine's own list reduced to it).
    """
    depth = r_min[numbers[i], numbers[j]] - d
    touching = np.flatnonzero(depth > 0)
    forces = np.zeros((len(numbers), 3))
    if len(touching) == 0:
        return 0.0, forces, np.zeros((3, 3)), 0
    i, j, depth = i[touching], j[touching], depth[touching]
    pull = (stiffness * depth / d[touching])[:, None] * vector[touching]  # the force on j, away from i
    np.add.at(forces, j, pull)
    np.subtract.at(forces, i, pull)
    return 0.5 * stiffness * float(depth @ depth), forces, vector[touching].T @ pull, len(touching)


def forces(wall: dict, atoms: Atoms) -> np.ndarray:
    """The wall's own forces on the atoms, eV/A, (atoms, 3): as far as they reach, nothing is known."""
    r_min = table(wall)
    if not r_min.any():
        return np.zeros((len(atoms), 3))
    return evaluate(r_min, wall["stiffness_eV_per_A2"], atoms.numbers, *pairs(atoms, r_min.max()))[1]


class Walled(Calculator):
    """An ASE calculator plus the wall and the energies of the species; `results` also holds `wall_contacts` (touching
    pairs) and `wall_energy` (eV).

    `network`: an ASE calculator, run as it is and never shown the wall. `shifts`: eV by species (`shifts.fit`).
    `manifest`: the potential's manifest, kept for whoever wants to write its hash or its errors beside a trajectory.
    Raises ValueError for a species without a shift: no label held it.
    """

    def __init__(self, network: Calculator, wall: dict, shifts: dict[str, float], manifest: dict | None = None):
        super().__init__()
        self.network, self.wall, self.manifest = network, wall, manifest
        self.implemented_properties = list(network.implemented_properties)
        self._r_min, self._stiffness = table(wall), wall["stiffness_eV_per_A2"]
        self._shifts, self._shift = shifts, np.full(len(atomic_numbers) + 1, np.nan)
        self._shift[[atomic_numbers[symbol] for symbol in shifts]] = list(shifts.values())

    def calculate(
        self, atoms: Atoms, properties: Sequence[str] = ("energy",), system_changes: Sequence[str] = tuple(all_changes)
    ) -> None:
        # here and not in the adapters: what their packages say of a stranger differs, and not all of them refuse it
        shift = float(self._shift[atoms.numbers].sum())
        if np.isnan(shift):
            total(self._shifts, atoms)  # says which
        if not np.isfinite(atoms.positions).all():  # no neighbour list survives them; a run ends on such forces
            nothing = {"energy": np.nan, "free_energy": np.nan, "forces": np.full((len(atoms), 3), np.nan)}
            self.results = {**nothing, "stress": np.full(6, np.nan), "wall_contacts": 0, "wall_energy": 0.0}
            return
        self.network.calculate(atoms, list(properties), list(system_changes))
        self.atoms = self.network.atoms  # the network's own copy: copying again costs as much as the wall itself
        # a search of its own at the wall's short range costs less than sorting out the network's 100 neighbours an atom
        found = pairs(atoms, self._r_min.max()) if self._r_min.any() else (np.zeros(0, int),) * 2 + (np.zeros(0),) * 2
        energy, forces, virial, contacts = evaluate(self._r_min, self._stiffness, atoms.numbers, *found)
        results = dict(self.network.results, wall_contacts=contacts, wall_energy=energy)
        for key in ("energy", "free_energy"):
            if key in results:
                results[key] = results[key] + energy + shift
        if contacts:
            if "forces" in results:
                results["forces"] = results["forces"] + forces
            if "stress" in results:
                results["stress"] = results["stress"] - full_3x3_to_voigt_6_stress(virial) / atoms.get_volume()
        self.results = results
