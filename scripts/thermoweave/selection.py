"""Which frames of the walks to label next: uncertain, mutually different, sane, apart in time, and where the need is.

Each doubtful frame is a vector, the environments of its atoms weighted by how far the committee disagrees on them, so
that two frames are alike where they are doubtful for the same reason. Frames are taken one after the other, always the
one with most expected error that those before do not explain (greedy maximum of a determinant: D. Holzmueller et al.,
J. Mach. Learn. Res. 24, 164 (2023), "MaxDet"), while its condition has places left.
"""

from collections.abc import Sequence

import numpy as np
from ase import Atoms

from thermoweave.potentials.wall import pairs

CUTOFF, WIDTH = 5.0, 0.4  # A, of an atom's environment and of the Gaussians that describe it
CENTRES = np.arange(1.5, CUTOFF, WIDTH)  # A


def environments(atoms: Atoms, species: Sequence[str]) -> np.ndarray:
    """Radial density of each species around each atom: (atoms, species * centres), smooth to zero at the cutoff."""
    i, j, d, _ = pairs(atoms, CUTOFF)
    shells = np.exp(-0.5 * ((d[:, None] - CENTRES) / WIDTH) ** 2) * (0.5 + 0.5 * np.cos(np.pi * d / CUTOFF))[:, None]
    kind = np.array([species.index(symbol) for symbol in atoms.symbols])
    found = np.zeros((len(atoms), len(species), len(CENTRES)))
    np.add.at(found, (i, kind[j]), shells)
    np.add.at(found, (j, kind[i]), shells)
    return found.reshape(len(atoms), -1)


def descriptor(atoms: Atoms, species: Sequence[str]) -> np.ndarray:
    """Mean environment of each species, an atom's weight its share of the committee's squared deviation, which the
    frame carries as the array `deviation`; species times the length of an environment.
    """
    weights = atoms.arrays["deviation"] ** 2
    weights = weights / weights.sum()
    around = environments(atoms, species)
    return np.concatenate([weights[atoms.symbols == s] @ around[atoms.symbols == s] for s in species])


def places(needs: dict[str, float], available: dict[str, int], n: int) -> dict[str, int]:
    """Shares of `n` places in proportion to need, none more than it has frames (D'Hondt: each place goes to the highest
    need over places so far plus one).
    """
    given = dict.fromkeys(needs, 0)
    for _ in range(n):
        open_ = [key for key in given if given[key] < available.get(key, 0) and needs[key] > 0]
        if not open_:
            break
        given[max(open_, key=lambda key: needs[key] / (given[key] + 1))] += 1
    return given


def most_different(
    vectors: np.ndarray, errors: np.ndarray, walks: np.ndarray, times: np.ndarray, room: dict[str, int],
    spacing_ps: float,
) -> list[int]:  # fmt: skip
    """Indices of the frames to label, greedily: errors^2 is the prior variance of a Gaussian process with a squared
    exponential kernel over `vectors` (frames, features), as long as their median distance; the frame with the largest
    variance left is taken, and what it explains of the others is taken off theirs.

    walks, times (ps): where each frame is from; room: places of each walk; frames of a walk nearer than `spacing_ps` to
    a chosen one are passed over.
    """
    some = vectors[:: max(1, len(vectors) // 300)]
    distances = np.linalg.norm(some[:, None] - some, axis=-1)
    length = np.median(distances[distances > 0]) if (distances > 0).any() else 1.0
    left, factors, chosen = errors**2, np.zeros((0, len(errors))), []
    room, possible = dict(room), np.array([room.get(name, 0) > 0 for name in walks])
    while possible.any():
        best = int(np.argmax(np.where(possible, left, -1)))
        if left[best] <= 1e-9 * errors[best] ** 2:
            break  # what is left is the same as what was chosen
        chosen.append(best)
        kernel = errors[best] * errors * np.exp(-0.5 * (np.linalg.norm(vectors - vectors[best], axis=1) / length) ** 2)
        factor = (kernel - factors[:, best] @ factors) / np.sqrt(left[best])
        factors, left = np.vstack([factors, factor]), np.maximum(left - factor**2, 0)
        room[walks[best]] -= 1
        possible &= apart(walks, times, best, spacing_ps)
        possible &= (walks != walks[best]) | (room[walks[best]] > 0)
    return chosen


def at_random(
    walks: np.ndarray, times: np.ndarray, n: int, spacing_ps: float, rng: np.random.Generator
) -> list[int]:  # fmt: skip
    """Indices of `n` frames, or fewer where there are no more: one walk after the other, in random order."""
    order = rng.permutation(len(walks))
    names = [str(name) for name in rng.permutation(sorted(set(walks)))]
    possible, chosen = np.full(len(walks), True), []
    while len(chosen) < n and possible.any():
        for name in names:
            there = [k for k in order if possible[k] and walks[k] == name]
            if there and len(chosen) < n:
                chosen.append(int(there[0]))
                possible &= apart(walks, times, chosen[-1], spacing_ps)
    return chosen


def apart(walks: np.ndarray, times: np.ndarray, chosen: int, spacing_ps: float) -> np.ndarray:
    """Which frames are of another walk than the chosen one, or at least `spacing_ps` from it."""
    far = np.abs(times - times[chosen]) >= max(spacing_ps, 1e-6) - 1e-9
    return (walks != walks[chosen]) | far
