"""
Arrhenius fits, ln X = ln X0 - Ea / (kB T), with the (co)variances of ln X; + Ea / (kB T) where X falls on heating.

A linear model with known covariance has a closed form: no starting values, no iterations. Points that are bounds, or
too uncertain for a logarithm, take part by their likelihood (`censored`). What scatters more than its bars say is
reported, not hidden in wider bars.
"""

from dataclasses import dataclass

import numpy as np
from ase.units import kB

from thermoweave import censored
from thermoweave.censored import Points

MIN_TEMPERATURES = 3  # two points lie on every line and say nothing about its quality
MIN_RESOLVED = 2  # of them: bounds alone do not make a line
MIN_P_VALUE = 0.05
MAX_ABOVE_BOUND = 1.645  # of a line, in standard errors: a one-sided 95 % bound
KJ_PER_MOL = 96.48533212  # of 1 eV


@dataclass(frozen=True)
class Arrhenius:
    """
    Ea in eV, lnX0 = ln(X0 / unit of X), `cov` the covariance of Ea_eV and lnX0; NaN without a fit.

    chi2, dof and p_value (NaN without a degree of freedom) tell how well a line describes the points that are no
    bounds; `note` says in words what is wrong, or nothing. Temperatures: those of numbers, of what is not resolved but
    takes part, and of gaps. sign: as in `censored.Points`.
    """

    Ea_eV: float
    Ea_std_eV: float
    lnX0: float
    lnX0_std: float
    cov: float
    n_temperatures: int
    chi2: float
    dof: int
    p_value: float
    note: str
    temperatures_used: tuple[float, ...]
    censored: tuple[float, ...]
    gaps: tuple[float, ...]
    sign: float

    @property
    def Ea_kJ_mol(self) -> float:
        return self.Ea_eV * KJ_PER_MOL

    @property
    def Ea_std_kJ_mol(self) -> float:
        return self.Ea_std_eV * KJ_PER_MOL

    def predict(self, temperature: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """ln X and its standard deviation at any temperature (K): the band of the fit, extrapolated with it."""
        beta = self.sign / (kB * np.asarray(temperature, dtype=float))
        variance = self.lnX0_std**2 + (beta * self.Ea_std_eV) ** 2 - 2 * beta * self.cov
        return self.lnX0 - beta * self.Ea_eV, np.sqrt(np.maximum(variance, 0.0))


def fit(temperature: np.ndarray, lnX: np.ndarray, covariance: np.ndarray, sign: float = 1.0) -> Arrhenius:
    """
    Fit ln X (n,) at temperatures (n,) in K; covariance of ln X as variances (n,) or a matrix (n, n).

    Points that are NaN are left out and listed in `gaps`. Raises ValueError for a variance that is not positive.
    """
    return fit_points(censored.logarithms(temperature, lnX, covariance, sign))


def fit_points(points: Points) -> Arrhenius:
    """
    Fit all points that say something.

    With fewer than three temperatures, or fewer than two resolved ones, everything is NaN and the note says why.
    """
    used, there = points.informative, points.informative & points.resolved
    gaps, weak = (tuple(points.temperature[a].tolist()) for a in (~used, used & ~there))
    notes = [f"nothing known at {_list(gaps)}"] if gaps else []
    if weak:
        notes.append(f"not resolved at {_list(weak)}: in the fit as uncertain or as a bound")
    n, n_resolved = (len(set(points.temperature[which].tolist())) for which in (used, there))
    left = tuple(points.temperature[there].tolist())
    if n < MIN_TEMPERATURES:
        return _refused([*notes, f"{n} temperatures known, {MIN_TEMPERATURES} are needed: no fit"], left, weak, gaps)
    if n_resolved < MIN_RESOLVED:
        notes.append(f"{n_resolved} temperatures resolved, {MIN_RESOLVED} are needed: no fit, lengthen the runs")
        return _refused(notes, left, weak, gaps)
    return _fit(points.select(used), notes, (left, weak, gaps))


def _list(temperatures: tuple[float, ...]) -> str:
    return f"{', '.join(f'{T:g}' for T in temperatures)} K"


def _refused(notes: list[str], left: tuple, weak: tuple, gaps: tuple) -> Arrhenius:
    nan = float("nan")
    return Arrhenius(*[nan] * 5, len(left) + len(weak), nan, 0, nan, "; ".join(notes), left, weak, gaps, 1.0)


def _fit(points: Points, notes: list[str], temperatures: tuple[tuple, tuple, tuple]) -> Arrhenius:
    """1 / (kB T) is centred so that Ea and ln X0 do not spoil each other's digits."""
    from scipy.stats import chi2 as chi2_distribution

    beta = 1 / (kB * points.temperature)
    centre = beta.mean()
    design = np.column_stack([np.ones_like(beta), points.sign * (centre - beta)])
    found = censored.solve(design[None], points)
    if not found.converged[0]:
        return _refused([*notes, "no maximum of the likelihood: no fit, lengthen the runs"], *temperatures)
    to_origin = np.array([[1.0, points.sign * centre], [0.0, 1.0]])  # (ln X at the centre, Ea) -> (ln X0, Ea)
    lnX0, Ea = to_origin @ found.parameters[0]
    cov = to_origin @ found.covariance[0] @ to_origin.T
    chi2, dof = float(found.chi2[0]), max(0, int(np.sum(~(points.linear & points.bound))) - 2)
    p_value = float(chi2_distribution.sf(chi2, dof)) if dof else float("nan")
    if p_value < MIN_P_VALUE:
        notes.append(f"a line does not describe the points within their errors (chi2 = {chi2:.1f}, dof = {dof})")
    above = np.exp(design @ found.parameters[0]) > points.estimate + MAX_ABOVE_BOUND * points.std
    if np.any(above & points.linear & points.bound):
        broken = tuple(points.temperature[above & points.linear & points.bound].tolist())
        notes.append(f"the line is above the upper bound at {_list(broken)}")
    if Ea < 0:
        notes.append(f"{'falls' if points.sign > 0 else 'rises'} on heating: Ea < 0")
    return Arrhenius(
        Ea_eV=float(Ea),
        Ea_std_eV=float(np.sqrt(cov[1, 1])),
        lnX0=float(lnX0),
        lnX0_std=float(np.sqrt(cov[0, 0])),
        cov=float(cov[0, 1]),
        n_temperatures=len(beta),
        chi2=chi2,
        dof=dof,
        p_value=p_value,
        note="; ".join(notes),
        temperatures_used=temperatures[0],
        censored=temperatures[1],
        gaps=temperatures[2],
        sign=points.sign,
    )
