"""How far labels are from converged: the same structures at several levels of theory, differences with intervals.

Structures are the independent samples (the atoms of one structure are not), and there is a handful of them. Every
interval holds 68 % as one standard error would, and is wider by what so few structures leave open: Student's t where
it is a mean, chi squared where it is a spread. A level is compared with the reference, whose own error is unknown.
"""

import math
from collections import Counter
from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.units import GPa

SHARE = math.erf(math.sqrt(0.5))  # of the probability that an interval holds: 0.6827, one standard deviation
ASKED = "asked"  # the level of theory of the campaign itself


@dataclass
class Interval:
    """An estimate with the ends of its 68 % interval."""

    value: float
    low: float
    high: float

    def scaled(self, factor: float) -> "Interval":
        return Interval(self.value * factor, self.low * factor, self.high * factor)


def changed(settings: dict, changes: dict) -> dict:
    """A labeller's settings with what a level changes; a mapping (pwscf's `system`, ase's `arguments`) key by key."""
    merged = {
        key: {**settings[key], **value} if isinstance(value, dict) and key in settings else value
        for key, value in changes.items()
    }
    return {**settings, **merged}


def select(structures: list[Atoms], n: int) -> list[Atoms]:
    """`n` structures, concentrations in turn, for each the temperature that was taken least, then the first in order.

    Squeezed structures are never taken: they say where a wall stands, not what a melt is like. Raises ValueError where
    there are too few others.
    """
    left: dict[str, list[Atoms]] = {}
    for atoms in structures:
        if not atoms.info.get("squeezed", False):
            left.setdefault(atoms.info["concentration"], []).append(atoms)
    if n > (found := sum(map(len, left.values()))):
        raise ValueError(
            f"label.convergence.structures: {n} asked for, round 0 has {found} without a squeezed pair; ask for fewer "
            "here, or for more with generate.structures or a lower generate.contact_share"
        )
    taken, chosen = Counter(), []
    while len(chosen) < n:
        x = min((x for x in left if left[x]), key=lambda x: taken[x])
        temperatures = [atoms.info["temperature"] for atoms in left[x]]
        T = min(temperatures, key=lambda T: (taken[x, T], taken[T]))
        chosen.append(left[x].pop(temperatures.index(T)))
        taken.update([x, T, (x, T)])
    return chosen


def name(atoms: Atoms) -> str:
    """What a structure is called in records: x0.25 T900 #3."""
    return f"{atoms.info['concentration']} {atoms.info['temperature']} #{atoms.info['index']}"


def mean(values: np.ndarray) -> Interval:
    """Mean of independent values (n,) with Student's interval; of a single one without ends (NaN)."""
    values = np.asarray(values, dtype=float)
    if len(values) == 1:
        return Interval(float(values[0]), math.nan, math.nan)
    half = _student(len(values)) * values.std(ddof=1) / math.sqrt(len(values))
    return Interval(float(values.mean()), float(values.mean() - half), float(values.mean() + half))


def root_ratio(numerators: np.ndarray, denominators: np.ndarray) -> Interval:
    """sqrt(sum of a / sum of b) over structures, a and b (n,): a root mean square with sums of squares over counts of
    components, a relative one with sums of squares over sums of squares.

    Standard error of its logarithm from the jackknife (Efron, The Jackknife, the Bootstrap and Other Resampling Plans,
    SIAM 1982), Student's t on n - 1; the linearised variance of a ratio is far too small for a handful. Without ends
    (NaN) where all that differs is one structure.
    """
    a, b = np.asarray(numerators, dtype=float), np.asarray(denominators, dtype=float)
    root = math.sqrt(a.sum() / b.sum())
    if root == 0:
        return Interval(0.0, 0.0, 0.0)
    without = (a.sum() - a) / (b.sum() - b)
    if without.min() <= 0:
        return Interval(root, math.nan, math.nan)
    roots = np.log(without) / 2
    half = _student(len(a)) * math.sqrt((len(a) - 1) * roots.var())
    return Interval(root, root * math.exp(-half), root * math.exp(half))


