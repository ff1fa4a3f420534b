"""D of particles that are free, that fly first, that rattle, that hop, that stay: with and without replicas."""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import ideal
import numpy as np
import ours
import truths
from scoring import Answer

STEP, FLOOR = 0.02, 0.5  # ps
HOP = 3.0  # A


class Case(NamedTuple):
    """
    Particles with D in A^2/ps; make(rng, n_frames, n_atoms) gives the positions of one replica.

    msd (of one dimension at lags in frames) and fourth (cumulant of the hops of a frame) are for the ideal.
    """

    name: str
    make: Callable[[np.random.Generator, int, int], np.ndarray]
    D: float
    n_atoms: int
    n_frames: int
    n_replicas: int
    msd: Callable[[np.ndarray], np.ndarray] | None = None
    fourth: float = 0.0


def free(n_atoms: int, n_frames: int, n_replicas: int, friction: float) -> Case:
    """Brownian (friction 0) or Langevin particles; the friction time in frames."""

    def make(rng: np.random.Generator, frames: int, atoms: int) -> np.ndarray:
        if not friction:
            return truths.brownian(rng, frames, atoms, 1.0, STEP)
        return truths.langevin(rng, frames, atoms, 1.0, STEP, friction)

    kind = f"Langevin, friction {friction:g} frames" if friction else "Brownian"
    name = f"{kind}: {n_atoms} atoms, {n_frames} frames, {n_replicas} replica{'s' * (n_replicas > 1)}"
    return Case(name, make, 1.0, n_atoms, n_frames, n_replicas, truths.langevin_msd(friction, STEP))


def caged(n_atoms: int, n_frames: int, n_replicas: int, memory: float) -> Case:
    """Brownian motion with D = 0.1 A^2/ps of sites 0.3 A wide that are forgotten with a time constant in frames."""

    def make(rng: np.random.Generator, frames: int, atoms: int) -> np.ndarray:
        walk = truths.brownian(rng, frames, atoms, 0.1, STEP)
        return walk + truths.rattling(rng, frames, atoms, 0.3, memory)

    def msd(lag: np.ndarray) -> np.ndarray:
        return 2 * 0.1 * STEP * lag + 2 * 0.3**2 * (1 - np.exp(-lag / memory))

    name = f"caged for {memory:g} frames: {n_atoms} atoms, {n_frames} frames, {n_replicas} replicas"
    return Case(name, make, 0.1, n_atoms, n_frames, n_replicas, msd)


def hopping(n_atoms: int, n_frames: int, n_replicas: int) -> Case:
    """Hops of 3 A between sites 0.2 A wide, about one in two picoseconds."""
    D = 0.8

    def make(rng: np.random.Generator, frames: int, atoms: int) -> np.ndarray:
        return truths.hops(rng, frames, atoms, D, STEP, HOP) + truths.rattling(rng, frames, atoms, 0.2, 2.0)

    def msd(lag: np.ndarray) -> np.ndarray:
        return 2 * D * STEP * lag + 2 * 0.2**2 * (1 - np.exp(-lag / 2.0))

    name = f"hops on a lattice: {n_atoms} atoms, {n_frames} frames, {n_replicas} replicas"
    return Case(name, make, D, n_atoms, n_frames, n_replicas, msd, truths.hop_cumulant(D, STEP, HOP))


CASES = (
    free(8, 400, 1, 0),
    free(24, 400, 1, 0),
    free(24, 1000, 2, 0),
    free(64, 1000, 5, 0),
    free(8, 1000, 1, 5),
    free(24, 1000, 1, 5),
    free(24, 1000, 3, 5),
    free(24, 1000, 3, 20),
    free(64, 400, 2, 10),
    free(24, 400, 2, 20),  # twenty friction times: hardly long enough
    free(64, 3000, 1, 10),
    caged(24, 1000, 2, 5),
    caged(24, 1000, 2, 15),  # the floor is below two memories of the cage
    hopping(24, 1000, 2),
)
SOLID = Case(
    "vibrating crystal: 24 atoms, 1000 frames, 2 replicas",
    lambda rng, frames, atoms: truths.rattling(rng, frames, atoms, 0.3, 3.0), 0.0, 24, 1000, 2,
)  # fmt: skip


@lru_cache
def best(case: Case) -> float:
    """Relative standard error of the ideal estimator."""
    lags = ours.lags(case.n_frames)
    n_particles = case.n_atoms * case.n_replicas
    return ideal.slope_std(case.msd, lags[lags * STEP >= FLOOR], case.n_frames, n_particles, case.fourth)


def trial(seed: int) -> list[Answer]:
    """ln D and its bound for each case; for a crystal only the bound, as any D would be wrong."""
    answers = []
    for number, case in enumerate((*CASES, SOLID)):
        rng = np.random.default_rng([seed, number])
        replicas = [case.make(rng, case.n_frames, case.n_atoms) for _ in range(case.n_replicas)]
        found = ours.diffusion(replicas, STEP, FLOOR)
        if case.D:
            bar, truth = np.sqrt(found.lnD_var), np.log(case.D)
            answers.append(Answer(case.name, "ln D", ours.NAME, found.lnD, bar, truth, best(case)))
        else:
            answers.append(Answer(case.name, "no false D", ours.NAME, found.lnD, np.nan, np.nan, bound="none"))
        bound = found.D_upper_bound
        answers.append(Answer(case.name, "upper bound of D", ours.NAME, bound, np.nan, case.D, bound="upper"))
    return answers
