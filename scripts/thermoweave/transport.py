"""
Self-diffusion coefficients from mean squared displacements: D is a sixth of the slope of their line (`msd_line`).

Both bias and coverage are tested on particles whose D is known.
"""

from typing import NamedTuple

import numpy as np

from thermoweave import statistics
from thermoweave.msd import Displacements, independent_particles
from thermoweave.msd_line import Line, find_onset

ANGSTROM2_PER_PS = 1e-8  # in m^2/s
HOP = 3.0  # A: to a neighbouring site, the least that a particle does to diffuse
UNSEEN_HOPS = 2
MIN_SIGNIFICANCE = 2.0  # D / sigma(D): below, the run gives an upper bound only


class Diffusion(NamedTuple):
    """
    D of one species at one condition, in m^2/s, or NaN with the `reason`.

    D_estimate and its error are there also where they are not to be reported as D: `regime` is "diffusive" where they
    are, "unresolved" where the error is too large, "subdiffusive" where the MSD still bends, which makes them too high,
    and "ballistic", without numbers, where the particles still fly. D_upper_bound: one-sided 95 %.

    The line: fitted from onset to fit_end (ps), slope in A^2/ps, intercept in A^2, with chi2, dof and p_value.
    n_independent: what the atoms are worth (`independent_particles`). `replicas` (n_replicas,): D of each replica;
    `birge_ratio` says how much they disagree (1: as expected).
    """

    D: float
    D_std: float
    lnD: float
    lnD_var: float
    D_estimate: float
    D_estimate_std: float
    D_upper_bound: float
    regime: str
    onset: float
    fit_end: float
    slope: float
    intercept: float
    chi2: float
    dof: int
    p_value: float
    n_independent: float
    birge_ratio: float
    replicas: np.ndarray
    reason: str


def diffusion(replicas: list[Displacements], lags: np.ndarray, step: float, n_frames: int, floor: float) -> Diffusion:
    """
    D of a species from its displacements in each replica, over the same lags; step in ps, floor (earliest onset) in ps.

    The line is fitted to the mean over replicas; its weights, applied to each replica, give the D of each. The variance
    grows where the atoms, or then the replicas, scatter more than the model says (`excess`, `combine_replicas`), and
    where there are few hops (`hopping_variance`).
    """
    particles = np.concatenate([d.msd for d in replicas], axis=1)
    n_particles = independent_particles(replicas)
    start, line, reason = find_onset(lags, particles.mean(axis=1), step, n_frames, n_particles, floor)
    if line is None:
        return undetermined(reason, len(replicas))
    to_D = ANGSTROM2_PER_PS / 6
    variance = line.slope_std**2 * excess(line, particles[start:], n_particles[start])
    single = np.mean([d.single[start] for d in replicas])
    variance = max(variance, hopping_variance(single, lags[start], step, particles.shape[1] * n_frames))
    slopes = np.array([line.weights @ d.msd[start:].mean(axis=1) for d in replicas])
    combined = statistics.combine_replicas(slopes, np.full(len(replicas), variance * len(replicas)))
    D, D_std = line.slope * to_D, np.sqrt(combined.variance) * to_D
    regime = "diffusive"
    if reason:
        regime = "ballistic" if "ballistic" in reason else "subdiffusive"
    elif MIN_SIGNIFICANCE * D_std > D:
        regime, reason = "unresolved", f"diffusion not resolved: D = {D:.2g} +- {D_std:.2g} m2/s"
    found, flying = regime == "diffusive", regime == "ballistic"
    return Diffusion(
        D=D if found else np.nan,
        D_std=D_std if found else np.nan,
        lnD=np.log(D) if found else np.nan,
        lnD_var=(D_std / D) ** 2 if found else np.nan,
        D_estimate=np.nan if flying else D,
        D_estimate_std=np.nan if flying else D_std,
        D_upper_bound=np.nan if flying else max(D, 0.0) + 1.645 * D_std,
        regime=regime,
        onset=lags[start] * step,
        fit_end=lags[-1] * step,
        slope=line.slope,
        intercept=line.intercept,
        chi2=line.chi2,
        dof=line.dof,
        p_value=line.p_value,
        n_independent=n_particles[start],
        birge_ratio=combined.birge_ratio,
        replicas=slopes * to_D,
        reason=reason,
    )


def excess(line: Line, particles: np.ndarray, n_independent: float) -> float:
    """
    Variance of the slope between atoms, particles (n_lags, n), over that of the model, at least 1.

    The model is exact for Brownian particles; slow vibrations, or sites of different mobility, scatter more.
    """
    slopes = line.weights @ particles
    return max(1.0, slopes.var(ddof=1) / (n_independent * line.slope_std**2)) if len(slopes) > 1 else 1.0


def hopping_variance(single: float, lag: int, step: float, n_positions: int) -> float:
    """
    Variance of the slope of the MSD (A^2/ps)^2 where particles hop now and then, as in a solid.

    Brownian motion is as random in each step; hops are events, and what counts is their number. `single`: variance over
    time of one atom's squared displacement (A^4) at a lag (frames of `step` ps), which rare hops dominate; n_positions:
    atoms times frames. Two hops of 3 A more or less are in it always: what was never seen has no scatter of its own
    (three events are the one-sided 95 % bound on a rate where none was seen).
    """
    counted = single / (lag * n_positions * step**2)
    return counted + (UNSEEN_HOPS * HOP**2 / (n_positions * step)) ** 2


def undetermined(reason: str, n_replicas: int) -> Diffusion:
    """A gap: everything NaN but the reason."""
    nan = float("nan")
    return Diffusion(*[nan] * 7, "", *[nan] * 5, 0, *[nan] * 3, replicas=np.full(n_replicas, nan), reason=reason)
