"""Campaigns of hopping ions whose activation energy is known: trajectories, D at each temperature, Arrhenius fit."""

from functools import lru_cache

import ideal
import numpy as np
import ours
import truths
from ase.units import kB
from scoring import Answer

STEP, FLOOR, HOP, WIDTH, MEMORY = 0.05, 0.5, 3.0, 0.2, 2.0  # ps, ps, A, A, frames
N_ATOMS, N_FRAMES, N_REPLICAS = 24, 800, 2
EA, D0 = 0.30, 20.0  # eV, A^2/ps
GRIDS = {
    "hops, 700 to 1200 K": np.array([700.0, 800.0, 900.0, 1000.0, 1200.0]),
    "hops, 300 to 900 K, the coldest below resolution": np.array([300.0, 500.0, 600.0, 700.0, 900.0]),
}
FAR = 298.0  # K, extrapolated


def diffusivity(T: np.ndarray) -> np.ndarray:
    return D0 * np.exp(-EA / (kB * T))


@lru_cache
def best(T: float) -> float:
    """Relative standard error of D of the ideal line at a temperature."""
    D, lags = diffusivity(T), ours.lags(N_FRAMES)

    def msd(lag: np.ndarray) -> np.ndarray:
        return 2 * D * STEP * lag + 2 * WIDTH**2 * (1 - np.exp(-lag / MEMORY))

    late = lags[lags * STEP >= FLOOR]
    return ideal.slope_std(msd, late, N_FRAMES, N_ATOMS * N_REPLICAS, truths.hop_cumulant(D, STEP, HOP))


def trial(seed: int) -> list[Answer]:
    """Ea, ln D0 and the extrapolation of a campaign on each grid."""
    answers = []
    for number, (name, temperatures) in enumerate(GRIDS.items()):
        rng = np.random.default_rng([seed, 300 + number])
        points = [ours.diffusion(runs(rng, T), STEP, FLOOR) for T in temperatures]
        fit = ours.fit_campaign(temperatures, points, N_ATOMS, FAR)
        bound, coldest = points[0].D_upper_bound, diffusivity(temperatures[0])
        where = name, "upper bound of the coldest D", ours.NAME
        answers.append(Answer(*where, bound, np.nan, coldest, bound="upper"))
        std = ideal.line_std(1 / (kB * temperatures), np.array([best(T) for T in temperatures]))
        answers.append(Answer(name, "Ea (eV)", ours.NAME, *fit.Ea, EA, std))
        answers.append(Answer(name, "ln D0", ours.NAME, *fit.lnD0, np.log(D0)))
        far = Answer(name, f"ln D at {FAR:g} K, extrapolated", ours.NAME, *fit.far, np.log(diffusivity(FAR)))
        answers.append(far._replace(band=fit.band))
    return answers


def runs(rng: np.random.Generator, T: float) -> list[np.ndarray]:
    """Positions of the replicas at a temperature."""
    return [
        truths.hops(rng, N_FRAMES, N_ATOMS, diffusivity(T), STEP, HOP)
        + truths.rattling(rng, N_FRAMES, N_ATOMS, WIDTH, MEMORY)
        for _ in range(N_REPLICAS)
    ]
