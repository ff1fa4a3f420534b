"""
Radial distribution functions and coordination numbers of each pair of species, with errors from blocks and replicas.

Distances come from a neighbour list (vesin), frame by frame: no matrix of all atoms. They follow the minimum image
convention, which is exact up to half the smallest width of the cell: g(r) ends there at the latest. Ideal gas: g = 1
for every pair, also in a small cell, because an atom is not counted as its own neighbour.
"""

from collections.abc import Sequence
from itertools import combinations_with_replacement
from typing import NamedTuple

import numpy as np

from thermoweave import bands
from thermoweave.replica import Replica

N_BLOCKS = 20  # of a replica, consecutive
FEW_BLOCKS = 8  # below, their scatter says nothing about correlation
MAX_FRAMES = 500  # of a replica, evenly spread: neighbouring frames say the same
MAX_CORRELATION = 0.7  # of consecutive blocks: they decay in a seventh of the run, and 20 are worth less than four
POOLED = 1.0  # Angstrom of g(r) that share the correlation of blocks
SMOOTHING = 0.1  # Angstrom: Gaussian width for finding peak and minimum, and nothing else
WINDOW = 0.4  # Angstrom: a minimum is the lowest point of that much on either side
MIN_DEPTH = 0.75  # of the highest peak: a dip above is noise
PAIR_BYTES = 150  # of a pair of neighbours while it is counted


class PairDistribution(NamedTuple):
    """
    g(r) of species b around species a, (n_bins,), with its standard error; lengths in Angstrom.

    `first_peak` is where g is highest. `first_minimum` and `first_shell` (the number of b around a up to there) are NaN
    where g(r) shows no minimum within reach. `correlation` is that of consecutive blocks. What is NaN has its `reason`.
    """

    g: np.ndarray
    g_std: np.ndarray
    first_peak: float
    first_peak_std: float
    first_minimum: float
    first_minimum_std: float
    first_shell: float
    first_shell_std: float
    correlation: float
    reason: str


def kinds(replica: Replica, species: Sequence[str]) -> np.ndarray:
    """The place of each atom's element in `species`, (n_atoms,); len(species) for an element that is not there."""
    kind = np.full(replica.n_atoms, len(species))
    for k, name in enumerate(species):
        kind[replica.members(name)] = k
    return kind


def bins(replicas: Sequence[Replica], width: float, r_max: float) -> np.ndarray:
    """Edges in Angstrom, `width` apart, to r_max or to half the smallest width of the cells where that is less."""
    reach = min([r_max, *(replica.width / 2 for replica in replicas)]) if replicas else 0.0
    return np.arange(int(reach / width + 1e-9) + 1) * width


def check_memory(replica: Replica, r_max: float) -> None:
    """Raises ValueError where the pairs of atoms within r_max do not fit into the replica's memory."""
    per_A3 = PAIR_BYTES * replica.n_atoms**2 / 2 / replica.volume * 4 / 3 * np.pi
    if per_A3 * r_max**3 > replica.memory:
        raise ValueError(
            f"{replica.path}: the pairs of {replica.n_atoms} atoms within {r_max:.1f} A take "
            f"{per_A3 * r_max**3 / 1e6:.0f} MB; set rdf_max_A to {(replica.memory / per_A3) ** (1 / 3):.1f} or less, "
            "or raise memory_MB"
        )


