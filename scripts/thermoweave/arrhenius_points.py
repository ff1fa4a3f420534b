"""The points of an Arrhenius plot from the grid of transport coefficients: numbers, estimates, bounds and gaps."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from thermoweave.censored import Points

if TYPE_CHECKING:
    import xarray

SCALARS = {"conductivity": 1.0, "conductivity_ne": 1.0, "viscosity": -1.0}  # and whether it rises on heating


class Quantity(NamedTuple):
    """
    A quantity along the temperatures of a concentration. name: "D Li", "D_corrected Li", "conductivity" ...; reasons
    (temperature,): why it is not resolved, "" where it is; absent: why it is nowhere, "" where it may be.
    """

    name: str
    units: str
    points: Points
    reasons: list[str]
    absent: str


def names(grid: "xarray.Dataset") -> list[str]:
    """The quantities of the grid, in their order."""
    species = [str(name) for name in grid["species"].values]
    corrected = species if "D_corrected" in grid and np.isfinite(grid["D_corrected"]).any() else []
    scalars = [name for name in SCALARS if name in grid]
    return [f"D {name}" for name in species] + [f"D_corrected {name}" for name in corrected] + scalars


def quantity(one: "xarray.Dataset", name: str) -> Quantity:
    """One of `names` from the grid at one concentration."""
    one = one.transpose("temperature", ...)
    if name in SCALARS:
        return _positive(one, name)
    kind, species = name.split(" ", 1)
    one = one.sel(species=species)
    return (_diffusion if kind == "D" else _corrected)(name, one)


def at_run_temperature(one: "xarray.Dataset") -> "xarray.Dataset":
    """A concentration with the mean temperature of the runs in place of the grid's, where there are runs."""
    grid, mean = one["temperature"].values, one["temperature_mean"].values
    return one.assign_coords(temperature=("temperature", np.where(np.isfinite(mean), mean, grid)))


def _diffusion(name: str, one: "xarray.Dataset") -> Quantity:
    """D where it is resolved; else its estimate, as it is or, where the MSD still bends, as a bound."""
    lnX, variance, estimate, std = (one[key].values for key in ("lnD", "lnD_var", "D_estimate", "D_estimate_std"))
    reasons = [str(reason) for reason in one["reason"].values]
    regime = one["regime"].values.astype(str)
    usable = np.isin(regime, ["unresolved", "subdiffusive"])
    estimate, std = (np.where(usable, a, np.nan) for a in (estimate, std))
    points = _points(one, lnX, variance, estimate, std, bound=regime == "subdiffusive")
    return Quantity(name, "m2 s-1", points, _reasons(points, reasons), _absent(one))


def _corrected(name: str, one: "xarray.Dataset") -> Quantity:
    """D of an infinite cell: only where it could be had at all temperatures that have a D."""
    D, std = one["D_corrected"].values, one["D_corrected_std"].values
    lacking = np.isfinite(one["D"].values) & ~np.isfinite(D)
    absent = _absent(one)
    if lacking.any() and not absent:
        where = ", ".join(one["temperature_label"].values[lacking].astype(str))
        absent = f"D not corrected for the size of the cell at {where} K"
        D = np.full(len(D), np.nan)
    nan = np.full(len(D), np.nan)
    points = _points(one, np.log(D), (std / D) ** 2, nan, nan, np.zeros(len(D), bool))
    return Quantity(name, "m2 s-1", points, _reasons(points, one["reason"].values.astype(str).tolist()), absent)


def _positive(one: "xarray.Dataset", name: str) -> Quantity:
    """
    A positive quantity, whose error is that of its logarithm. Where it is not resolved its bound says that the estimate
    is only uncertain; without a bound it is a gap.
    """
    value, estimate, std = (one[f"{name}{part}"].values for part in ("", "_estimate", "_estimate_std"))
    limit = one[f"{name}_lower_bound" if name == "viscosity" else f"{name}_upper_bound"].values
    resolved = np.isfinite(value)
    usable = (resolved | np.isfinite(limit)) & (estimate > 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        lnX = np.where(usable, np.log(np.where(resolved, value, estimate)), np.nan)
        variance = np.where(resolved, one[f"ln_{name}_var"].values, (std / estimate) ** 2)
    nan, no = np.full(len(lnX), np.nan), np.zeros(len(lnX), bool)
    points = _points(one, lnX, variance, nan, nan, no, SCALARS[name])
    points = points._replace(resolved=points.resolved & resolved)
    reasons = one[f"{name}_reason"].values.astype(str).tolist()
    units = one[name].attrs.get("units", "")
    return Quantity(name, units, points, _reasons(points, reasons), "")


def _points(
    one: "xarray.Dataset", lnX: np.ndarray, variance: np.ndarray, estimate: np.ndarray, std: np.ndarray,
    bound: np.ndarray, sign: float = 1.0,
) -> Points:  # fmt: skip
    """Independent conditions; a logarithm without a positive variance is a gap, as it cannot be weighed."""
    known = np.isfinite(lnX) & np.isfinite(variance) & (variance > 0)
    lnX, variance = np.where(known, lnX, np.nan), np.where(known, variance, np.nan)
    return Points(one["temperature"].values, lnX, np.diag(variance), estimate, std, bound, known, sign)


def _reasons(points: Points, reasons: list[str]) -> list[str]:
    """The given reasons, and one where a number has no error."""
    missing = ~points.informative
    return [
        reason or ("no error of its own: it cannot be weighed" if gap else "")
        for reason, gap in zip(reasons, missing, strict=True)
    ]


def _absent(one: "xarray.Dataset") -> str:
    """The one reason of a species that is not there."""
    reasons = {str(reason) for reason in one["reason"].values}
    return next((reason for reason in sorted(reasons) if "at this concentration" in reason), "")


def used_as(points: Points) -> list[str]:
    """What each point is to the fit: number, uncertain, upper bound, or gap."""
    words = np.full(len(points.temperature), "gap", object)
    words[points.informative] = "uncertain"
    words[points.linear & points.bound] = "upper bound"
    words[points.logarithms & points.resolved] = "number"
    return words.tolist()
