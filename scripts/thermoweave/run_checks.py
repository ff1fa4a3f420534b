"""What a run as a whole must be: its energy conserved, its atoms flowing in both halves, its volume filled."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from thermoweave import msd, statistics

MIN_SAMPLES = 10  # below, no error of a slope is honest
MAX_BLOCKS = 30
# Variance that a random walk may give the slope, over what short-lived noise gives it.
WALK_RATIOS = [0.0, 1.0, 10.0, 100.0, 1000.0, np.inf]


class Flow(NamedTuple):
    """Rms displacement of a species' atoms (A) over the first and the second half of a run, each with its error."""

    first: float
    first_error: float
    second: float
    second_error: float


class Cavity(NamedTuple):
    """The largest sphere without a nucleus in it: radius and centre (3,), in A."""

    radius: float
    centre: np.ndarray


def drift(time_ps: np.ndarray, conserved_energy_eV: np.ndarray, n_atoms: int) -> tuple[float, float]:
    """
    Slope of the conserved energy and its standard error, in eV/atom/ns.

    The series is a straight line, plus fluctuations that are forgotten within a block, plus a random walk (what
    rounding and thermostats leave). A walk looks like a slope, and which of the two rules cannot be seen beforehand:
    generalised least squares over up to 30 block means is done for six strengths of the walk, and averaged with the
    restricted likelihoods (D. A. Harville, J. Am. Stat. Assoc. 72, 320 (1977)) as weights. Not to know has its price:
    2-error intervals cover 91 to 93 % where there is only a walk, and more than 99 % where there is none, the error
    being about 2.6 times what it would be if that were known. (With the statistical inefficiency of the residuals of a
    straight line they would cover 40 % of the walks.) Times are evenly spaced.

    With fewer than 10 samples the error is infinite (no drift can be called one); with fewer than 2 the slope is NaN.
    Raises ValueError for a number that is not finite, or times and energies of different number.
    """
    time, energy = np.asarray(time_ps, dtype=float), np.asarray(conserved_energy_eV, dtype=float) / n_atoms
    if time.shape != energy.shape:
        raise ValueError(f"drift: {time.shape[0]} times for {energy.shape[0]} energies")
    if not (np.isfinite(time).all() and np.isfinite(energy).all()):
        raise ValueError("drift: a time or conserved energy is not a finite number")
    n = len(time)
    if n < 2:
        return float("nan"), float("inf")
    if n < MIN_SAMPLES:
        return float(np.polyfit(time - time[0], energy, 1)[0] * 1000), float("inf")
    length = -(-n // MAX_BLOCKS)
    blocks = statistics.block_means(np.column_stack([time, energy - energy.mean()]), n // length)
    slope, error = slope_with_walk(blocks[:, 0], blocks[:, 1])
    return slope * 1000, error * 1000


def slope_with_walk(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Slope of block means y (n,) at evenly spaced x, and its standard error; the noise is white plus a random walk."""
    n = len(x)
    design = np.column_stack([np.ones(n), x - x.mean()])
    k = np.arange(n)
    walk = np.minimum.outer(k, k) + 0.5 - np.eye(n) / 6  # covariance of the block means of a Brownian path
    slopes, variances, likelihoods = np.empty((3, len(WALK_RATIOS)))
    for i, ratio in enumerate(WALK_RATIOS):
        share = 1.0 if np.isinf(ratio) else ratio / (1 + ratio)
        # 10 / n^2: at equal shares noise and walk give the slope of an ordinary straight line the same variance
        covariance = (1 - share) * np.eye(n) + share * 10 / n**2 * walk
        inverse = np.linalg.inv(covariance)
        information = design.T @ inverse @ design
        fit = np.linalg.solve(information, design.T @ inverse @ y)
        residual = y - design @ fit
        variance = max(residual @ inverse @ residual / (n - 2), np.finfo(float).tiny)
        determinants = np.linalg.slogdet(covariance)[1] + np.linalg.slogdet(information)[1]
        slopes[i] = fit[1]
        variances[i] = variance * np.linalg.inv(information)[1, 1] * (n - 2) / (n - 4)  # Student's, n - 2 degrees
        likelihoods[i] = -0.5 * (determinants + (n - 2) * np.log(variance))
    weights = np.exp(likelihoods - likelihoods.max())
    weights /= weights.sum()
    mean = weights @ slopes
    return float(mean), float(np.sqrt(weights @ (variances + (slopes - mean) ** 2)))


def drift_fault(slope: float, error: float, limit: float, n_errors: float = 2.0) -> str:
    """A sentence if the conserved energy certainly drifts by more than `limit` (eV/atom/ns): |slope| less `n_errors`
    errors is above. Who looks more than once asks for more errors: where the energy only walks, two of them at each of
    nine looks call a quarter of the runs.
    """
    if abs(slope) - n_errors * error > limit:
        return (
            f"the conserved energy drifts by {slope:.2g} +- {error:.1g} eV/atom/ns, allowed {limit:g}: "
            "halve timestep_fs, or look for a jump in the potential's energy"
        )
    return ""


def flow(coordinates: np.ndarray, masses: np.ndarray, symbols: Sequence[str]) -> dict[str, Flow]:
    """
    How far the atoms of each species come in each half of a run: a liquid flows in both.

    coordinates (frame, atom, 3), unwrapped (A): the drift of the centre of mass is taken away; masses (atom,). The
    error is that of the rms of n independent Gaussian displacements, rms / sqrt(6 n): for a liquid, a little too small
    where neighbours move together. Fewer than 3 frames have no two halves: NaN.
    """
    n_frames = len(coordinates)
    symbols = np.asarray(symbols)
    if n_frames < 3:
        return {str(s): Flow(*[float("nan")] * 4) for s in np.unique(symbols)}
    ends = msd.remove_drift(np.asarray(coordinates[[0, (n_frames - 1) // 2, n_frames - 1]], dtype=float), masses)
    squared = np.sum(np.diff(ends, axis=0) ** 2, axis=2)  # (half, atom)
    found = {}
    for species in np.unique(symbols):
        own = symbols == species
        first, second = np.sqrt(squared[:, own].mean(axis=1))
        relative = 1 / np.sqrt(6 * own.sum())
        found[str(species)] = Flow(float(first), float(first * relative), float(second), float(second * relative))
    return found


def largest_cavity(positions: np.ndarray, cell: np.ndarray, spacing: float = 1.0) -> Cavity:
    """
    The largest empty sphere in a periodic cell of any shape, among probe points at most `spacing` (A) apart.

    The distance is to the nearest nucleus. Frames of 64 ions of (Li,K)Cl at 900 to 1300 K have 2.8 to 4.6 A, the more,
    the hotter; larger systems have a little more, being more places to look at. The true radius is larger by at most
    half the diagonal of the probes' grid (0.87 spacing in a box), at a spacing of 1 A by 0.2 and never more than 0.45.

    positions (atom, 3), wrapped or not; cell (3, 3), in A. Raises ValueError without atoms or volume.
    """
    from scipy.spatial import cKDTree

    positions, cell = np.asarray(positions, dtype=float), np.asarray(cell, dtype=float)
    if not len(positions) or not abs(np.linalg.det(cell)) > 0:
        raise ValueError("largest_cavity: needs atoms and a cell with a volume")
    inverse = np.linalg.inv(cell)
    fractional = positions @ inverse
    fractional -= np.floor(fractional)
    counts = np.ceil(np.linalg.norm(cell, axis=1) / spacing).astype(int)
    probes = np.stack(np.meshgrid(*[(np.arange(c) + 0.5) / c for c in counts], indexing="ij"), -1).reshape(-1, 3) @ cell
    reach = 2 * np.cbrt(abs(np.linalg.det(cell)) / len(positions))
    while True:  # images up to `reach` outside the cell decide every distance up to `reach`
        tree = cKDTree(images(fractional, reach * np.linalg.norm(inverse, axis=0)) @ cell)
        distance = tree.query(probes)[0]
        farthest = int(distance.argmax())
        if distance[farthest] <= reach:
            return Cavity(float(distance[farthest]), probes[farthest])
        reach *= 2


def images(fractional: np.ndarray, margin: np.ndarray) -> np.ndarray:
    """Periodic images (n, 3) of points in [0, 1)^3, themselves included, that lie within `margin` (3,) of that cube."""
    for axis, width in enumerate(margin):
        shifts = np.arange(-np.ceil(width), np.ceil(width) + 1)
        copies = np.repeat(fractional[None], len(shifts), axis=0)
        copies[:, :, axis] += shifts[:, None]
        copies = copies.reshape(-1, 3)
        fractional = copies[(copies[:, axis] >= -width) & (copies[:, axis] <= 1 + width)]
    return fractional


def liquid_fault(
    displacements: Mapping[str, Flow],
    cavity_radius: float,
    volumes: np.ndarray,
    min_displacement: float,
    max_cavity: float,
    max_density_ratio: float,
) -> str:
    """
    Why a run was not one of a liquid, in a sentence, or "".

    displacements: from `flow`; min_displacement: A, of the slowest species in its worse half, failing only where two
    errors below. cavity_radius, max_cavity: A, from `largest_cavity`. volumes (n,): A^3, the series of a run (one value
    or all the same at fixed volume); max_density_ratio: the factor by which the density may change from its start.
    """
    for species, moved in sorted(displacements.items(), key=lambda item: min(item[1].first, item[1].second)):
        for half, rms, error in (("first", *moved[:2]), ("second", *moved[2:])):
            if rms + 2 * error < min_displacement:
                return (
                    f"{species} moved {rms:.2f} +- {error:.2f} A (rms) in the {half} half of the run, a liquid at "
                    f"least {min_displacement:g}: crystallised, glassy or too short"
                )
    if cavity_radius > max_cavity:
        return f"evaporated: an empty sphere of {cavity_radius:.1f} A radius, allowed {max_cavity:g}"
    ratios = volumes[0] / np.asarray(volumes, dtype=float)
    worst = ratios[np.argmax(np.abs(np.log(ratios)))]
    if not 1 / max_density_ratio <= worst <= max_density_ratio:
        return (
            f"the density went to {worst:.2f} times that of the start, allowed a factor of {max_density_ratio:g}: "
            "evaporated or collapsed, or a start of the wrong density"
        )
    return ""
