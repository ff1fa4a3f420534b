"""From a concentration and a temperature to the atoms and the volume of a cell.

A campaign's composition is a mixture of neutral formula units whose amounts are linear in the concentration x:
``{"LiCl": [1, 0], "KCl": [0, 1]}`` reads "1 at x = 0 and 0 at x = 1 for LiCl, the reverse for KCl".
"""

from collections import Counter

from ase.data import atomic_masses, atomic_numbers
from ase.formula import Formula
from ase.units import _Nav

CM3_TO_A3 = 1e24


def amounts(composition: dict[str, list[float]], concentration: str) -> dict[str, float]:
    """Amount of each formula unit per mole of mixture, at a concentration written as the user wrote it."""
    x = float(concentration)
    return {unit: at0 + (at1 - at0) * x for unit, (at0, at1) in composition.items()}


def unit_counts(composition: dict[str, list[float]], concentration: str, n_units: int) -> dict[str, int]:
    """Whole numbers of formula units nearest to the amounts, `n_units` in all (largest remainders win).

    Raises ValueError for a negative amount, which means that the concentration lies outside [0, 1].
    """
    shares = amounts(composition, concentration)
    total = sum(shares.values())
    for unit, share in shares.items():
        if share < 0:
            raise ValueError(f"concentration {concentration} gives {share:g} of {unit}: amounts must not be negative")
    exact = {unit: share / total * n_units for unit, share in shares.items()}
    counts = {unit: int(value + 1e-9) for unit, value in exact.items()}
    by_remainder = sorted(exact, key=lambda unit: counts[unit] - exact[unit])
    for unit in by_remainder[: n_units - sum(counts.values())]:
        counts[unit] += 1
    return counts


def atom_counts(units: dict[str, int]) -> dict[str, int]:
    """Number of atoms of each species in a set of formula units."""
    total: Counter[str] = Counter()
    for unit, n in units.items():
        for species, m in Formula(unit).count().items():
            total[species] += m * n
    return dict(total)


def realised_shares(units: dict[str, int]) -> dict[str, float]:
    """Mole fraction of each formula unit that a finite cell really has."""
    n = sum(units.values())
    return {unit: count / n for unit, count in units.items()}


def molar_mass(unit: str) -> float:
    """g/mol of a formula unit."""
    return sum(atomic_masses[atomic_numbers[s]] * m for s, m in Formula(unit).count().items())


def cell_volume(units: dict[str, int], concentration: str, temperature: str, density: dict) -> float:
    """Volume in A^3 of a cell that holds `units`, from the campaign's density rule.

    `density["rule"]` is one of

    additive_volumes
        molar volumes of the pure liquids add; ``coefficients: {unit: [a, b]}`` with rho = a + b T in g/cm^3, T in K.
    table
        ``coefficients: {concentration: [a, b]}`` with rho = a + b T of the mixture itself, one entry a concentration.
    """
    t = float(temperature)
    mass = sum(n * molar_mass(unit) for unit, n in units.items())
    if density["rule"] == "additive_volumes":
        molar = sum(n * molar_mass(unit) / _linear(density["coefficients"][unit], t) for unit, n in units.items())
    else:
        molar = mass / _linear(density["coefficients"][concentration], t)
    return molar / _Nav * CM3_TO_A3


def _linear(coefficients: list[float], temperature: float) -> float:
    a, b = coefficients
    rho = a + b * temperature
    if rho <= 0:
        raise ValueError(f"the density rule {a:g} + {b:g} T gives {rho:g} g/cm^3 at {temperature:g} K")
    return rho
