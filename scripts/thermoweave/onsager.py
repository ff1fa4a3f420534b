"""
Ionic conductivity with all cross terms: Green-Kubo, Einstein-Helfand, Onsager matrix, transference numbers.

The total displacement of each species, relative to the centre of mass, moves like one Brownian particle in as many
dimensions as there are species. Einstein-Helfand fits its mean squared displacement with the same covariance as that
of atoms (`transport`); Green-Kubo takes the zero-frequency limit of the spectrum of its steps (`zero_frequency`), which
are averages of the current over a frame interval, so that nothing between frames is lost.
"""

from typing import NamedTuple

import numpy as np
from ase import units

from thermoweave import coefficient, msd_line, zero_frequency
from thermoweave.coefficient import Coefficient

JOULE = 1e-8 / (units._k * 1e-30)  # 1 A^2/ps / (kB K A^3) in 1/(J m s)
E2 = units._e**2
ROUNDING = 1e-6


class Onsager(NamedTuple):
    """
    Onsager matrix L (species, species) in 1/(J m s), its standard errors, and what follows from it.

    The flux of species i is the sum over j of L_ij times the force on a particle of j (Fong, Self, McCloskey, Persson,
    Macromolecules 2021, 54, 2575). transference (species,): share of the current that each carries; reason: why there
    is no matrix, or ""; sigma: sum of e^2 z_i z_j L_ij, with its own reason; onset: first fitted lag (ps).
    """

    L: np.ndarray
    L_std: np.ndarray
    transference: np.ndarray
    transference_std: np.ndarray
    reason: str
    sigma: Coefficient
    onset: float


def green_kubo(paths: list[np.ndarray], charges: np.ndarray, volume: float, kelvin: float, step: float) -> Coefficient:
    """
    Conductivity from the steps of the charge's total displacement; paths [(frame, species, 3), ...] in A, of
    `collective.paths`; charges (species,) in e; volume in A^3, step in ps.
    """
    steps = [np.diff(np.einsum("s,fsd->fd", charges, path), axis=0) / step for path in paths]
    found = zero_frequency.limit(steps, step)
    scale = E2 * JOULE / (2 * volume * kelvin)
    return coefficient.combined(scale * found.value, found.ln_std, scale * found.replicas, found.reason)


def cross_displacements(path: np.ndarray, lags: np.ndarray) -> np.ndarray:
    """Mean products of the displacements of each two species over all time origins, (n_lags, species, species), A^2."""
    found = np.empty((len(lags), path.shape[1], path.shape[1]))
    for i, lag in enumerate(lags):
        moved = path[lag:] - path[:-lag]
        found[i] = np.einsum("fsd,ftd->st", moved, moved, optimize=True) / len(moved)
    return found


def einstein_helfand(
    paths: list[np.ndarray], charges: np.ndarray, volume: float, kelvin: float, step: float, lags: np.ndarray,
    floor: float,
) -> Onsager:  # fmt: skip
    """
    The Onsager matrix from lines through the cross displacements at `lags` (frames), not fitted before `floor` ps.

    One line is fitted to the displacement of the charge, from where that is straight; its weights make every element,
    so that those add up to the conductivity exactly. One displacement shows a bend less well than many atoms do: let
    the floor be where their diffusion begins. Gaussian displacements give the elements the covariance of a Wishart
    matrix, Cov(L_ij, L_kl) = v (L_ik L_jl + L_il L_jk) / 2, with v the relative variance of the conductivity;
    transference numbers follow by linear error propagation.
    """
    crossed = np.array([cross_displacements(path, lags) for path in paths])
    n_frames, n = len(paths[0]), np.full(len(lags), float(len(paths)))
    moved = crossed.mean(axis=0) @ charges @ charges
    start, line, reason = msd_line.find_onset(lags, moved, step, n_frames, n, floor)
    if line is None:
        return undetermined(reason, len(charges), len(paths))
    slopes = np.einsum("l,rlst->rst", line.weights, crossed[:, start:]) * JOULE / (6 * volume * kelvin)
    L, each = slopes.mean(axis=0), E2 * (slopes @ charges @ charges)
    if each.mean() <= 0:
        return undetermined("no conduction resolved: the charge does not move on", len(charges), len(paths))
    sigma = coefficient.combined(each.mean(), line.slope_std / line.slope, each, reason)
    return matrix(L, charges, sigma, float(lags[start] * step))


def matrix(L: np.ndarray, charges: np.ndarray, sigma: Coefficient, onset: float) -> Onsager:
    """The Onsager matrix with its errors and the transference numbers; refused where noise makes it produce no heat."""
    own = np.diag(L)
    if own.min() <= 0 or np.linalg.eigvalsh(L / np.sqrt(np.outer(own, own))).min() < -ROUNDING:
        reason = "not resolved: the matrix is not positive; lengthen the runs or add replicas"
        found = undetermined(reason, len(charges), len(sigma.replicas))
        return found._replace(sigma=sigma, onset=onset)
    v = sigma.ln_std**2
    L_std = np.sqrt(v / 2 * (np.outer(own, own) + L**2))
    t = E2 * charges * (L @ charges) / sigma.value
    t_std = np.sqrt(v / 2 * np.maximum(E2 * charges**2 * own / sigma.value - t**2, 0))
    return Onsager(L, L_std, t, t_std, sigma.reason, sigma, onset)


def undetermined(reason: str, n_species: int, n_replicas: int) -> Onsager:
    """A gap: everything NaN but the reason."""
    nan, vector, square = float("nan"), np.full(n_species, np.nan), np.full((n_species, n_species), np.nan)
    return Onsager(square, square, vector, vector, reason, coefficient.gap(reason, n_replicas), nan)


def refused_matrix(found: Onsager, reason: str) -> Onsager:
    """The same for an Onsager matrix: none."""
    empty = undetermined(reason, len(found.transference), len(found.sigma.replicas))
    return empty._replace(sigma=coefficient.refused(found.sigma, reason), onset=found.onset)
