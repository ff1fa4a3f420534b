"""Ridge plots of spectra: the curves of many temperatures above one another, each with its band on its own line."""

from typing import TYPE_CHECKING

import numpy as np

from thermoweave import figures

if TYPE_CHECKING:
    import matplotlib.axes
    import xarray

OFFSET = 0.45  # between neighbouring ridges, of the highest of all


def band(ax: "matplotlib.axes.Axes", x: np.ndarray, mean: np.ndarray, std: np.ndarray, color: tuple | str) -> None:
    """A line with the band of one standard error; points without a value are bridged."""
    there = np.isfinite(mean)
    x, mean, std = x[there], mean[there], std[there]
    ax.fill_between(x, mean - std, mean + std, color=color, alpha=0.3, linewidth=0)
    ax.plot(x, mean, color=color, linewidth=1.1)


def step(values: "xarray.DataArray") -> float:
    """Distance between neighbouring ridges of some curves, one significant digit; 1 where there is none."""
    highest = float(values.max()) if values.notnull().any() else np.nan
    return float(f"{OFFSET * highest:.1g}") if highest > 0 else 1.0


def draw(ax: "matplotlib.axes.Axes", one: "xarray.Dataset", name: str, offset: float) -> None:
    """Variable `name` (temperature, frequency) of a condition's row of the grid, the coldest at the bottom."""
    colors = figures.temperature_colors(one["temperature"].values)
    frequency = one["frequency"].values
    for k, (T, color) in reversed(list(enumerate(colors.items()))):
        curve = one.sel(temperature=T)
        mean, std = curve[name].values + k * offset, curve[f"{name}_std"].values
        ax.axhline(k * offset, color=color, linewidth=0.5, alpha=0.6)
        there = np.isfinite(mean)
        ax.fill_between(frequency[there], k * offset, mean[there], color="white", alpha=0.7, linewidth=0)
        band(ax, frequency, mean, std, color)


def limits(ax: "matplotlib.axes.Axes", values: "xarray.DataArray", offset: float) -> None:
    """Limits that hold all ridges of the curves (temperature, ...) that share the axis."""
    top = float(values.max()) if values.notnull().any() else offset / OFFSET
    ax.set_ylim(0, (values.sizes["temperature"] - 1) * offset + 1.1 * top)
