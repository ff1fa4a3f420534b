"""
Spectrum of the electric current: frequency-dependent conductivity and infrared absorption.

J = e sum z_i (v_i - v_cm), in the frame of the centre of mass of all atoms. Green and Kubo:
Re sigma(f) = S_J(f) / (6 V kB T), S_J the two-sided power spectrum of J, summed over x, y, z (Hansen and McDonald,
Theory of Simple Liquids, ch. 10). Its integral over f >= 0 obeys the sum rule
e^2 / (4 V) (sum z_i^2 / m_i - (sum z_i)^2 / M), interactions or not: a check of units, charges and sampling.

Infrared absorption: alpha(f) n(f) = Re sigma(f) / (epsilon_0 c) with Born effective charges in place of formal ones
(Thomas, Brehm, Fligg, Voehringer, Kirchner, Phys. Chem. Chem. Phys. 2013, 15, 6608, eq. 6).

Quantum correction: both are response functions. The harmonic correction of the line shape,
beta h f / (1 - exp(-beta h f)), and the quantum prefactor of the response, (1 - exp(-beta h f)) / (beta h f), cancel:
the classical formula is the harmonically corrected one, and the only one that keeps the fluctuation-dissipation
theorem (Ramirez, Lopez-Ciudad, Kumar, Marx, J. Chem. Phys. 2004, 121, 3973) and the sum rule.
"""

from collections.abc import Sequence
from itertools import combinations_with_replacement
from typing import NamedTuple

import numpy as np
from ase import units

from thermoweave import bands, spectra, statistics, welch
from thermoweave.replica import Replica

SIEMENS_PER_M = units._e * 1e22  # 1 e^2 / (A ps eV)
PER_CM_PER_SIEMENS = units._mu0 * units._c * 0.01  # 1 / (epsilon_0 c) = mu_0 c: S/m to 1/cm


class Conductivity(NamedTuple):
    """
    Re sigma (frequency,) and its parts (pair, frequency) with errors, in S/m; the integral over that of the sum rule.

    Pairs are those of `combinations_with_replacement`; unlike ones hold both orders, so that the parts add up.
    """

    total: np.ndarray
    total_std: np.ndarray
    partial: np.ndarray
    partial_std: np.ndarray
    sum_rule: float
    sum_rule_std: float


def cross_powers(flow: np.ndarray, plan: welch.Plan) -> np.ndarray:
    """Real cross spectra of the flows (species, frame, 3) of species pairs: (segment, pair, frequency), A^2/ps."""
    pairs = list(combinations_with_replacement(range(len(flow)), 2))
    power = np.empty((plan.n_segments, len(pairs), len(plan.frequency)))
    for row, transform in zip(power, plan.transforms(flow.transpose(1, 0, 2)), strict=True):
        for p, (a, b) in enumerate(pairs):
            row[p] = np.sum(transform[:, a] * transform[:, b].conj(), axis=1).real
    return power


def conductivity(
    replicas: Sequence[Replica],
    motions: list[spectra.Motion],
    charges: np.ndarray,
    groups: list[np.ndarray],
    plan: welch.Plan,
) -> Conductivity:
    """`Conductivity` of replicas from their motions; charges (species,) in e, groups: the atoms of each species."""
    a, b = np.array(list(combinations_with_replacement(range(len(groups)), 2))).T
    weight = np.where(a == b, 1.0, 2.0) * charges[a] * charges[b]
    kT = units.kB * np.mean([replica.temperature.mean() for replica in replicas])
    to_SI = SIEMENS_PER_M / (6 * np.mean([replica.volume for replica in replicas]) * kT)
    powers = to_SI * np.array([cross_powers(motion.flow, plan) for motion in motions])
    own = powers.mean(axis=(0, 1))[a == b]
    partial, partial_std, _ = welch.mean(powers * weight[:, None], np.abs(weight)[:, None] * np.sqrt(own[a] * own[b]))
    total, total_std, _ = welch.mean(np.einsum("p,rspf->rsf", weight, powers))
    expected = 3 * kT / spectra.AMU_A2_PS2 * inverse_mass(charges, groups, replicas[0].masses)
    currents = [np.einsum("s,sfd->fd", charges, motion.flow) for motion in motions]
    means, errors = np.array([statistics.correlated_mean(np.sum(J**2, axis=1)) for J in currents]).T
    _, error, _ = bands.combined(means[:, None], errors[:, None] ** 2)
    ratio = 2 * plan.integral(total) / to_SI / expected
    return Conductivity(total, total_std, partial, partial_std, float(ratio), float(error[0] / expected))


def inverse_mass(charges: np.ndarray, groups: list[np.ndarray], masses: np.ndarray) -> float:
    """Sum of z^2 / m over all atoms less (sum z)^2 / M, 1/amu: what the centre of mass at rest leaves of it."""
    total = sum(z * len(group) for z, group in zip(charges, groups, strict=True))
    own = sum(z**2 * np.sum(1 / masses[group]) for z, group in zip(charges, groups, strict=True))
    return float(own - total**2 / masses.sum())


def fault(species: list[str], groups: list[np.ndarray], charges: dict[str, float]) -> str:
    """Why there is no current; "" where each species that has atoms has one, and not all of them are zero."""
    unknown = [name for name, group in zip(species, groups, strict=True) if len(group) and name not in charges]
    if unknown:
        return f"no charge for {' '.join(unknown)}: name it in the config"
    charged = any(charges[name] for name, group in zip(species, groups, strict=True) if len(group))
    return "" if charged else "no species that is there has a charge"


def undetermined(n_pairs: int, n_frequencies: int) -> Conductivity:
    """A gap."""
    total, partial = np.full(n_frequencies, np.nan), np.full((n_pairs, n_frequencies), np.nan)
    return Conductivity(total, total, partial, partial, np.nan, np.nan)
