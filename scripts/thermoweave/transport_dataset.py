"""The transport coefficients of one condition as a CF-style dataset.

Without a trajectory it has the same variables, all NaN, over empty axes, and says why.
"""

import logging
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from thermoweave import coefficient, collective, msd, onsager, statistics, transport, viscosity
from thermoweave import transport_variables as variables
from thermoweave.coefficient import Coefficient
from thermoweave.conditions import Condition, columns
from thermoweave.onsager import Onsager
from thermoweave.reduced import text, variable

if TYPE_CHECKING:
    import xarray

log = logging.getLogger(__name__)


class Cell(NamedTuple):
    """What the replicas of a condition share: volume in A^3, temperature in K, frames and ps between them, lags."""

    volume: float
    kelvin: float
    n_frames: int
    step: float
    lags: np.ndarray


def shared(condition: Condition, n_lags: int) -> Cell:
    """Means over the replicas; NaN and no lags without one."""
    replicas = condition.replicas
    if not replicas:
        return Cell(np.nan, np.nan, 0, np.nan, np.empty(0, int))
    volume = float(np.mean([replica.volume for replica in replicas]))
    kelvin = float(np.mean([replica.temperature.mean() for replica in replicas]))
    n_frames = replicas[0].n_frames
    return Cell(volume, kelvin, n_frames, replicas[0].step, msd.log_lags(n_frames, n_lags))


def transport_dataset(
    condition: Condition, species: list[str], charges: dict[str, float], floor: float, n_lags: int, stress_trained: bool
) -> "xarray.Dataset":
    """
    D and MSD of each species, conductivities with the Onsager matrix, viscosity, D of an infinite cell.

    floor: earliest onset of diffusion in ps; stress_trained: whether labels had stresses (said beside the viscosity).
    """
    import xarray

    cell = shared(condition, n_lags)
    present = [name for name in species if not condition.missing(name)]
    groups = [condition.members(name) for name in present]
    found = [collective.paths(replica, groups) for replica in condition.replicas]
    squared, diffusions = {}, []
    for name in species:
        if name not in present:
            diffusions.append(transport.undetermined(condition.missing(name), len(condition.replicas)))
            continue
        squared[name] = diffusive(condition, condition.members(name), [centre for centre, _ in found], cell.lags)
        diffusions.append(transport.diffusion(squared[name], cell.lags, cell.step, cell.n_frames, floor))
        log.info("%s: D = %.3g +- %.2g m2/s %s", name, diffusions[-1].D, diffusions[-1].D_std, diffusions[-1].reason)
    each = columns(diffusions)
    n_atoms = np.array([len(condition.members(name)) for name in species], np.int32)
    z = np.array([charges[name] for name in species], float)
    eta = shear_viscosity(condition, cell)
    data = variables.diffusion(each, n_atoms)
    data.update(variables.curves([msd_curve(squared.get(name), cell.lags) for name in species]))
    there = np.array([name in present for name in species])
    data.update(conduction(condition, cell, [sums for _, sums in found], z, there, floor, n_atoms, each))
    data.update(
        variables.viscosity(eta, "" if stress_trained else "no label had a stress: the potential's is untested")
    )
    data.update(variables.infinite_cell(*infinite_cell(condition, cell, each, eta)))
    data.update(provenance(condition))
    coordinates = {
        "species": text(("species",), species, "chemical element"),
        "partner": text(("partner",), species, "chemical element"),
        "lag": variable(("lag",), cell.lags * cell.step, "ps", "time lag"),
        "replica": variable(("replica",), condition.passed, "1", "number of the replica"),
    }
    dataset = xarray.Dataset(data, coordinates, {"reference_frame": collective.REFERENCE_FRAME})
    dataset = dataset.reindex(replica=condition.numbers)  # rejected replicas keep their place, as NaN
    rejection = np.array(condition.reasons, object)
    return dataset.assign(rejection=text(("replica",), rejection, "why a replica was not read"))


def diffusive(condition: Condition, atoms: np.ndarray, centres: list[np.ndarray], lags: np.ndarray) -> list:
    """Squared displacements of some atoms in each replica, relative to the centre of mass."""
    return [
        msd.displacements((path - centre[:, None] for _, path in replica.series("coordinates", atoms)), lags)
        for replica, centre in zip(condition.replicas, centres, strict=True)
    ]


def msd_curve(squared: list[msd.Displacements] | None, lags: np.ndarray) -> np.ndarray:
    """MSD and its standard error, (2, n_lags)."""
    return np.array(msd.msd_curve(squared)) if squared else np.full((2, len(lags)), np.nan)


