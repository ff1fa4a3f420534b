"""
The shell of neighbours around the ions of one species: how many of each kind, and how long they stay.

A neighbour is in contact from the first frame within the shell's radius to the last one before it is outside for longer
than a tolerance t*; shorter excursions are part of the contact (t* of Impey, Madden, McDonald, J. Phys. Chem. 1983,
87, 5071). A contact counts from the moment it has lasted t*: what leaves sooner only passed by. The exit rate is exits
over total time of such contact: the maximum likelihood estimate where the rate is constant. Only frames that are
further than t* from both ends of the run count: there age and excursions are known to be shorter or longer than t*, so
that neither the ends nor contacts that were there from the start bias anything.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from thermoweave import bands, structure
from thermoweave.replica import Replica

INTERVAL = 0.95
YOUNG, OLD = 0, 1  # contacts of less than t*, and of at least that


class Account(NamedTuple):
    """
    What was counted in one replica, in consecutive blocks of it.

    numbers: (block, species, n), the share of the centres that have n neighbours of a species; exits: (block, species,
    age), exposure: the same, time of contact in ps; age: `YOUNG`, `OLD`. No exposure at all where the run is too short.
    """

    numbers: np.ndarray
    exits: np.ndarray
    exposure: np.ndarray


class Residence(NamedTuple):
    """
    How long a contact goes on (ps): standard error, 95 % interval, or a one-sided 95 % lower bound, and the reason.

    `exits` and `exposure` (ps) are those of contacts that have lasted the tolerance. `dispersion`: variance of the
    exits over that of independent ones. `age_ratio`: exit rate of contacts younger than the tolerance over that of
    older ones, 1 for a constant rate; NaN where one of them had no exit.
    """

    time: float
    time_std: float
    lower: float
    upper: float
    bound: float
    exits: int
    exposure: float
    dispersion: float
    age_ratio: float
    age_ratio_std: float
    reason: str


class Stretch(NamedTuple):
    """What one frame adds: frames of contact, younger and older than t*, of each pair in the shell, and exits."""

    pairs: np.ndarray
    young: np.ndarray
    old: np.ndarray
    left: np.ndarray  # pairs
    left_old: np.ndarray  # bool: after a contact of at least t*


class Contacts:
    """
    Pairs in contact, followed through all frames of a run; the state is those that are in contact now.

    reach: frames from one in the shell to the next, at most: one more than may be missed. Only frames from `reach` on
    and up to `last_counted` count: there every excursion is known to be shorter or longer.
    """

    def __init__(self, reach: int, n_frames: int):
        self.reach, self.last_counted = reach, n_frames - 1 - reach
        self.pairs, self.first, self.last = np.empty((3, 0), np.int64)

    def advance(self, frame: int, pairs: np.ndarray) -> Stretch:
        """The next frame, with the sorted numbers of the pairs in the shell. Exits are those of `reach` frames ago."""
        place = np.searchsorted(self.pairs, pairs)
        known = np.append(self.pairs, -1)[place] == pairs
        first, since = np.full(len(pairs), frame), np.full(len(pairs), frame - 1)
        first[known], since[known] = self.first[place[known]], self.last[place[known]]
        self.last[place[known]] = frame
        gone = self.last <= frame - self.reach
        counted = self.reach <= frame - self.reach <= self.last_counted
        left, left_old = self.pairs[gone & counted], frame - self.reach - self.first[gone & counted] >= self.reach
        self._replace(gone, pairs[~known], frame)
        start, end = np.maximum(since + 1, self.reach), min(frame, self.last_counted)
        young = np.clip(np.minimum(end, first + self.reach - 1) - start + 1, 0, None)
        return Stretch(pairs, young, np.clip(end - start + 1, 0, None) - young, left, left_old)

    def _replace(self, gone: np.ndarray, new: np.ndarray, frame: int) -> None:
        if not (gone.any() or len(new)):
            return
        fresh = np.full(len(new), frame)
        state = zip((self.pairs, self.first, self.last), (new, fresh, fresh), strict=True)
        merged = np.stack([np.concatenate([old[~gone], added]) for old, added in state])
        self.pairs, self.first, self.last = merged[:, np.argsort(merged[0])]


def neighbours(i: np.ndarray, j: np.ndarray, distance: np.ndarray, kind: np.ndarray, centre: int, radii: np.ndarray):
    """(centres, their neighbours) among pairs of atoms: within the radius of the neighbour's kind, NaN for none."""
    a, b, d = np.concatenate([i, j]), np.concatenate([j, i]), np.concatenate([distance, distance])
    inside = (kind[a] == centre) & (d < radii[kind[b]])
    return a[inside].astype(np.int64), b[inside].astype(np.int64)


