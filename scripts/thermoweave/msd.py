"""Mean squared displacements over all time origins, and how many independent particles the atoms are worth."""

from typing import NamedTuple

import numpy as np


class Displacements(NamedTuple):
    """
    One replica's squared displacements at each lag, A^2 and A^4.

    msd (n_lags, atom): mean over time; single (n_lags,): variance over time of one atom's; collective (n_lags,):
    variance over time of the mean over atoms, times their number: the same where atoms move independently.
    """

    msd: np.ndarray
    single: np.ndarray
    collective: np.ndarray


def remove_drift(coordinates: np.ndarray, masses: np.ndarray) -> np.ndarray:
    """Coordinates (frame, atom, 3) in the frame of the centre of mass of all atoms, masses (atom,)."""
    centre = np.einsum("a,fad->fd", masses, coordinates) / masses.sum()
    return coordinates - centre[:, None, :]


def log_lags(n_frames: int, n_lags: int) -> np.ndarray:
    """About `n_lags` log-spaced lags in frames, from 1 to half the run; fewer where rounding makes them coincide."""
    return np.unique(np.geomspace(1, max(1, n_frames // 2), n_lags).round().astype(int))


def displacements(coordinates: np.ndarray, lags: np.ndarray) -> Displacements:
    """Squared displacements of the atoms over all time origins, from unwrapped coordinates (frame, atom, 3)."""
    n_atoms = coordinates.shape[1]
    msd, collective, single = np.empty((len(lags), n_atoms)), np.empty(len(lags)), np.empty(len(lags))
    for i, lag in enumerate(lags):
        difference = coordinates[lag:] - coordinates[:-lag]
        squared = np.einsum("fad,fad->fa", difference, difference)
        msd[i] = squared.mean(axis=0)
        collective[i] = n_atoms * squared.mean(axis=1).var()
        single[i] = squared.var(axis=0).mean()
    return Displacements(msd, single, collective)


def independent_particles(replicas: list[Displacements]) -> np.ndarray:
    """
    (n_lags,): how many independent particles the atoms of all replicas are worth, at most their number.

    In a dense liquid neighbours move together, and the mean over atoms fluctuates more than independent atoms allow:
    the ratio of `single` to `collective` says how much more. (64 Lennard-Jones atoms near the triple point: about 27.)
    """
    ratio = sum(d.single for d in replicas) / np.maximum(sum(d.collective for d in replicas), 1e-300)
    return sum(d.msd.shape[1] for d in replicas) * np.minimum(1.0, ratio)


def msd_curve(replicas: list[Displacements]) -> tuple[np.ndarray, np.ndarray]:
    """MSD (n_lags,) over atoms and replicas, A^2, and its standard error from the scatter of the atoms."""
    particles = np.concatenate([d.msd for d in replicas], axis=1)
    spread = particles.std(axis=1, ddof=1) if particles.shape[1] > 1 else np.full(len(particles), np.nan)
    return particles.mean(axis=1), spread / np.sqrt(independent_particles(replicas))
