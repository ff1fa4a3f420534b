"""Vibrational densities of states: free Langevin particles (a Lorentzian) and a harmonic crystal (its normal modes)."""

from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import ours
import truths
from ase import Atoms, units
from scoring import Answer
from synthetic import AMU_A2_PS2, langevin

STEP, N_FRAMES, N_REPLICAS, RESOLUTION, KELVIN = 0.01, 2000, 2, 0.5, 900.0  # ps; THz; K
EVERY = 3  # of the frequencies: the window correlates neighbours
OVERLAP = 1 + 2 / 36  # variance of the mean of half-overlapping Hann segments (Welch 1967)
N_FREE, FRICTION_TIME = 30, 0.1  # free particles; ps
STIFFNESS, FRICTION, CELLS, CELL = 12000.0, 6.0, 2, 5.3  # amu/ps^2, 1/ps, cells an edge, A


def trial(seed: int) -> list[Answer]:
    """The density at some frequencies over the truth there."""
    rng = np.random.default_rng([seed, 200])
    with TemporaryDirectory() as folder:
        found = ours.vdos(Path(folder), *free(rng), STEP, RESOLUTION)
    n_modes = 3 * N_FREE - 3
    a = np.exp(-STEP / FRICTION_TIME)
    truth = 2 * n_modes * STEP * (1 - a**2) / (1 - 2 * a * np.cos(2 * np.pi * found[0] * STEP) + a**2)
    answers = compare("Langevin particles", *found, truth, n_modes * N_REPLICAS)
    with TemporaryDirectory() as folder:
        found = ours.vdos(Path(folder), *crystal(rng), STEP, RESOLUTION)
    omega = lattice()[1]
    return answers + compare("harmonic crystal", *found, 2 * windowed(found[0]), peers(omega, found[0]) * N_REPLICAS)


def compare(
    name: str, frequency: np.ndarray, density: np.ndarray, bar: np.ndarray, n_segments: int, truth: np.ndarray,
    n_modes: np.ndarray,
) -> list[Answer]:  # fmt: skip
    """n_modes: independent ones behind the power, for the error of the same average with known truth."""
    inner = slice(1, len(frequency) - 1, EVERY)
    best = np.sqrt(OVERLAP / n_segments / n_modes) * np.ones_like(frequency)
    columns = (density / truth, bar / truth, best)
    title = f"{name}: {N_FRAMES} frames, {N_REPLICAS} replicas"
    return [
        Answer(title, "VDOS over truth", ours.NAME, estimate, error, 1.0, ideal)
        for estimate, error, ideal in zip(*(column[inner] for column in columns), strict=True)
    ]


def free(rng: np.random.Generator) -> tuple[Atoms, list[tuple[np.ndarray, np.ndarray]]]:
    """Free particles with the centre of mass at rest: each has the same spectrum, 3 N - 3 modes in all."""
    atoms = Atoms(f"Ar{N_FREE}", cell=[12.0, 12.0, 12.0], pbc=True)
    D = units.kB * KELVIN / AMU_A2_PS2 / atoms.get_masses()[0] * FRICTION_TIME
    runs = [langevin(rng, N_FRAMES, N_FREE, D, FRICTION_TIME, STEP) for _ in range(N_REPLICAS)]
    return atoms, [tuple(part - part.mean(axis=1, keepdims=True) for part in run) for run in runs]


@lru_cache
def lattice() -> tuple[Atoms, np.ndarray, np.ndarray, float]:
    """The crystal at rest, its frequencies (rad/ps), normal modes and root mean square velocity (A/ps)."""
    mass = Atoms("Ar").get_masses()[0]
    sites, omega, modes = truths.crystal_modes(CELLS, mass, STIFFNESS)
    atoms = Atoms(f"Ar{len(sites)}", positions=CELL * sites, cell=[CELLS * CELL] * 3, pbc=True)
    return atoms, omega, modes, np.sqrt(units.kB * KELVIN / AMU_A2_PS2 / mass)


def crystal(rng: np.random.Generator) -> tuple[Atoms, list[tuple[np.ndarray, np.ndarray]]]:
    atoms, omega, modes, speed = lattice()
    runs = []
    for _ in range(N_REPLICAS):
        x, v = (speed * part @ modes.T for part in truths.damped_modes(rng, N_FRAMES, omega, FRICTION, STEP))
        runs.append((x.reshape(N_FRAMES, -1, 3) + atoms.positions, v.reshape(N_FRAMES, -1, 3)))
    return atoms, runs


@lru_cache
def fine() -> tuple[np.ndarray, np.ndarray]:
    """Frequencies much finer than the resolution, over a whole period of the sampling, and the exact spectrum there."""
    frequency = np.arange(round(1 / STEP / (RESOLUTION / 16))) * RESOLUTION / 16
    return frequency, truths.oscillator_spectrum(lattice()[1], FRICTION, STEP, frequency)


def windowed(frequency: np.ndarray) -> np.ndarray:
    """The exact spectrum seen through a Hann window of the stated resolution, as Welch's method expects it."""
    fines, exact = fine()
    length = round(1 / (RESOLUTION * STEP))
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)
    smear = np.abs(np.fft.fft(window, len(fines))) ** 2
    seen = np.fft.ifft(np.fft.fft(exact) * np.fft.fft(smear / smear.sum())).real
    return np.interp(frequency, fines, seen)


def peers(omega: np.ndarray, frequency: np.ndarray) -> np.ndarray:
    """(frequency,): how many modes share the power there, (sum S)^2 / sum S^2 over the exact spectra of the modes."""
    each = np.array(
        [truths.oscillator_spectrum(omega[k : k + 1], FRICTION, STEP, frequency) for k in range(len(omega))]
    )
    return each.sum(axis=0) ** 2 / (each**2).sum(axis=0)
