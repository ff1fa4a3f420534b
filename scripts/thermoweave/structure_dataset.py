"""
The structure of one condition as a CF-style dataset: g(r), coordination, density, the shell around a chosen ion.

What cannot be determined is NaN with the reason; without a trajectory the axes r and n are empty. Without a chosen ion
the variables of the shell are there, too, all NaN.
"""

import logging
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING

import numpy as np
from ase import units

from thermoweave import solvation, structure
from thermoweave.conditions import Condition, columns
from thermoweave.reduced import text, variable
from thermoweave.structure import PairDistribution

if TYPE_CHECKING:
    import xarray

log = logging.getLogger(__name__)

G_PER_CM3 = units._amu * 1e3 / 1e-24  # 1 amu / A^3
SAME_CELL = 1e-6  # relative
NOBODY_ASKED = "no solvation.centre in the config"


def structure_dataset(
    condition: Condition, species: list[str], bin_width: float, r_max: float, shell_of: dict[str, str | float] | str
) -> "xarray.Dataset":
    """
    g(r) of each unordered pair "A-B" of species, density, and the shell of neighbours around the ions of a species.

    bin_width, r_max in A. shell_of: {"centre": a species, "tolerance_ps": ...} or "none". Raises ValueError for a
    centre that is not in `species` and where `structure.check_memory` does.
    """
    import xarray

    if shell_of != "none" and shell_of["centre"] not in species:
        raise ValueError(f"solvation.centre {shell_of['centre']}: not a species of this system; one of {species}")
    edges = structure.bins(condition.replicas, bin_width, r_max)
    found = distributions(condition, species, edges)
    data = pair_variables(condition, species, found) | density_variables(condition)
    if shell_of == "none":
        data |= shell_variables([gap_in_shell(NOBODY_ASKED)] * len(species))
    else:
        data |= shell_variables(shells(condition, species, found, shell_of["centre"], shell_of["tolerance_ps"]))
    coordinates = {
        "pair": text(("pair",), list(found), "pair of species"),
        "r": variable(("r",), (edges[1:] + edges[:-1]) / 2, "angstrom", "distance, centre of the bin"),
        "neighbour": text(("neighbour",), species, "species in the shell around the centre"),
        "n": variable(("n",), np.arange(data["shell_probability"][1].shape[1]), "1", "number of neighbours"),
    }
    attributes = {
        "range": f"{r_max:g} A, or half the smallest width of the cell where that is less",
        "centre": "none" if shell_of == "none" else shell_of["centre"],
        "tolerance_ps": np.nan if shell_of == "none" else shell_of["tolerance_ps"],
    }
    return xarray.Dataset(data, coordinates, attributes)


def distributions(condition: Condition, species: list[str], edges: np.ndarray) -> dict[str, PairDistribution]:
    """g(r) of each pair "A-B"."""
    counts = [structure.block_counts(replica, species, edges) for replica in condition.replicas]
    blocks = np.array(counts)  # replica, block, pair, bin
    volumes = np.array([replica.volume for replica in condition.replicas])
    found = {}
    for k, (a, b) in enumerate(combinations_with_replacement(species, 2)):
        partners = len(condition.members(b)) - (a == b)
        reason = condition.missing(a) or condition.missing(b) or ("" if partners else f"a single {a} has no pair")
        if reason:
            found[f"{a}-{b}"] = structure.undetermined(len(edges[1:]), reason)
            continue
        ideal = partners / volumes[:, None] * 4 / 3 * np.pi * np.diff(edges**3)
        one = structure.pair_distribution(blocks[:, :, k], ideal, edges)
        log.info("%s-%s: %.3g +- %.2g within %.3g A %s", a, b, *one[6:8], one.first_minimum, one.reason)
        found[f"{a}-{b}"] = one
    return found


def pair_variables(condition: Condition, species: list[str], found: dict[str, PairDistribution]) -> dict:
    """The fields of `structure.PairDistribution`, coordination both ways: N_a n_ab = N_b n_ba."""
    p, pr, each = ("pair",), ("pair", "r"), columns(list(found.values()))
    n_atoms = [
        (len(condition.members(a)), len(condition.members(b))) for a, b in combinations_with_replacement(species, 2)
    ]
    back = np.array([a / max(1, b) for a, b in n_atoms])
    correlation = "correlation of consecutive blocks of g(r), each a twentieth of a run"
    data = {
        "rdf": variable(pr, each["g"], "1", "radial distribution function", "rdf_std"),
        "rdf_std": variable(pr, each["g_std"], "1", "standard error of the radial distribution function"),
        "block_correlation": variable(p, each["correlation"], "1", correlation),
        "n_replicas": variable((), np.int32(len(condition.replicas)), "1", "replicas that passed the simulate gate"),
        "reason": text(p, each["reason"].astype(object), "why there is no coordination number, or no error"),
    }
    for name, field, factor, unit, what in (
        ("first_peak", "first_peak", 1.0, "angstrom", "highest peak of g(r)"),
        ("first_minimum", "first_minimum", 1.0, "angstrom", "first minimum of g(r) behind its highest peak"),
        ("coordination", "first_shell", 1.0, "1", "coordination number, second species around the first"),
        ("coordination_reverse", "first_shell", back, "1", "coordination number, first species around the second"),
    ):
        data |= with_error(name, p, each[field] * factor, each[f"{field}_std"] * factor, unit, what)
    return data


