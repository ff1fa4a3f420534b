"""
Error budgets: where the bar of a logarithm of a transport coefficient, or of an activation energy, comes from.

What runs scatter is taken apart by an analysis of variance: what their own length explains (sampling), what replicas of
one potential differ beyond that, and what potentials trained with different seeds differ beyond that (committee). The
moments are pooled over the temperatures of a concentration (Searle, Casella, McCulloch, Variance Components, 1992,
chapter 3). Systematic errors stand beside them: labels that are not converged, the size of the cell, the form of a fit.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from ase.units import kB

LINES = ("sampling", "replica", "committee", "label", "size", "form")
NAMES = {
    "sampling": "length of the runs",
    "replica": "replicas differ",
    "committee": "potentials differ",
    "label": "labels not converged",
    "size": "size of the cell",
    "form": "form of the fit",
}


class Components(NamedTuple):
    """Variances of one run: between replicas of one potential and between potentials; NaN where nothing tells."""

    replica: float
    committee: float


class Budget(NamedTuple):
    """Standard errors by line (NaN: unknown), why a line is unknown, and the total in quadrature of those known."""

    lines: dict[str, float]
    unknown: dict[str, str]
    total: float


def components(values: np.ndarray, sampling: np.ndarray, seeds: Sequence[str]) -> Components:
    """
    Variance components beyond sampling, by moments, pooled over the first axis.

    values: (condition, replica), NaN where a run gave none; sampling: (condition,), variance of one run from its own
    length; seeds: the potential of each replica. A component is at least 0.
    """
    seeds = np.asarray(seeds)
    within = between = within_dof = between_dof = between_weight = within_expected = between_expected = 0.0
    for row, variance in zip(values, sampling, strict=True):
        there = np.isfinite(row) & np.isfinite(variance)
        groups = [row[there & (seeds == seed)] for seed in dict.fromkeys(seeds)]
        groups = [group for group in groups if len(group)]
        sizes = np.array([len(group) for group in groups], float)
        n = sizes.sum()
        if n < 2:
            continue
        mean = row[there].mean()
        within += sum(((group - group.mean()) ** 2).sum() for group in groups)
        within_dof += n - len(groups)
        within_expected += (n - len(groups)) * variance
        between += sum(len(group) * (group.mean() - mean) ** 2 for group in groups)
        between_dof += len(groups) - 1
        between_weight += n - (sizes**2).sum() / n
        between_expected += (len(groups) - 1) * variance
    replica = max(0.0, (within - within_expected) / within_dof) if within_dof else np.nan
    expected = between_expected + between_dof * np.nan_to_num(replica)
    committee = max(0.0, (between - expected) / between_weight) if between_dof else np.nan
    return Components(float(replica), float(committee))


def slope_weights(temperature: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """Weights (n,) that make of ln X at temperatures (K) the activation energy (eV) of a fit with these variances."""
    beta = 1 / (kB * temperature)
    design = np.column_stack([np.ones_like(beta), beta - beta.mean()]) / np.sqrt(variance)[:, None]
    return -np.linalg.pinv(design)[1] / np.sqrt(variance)


def budget(variances: dict[str, float], unknown: dict[str, str]) -> Budget:
    """A budget from variances by line (NaN: unknown) and the reasons of those that are unknown."""
    lines = {line: float(np.sqrt(variances[line])) for line in LINES}
    total = float(np.sqrt(np.nansum([variances[line] for line in LINES])))
    return Budget(lines, {line: unknown[line] for line in LINES if np.isnan(lines[line])}, total)


def counted(n_replicas: int, seeds: Sequence[str]) -> dict[str, str]:
    """Why the scatter of some replicas cannot tell a line, and what would."""
    n_seeds = len(set(seeds))
    reasons = {}
    if n_replicas == n_seeds:
        reasons["replica"] = "one run of each potential: raise replicas" if n_seeds > 1 else "one run: raise replicas"
    if n_seeds == 1:
        reasons["committee"] = "one potential: add train.seeds"
    return reasons


class Gain(NamedTuple):
    """What the next core-hours do best: how, the share of the variance that it takes away, the core-hours it takes."""

    how: str
    saved: float
    hours: float


def best_gain(
    temperatures: Sequence[str], contributions: np.ndarray, n_replicas: np.ndarray, hours: np.ndarray,
    committee: float, n_seeds: int, seed_hours: float, total: float,
) -> Gain:  # fmt: skip
    """
    Another replica at a temperature, or another potential with a replica at each: which takes most off the variance an
    hour.

    contributions (n,): of each temperature's runs to the variance; n_replicas (n,): runs there; hours (n,): core-hours
    of one; committee: its variance, NaN where unknown; seed_hours: of training one potential; total: all variance.
    """
    saved = contributions / (n_replicas + 1) / total
    best = int(np.argmax(saved / hours))
    gains = [Gain(f"another replica at {temperatures[best]} K", float(saved[best]), float(hours[best]))]
    if np.isfinite(committee):
        all_saved, all_hours = committee / (n_seeds + 1) / total + saved.sum(), seed_hours + hours.sum()
        gains.append(Gain("another potential (train.seeds), a replica at each temperature", all_saved, all_hours))
    return max(gains, key=lambda gain: gain.saved / gain.hours)