def residual_rms(residuals: np.ndarray, freedom: int) -> Interval | None:
    """sqrt(sum of squares / degrees of freedom) of the residuals (n,) of a fit, with the interval of chi squared for
    normal ones; None where the fit left no freedom.
    """
    from scipy.stats import chi2

    if freedom < 1:
        return None
    total = float(np.sum(np.square(residuals)))
    low, high = (total / chi2.ppf(p, freedom) for p in ((1 + SHARE) / 2, (1 - SHARE) / 2))
    return Interval(math.sqrt(total / freedom), math.sqrt(low), math.sqrt(high))


def without_species_energies(differences: np.ndarray, structures: list[Atoms]) -> tuple[np.ndarray, int]:
    """What is left of differences of the energy an atom (n,) after the best constant for each species, and its degrees
    of freedom.

    A cutoff shifts every energy by nearly the same amount for each atom of a species. Nothing that a potential is used
    for sees that: its own energies of the species take it up, and the forces have none of it.
    """
    species = sorted({symbol for atoms in structures for symbol in atoms.symbols})
    shares = np.array([[np.mean(atoms.symbols == symbol) for symbol in species] for atoms in structures])
    constants, _, rank, _ = np.linalg.lstsq(shares, differences, rcond=1e-9)
    return differences - shares @ constants, len(structures) - int(rank)


def compare(level: list[Atoms], reference: list[Atoms]) -> dict[str, Interval | float | None]:
    """Differences between labels of the same two or more structures, level minus reference, by name with its unit.

    Stresses are compared where all labels have one. `force_max_meV_A`, the largest difference of a component, has no
    interval: more structures can only raise it.
    """
    energy = np.array([(a.info["REF_energy"] - b.info["REF_energy"]) / len(b) for a, b in _pairs(level, reference)])
    residuals, freedom = without_species_energies(energy, reference)
    rms = residual_rms(residuals, freedom)
    force = [a.arrays["REF_forces"] - b.arrays["REF_forces"] for a, b in _pairs(level, reference)]
    squares, sizes = [np.sum(f**2) for f in force], [f.size for f in force]
    reference_squares = [np.sum(atoms.arrays["REF_forces"] ** 2) for atoms in reference]
    found = {
        "energy_shift_meV_atom": mean(energy).scaled(1000),
        "energy_rms_meV_atom": rms.scaled(1000) if rms else None,
        "force_rms_meV_A": root_ratio(squares, sizes).scaled(1000),
        "force_relative_percent": root_ratio(squares, reference_squares).scaled(100),
        "force_max_meV_A": 1000 * float(max(np.abs(f).max() for f in force)),
    }
    if all("REF_stress" in atoms.info for atoms in [*level, *reference]):
        stress = [(a.info["REF_stress"] - b.info["REF_stress"]) / GPa for a, b in _pairs(level, reference)]
        found["stress_rms_GPa"] = root_ratio([np.sum(s**2) for s in stress], [6] * len(stress))
        found["pressure_shift_GPa"] = mean([-s[:3].mean() for s in stress])
    return found


def core_seconds(attempts: list[dict], elsewhere: list[dict]) -> list[float]:
    """Core-seconds of each label, its failed attempts included. `attempts` are rows of a level's record; what a label
    from the store had cost is looked up in `elsewhere`, the campaign's other records, and left out if it is not there.
    """
    spent, others = _spent(attempts), _spent(elsewhere)
    labelled = dict.fromkeys(row["label_id"] for row in attempts if row["outcome"] in ("SUCCESS", "STORED"))
    known = (spent.get(identifier) or others.get(identifier) for identifier in labelled)
    return [seconds for seconds in known if seconds]


def _student(n: int) -> float:
    """Half width of the interval of a mean of n values, in standard errors: 1.84 for two, 1.11 for six, 1 for many."""
    from scipy.stats import t

    return float(t.ppf((1 + SHARE) / 2, n - 1))


def _spent(attempts: list[dict]) -> Counter:
    spent = Counter()
    for row in attempts:
        spent[row["label_id"]] += float(row["core_s"])
    return spent


def _pairs(level: list[Atoms], reference: list[Atoms]):
    return zip(level, reference, strict=True)