def with_error(name: str, dimensions: tuple[str, ...], values, errors, unit: str, what: str) -> dict:
    """A variable and its standard error."""
    return {
        name: variable(dimensions, values, unit, what, f"{name}_std"),
        f"{name}_std": variable(dimensions, errors, unit, f"standard error: {what}"),
    }


def density_variables(condition: Condition) -> dict:
    """Mean over the replicas, whose cells are fixed; an error only where the cells differ."""
    replicas = condition.replicas
    mass = np.array([replica.masses.sum() * G_PER_CM3 / replica.volume for replica in replicas])
    number = np.array([replica.n_atoms / replica.volume for replica in replicas])
    note = condition.gap
    if len(replicas) == 1:
        note = "a single cell, fixed during the run: no error"
    elif replicas and np.ptp(mass) < SAME_CELL * mass.mean():
        note = "the same cell in each replica: given, not found, so no error"
    data = {"density_note": text((), note, "why the density has no error")}
    for name, values, unit in (("density", mass, "g cm-3"), ("number_density", number, "angstrom-3")):
        std = np.nan if note else values.std(ddof=1) / np.sqrt(len(values))
        mean = values.mean() if len(values) else np.nan
        data |= with_error(name, (), mean, std, unit, name.replace("_", " "))
    return data


def shells(
    condition: Condition, species: list[str], pairs: dict[str, PairDistribution], centre: str, tolerance: float
) -> list[dict]:
    """What `shell_variables` wants of each species around the centre; the radius is the first minimum of their g(r)."""
    found = [pairs.get(f"{centre}-{name}") or pairs[f"{name}-{centre}"] for name in species]
    radii = np.array([pair.first_minimum for pair in found])
    if np.isnan(radii).all():
        return [gap_in_shell(pair.reason) for pair in found]
    accounts = [solvation.follow(replica, species, centre, radii, tolerance) for replica in condition.replicas]
    probability = np.array([account.numbers for account in accounts])  # replica, block, species, n
    probability = probability[..., : probability.any(axis=(0, 1, 2)).nonzero()[0][-1] + 1]
    number = (probability @ np.arange(probability.shape[-1]))[..., None]
    step, n_frames = condition.replicas[0].step, condition.replicas[0].n_frames
    short = n_frames <= 2 * solvation.reach(tolerance, step)
    result = []
    for k, (name, pair) in enumerate(zip(species, found, strict=True)):
        if np.isnan(pair.first_minimum):
            result.append(gap_in_shell(pair.reason, probability.shape[-1]))
            continue
        stay = solvation.residence(
            np.array([account.exits[:, k] for account in accounts]),
            np.array([account.exposure[:, k] for account in accounts]),
        )
        if short:
            stay = solvation.no_residence(f"{n_frames * step:.3g} ps of run: no more than twice solvation.tolerance_ps")
        log.info("%s around %s stays %.3g +- %.2g ps %s", name, centre, *stay[:2], stay.reason)
        mean, mean_std, _ = structure.band(number[:, :, k])
        p, p_std, _ = structure.band(probability[:, :, k], probability.shape[-1])
        p_std = np.where(p > 0, p_std, np.nan)  # never seen: not known to be impossible
        radius, number_std = (pair.first_minimum, pair.first_minimum_std), (mean[0], mean_std[0])
        result.append({"radius": radius, "number": number_std, "probability": (p, p_std), "stay": stay})
    return result


def gap_in_shell(reason: str, n_numbers: int = 0) -> dict:
    """A species without a shell."""
    nan = np.nan, np.nan
    stay = solvation.no_residence(reason)
    return {"radius": nan, "number": nan, "probability": np.full((2, n_numbers), np.nan), "stay": stay}


def shell_variables(found: list[dict]) -> dict:
    """Radius, number of neighbours with its distribution, and residence time of each species around the centre."""
    s, each = ("neighbour",), columns([one["stay"] for one in found])
    radii, numbers = (np.array([one[name] for one in found]).T for name in ("radius", "number"))
    probability = np.stack([one["probability"] for one in found], axis=1)
    ratio = "exit rate of contacts younger than the tolerance over that of older ones"
    what = "time that a contact with the centre goes on, once it has lasted the tolerance"
    return {
        **with_error("shell_radius", s, *radii, "angstrom", "radius of the shell, the first minimum of g(r)"),
        **with_error("shell_number", s, *numbers, "1", "mean number of neighbours within the shell's radius"),
        **with_error("shell_probability", (*s, "n"), *probability, "1", "share of the centres with n neighbours"),
        **with_error("residence_time", s, each["time"], each["time_std"], "ps", what),
        "residence_time_lower": variable(
            s, each["lower"], "ps", "lower end of the 95 % interval of the residence time"
        ),
        "residence_time_upper": variable(
            s, each["upper"], "ps", "upper end of the 95 % interval of the residence time"
        ),
        "residence_time_bound": variable(s, each["bound"], "ps", "one-sided 95 % lower bound of the residence time"),
        "exits": variable(s, each["exits"].astype(np.int32), "1", "exits from contacts that had lasted the tolerance"),
        "exposure": variable(s, each["exposure"], "ps", "time of such contacts, sum over all pairs"),
        "exit_dispersion": variable(s, each["dispersion"], "1", "variance of the exits over that of independent ones"),
        **with_error("exit_age_ratio", s, each["age_ratio"], each["age_ratio_std"], "1", ratio),
        "shell_reason": text(s, each["reason"].astype(object), "why there is no shell or no residence time"),
    }
