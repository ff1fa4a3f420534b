"""Thermoweave, kinisi, pymatgen-analysis-diffusion and an unweighted line on the same data: D and Ea, with bars."""

import time
from collections.abc import Callable

import campaigns
import ideal
import numpy as np
import others
import ours
import truths
from ase.units import kB
from scoring import Answer

STEP, START, KELVIN = 0.02, 0.5, 900.0  # ps: also where those that ask for it are told that diffusion begins; K
N_ATOMS, N_FRAMES, FRICTION = 24, 400, 5.0  # frames
TEMPERATURES = campaigns.GRIDS["hops, 700 to 1200 K"]
POLYFIT, KINISI = "unweighted polyfit", "kinisi 2.1"


def diffusion_trial(seed: int) -> list[Answer]:
    """D = 1 A^2/ps of Langevin particles, one run."""
    x = truths.langevin(np.random.default_rng([seed, 500]), N_FRAMES, N_ATOMS, 1.0, STEP, FRICTION)
    lags = ours.lags(N_FRAMES)
    best = ideal.slope_std(truths.langevin_msd(FRICTION, STEP), lags[lags * STEP >= START], N_FRAMES, N_ATOMS)
    ways = {
        ours.NAME: lambda: thermoweave_D([x], STEP),
        f"{KINISI}, 40 log-spaced lags": lambda: others.kinisi_diffusion(x, STEP, START, lags, seed),
        f"{KINISI}, its default lags": lambda: others.kinisi_diffusion(x, STEP, START, None, seed),
        "pymatgen, its default": lambda: others.pymatgen_diffusion(x, STEP, KELVIN),
        "pymatgen, smoothed=False": lambda: others.pymatgen_diffusion(x, STEP, KELVIN, smoothed=False),
        POLYFIT: lambda: others.straight_line(x, STEP, START),
    }
    name = f"Langevin, friction {FRICTION:g} frames: {N_ATOMS} atoms, {N_FRAMES} frames, 1 replica"
    return [clocked(name, "D", method, way, 1.0, best) for method, way in ways.items()]


def campaign_trial(seed: int) -> list[Answer]:
    """Ea of hopping ions, two runs at each of five temperatures; each method on the D that it found itself."""
    rng = np.random.default_rng([seed, 600])
    runs = [campaigns.runs(rng, T) for T in TEMPERATURES]
    best = ideal.line_std(1 / (kB * TEMPERATURES), np.array([campaigns.best(T) for T in TEMPERATURES]))

    def thermoweave() -> tuple[float, float]:
        points = [ours.diffusion(one, campaigns.STEP, campaigns.FLOOR) for one in runs]
        return ours.fit_campaign(TEMPERATURES, points, campaigns.N_ATOMS, campaigns.FAR).Ea

    def joined(method: Callable) -> tuple[np.ndarray, np.ndarray]:
        """D and its error at each temperature: mean over the runs."""
        each = np.array([[method(x) for x in one] for one in runs])
        return each[..., 0].mean(axis=1), np.sqrt((each[..., 1] ** 2).sum(axis=1)) / each.shape[1]

    def kinisi() -> tuple[float, float]:
        lags = ours.lags(campaigns.N_FRAMES)
        return others.kinisi_arrhenius(
            TEMPERATURES,
            *joined(lambda x: others.kinisi_diffusion(x, campaigns.STEP, campaigns.FLOOR, lags, seed)),
        )

    def pymatgen() -> tuple[float, float]:
        return others.pymatgen_arrhenius(
            TEMPERATURES, joined(lambda x: others.pymatgen_diffusion(x, campaigns.STEP, KELVIN))[0]
        )

    def polyfit() -> tuple[float, float]:
        return others.unweighted_arrhenius(
            TEMPERATURES, joined(lambda x: others.straight_line(x, campaigns.STEP, campaigns.FLOOR))[0]
        )

    ways = {
        ours.NAME: thermoweave,
        f"{KINISI}, Arrhenius": kinisi,
        "pymatgen, fit_arrhenius": pymatgen,
        POLYFIT: polyfit,
    }
    name = f"hops, 5 temperatures from {TEMPERATURES[0]:g} to {TEMPERATURES[-1]:g} K, {campaigns.N_REPLICAS} replicas"
    return [clocked(name, "Ea (eV)", method, way, campaigns.EA, best) for method, way in ways.items()]


def thermoweave_D(replicas: list[np.ndarray], step: float) -> tuple[float, float]:
    """D and its standard error."""
    found = ours.diffusion(replicas, step, START)
    return np.exp(found.lnD), np.exp(found.lnD) * np.sqrt(found.lnD_var)


def clocked(name: str, quantity: str, method: str, way: Callable, value: float, best: float) -> Answer:
    """The answer of one way, and its seconds."""
    begin = time.perf_counter()
    estimate, bar = way()
    return Answer(name, quantity, method, estimate, bar, value, best, time.perf_counter() - begin)
