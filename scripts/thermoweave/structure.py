"""
Radial distribution functions and coordination numbers of each pair of species, with errors from blocks.

Distances follow the minimum image convention, which is exact up to half the smallest width of the cell: that is where
g(r) ends. Ideal gas: g = 1 for every pair, also in a small cell, because an atom is not counted as its own neighbour.
"""

from typing import NamedTuple

import numpy as np

from thermoweave import statistics

N_BLOCKS = 5  # in each replica
MAX_FRAMES = 500  # of each replica: neighbouring frames say the same
SMOOTHING = 0.1  # Angstrom: Gaussian width for finding the first minimum, and nothing else
WINDOW = 0.4  # Angstrom: a minimum is the lowest point of that much on either side
MIN_DEPTH = 0.75  # of the highest peak: a dip above is noise


class PairDistribution(NamedTuple):
    """
    g(r) of species b around species a, (n_bins,), with its standard error; lengths in Angstrom.

    `first_peak` is where g is highest. `first_minimum` and `first_shell` (the number of b around a up to there) are NaN
    where g(r) shows no minimum within reach, with the `reason`.
    """

    r: np.ndarray
    g: np.ndarray
    g_std: np.ndarray
    first_peak: float
    first_peak_std: float
    first_minimum: float
    first_minimum_std: float
    first_shell: float
    first_shell_std: float
    reason: str


def half_width(cells: np.ndarray) -> float:
    """Half the smallest distance between opposite faces of the cells (..., 3, 3), in Angstrom."""
    return 0.5 / np.linalg.norm(np.linalg.inv(cells), axis=-2).max()


def pair_counts(positions: np.ndarray, cells: np.ndarray, a: np.ndarray, b: np.ndarray, edges: np.ndarray):
    """
    Neighbours of kind b in each spherical shell around an atom of kind a, per frame: (frame, n_bins).

    positions (frame, atom, 3), cells (frame, 3, 3) in Angstrom; a, b: indices of atoms; edges (n_bins + 1,), evenly
    spaced and not beyond `half_width`. An atom is not its own neighbour.
    """
    counts = np.empty((len(positions), len(edges) - 1))
    other = a[:, None] != b[None, :]
    for row, frame, cell in zip(counts, positions, cells, strict=True):
        fractional = (frame[a][:, None] - frame[b][None, :])[other] @ np.linalg.inv(cell)
        distance = np.linalg.norm((fractional - fractional.round()) @ cell, axis=1)
        row[:] = np.histogram(distance, bins=edges)[0] / len(a)
    return counts


def blocks_of_counts(replicas: list[tuple], a: np.ndarray, b: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """`pair_counts` of replicas [(positions, cells), ...], averaged over blocks: (n_replicas * N_BLOCKS, n_bins)."""
    blocks = []
    for positions, cells in replicas:
        stride = -(-len(positions) // MAX_FRAMES)
        counts = pair_counts(positions[::stride], cells[::stride], a, b, edges)
        blocks.append(statistics.block_means(counts, min(N_BLOCKS, len(counts))))
    return np.concatenate(blocks)


def pair_distribution(replicas: list[tuple], a: np.ndarray, b: np.ndarray, edges: np.ndarray) -> PairDistribution:
    """g(r) of the atoms b around the atoms a from the replicas' [(positions, cells), ...], see `pair_counts`."""
    volume = np.mean([np.abs(np.linalg.det(cells)).mean() for _, cells in replicas])
    partners = len(b) - len(np.intersect1d(a, b)) / len(a)
    ideal = partners / volume * 4 / 3 * np.pi * np.diff(edges**3)
    blocks = blocks_of_counts(replicas, a, b, edges)
    g, g_std = statistics.mean_of_blocks(blocks / ideal)

    def shell(counts: np.ndarray) -> np.ndarray:
        return first_shell(edges, counts, ideal)

    (peak, minimum, number), (peak_std, minimum_std, number_std) = statistics.jackknife(blocks, shell)
    reason = ""
    if not np.isfinite(minimum_std):  # absent, at least from one of the subsets
        minimum = number = number_std = np.nan
        reason = f"no certain first minimum of g(r) within {edges[-1]:.2f} A"
    r = (edges[1:] + edges[:-1]) / 2
    return PairDistribution(r, g, g_std, peak, peak_std, minimum, minimum_std, number, number_std, reason)


def first_shell(edges: np.ndarray, counts: np.ndarray, ideal: np.ndarray) -> np.ndarray:
    """
    (peak, minimum, neighbours): where g = counts / ideal is highest, its first minimum behind, how many up to there.

    Both are sought in a smoothed g. The minimum must be the lowest point of 0.4 A on either side and lie below 3/4 of
    the peak, or it is NaN; the coordination number comes from the counts as they are.
    """
    from scipy.ndimage import gaussian_filter1d

    width = edges[1] - edges[0]
    centres = (edges[1:] + edges[:-1]) / 2
    smooth = gaussian_filter1d(counts / ideal, SMOOTHING / width, mode="nearest")
    reach = max(1, round(WINDOW / width))
    peak = int(smooth.argmax())
    for i in range(peak + 1, len(smooth) - reach):
        lowest = smooth[i] == smooth[max(peak, i - reach) : i + reach + 1].min()
        if lowest and smooth[i] < MIN_DEPTH * smooth[peak]:
            number = np.interp(centres[i], edges, np.concatenate([[0.0], counts.cumsum()]))
            return np.array([centres[peak], centres[i], number])
    return np.array([centres[peak], np.nan, np.nan])


def undetermined(r: np.ndarray, reason: str) -> PairDistribution:
    """A gap: everything NaN but the distances and the reason."""
    nan = np.full(len(r), np.nan)
    return PairDistribution(r, nan, nan, *[np.nan] * 6, reason=reason)
