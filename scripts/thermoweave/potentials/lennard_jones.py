"""A Lennard-Jones potential for each pair of species, fitted to the labels in a second: the test double of the others.

It is linear in what is fitted, so that least squares gives the one best answer: the same labels give the same weights,
and the seed changes nothing. Energies and forces of real labels it fits badly.
"""

import itertools
import json
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from ase.neighborlist import neighbor_list
from ase.stress import full_3x3_to_voigt_6_stress

HYPERS = {
    "r_max": 5.0,  # A, cutoff
    "energy_weight": 1.0,  # of the squared energy error (eV/atom)^2
    "force_weight": 1.0,  # of the squared force error (eV/A)^2
    "dtype": "float64",
}
REFERENCES = ["J. E. Lennard-Jones, Proc. Phys. Soc. 43, 461 (1931), doi:10.1088/0959-5309/43/5/301"]
DISTRIBUTION = "ase"
MODEL = "model.json"
LENGTH = 2.5  # A: powers are of LENGTH / r, so that coefficients are energies (eV)

log = logging.getLogger(__name__)


def train(train: Sequence[Atoms], valid: Sequence[Atoms], hypers: dict, seed: int, directory: Path) -> list[Path]:
    """Fit frames with REF_energy (eV) and REF_forces (eV/A); returns [model.json].

    Raises RuntimeError where the fit is not finite.
    """
    elements = sorted({symbol for atoms in train for symbol in atoms.symbols})
    pairs = list(itertools.combinations_with_replacement(elements, 2))
    rows, targets = [], []
    for atoms in train:
        energies, forces, _ = _features(atoms, pairs, hypers["r_max"])
        counts = [np.count_nonzero(atoms.symbols == symbol) for symbol in elements]
        rows += [hypers["energy_weight"] ** 0.5 / len(atoms) * np.concatenate([counts, energies])]
        targets += [hypers["energy_weight"] ** 0.5 / len(atoms) * atoms.info["REF_energy"]]
        own = np.zeros((3 * len(atoms), len(elements)))
        scale = (hypers["force_weight"] / (3 * len(atoms))) ** 0.5
        rows += list(scale * np.hstack([own, forces.reshape(len(energies), -1).T]))
        targets += list(scale * atoms.arrays["REF_forces"].ravel())
    fitted = np.linalg.lstsq(np.array(rows), np.array(targets), rcond=1e-12)[0]
    if not np.isfinite(fitted).all():
        raise RuntimeError("the fit is not finite: is there a label with an energy or a force that is not a number?")
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    model = {
        "r_max": hypers["r_max"],
        "energies": dict(zip(elements, fitted.tolist(), strict=False)),
        "pairs": [
            [*pair, *ab] for pair, ab in zip(pairs, fitted[len(elements) :].reshape(-1, 2).tolist(), strict=True)
        ],
    }
    (directory / MODEL).write_text(json.dumps(model, indent=1))
    return [directory / MODEL]


def calculator(weights: Sequence[Path], device: str = "cpu", dtype: str = "float64") -> Calculator:
    return LennardJones(json.loads(Path(weights[0]).read_text()))


class LennardJones(Calculator):
    """Energy, forces and stress of a fitted model. Raises ValueError for an element that it never saw."""

    implemented_properties = ("energy", "free_energy", "forces", "stress")

    def __init__(self, model: dict):
        super().__init__()
        self.energies = model["energies"]
        self.r_max = model["r_max"]
        self.pairs = [(a, b) for a, b, *_ in model["pairs"]]
        self.coefficients = np.array(
            [ab for *_, repulsion, attraction in model["pairs"] for ab in (repulsion, attraction)]
        )

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        unknown = sorted(set(atoms.symbols) - self.energies.keys())
        if unknown:
            raise ValueError(f"no label held {', '.join(unknown)}; the potential knows {', '.join(self.energies)}")
        energies, forces, virials = _features(atoms, self.pairs, self.r_max)
        energy = sum(self.energies[symbol] for symbol in atoms.symbols) + float(energies @ self.coefficients)
        self.results = {
            "energy": energy,
            "free_energy": energy,
            "forces": np.einsum("k,kia->ia", self.coefficients, forces),
        }
        if atoms.cell.rank == 3:
            virial = np.einsum("k,kab->ab", self.coefficients, virials)
            self.results["stress"] = full_3x3_to_voigt_6_stress(virial / atoms.get_volume())


def _features(atoms: Atoms, pairs: list[tuple[str, str]], r_max: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Energy, forces and virial of each term with coefficient 1: (n,), (n, n_atoms, 3), (n, 3, 3); n is two a pair of
    species, the repulsion (LENGTH / r)^12 and the attraction -(LENGTH / r)^6, both smooth to zero at r_max.
    """
    first, second, d, vectors = neighbor_list("ijdD", atoms, r_max)
    symbols = np.array(atoms.get_chemical_symbols())
    s = d / r_max
    smooth, slope = (1 - s**2) ** 3, -6 * s / r_max * (1 - s**2) ** 2
    energies, forces, virials = [], [], []
    for a, b in pairs:
        of_pair = ((symbols[first] == a) & (symbols[second] == b)) | ((symbols[first] == b) & (symbols[second] == a))
        for power, sign in ((12, 1.0), (6, -1.0)):
            value = sign * (LENGTH / d[of_pair]) ** power
            derivative = value * slope[of_pair] - power * value / d[of_pair] * smooth[of_pair]
            energies.append(0.5 * np.sum(value * smooth[of_pair]))  # every pair is listed twice
            along = (derivative / d[of_pair])[:, None] * vectors[of_pair]
            force = np.zeros((len(atoms), 3))
            np.add.at(force, first[of_pair], along)
            forces.append(force)
            virials.append(0.5 * np.einsum("ka,kb->ab", along, vectors[of_pair]))
    return np.array(energies), np.array(forces), np.array(virials)
