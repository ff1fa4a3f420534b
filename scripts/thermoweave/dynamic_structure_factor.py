"""
Dynamic structure factors S(q, f) of number and charge density, from rho_q(t) of all frames by Welch's method.

Two-sided density in ps: its integral over all frequencies, negative ones included, is S(q), normalised as in
`structure_factor`. Van Hove, Phys. Rev. 1954, 95, 249. Free diffusion: 2 D q^2 / ((D q^2)^2 + (2 pi f)^2).

Quantum correction: a line shape, so the harmonic factor beta h f / (1 - exp(-beta h f)) of energy loss applies
(Ramirez, Lopez-Ciudad, Kumar, Marx, J. Chem. Phys. 2004, 121, 3973).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from ase import units

from thermoweave import structure_factor, welch
from thermoweave.replica import Replica

MAX_VECTORS = 12
SAME = 1e-3  # relative: lengths of wave vectors that count as one


class DynamicStructure(NamedTuple):
    """S(q, f) of number and charge with errors, (q, frequency) in ps; q: lengths of the wave vectors, 1/A."""

    q: np.ndarray
    number: np.ndarray
    number_std: np.ndarray
    charge: np.ndarray
    charge_std: np.ndarray


def nearest(cell: np.ndarray, wanted: float) -> tuple[float, np.ndarray]:
    """Length of the allowed wave vectors nearest to a wanted one (1/A), and at most `MAX_VECTORS` of them (k, 3)."""
    reach = wanted + 2 * np.pi / np.linalg.norm(cell, axis=1).min()
    planes = [plane for plane in structure_factor.allowed(cell, reach) if len(plane[0])]
    integers, length = (np.concatenate(parts) for parts in zip(*planes, strict=True))
    best = length[np.abs(length - wanted).argmin()]
    return float(best), integers[np.abs(length - best) < SAME * best][:MAX_VECTORS]


def collective(
    replica: Replica, groups: list[np.ndarray], charges: np.ndarray, integers: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Number and charge density of all frames at wave vectors (k, 3), each (frame, k), normalised as S(q)."""
    sizes = np.array([len(group) for group in groups])
    weights = np.stack([np.ones(len(groups)) / np.sqrt(sizes.sum()), charges / np.sqrt(max(sizes @ charges**2, 1e-9))])
    found = []
    for (pieces,) in replica.frames("coordinates"):
        for positions in pieces:
            rho = [structure_factor.densities(positions[g], replica.cell, integers, replica.memory) for g in groups]
            found.append(weights @ np.array(rho))
    number, charge = np.array(found).transpose(1, 0, 2)
    return number, charge


def segment_powers(density: np.ndarray, plan: welch.Plan) -> np.ndarray:
    """Two-sided power of a complex density (frame, k), averaged over signs of f and vectors: (segment, frequency)."""
    real, imaginary = plan.transforms(density.real), plan.transforms(density.imag)
    # the mean of |F(f)|^2 and |F(-f)|^2 of a complex series is the sum of its parts' powers: cross terms cancel
    return np.array([(np.abs(x) ** 2 + np.abs(y) ** 2).mean(axis=1) for x, y in zip(real, imaginary, strict=True)])


def dynamic(
    replicas: Sequence[Replica],
    groups: list[np.ndarray],
    charges: np.ndarray,
    wanted: Sequence[float],
    plan: welch.Plan,
    quantum_correction: str,
) -> DynamicStructure:
    """`DynamicStructure` of replicas at the allowed |q| nearest to the wanted ones (1/A); charges (species,) in e."""
    kT = units.kB * np.mean([replica.temperature.mean() for replica in replicas])
    factor = harmonic_correction(plan.frequency, kT) if quantum_correction == "harmonic" else 1.0
    lengths, results = [], []
    for q in wanted:
        length, integers = nearest(replicas[0].cell, q)
        series = [collective(replica, groups, charges, integers) for replica in replicas]
        for densities in zip(*series, strict=True):  # number, charge
            mean, error, _ = welch.mean(np.array([segment_powers(density, plan) for density in densities]))
            results.append((mean * factor, error * factor))
        lengths.append(length)
    found = np.array(results).reshape(len(wanted), 4, len(plan.frequency))  # mean and error of number, then of charge
    return DynamicStructure(np.array(lengths), *found.transpose(1, 0, 2))


def harmonic_correction(frequency: np.ndarray, kT: float) -> np.ndarray:
    """beta h f / (1 - exp(-beta h f)) for f >= 0 in THz and kT in eV; 1 at zero."""
    x = units._hplanck * 1e12 / units._e * frequency / kT
    return np.divide(x, -np.expm1(-x), out=np.ones_like(x), where=x > 0)


def undetermined(n_q: int) -> DynamicStructure:
    """A gap: no frequencies."""
    nothing = np.empty((n_q, 0))
    return DynamicStructure(np.full(n_q, np.nan), nothing, nothing, nothing, nothing)
