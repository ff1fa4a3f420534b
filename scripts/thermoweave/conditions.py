"""The reduced results of one condition as CF-style datasets: transport, structure, spectra.

Without a trajectory (`replicas` empty, `gap` saying why) they have the same variables, all NaN, over empty axes.
"""

import logging
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from ase.data import atomic_numbers

from thermoweave import msd, spectra, structure, transport
from thermoweave.reduced import text, variable

if TYPE_CHECKING:
    import xarray

log = logging.getLogger(__name__)

REFERENCE_FRAME = "centre of mass of all atoms (mass weighted)"
SIEMENS_PER_M = 1.602176634e-19**2 / (1.380649e-23 * 1e-30)  # e^2 / kB for a volume in A^3


class Trajectory(NamedTuple):
    """
    What the reductions need of one replica: step in ps, coordinates (A, unwrapped) and velocities (A/ps), both
    (frame, atom, 3), cells (frame, 3, 3) in A, numbers and masses (amu) of atoms, temperature (K) and wall contacts of
    frames.
    """

    step: float
    coordinates: np.ndarray
    velocities: np.ndarray
    cells: np.ndarray
    numbers: np.ndarray
    masses: np.ndarray
    temperature: np.ndarray
    wall_contacts: np.ndarray


def members(replicas: list[Trajectory], species: list[str]) -> list[np.ndarray]:
    """Indices of the atoms of each species; empty arrays without a trajectory."""
    numbers = replicas[0].numbers if replicas else np.empty(0, int)
    return [np.flatnonzero(numbers == atomic_numbers[name]) for name in species]


def columns(found: list[NamedTuple]) -> dict[str, np.ndarray]:
    """A list of results as one array for each of their fields."""
    return {name: np.array([getattr(result, name) for result in found]) for name in found[0]._fields}


def transport_dataset(
    replicas: list[Trajectory], species: list[str], charges: dict[str, float], floor: float, n_lags: int, gap: str
) -> "xarray.Dataset":
    """D with its fit and the MSD of each species; the Nernst-Einstein conductivity. `floor`: earliest onset in ps."""
    import xarray

    n_frames = len(replicas[0].coordinates) if replicas else 0
    step = replicas[0].step if replicas else np.nan
    lags = msd.log_lags(n_frames, n_lags) if replicas else np.empty(0, int)
    groups = members(replicas, species)
    moved = [msd.remove_drift(t.coordinates, t.masses) for t in replicas]
    found, curves = [], []
    for name, group in zip(species, groups, strict=True):
        if not len(group):
            found.append(transport.undetermined(gap or f"no {name} at this concentration", len(replicas)))
            curves.append(np.full((2, len(lags)), np.nan))
            continue
        squared = [msd.displacements(coordinates[:, group], lags) for coordinates in moved]
        found.append(transport.diffusion(squared, lags, step, n_frames, floor))
        curves.append(msd.msd_curve(squared))
        log.info("%s: D = %.3g +- %.2g m2/s %s", name, found[-1].D, found[-1].D_std, found[-1].reason)
    each = columns(found)
    data = diffusion_variables(each)
    mean, std = np.array(curves).transpose(1, 0, 2)
    data["n_atoms"] = variable(("species",), np.array([len(g) for g in groups], np.int32), "1", "number of atoms")
    data["msd"] = variable(("species", "lag"), mean, "angstrom2", "mean squared displacement", "msd_std")
    data["msd_std"] = variable(("species", "lag"), std, "angstrom2", "standard error of the mean squared displacement")
    data.update(conductivity(replicas, groups, [charges[name] for name in species], each))
    lag = variable(("lag",), lags * step, "ps", "time lag")
    coordinates = {"species": text(("species",), species, "chemical element"), "lag": lag}
    return xarray.Dataset(data, coordinates, {"reference_frame": REFERENCE_FRAME})


def diffusion_variables(each: dict[str, np.ndarray]) -> dict:
    """The fields of `transport.Diffusion`, one value for each species, as variables."""
    s = ("species",)
    return {
        "D": variable(s, each["D"], "m2 s-1", "self-diffusion coefficient", "D_std"),
        "D_std": variable(s, each["D_std"], "m2 s-1", "standard error of the self-diffusion coefficient"),
        "lnD": variable(s, each["lnD"], "1", "ln(D / (m2 s-1))", "lnD_var"),
        "lnD_var": variable(s, each["lnD_var"], "1", "variance of ln D"),
        "D_upper_bound": variable(s, each["D_upper_bound"], "m2 s-1", "one-sided 95 % upper bound of D"),
        "onset": variable(s, each["onset"], "ps", "first fitted lag: onset of diffusion"),
        "fit_end": variable(s, each["fit_end"], "ps", "last fitted lag"),
        "msd_slope": variable(s, each["slope"], "angstrom2 ps-1", "slope 6 D of the line fitted to the MSD"),
        "msd_intercept": variable(s, each["intercept"], "angstrom2", "intercept of the line fitted to the MSD"),
        "chi2": variable(s, each["chi2"], "1", "chi squared of the straight line"),
        "dof": variable(s, each["dof"].astype(np.int32), "1", "degrees of freedom of the straight line"),
        "p_value": variable(s, each["p_value"], "1", "probability of a larger chi squared"),
        "n_independent": variable(s, each["n_independent"], "1", "independent particles that the atoms are worth"),
        "birge_ratio": variable(s, each["birge_ratio"], "1", "scatter of the replicas over their errors"),
        "D_replica": variable((*s, "replica"), each["replicas"], "m2 s-1", "D of each replica, same fit"),
        "reason": text(s, each["reason"].astype(object), "why there is no D"),
    }


