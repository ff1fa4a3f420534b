"""Where rejected labels cluster: a concentration, a temperature or a condition with more than chance would put there.

A *condition* is a pair (concentration, temperature); a *group* is all conditions of one concentration or of one
temperature, or a condition alone. Counts are `{condition: (structures, rejected)}`.
"""

from functools import lru_cache
from itertools import accumulate
from math import comb
from typing import NamedTuple

import numpy as np

# Random campaigns that a p is counted in; no p is below 1 / (N_DRAWS + 1).
N_DRAWS = 9999

Condition = tuple[str, str]
Counts = dict[Condition, tuple[int, int]]


class Cluster(NamedTuple):
    """`rejected` of the `structures` of a group, against `rejected_elsewhere` of the `structures_elsewhere`.

    name: "x0.25", "T900" or "x0.25/T900". p_alone: chance of so many rejections in this group if they fall at random.
    p: chance that then some group, whichever, looks as bad.
    """

    name: str
    conditions: frozenset[Condition]
    structures: int
    rejected: int
    structures_elsewhere: int
    rejected_elsewhere: int
    p_alone: float
    p: float


def clusters(counts: Counts, significance: float) -> list[Cluster]:
    """The groups to blame, worst first; an empty list where rejections are spread as chance spreads them.

    The worst group is named if its p is at or below `significance`; its structures are set aside and the rest is looked
    at in the same way. The worst group is the narrowest honest description: where one condition has all rejections, its
    concentration dilutes them and looks better; where a concentration is rejected at all its temperatures, each of its
    conditions alone looks better. After these come, whatever their p, groups that were sent structures and got not one
    label, concentrations first, unless what is already named covers them.

    Random rejections get a group named by its p with a chance of at most `significance` (see `compared`).
    """
    rest, found = dict(counts), []
    while (worst := most_clustered(rest)) and worst.p <= significance:
        found.append(worst)
        rest = {condition: count for condition, count in rest.items() if condition not in worst.conditions}
    named = set(counts) - set(rest)
    for cluster in compared(counts):
        if cluster.rejected == cluster.structures and not cluster.conditions <= named:
            found.append(cluster)
            named |= cluster.conditions
    return found


def most_clustered(counts: Counts) -> Cluster | None:
    """The group that looks worst; None without a rejection."""
    return min(compared(counts), key=lambda cluster: cluster.p_alone, default=None)


def compared(counts: Counts) -> list[Cluster]:
    """Every group with a rejection against all other structures: concentrations, temperatures, conditions.

    How bad a group looks is Fisher's exact one-sided p (J. R. Stat. Soc. 1935, 98, 39). Many groups are looked at, and
    they overlap, so that p is compared with its smallest value over all groups in random campaigns, in which the
    rejections are dealt out anew among all structures (Westfall and Young, Resampling-Based Multiple Testing, 1993;
    never 0: Phipson and Smyth, Stat. Appl. Genet. Mol. Biol. 2010, 9, 39). This is exact for any sizes; Bonferroni's
    correction spends a fifth of its level on groups as small and overlapping as these (docs/methods.md).
    """
    if not any(k for _, k in counts.values()):
        return []
    total, total_rejected = (sum(column) for column in zip(*counts.values(), strict=True))
    named = groups(counts)
    position = {condition: index for index, condition in enumerate(counts)}
    members = tuple(tuple(sorted(position[condition] for condition in group)) for group in named.values())
    null = smallest_tails(tuple(n for n, _ in counts.values()), total_rejected, members)
    result = []
    for name, conditions in named.items():
        n, k = (sum(counts[condition][column] for condition in conditions) for column in (0, 1))
        if k:
            alone = hypergeometric_tails(total, total_rejected, n)[k]
            p = (1 + int(np.searchsorted(null, alone, "right"))) / (N_DRAWS + 1)
            result.append(Cluster(name, conditions, n, k, total - n, total_rejected - k, alone, p))
    return result


@lru_cache
def smallest_tails(sizes: tuple[int, ...], total_rejected: int, members: tuple[tuple[int, ...], ...]) -> np.ndarray:
    """How bad the worst group looks in each of N_DRAWS random campaigns, in ascending order: (N_DRAWS,).

    sizes: structures of each condition; members: positions in it of each group's conditions. The same campaigns each
    time: an audit that runs again says the same.
    """
    drawn = np.random.default_rng(0).multivariate_hypergeometric(sizes, total_rejected, size=N_DRAWS)
    smallest = np.ones(N_DRAWS)
    for group in members:
        tails = hypergeometric_tails(sum(sizes), total_rejected, sum(sizes[index] for index in group))
        np.minimum(smallest, np.array(tails)[drawn[:, group].sum(axis=1)], out=smallest)
    return np.sort(smallest)


def groups(counts: Counts) -> dict[str, frozenset[Condition]]:
    """Concentrations, temperatures, then conditions; where two hold the same structures, the first of them."""
    named: dict[str, set[Condition]] = {}
    for template in ("{0}", "{1}", "{0}/{1}"):
        for condition in counts:
            named.setdefault(template.format(*condition), set()).add(condition)
    distinct: dict[str, frozenset[Condition]] = {}
    for name, conditions in named.items():
        if conditions not in distinct.values():
            distinct[name] = frozenset(conditions)
    return distinct


@lru_cache
def hypergeometric_tails(total: int, total_rejected: int, n: int) -> tuple[float, ...]:
    """Chance of k or more of `total_rejected` among `n` of `total` structures drawn without replacement, k = 0 to n."""
    ways = [comb(n, k) * comb(total - n, total_rejected - k) if k <= total_rejected else 0 for k in range(n + 1)]
    all_ways = comb(total, total_rejected)
    return tuple(tail / all_ways for tail in reversed(list(accumulate(reversed(ways)))))