def block_counts(replica: Replica, species: Sequence[str], edges: np.ndarray) -> np.ndarray:
    """
    Neighbours in each spherical shell between two edges (A), as means over blocks: (n_blocks, pair, n_bins).

    Pairs are those of combinations_with_replacement(species, 2): how many of the second around one of the first, NaN
    where there is none of the first. Raises ValueError as `check_memory` does.
    """
    from vesin import NeighborList

    check_memory(replica, edges[-1])
    kind, pairs = kinds(replica, species), list(combinations_with_replacement(range(len(species)), 2))
    row = np.full((len(species) + 1, len(species) + 1), len(pairs))  # the last row: atoms that nobody asked for
    for k, (a, b) in enumerate(pairs):
        row[a, b] = row[b, a] = k
    n_bins, shape = len(edges) - 1, (len(pairs) + 1, len(edges) - 1)
    stride = -(-replica.n_frames // MAX_FRAMES)
    n_frames = -(-replica.n_frames // stride)
    n_blocks = min(N_BLOCKS, n_frames)
    block = np.arange(n_frames) * n_blocks // n_frames
    counts = np.zeros((n_blocks, *shape))
    search = NeighborList(cutoff=edges[-1], full_list=False, n_threads=1)
    positions = (x for (piece,) in replica.frames("coordinates", stride=stride) for x in piece)
    for b, x in zip(block, positions, strict=True):
        i, j, distance = search.compute(x, replica.cell, True, "ijd")
        shell = np.minimum((distance / edges[1]).astype(np.int64), n_bins - 1)
        counts[b] += np.bincount(row[kind[i], kind[j]] * n_bins + shell, minlength=np.prod(shape)).reshape(shape)
    counts /= np.bincount(block)[:, None, None]
    ends = np.array([(1 + (a == b)) / max(1, np.sum(kind == a)) for a, b in pairs])
    return counts[:, :-1] * ends[:, None]


def band(blocks: np.ndarray, window: int = 1, at_least: float = 0.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """
    Mean over the consecutive blocks of independent replicas, its standard error, and the correlation of the blocks.

    blocks: (replica, block, ..., point); `window` points share one rho; the correlation (...) is its mean over points.
    Consecutive blocks are taken for an AR(1) process: the variance of their mean grows by (1 + rho) / (1 - rho), rho
    corrected for the mean that was subtracted (Marriott and Pope, Biometrika 1954, 41, 390), never below `at_least`.
    Replicas that disagree: `bands.combined`. The error is NaN where there are fewer than `FEW_BLOCKS` or the
    correlation is above `MAX_CORRELATION`.
    """
    from scipy.ndimage import uniform_filter1d

    n = blocks.shape[1]
    means = blocks.mean(axis=1)
    if n < FEW_BLOCKS:
        nan = np.full(means.shape[1:], np.nan)
        return means.mean(axis=0), nan, nan[..., 0]
    deviation = blocks - means[:, None]
    squares = (deviation**2).sum(axis=(0, 1))
    products = (deviation[:, 1:] * deviation[:, :-1]).sum(axis=(0, 1))
    width = min(window, squares.shape[-1])
    shared = uniform_filter1d(squares, width, axis=-1)
    raw = np.divide(uniform_filter1d(products, width, axis=-1), shared, out=np.zeros_like(shared), where=shared > 0)
    rho = np.clip((n * raw + 1) / (n - 4), at_least, 0.95) * (shared > 0)
    worth = (1 + rho) / (1 - rho) - 2 * rho * (1 - rho**n) / (n * (1 - rho) ** 2)  # n Var(mean) / Var(block)
    variance = squares / (len(blocks) * (n - worth)) * worth / n
    mean, std, _ = bands.combined(means, np.broadcast_to(variance, means.shape))
    correlation = rho.sum(axis=-1) / np.maximum(1, np.sum(shared > 0, axis=-1))
    return mean, np.where(correlation[..., None] > MAX_CORRELATION, np.nan, std), correlation


def pair_distribution(blocks: np.ndarray, ideal: np.ndarray, edges: np.ndarray) -> PairDistribution:
    """
    g(r) of one pair from its neighbours in each block (replica, block, n_bins) and those of an ideal gas
    (replica, n_bins), of the same density.
    """
    n_replicas, n_blocks, n_bins = blocks.shape
    g, g_std, correlation = band(blocks / ideal[:, None], window=max(1, round(POOLED / edges[1])))
    flat, total = blocks.reshape(-1, n_bins), blocks.sum(axis=(0, 1))
    places = first_shell(edges, total / len(flat), ideal.mean(axis=0))
    others = np.array([first_shell(edges, (total - one) / (len(flat) - 1), ideal.mean(axis=0)) for one in flat])
    pseudo = len(flat) * places - (len(flat) - 1) * others  # the jackknife's, in the order of time
    _, std, _ = band(pseudo.reshape(n_replicas, n_blocks, 3, 1), at_least=correlation)  # known better than theirs
    std, reason = std[:, 0], ""
    if not np.isfinite(others).all():
        places[1:], std[1:] = np.nan, np.nan
        reason = f"no certain first minimum of g(r) within {edges[-1]:.2f} A: take a larger cell or longer runs"
    elif not (np.isfinite(std).all() and np.isfinite(g_std).all()):
        reason = no_error(n_blocks)
    return PairDistribution(g, g_std, *np.column_stack([places, std]).ravel(), float(correlation), reason)


def no_error(n_blocks: int) -> str:
    """Why `band` gave none."""
    if n_blocks < FEW_BLOCKS:
        return f"{n_blocks} frames are too few for an error: {FEW_BLOCKS} are needed"
    return "no error: what is averaged changes as slowly as the run is long; run longer"


def vertex(y: np.ndarray, i: int) -> float:
    """The extremum of the parabola through the points i - 1, i, i + 1, as an index; i at an end or on a plateau."""
    if not 0 < i < len(y) - 1:
        return float(i)
    curvature = y[i - 1] - 2 * y[i] + y[i + 1]
    return i + 0.5 * (y[i - 1] - y[i + 1]) / curvature if curvature else float(i)


def first_shell(edges: np.ndarray, counts: np.ndarray, ideal: np.ndarray) -> np.ndarray:
    """
    (peak, minimum, neighbours): where g = counts / ideal is highest, its first minimum behind, how many up to there.

    Both are sought in a smoothed g. The minimum must be the lowest point of 0.4 A on either side and lie below 3/4 of
    the peak, or it is NaN; the coordination number comes from the counts as they are.
    """
    from scipy.ndimage import gaussian_filter1d

    width = edges[1]
    smooth = gaussian_filter1d(counts / ideal, SMOOTHING / width, mode="nearest")
    reach = max(1, round(WINDOW / width))
    peak = int(smooth.argmax())
    at_peak = (vertex(smooth, peak) + 0.5) * width
    for i in range(peak + 1, len(smooth) - reach):
        lowest = smooth[i] == smooth[max(peak, i - reach) : i + reach + 1].min()
        if lowest and smooth[i] < MIN_DEPTH * smooth[peak]:
            minimum = (vertex(smooth, i) + 0.5) * width
            number = np.interp(minimum, edges, np.concatenate([[0.0], counts.cumsum()]))
            return np.array([at_peak, minimum, number])
    return np.array([at_peak, np.nan, np.nan])


def undetermined(n_bins: int, reason: str) -> PairDistribution:
    """A gap: everything NaN but the reason."""
    nan = np.full(n_bins, np.nan)
    return PairDistribution(nan, nan, *[np.nan] * 7, reason=reason)