def conductivity(
    replicas: list[Trajectory], groups: list[np.ndarray], charges: list[float], each: dict[str, np.ndarray]
) -> dict:
    """Nernst-Einstein conductivity, e^2 / (V kB T) sum N z^2 D; NaN where a charged species that is there has no D."""
    value = error = np.nan
    if replicas:
        volume = np.mean([np.abs(np.linalg.det(t.cells)).mean() for t in replicas])
        kelvin = np.mean([t.temperature.mean() for t in replicas])
        weight = np.array([len(g) * z**2 for g, z in zip(groups, charges, strict=True)])
        there = weight > 0
        weight = weight[there] * SIEMENS_PER_M / (volume * kelvin)
        value = weight @ each["D"][there]
        error = np.sqrt(weight**2 @ each["D_std"][there] ** 2)
    name = "Nernst-Einstein conductivity (no cross terms)"
    return {
        "conductivity_ne": variable((), value, "S m-1", name, "conductivity_ne_std"),
        "conductivity_ne_std": variable((), error, "S m-1", f"standard error of the {name}"),
    }


def structure_dataset(replicas: list[Trajectory], species: list[str], bin_width: float, gap: str) -> "xarray.Dataset":
    """g(r) and coordination numbers of each unordered pair "A-B" of species; bin_width in Angstrom."""
    import xarray

    width = min(structure.half_width(t.cells) for t in replicas) if replicas else 0.0
    edges = np.arange(int(width / bin_width) + 1) * bin_width
    r = (edges[1:] + edges[:-1]) / 2
    groups = dict(zip(species, members(replicas, species), strict=True))
    frames = [(t.coordinates, t.cells) for t in replicas]
    pairs = list(combinations_with_replacement(species, 2))
    found = []
    for a, b in pairs:
        there = len(groups[a]) and len(groups[b]) > (a == b)
        reason = gap or f"no {a}-{b} pair at this concentration"
        found.append(
            structure.pair_distribution(frames, groups[a], groups[b], edges)
            if there
            else structure.undetermined(r, reason)
        )
    each = columns(found)
    back = np.array([len(groups[a]) / max(1, len(groups[b])) for a, b in pairs])  # N_a n_ab = N_b n_ba
    p, pr = ("pair",), ("pair", "r")
    data = {
        "rdf": variable(pr, each["g"], "1", "radial distribution function", "rdf_std"),
        "rdf_std": variable(pr, each["g_std"], "1", "standard error of the radial distribution function"),
        "reason": text(p, each["reason"].astype(object), "why there is no coordination number"),
    }
    for name, field, factor, units, what in (
        ("first_peak", "first_peak", 1.0, "angstrom", "highest peak of g(r)"),
        ("first_minimum", "first_minimum", 1.0, "angstrom", "first minimum of g(r) behind its highest peak"),
        ("coordination", "first_shell", 1.0, "1", "coordination number, second species around the first"),
        ("coordination_reverse", "first_shell", back, "1", "coordination number, first species around the second"),
    ):
        data[name] = variable(p, each[field] * factor, units, what, f"{name}_std")
        data[f"{name}_std"] = variable(p, each[f"{field}_std"] * factor, units, f"standard error: {what}")
    coordinates = {
        "pair": text(p, [f"{a}-{b}" for a, b in pairs], "pair of species"),
        "r": variable(("r",), r, "angstrom", "distance, centre of the bin"),
    }
    attributes = {"blocks_per_replica": structure.N_BLOCKS, "range": "half the smallest width of the cell"}
    return xarray.Dataset(data, coordinates, attributes)


def spectra_dataset(replicas: list[Trajectory], species: list[str], resolution: float, gap: str) -> "xarray.Dataset":
    """VDOS of each species and the number of modes that it integrates to; resolution in THz."""
    import xarray

    groups = members(replicas, species)
    if replicas:
        velocities = [t.velocities for t in replicas]
        found = spectra.vdos(velocities, replicas[0].masses, groups, replicas[0].step, resolution)
    else:
        found = spectra.undetermined(len(species))
    missing = [gap or f"no {name} at this concentration" for name in species]
    reasons = np.array(["" if len(g) else reason for g, reason in zip(groups, missing, strict=True)], object)
    there = np.array([1.0 if len(g) else np.nan for g in groups])
    s, sf = ("species",), ("species", "frequency")
    data = {
        "vdos": variable(sf, found.vdos * there[:, None], "THz-1", "vibrational density of states", "vdos_std"),
        "vdos_std": variable(sf, found.vdos_std * there[:, None], "THz-1", "standard error of the VDOS"),
        "modes": variable(s, found.modes * there, "1", "integral of the VDOS; 3 N_s at equipartition", "modes_std"),
        "modes_std": variable(s, found.modes_std * there, "1", "standard error of the integral of the VDOS"),
        "n_atoms": variable(s, np.array([len(g) for g in groups], np.int32), "1", "number of atoms"),
        "n_segments": variable((), np.int32(found.n_segments), "1", "segments over all replicas"),
        "resolution": variable((), found.resolution, "THz", "spacing of the frequencies, 1 / segment length"),
        "nyquist": variable((), found.nyquist, "THz", "Nyquist frequency of the stored velocities"),
        "reason": text(s, reasons, "why there is no spectrum"),
    }
    coordinates = {
        "species": text(s, species, "chemical element"),
        "frequency": variable(("frequency",), found.frequency, "THz", "frequency"),
    }
    attributes = {
        "window": "Hann, half overlapping (equivalent noise bandwidth 1.5 x resolution), nothing subtracted",
        "normalisation": "the sum over species integrates to 3 N modes, each has its share of the kinetic energy",
    }
    return xarray.Dataset(data, coordinates, attributes)
