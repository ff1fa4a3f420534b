"""
Static structure factors on the wave vectors that the periodic cell allows.

Ashcroft and Langreth, Phys. Rev. 1967, 156, 685: S_ab(q) = Re <rho_a(q) rho_b*(q)> / sqrt(N_a N_b) with
rho_a(q) = sum exp(i q.r); an ideal gas has S_aa = 1 and S_ab = 0. Number: <|rho|^2> / N. Charge:
<|sum z exp(i q.r)|^2> / sum z^2. Averaged over vectors of nearly the same length and over at most `MAX_FRAMES` frames
of a replica, with errors from the correlation time of the frames and the scatter of the replicas.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations_with_replacement
from typing import NamedTuple

import numpy as np

from thermoweave import bands, statistics
from thermoweave.replica import Replica

BIN = 0.1  # 1/A
MAX_VECTORS = 30  # of a bin, taken at random where there are more
MAX_FRAMES = 500
SEED = 20040703  # of the choice of vectors: the same in each run


class StaticStructure(NamedTuple):
    """
    S(q) with errors at the centres q (1/A) of the bins: partial (pair, q), number (q,) and charge (q,).

    Pairs are those of `combinations_with_replacement`. NaN where no allowed vector falls into a bin.
    """

    q: np.ndarray
    partial: np.ndarray
    partial_std: np.ndarray
    number: np.ndarray
    number_std: np.ndarray
    charge: np.ndarray
    charge_std: np.ndarray


def allowed(cell: np.ndarray, q_max: float) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """
    Wave vectors up to q_max, one of each pair q and -q, plane by plane: integers (k, 3) and lengths (k,) in 1/A.

    q = 2 pi n . inv(cell)^T for integers n, cell (3, 3) with a lattice vector in each row, A.
    """
    reciprocal = 2 * np.pi * np.linalg.inv(cell).T
    reach = np.floor(q_max * np.linalg.norm(cell, axis=1) / (2 * np.pi)).astype(int)
    plane = np.stack(np.meshgrid(*[np.arange(-n, n + 1) for n in reach[1:]], indexing="ij"), axis=-1).reshape(-1, 2)
    later = (plane[:, 0] > 0) | ((plane[:, 0] == 0) & (plane[:, 1] > 0))
    for h in range(reach[0] + 1):
        half = plane if h else plane[later]
        integers = np.column_stack([np.full(len(half), h), half])
        length = np.linalg.norm(integers @ reciprocal, axis=1)
        inside = length <= q_max
        yield integers[inside], length[inside]


def chosen(cell: np.ndarray, q_max: float) -> tuple[np.ndarray, np.ndarray]:
    """At most `MAX_VECTORS` of the allowed vectors of each bin: integers (k, 3) and the index of their bin (k,)."""
    rng = np.random.default_rng(SEED)
    integers, bins, keys = np.empty((0, 3), int), np.empty(0, int), np.empty(0)
    n_bins = int(round(q_max / BIN))
    for plane, length in allowed(cell, n_bins * BIN):
        integers = np.concatenate([integers, plane])
        bins = np.concatenate([bins, np.minimum((length / BIN).astype(int), n_bins - 1)])
        keys = np.concatenate([keys, rng.random(len(plane))])
        order = np.lexsort((keys, bins))
        first = np.searchsorted(bins[order], np.arange(n_bins))
        kept = order[np.arange(len(order)) - first[bins[order]] < MAX_VECTORS]
        integers, bins, keys = integers[kept], bins[kept], keys[kept]
    return integers, bins


def densities(positions: np.ndarray, cell: np.ndarray, integers: np.ndarray, memory: float) -> np.ndarray:
    """
    Sum of exp(i q.r) over atoms for each wave vector, (k,): powers of three phases per atom, memory (bytes) bounded.

    positions (atom, 3) in A, wrapped or not; integers (k, 3) as in `allowed`.
    """
    fractional = positions @ np.linalg.inv(cell)
    tables, lowest = [], integers.min(axis=0)
    for axis in range(3):
        powers = np.arange(lowest[axis], integers[:, axis].max() + 1)
        tables.append(np.exp(2j * np.pi * np.outer(powers, fractional[:, axis])))  # power, atom
    found = np.empty(len(integers), complex)
    piece = max(1, int(memory / 4 / (3 * 16 * max(1, len(positions)))))
    for first in range(0, len(integers), piece):
        rows = (integers[first : first + piece] - lowest).T
        x, y, z = (table[row] for table, row in zip(tables, rows, strict=True))
        found[first : first + piece] = np.einsum("qa,qa,qa->q", x, y, z)
    return found


def replica_series(
    replica: Replica, groups: list[np.ndarray], charges: np.ndarray, integers: np.ndarray, bins: np.ndarray
) -> np.ndarray:
    """S of each frame, (frame, pairs and number and charge, bin): means over the vectors of a bin, NaN without any."""
    pairs = list(combinations_with_replacement(range(len(groups)), 2))
    sizes = np.array([len(group) for group in groups])
    n_bins, count = bins.max() + 1, np.bincount(bins)
    rows = []
    for (pieces,) in replica.frames("coordinates", stride=-(-replica.n_frames // MAX_FRAMES)):
        for positions in pieces:
            rho = np.array([densities(positions[group], replica.cell, integers, replica.memory) for group in groups])
            powers = [(rho[a] * rho[b].conj()).real / np.sqrt(max(1, sizes[a] * sizes[b])) for a, b in pairs]
            powers.append(np.abs(rho.sum(axis=0)) ** 2 / sizes.sum())
            powers.append(np.abs(charges @ rho) ** 2 / max(sizes @ charges**2, 1e-9))
            with np.errstate(invalid="ignore"):
                rows.append([np.bincount(bins, power, n_bins) / count for power in powers])
    return np.array(rows)


def static(replicas: Sequence[Replica], groups: list[np.ndarray], charges: np.ndarray, q_max: float) -> StaticStructure:
    """`StaticStructure` of replicas up to q_max (1/A); charges (species,) in e. See `fault`."""
    integers, bins = chosen(replicas[0].cell, q_max)
    means, errors = [], []
    for replica in replicas:
        series = replica_series(replica, groups, charges, integers, bins)
        flat = [statistics.correlated_mean(column) for column in series.reshape(len(series), -1).T]
        mean, error = np.array(flat).T.reshape(2, *series.shape[1:])
        means.append(mean)
        errors.append(error)
    mean, error, _ = bands.combined(np.array(means), np.array(errors) ** 2)
    q = BIN * (np.arange(mean.shape[1]) + 0.5)
    return StaticStructure(q, mean[:-2], error[:-2], mean[-2], error[-2], mean[-1], error[-1])


def fault(replica: Replica, q_max: float) -> str:
    """Why there is no structure factor up to q_max; "" where there is."""
    smallest = 2 * np.pi / np.linalg.norm(replica.cell, axis=1).max()
    if any(len(length) for _, length in allowed(replica.cell, q_max)):
        return ""
    return f"the cell allows no wave vector up to {q_max:g} 1/A, only from about {smallest:.2f} on: raise q_max_per_A"


def undetermined(n_pairs: int) -> StaticStructure:
    """A gap: no wave vectors."""
    pairs, nothing = np.empty((n_pairs, 0)), np.empty(0)
    return StaticStructure(nothing, pairs, pairs, nothing, nothing, nothing, nothing)