def conduction(
    condition: Condition, cell: Cell, paths: list[np.ndarray], z: np.ndarray, there: np.ndarray, floor: float,
    n_atoms: np.ndarray, each: dict[str, np.ndarray],
) -> dict:  # fmt: skip
    """
    Variables of the conductivities; z, n_atoms and `there` (species,): charges, atoms, which species has any; each:
    fields of the `transport.Diffusion` of the species.
    """
    n_replicas, n = len(condition.replicas), len(z)
    nernst_einstein = uncorrelated(cell, z, n_atoms, each, condition.gap)
    reason = condition.gap or ("" if z[there].any() else "no species has a charge (system.charges)")
    if reason:
        collective_part = coefficient.gap(reason, n_replicas)
        helfand = onsager.undetermined(reason, n, n_replicas)
    else:
        collective_part = onsager.green_kubo(paths, z[there], cell.volume, cell.kelvin, cell.step)
        onsets = each["onset"][np.isfinite(each["onset"])]
        begun = float(np.median(onsets)) if len(onsets) else floor  # of the atoms' diffusion, one late alarm aside
        args = cell.volume, cell.kelvin, cell.step, cell.lags, begun
        helfand = spread(onsager.einstein_helfand(paths, z[there], *args), there)
        still = each["regime"][there & (z != 0)] != "diffusive"
        if still.all():  # a run that ends cannot tell the slowest conduction from none
            why = f"no ion diffuses: {each['reason'][there & (z != 0)][0]}"
            collective_part, helfand = coefficient.refused(collective_part, why), onsager.refused_matrix(helfand, why)
        log.info("conductivity: %.3g S/m, 1 +- %.2g %s", *collective_part[:2], collective_part.reason)
    return variables.conductivities(nernst_einstein, collective_part, helfand)


def spread(found: Onsager, there: np.ndarray) -> Onsager:
    """An Onsager matrix of the species that are there among all, NaN for the others."""
    vectors = {name: np.full(len(there), np.nan) for name in ("transference", "transference_std")}
    matrices = {name: np.full((len(there), len(there)), np.nan) for name in ("L", "L_std")}
    for name, values in vectors.items():
        values[there] = getattr(found, name)
    for name, values in matrices.items():
        values[np.ix_(there, there)] = getattr(found, name)
    return found._replace(**vectors, **matrices)


def uncorrelated(cell: Cell, z: np.ndarray, n_atoms: np.ndarray, each: dict, gap: str) -> Coefficient:
    """Nernst-Einstein: e^2 / (V kB T) sum N z^2 D, from the D of the species; none where one of them has none."""
    weight = n_atoms * z**2 * onsager.E2 * onsager.JOULE / transport.ANGSTROM2_PER_PS / (cell.volume * cell.kelvin)
    charged = weight > 0
    n_replicas = each["replicas"].shape[1]
    lacking = charged & np.isnan(each["D"])
    if gap or not charged.any() or lacking.any():
        return coefficient.gap(gap or next(iter(each["reason"][lacking]), "no species has a charge"), n_replicas)
    sigma = float(weight[charged] @ each["D"][charged])
    std = np.sqrt(weight[charged] ** 2 @ each["D_std"][charged] ** 2)
    return Coefficient(sigma, float(std / sigma), weight[charged] @ each["replicas"][charged], np.nan, "")


def shear_viscosity(condition: Condition, cell: Cell) -> Coefficient:
    """From the stresses of all replicas; a gap where they kept none."""
    stresses = [collective.shear_stress(replica) for replica in condition.replicas]
    if condition.gap or any(stress is None for stress in stresses):
        return coefficient.gap(condition.gap or "the runs kept no stress", len(stresses))
    found = viscosity.viscosity(stresses, cell.volume, cell.kelvin, cell.step)
    log.info("viscosity: %.3g Pa s, 1 +- %.2g %s", found.value, found.ln_std, found.reason)
    return found


def infinite_cell(condition: Condition, cell: Cell, each: dict, eta: Coefficient) -> tuple[np.ndarray, np.ndarray, str]:
    """D without the images of the cell, its standard error, and why there is none."""
    nan = np.full(len(each["D"]), np.nan)
    reason = eta.reason or variables.unresolved("viscosity", eta.ln_std)
    if reason:
        return nan, nan, reason if condition.gap else f"no viscosity: {reason}"
    try:
        args = eta.value, eta.ln_std, condition.replicas[0].cell, cell.kelvin
        return *viscosity.infinite_cell(each["D"], each["D_std"], *args), ""
    except ValueError as error:
        return nan, nan, str(error)


def provenance(condition: Condition) -> dict:
    """How many replicas were used, their temperature and wall contacts."""
    temperature = statistics.mean_of_series([replica.temperature for replica in condition.replicas])
    contacts = statistics.mean_of_series([replica.wall_contacts for replica in condition.replicas])
    name, wall = "mean kinetic temperature", "ion pairs inside the wall, per frame"
    return {
        "n_replicas": variable((), np.int32(len(condition.passed)), "1", "replicas that passed the simulate gate"),
        "temperature_mean": variable((), temperature[0], "K", name, "temperature_mean_std"),
        "temperature_mean_std": variable((), temperature[1], "K", f"standard error of the {name}"),
        "wall_contacts": variable((), contacts[0], "1", wall, "wall_contacts_std"),
        "wall_contacts_std": variable((), contacts[1], "1", f"standard error: {wall}"),
    }
