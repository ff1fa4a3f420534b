"""Mean squared displacements over all time origins, and how many independent particles the atoms are worth."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

CACHED = 2e6  # bytes: displacements of that size are squared and summed before they leave the processor's cache


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


def displacements(pieces: Iterable[np.ndarray], lags: np.ndarray) -> Displacements:
    """Squared displacements over all time origins, from the unwrapped coordinates of some atoms after others, each
    (frame, atom, 3).
    """
    means, variances = [], []
    total = [0.0] * len(lags)  # over atoms, (frame - lag,) each
    for coordinates in pieces:
        path = np.ascontiguousarray(coordinates.transpose(1, 2, 0))
        few = max(1, int(CACHED / path[0].nbytes))
        for first in range(0, len(path), few):
            atoms = path[first : first + few]
            found = np.empty((2, len(lags), len(atoms)))
            for i, lag in enumerate(lags):
                squared = ((atoms[..., lag:] - atoms[..., :-lag]) ** 2).sum(axis=1)
                found[:, i] = squared.mean(axis=1), squared.var(axis=1)
                total[i] = total[i] + squared.sum(axis=0)
            means.append(found[0])
            variances.append(found[1])
    msd = np.concatenate(means, axis=1)
    collective = np.array([np.var(one) for one in total]) / msd.shape[1]
    return Displacements(msd, np.concatenate(variances, axis=1).mean(axis=1), collective)


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