def follow(replica: Replica, species: Sequence[str], centre: str, radii: np.ndarray, tolerance: float) -> Account:
    """
    Count neighbours and follow contacts around all ions of `centre` through every frame.

    radii (species,) of the shells in A, NaN for a species without; tolerance in ps. Memory: one frame's pairs, the
    contacts that last, and n_atoms numbers for each block and species.
    """
    from vesin import NeighborList

    kind, n_kinds, core = structure.kinds(replica, species), len(species), list(species).index(centre)
    n_frames, n_atoms, members = replica.n_frames, replica.n_atoms, replica.members(centre)
    rank = np.zeros(n_atoms, np.int64)
    rank[members] = np.arange(len(members))
    n_blocks = min(structure.N_BLOCKS, n_frames)
    block = np.arange(n_frames) * n_blocks // n_frames
    numbers = np.zeros((n_blocks, n_kinds, n_atoms))
    exits, exposure = np.zeros((2, n_blocks, n_kinds, 2))
    contacts, limits = Contacts(reach(tolerance, replica.step), n_frames), np.append(radii, np.nan)
    search = NeighborList(cutoff=np.nanmax(radii), full_list=False, n_threads=1)
    positions = (x for (piece,) in replica.frames("coordinates") for x in piece)
    for frame, x in enumerate(positions):
        a, b = neighbours(*search.compute(x, replica.cell, True, "ijd"), kind, core, limits)
        found = np.bincount(rank[a] * n_kinds + kind[b], minlength=len(members) * n_kinds).reshape(-1, n_kinds)
        cells = np.arange(n_kinds) * n_atoms + found
        numbers[block[frame]] += np.bincount(cells.ravel(), minlength=n_kinds * n_atoms).reshape(n_kinds, n_atoms)
        once = (kind[b] != core) | (a < b)  # a pair of two centres is one contact
        found = contacts.advance(frame, np.sort(a[once] * n_atoms + b[once]))
        for age, frames in ((YOUNG, found.young), (OLD, found.old)):
            exposure[block[frame], :, age] += np.bincount(kind[found.pairs % n_atoms], frames, n_kinds) * replica.step
        if len(found.left):
            np.add.at(exits[block[frame - contacts.reach]], (kind[found.left % n_atoms], found.left_old.astype(int)), 1)
    return Account(numbers / (len(members) * np.bincount(block)[:, None, None]), exits, exposure)


def reach(tolerance: float, step: float) -> int:
    """Frames from one in the shell to the next, at most, where an excursion of up to `tolerance` ps is none."""
    return int(tolerance / step + 1e-6) + 1


def residence(exits: np.ndarray, exposure: np.ndarray) -> Residence:
    """
    From the exits and the exposure (ps) of one species, each (replica, block, age), see `Account`.

    The error is that of a Poisson count, widened by the scatter of exits minus rate times exposure between blocks and
    replicas where that is larger (for a constant rate these are a martingale: blocks are uncorrelated); the interval is
    Jeffreys' for a Poisson rate, of as many exits as the widened error leaves. No exit in T: bound T / ln 20.
    """
    from scipy.stats import gamma

    old_exits, old_exposure = exits[..., OLD], exposure[..., OLD]
    n, total = int(old_exits.sum()), float(old_exposure.sum())
    nan = np.full(4, np.nan).tolist()
    if n == 0:
        bound = total / -np.log(1 - INTERVAL) if total else np.nan
        reason = f"no exit in {total:.0f} ps of contact: it lasts longer than {bound:.3g} ps (95 %)"
        reason = reason if total else "no contact lasts as long as solvation.tolerance_ps: lower it"
        return Residence(*nan, bound, 0, total, *nan[:3], reason)
    excess = old_exits - n / total * old_exposure
    variance = excess.var(axis=1, ddof=1) / excess.shape[1]
    _, std, _ = bands.combined(excess.mean(axis=1)[:, None], variance[:, None])
    dispersion = float(np.maximum(1.0, (std[0] * excess.size) ** 2 / n))
    worth = n / dispersion
    tails = (1 + INTERVAL) / 2, (1 - INTERVAL) / 2
    lower, upper = (float(total / dispersion / gamma.ppf(tail, worth + 0.5)) for tail in tails)
    ratio = ratio_std = np.nan
    n_young = exits[..., YOUNG].sum()
    if n_young:
        ratio = float(n_young / exposure[..., YOUNG].sum() * total / n)
        ratio_std = float(ratio * np.sqrt(dispersion * (1 / n_young + 1 / n)))
    time = total / n
    return Residence(
        time, time / float(np.sqrt(worth)), lower, upper, np.nan, n, total, dispersion, ratio, ratio_std, ""
    )


def no_residence(reason: str) -> Residence:
    """A gap: NaN but the reason."""
    return Residence(*[np.nan] * 5, 0, *[np.nan] * 4, reason=reason)
