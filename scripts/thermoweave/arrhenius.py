"""
Arrhenius fits, ln D = ln D0 - Ea / (kB T), by generalised least squares with the (co)variances of ln D.

A linear model with known covariance has a closed form: no starting values, no iterations (Aitken, Proc. R. Soc. Edinb.
1936, 55, 42). What scatters more than its bars say is reported, not hidden in wider bars.
"""

from dataclasses import dataclass

import numpy as np
from ase.units import kB

MIN_TEMPERATURES = 3  # two points lie on every line and say nothing about its quality
MIN_P_VALUE = 0.05
KJ_PER_MOL = 96.48533212  # of 1 eV


@dataclass(frozen=True)
class Arrhenius:
    """
    Ea in eV, lnD0 = ln(D0 / (m^2/s)), `cov` the covariance of Ea_eV and lnD0.

    chi2, dof and p_value tell how well a line describes the points; `note` says in words what is wrong, or nothing.
    """

    Ea_eV: float
    Ea_std_eV: float
    lnD0: float
    lnD0_std: float
    cov: float
    n_temperatures: int
    chi2: float
    dof: int
    p_value: float
    note: str
    temperatures_used: tuple[float, ...]
    gaps: tuple[float, ...]

    @property
    def Ea_kJ_mol(self) -> float:
        return self.Ea_eV * KJ_PER_MOL

    def predict(self, temperature: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """ln D and its standard deviation at any temperature (K): the band of the fit, extrapolated with it."""
        beta = 1 / (kB * np.asarray(temperature, dtype=float))
        variance = self.lnD0_std**2 + (beta * self.Ea_std_eV) ** 2 - 2 * beta * self.cov
        return self.lnD0 - beta * self.Ea_eV, np.sqrt(np.maximum(variance, 0.0))


def fit(temperature: np.ndarray, lnD: np.ndarray, covariance: np.ndarray) -> Arrhenius:
    """
    Fit ln D (n,) at temperatures (n,) in K; covariance of ln D as variances (n,) or a matrix (n, n).

    Points that are NaN are left out and listed in `gaps`; with fewer than three others everything is NaN and the note
    says why. Raises ValueError for a variance that is not positive: a point without an error cannot be weighed.
    """
    temperature, lnD, covariance = (np.asarray(a, dtype=float) for a in (temperature, lnD, covariance))
    if covariance.ndim == 1:
        covariance = np.diag(covariance)
    used = np.isfinite(lnD) & np.isfinite(np.diag(covariance))
    gaps = tuple(temperature[~used].tolist())
    left = tuple(temperature[used].tolist())
    if np.any(np.diag(covariance)[used] <= 0):
        raise ValueError(f"the variance of ln D must be positive, got {np.diag(covariance)[used]} at {left} K")
    notes = [f"no D at {', '.join(f'{T:g}' for T in gaps)} K"] if gaps else []
    if len(set(left)) < MIN_TEMPERATURES:
        notes.append(f"{len(set(left))} temperatures with a D, {MIN_TEMPERATURES} are needed: no fit")
        nan = float("nan")
        return Arrhenius(nan, nan, nan, nan, nan, len(left), nan, 0, nan, "; ".join(notes), left, gaps)
    return _gls(temperature[used], lnD[used], covariance[np.ix_(used, used)], notes, gaps)


def _gls(temperature: np.ndarray, lnD: np.ndarray, covariance: np.ndarray, notes: list[str], gaps: tuple) -> Arrhenius:
    """The closed form, with 1 / (kB T) centred so that Ea and ln D0 do not spoil each other's digits."""
    from scipy.stats import chi2 as chi2_distribution

    beta = 1 / (kB * temperature)
    centre = beta.mean()
    root = np.linalg.cholesky(covariance)
    white = np.linalg.solve(root, np.column_stack([np.ones_like(beta), centre - beta]))
    parameters_cov = np.linalg.inv(white.T @ white)
    (at_centre, Ea), target = parameters_cov @ white.T @ np.linalg.solve(root, lnD), np.linalg.solve(root, lnD)
    chi2 = float(np.sum((target - white @ np.array([at_centre, Ea])) ** 2))
    to_origin = np.array([[1.0, centre], [0.0, 1.0]])  # (ln D at the centre, Ea) -> (ln D0, Ea)
    (lnD0, Ea), cov = to_origin @ [at_centre, Ea], to_origin @ parameters_cov @ to_origin.T
    dof = len(lnD) - 2
    p_value = float(chi2_distribution.sf(chi2, dof))
    if p_value < MIN_P_VALUE:
        notes.append(f"a line does not describe the points within their errors (chi2 = {chi2:.1f}, dof = {dof})")
    return Arrhenius(
        Ea_eV=float(Ea),
        Ea_std_eV=float(np.sqrt(cov[1, 1])),
        lnD0=float(lnD0),
        lnD0_std=float(np.sqrt(cov[0, 0])),
        cov=float(cov[0, 1]),
        n_temperatures=len(lnD),
        chi2=chi2,
        dof=dof,
        p_value=p_value,
        note="; ".join(notes),
        temperatures_used=tuple(temperature.tolist()),
        gaps=gaps,
    )
