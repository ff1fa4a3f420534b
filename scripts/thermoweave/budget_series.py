"""What an error budget is made of: each quantity of the grid along temperature, with its replicas and its errors."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import xarray


class Series(NamedTuple):
    """
    A quantity at one concentration along the temperatures where it is known: ln X of each replica (temperature,
    replica), variance of one run, replicas there, and ln of the correction for size.
    """

    temperature: np.ndarray
    labels: list[str]
    values: np.ndarray
    variance: np.ndarray
    ln_var: np.ndarray
    n_replicas: np.ndarray
    size: np.ndarray


def series(points: "xarray.Dataset", names: tuple[str, str, str, str], corrected: str) -> Series:
    """From the variables (value, ln variance, of replicas, Birge ratio) of a quantity at one concentration."""
    value, ln_var, replicas, ratio = (points[name].transpose("temperature", ...).values for name in names)
    there = np.isfinite(value) & np.isfinite(ln_var)
    with np.errstate(invalid="ignore", divide="ignore"):  # a replica's own estimate may be below zero: no logarithm
        values = np.where(replicas > 0, np.log(replicas), np.nan)
        size = np.log(points[corrected].values / value) if corrected else np.full(len(value), np.nan)
    n = np.isfinite(values).sum(axis=1)
    widened = np.fmax(1.0, np.nan_to_num(ratio, nan=1.0)) ** 2
    labels = [str(label) for label in points["temperature_label"].values[there]]
    rows = (values, ln_var / widened * n, ln_var, n, size)
    return Series(points["temperature"].values[there], labels, *(row[there] for row in rows))


def quantities(grid: "xarray.Dataset", x: float) -> dict[str, Series]:
    """Every quantity at a concentration: D of each species that is there, conductivity, viscosity."""
    points = grid.sel(concentration=x)
    found = {
        f"D {species}": series(points.sel(species=species), ("D", "lnD_var", "D_replica", "birge_ratio"), "D_corrected")
        for species in grid["species"].values
    }
    for name in ("conductivity", "viscosity"):
        variables = (name, f"ln_{name}_var", f"{name}_replica", f"{name}_birge_ratio")
        found[name] = series(points, variables, "")
    return {name: one for name, one in found.items() if len(one.temperature)}
