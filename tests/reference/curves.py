"""Fits of ln D against temperature, from points whose errors are known: a line, and a Vogel-Fulcher-Tammann curve."""

import ideal
import numpy as np
import ours
from ase.units import kB
from scoring import Answer

T = np.array([600.0, 680.0, 760.0, 840.0, 920.0, 1000.0])
STD = np.array([0.25, 0.15, 0.1, 0.08, 0.06, 0.05])
FAR = 450.0  # K, extrapolated
EA, LN_D0 = 0.28, 3.0
LN_A, B, T0 = 2.0, 1200.0, 300.0  # of a glass former: apparent Ea 0.41 eV at 600 K, 0.21 eV at 1000 K


def line(temperature: np.ndarray) -> np.ndarray:
    return LN_D0 - EA / (kB * temperature)


def curve(temperature: np.ndarray) -> np.ndarray:
    return LN_A - B / (temperature - T0)


def trial(seed: int) -> list[Answer]:
    """For the curve the ideal is the Cramer-Rao bound of its three parameters."""
    rng = np.random.default_rng([seed, 400])
    fit = ours.fit_logarithms(T, line(T) + STD * rng.normal(size=len(T)), STD**2, FAR)
    name = "Arrhenius points, 600 to 1000 K"
    far = Answer(name, f"ln D at {FAR:g} K, extrapolated", ours.NAME, *fit.far, line(FAR), band=fit.band)
    answers = [Answer(name, "Ea (eV)", ours.NAME, *fit.Ea, EA, ideal.line_std(1 / (kB * T), STD)), far]
    fit = ours.fit_logarithms(T, curve(T) + STD * rng.normal(size=len(T)), STD**2, FAR)
    name = "VTF points, 600 to 1000 K"
    truth = kB * B * (fit.reference / (fit.reference - T0)) ** 2
    best = bounds(fit.reference)
    answers.append(Answer(name, "apparent Ea (eV) at the mean 1/T", ours.NAME, *fit.curve_Ea, truth, best["Ea"]))
    answers.append(Answer(name, "B (K)", ours.NAME, *fit.B, B, best["B"]))
    median, *band = fit.T0
    answers.append(Answer(name, "T0 (K)", ours.NAME, median, (band[1] - band[0]) / 2, T0, best["T0"], band=tuple(band)))
    far = Answer(name, f"ln D at {FAR:g} K, extrapolated", ours.NAME, *fit.far, curve(FAR), best["far"], band=fit.band)
    return [*answers, far]


def bounds(reference: float) -> dict[str, float]:
    """Standard errors at the Cramer-Rao bound, parameters ln A, B, T0."""

    def gradient(at: float | np.ndarray) -> np.ndarray:
        return np.stack([np.ones_like(at), -1 / (at - T0), -B / (at - T0) ** 2], axis=-1)

    covariance = np.linalg.inv((gradient(T) / STD[:, None] ** 2).T @ gradient(T))
    factor = kB * (reference / (reference - T0)) ** 2
    directions = {
        "Ea": np.array([0.0, factor, 2 * factor * B / (reference - T0)]),
        "B": np.array([0.0, 1.0, 0.0]),
        "T0": np.array([0.0, 0.0, 1.0]),
        "far": gradient(np.array(FAR)),
    }
    return {name: float(np.sqrt(way @ covariance @ way)) for name, way in directions.items()}
