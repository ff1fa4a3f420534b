"""Conductivities, Haven ratio, Onsager matrix and transference numbers of ions that move together as was chosen."""

from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

import ideal
import numpy as np
import ours
import truths
from ase import Atoms
from scoring import Answer

STEP, FLOOR, MEMORY = 0.02, 0.5, 5.0  # ps, ps, frames
N_FRAMES, N_REPLICAS, KELVIN = 1500, 3, 1000.0
CHARGES = {"Li": 1.0, "K": 1.0, "Cl": -1.0}
SPECIES = tuple(CHARGES)
ATOMS = Atoms("Li8K8Cl16", cell=[11.0, 11.0, 11.0], pbc=True)
OWN = {"Li": 1.2, "K": 0.8, "Cl": 0.6}  # D in the laboratory's frame, A^2/ps
TOGETHER = {"Li": 0.03, "K": 0.01, "Cl": -0.015}  # covariance of two ions of a species, of different ones:
ACROSS = {frozenset(("Li", "Cl")): 0.025, frozenset(("K", "Cl")): 0.01, frozenset(("Li", "K")): -0.02}
NAME = f"correlated ions: {len(ATOMS)} ions, {N_FRAMES} frames, {N_REPLICAS} replicas"


@lru_cache
def covariance() -> np.ndarray:
    """Diffusion matrix (atom, atom) in A^2/ps, in the laboratory's frame."""
    names = ATOMS.get_chemical_symbols()
    found = np.array([[TOGETHER[a] if a == b else ACROSS[frozenset((a, b))] for b in names] for a in names])
    np.fill_diagonal(found, [OWN[name] for name in names])
    return found


@lru_cache
def truth() -> dict[str, np.ndarray]:
    """What the reduction should find, relative to the centre of mass."""
    masses = ATOMS.get_masses()
    project = np.eye(len(ATOMS)) - masses / masses.sum()
    moved = project @ covariance() @ project.T
    members = np.array([ATOMS.symbols == name for name in SPECIES], float)
    z = np.array([CHARGES[name] for name in SPECIES])
    L = members @ moved @ members.T * ours.onsager_unit(ATOMS.cell.volume, KELVIN)
    D = members @ np.diag(moved) / members.sum(axis=1)
    sigma = ours.E2 * z @ L @ z
    uncorrelated = ours.E2 * ours.onsager_unit(ATOMS.cell.volume, KELVIN) * (members.sum(axis=1) * z**2) @ D
    t = ours.E2 * z * (L @ z) / sigma
    return {"D": D, "L": L, "sigma": sigma, "uncorrelated": uncorrelated, "haven": uncorrelated / sigma, "t": t, "z": z}


@lru_cache
def best(n_particles: int) -> float:
    """Relative standard error of the slope of the ideal line through the MSD of as many independent particles."""
    lags = ours.lags(N_FRAMES)
    return ideal.slope_std(truths.ions_msd(MEMORY, STEP), lags[lags * STEP >= FLOOR], N_FRAMES, n_particles)


def trial(seed: int) -> list[Answer]:
    """One condition, reduced from its files."""
    rng = np.random.default_rng([seed, 100])
    replicas = [truths.ions(rng, N_FRAMES, covariance(), STEP, MEMORY) for _ in range(N_REPLICAS)]
    with TemporaryDirectory() as folder:
        found = ours.transport_of(Path(folder), ATOMS, replicas, STEP, CHARGES, KELVIN, FLOOR)
    true, v = truth(), best(N_REPLICAS) ** 2
    haven = found["haven_ratio"], found["haven_ratio_std"], true["haven"]

    def answer(quantity: str, estimate: float, bar: float, value: float, std: float) -> Answer:
        return Answer(NAME, quantity, ours.NAME, float(estimate), float(bar), float(value), float(std))

    relative = [best(N_REPLICAS * int(np.sum(ATOMS.symbols == name))) for name in SPECIES]
    shares = np.array([np.sum(ATOMS.symbols == name) for name in SPECIES]) * true["z"] ** 2 * true["D"]
    ne = np.linalg.norm(shares * relative) / shares.sum()
    answers = [
        answer("ln sigma (Green-Kubo)", *log(found, "conductivity"), np.log(true["sigma"]), np.sqrt(v)),
        answer("ln sigma (Einstein-Helfand)", *log(found, "conductivity_eh"), np.log(true["sigma"]), np.sqrt(v)),
        answer("ln sigma (Nernst-Einstein)", *log(found, "conductivity_ne"), np.log(true["uncorrelated"]), ne),
        answer("Haven ratio", *haven, true["haven"] * np.sqrt(v)),
    ]
    for i, name in enumerate(SPECIES):
        D = found["lnD"].values[i] - ours.LN_UNIT, np.sqrt(found["lnD_var"].values[i])
        answers.append(answer(f"ln D of {name}", *D, np.log(true["D"][i]), relative[i]))
        own = ours.E2 * true["z"][i] ** 2 * true["L"][i, i] / true["sigma"]
        std = np.sqrt(v / 2 * (own - true["t"][i] ** 2))
        pair = found["transference"].values[i], found["transference_std"].values[i]
        answers.append(answer(f"transference number of {name}", *pair, true["t"][i], std))
        for j in range(i, len(SPECIES)):
            std = np.sqrt(v / 2 * (true["L"][i, i] * true["L"][j, j] + true["L"][i, j] ** 2))
            pair = found["onsager"].values[i, j], found["onsager_std"].values[i, j]
            kind = "Onsager L, diagonal" if i == j else "Onsager L, cross terms"
            answers.append(answer(kind, *(np.array(pair) / std), true["L"][i, j] / std, 1.0))
    return answers


def log(found, name: str) -> tuple[float, float]:
    """The logarithm of a variable of a dataset and its standard error."""
    return np.log(float(found[name])), np.sqrt(float(found[f"ln_{name}_var"]))
