"""Current spectrum figure: ridges of Re sigma(f) and of infrared absorption, the parts of Re sigma at the hottest."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from thermoweave import environment, figures, logs, reduced, ridge

if TYPE_CHECKING:
    import matplotlib.axes
    import xarray

SHOWN = 0.99  # share of the integral below the end of the axis
CM_PER_THZ = 1e12 / 2.99792458e10  # wave number in 1/cm of 1 THz


def last_frequency(grid: "xarray.Dataset") -> float:
    """The frequency below which nearly all of the integral of the conductivity lies, THz."""
    total = grid["conductivity"].sum(["temperature", "concentration"])
    share = total.cumsum("frequency") / total.sum("frequency")
    return float(grid["frequency"].where(share >= SHOWN).min())


def draw_parts(ax: "matplotlib.axes.Axes", one: "xarray.Dataset") -> None:
    """The parts of the pairs of species at one condition."""
    ax.axhline(0, color="0.8", linewidth=0.8, zorder=0)
    for k, pair in enumerate(one["pair"].values):
        mean, std = (one[name].sel(pair=pair).values for name in ("conductivity_partial", "conductivity_partial_std"))
        if np.nan_to_num(mean).any():
            ridge.band(ax, one["frequency"].values, mean, std, figures.COLORS[k % len(figures.COLORS)])


def gap_notes(grid: "xarray.Dataset") -> list[str]:
    """Why a condition has no spectrum, and what to mind."""
    notes = []
    for name in [name for name in ("conductivity_reason", "ir_reason", "note") if name in grid]:
        one = grid.assign(reason=grid[name].expand_dims("any", -1).assign_coords(any=[""]))
        notes += [line for line in figures.gap_notes(one, "any") if line not in notes]
    return notes


def plot_conductivity_spectrum(spectra: Path, out_figure: Path, coverage: Sequence[Path] = ()) -> None:
    """Draw the figure, with its table, from the grid's spectra.nc."""
    from matplotlib.lines import Line2D

    grid = reduced.load(spectra)
    figures.style()
    rows = ["conductivity", "parts", *(["ir_absorption"] if "ir_absorption" in grid else [])]
    fig, axes = figures.panels(len(rows), grid.sizes["concentration"], sharex=True, sharey="row")
    offsets = {name: ridge.step(grid[name]) for name in rows if name != "parts"}
    for column, x in zip(axes.T, grid["concentration"].values, strict=True):
        one = grid.sel(concentration=x)
        for ax, name in zip(column, rows, strict=True):
            if name == "parts":
                draw_parts(ax, one.isel(temperature=-1))
            else:
                ridge.draw(ax, one, name, offsets[name])
                ridge.limits(ax, grid[name], offsets[name])
    hottest = grid["temperature_label"].values[-1]
    labels = {"parts": f"parts of Re σ\nat {hottest} K (S/m)"}
    for name, quantity in ("conductivity", "Re σ (S/m)"), ("ir_absorption", "α n (1/cm)"):
        labels[name] = f"{quantity},\neach T {offsets.get(name, 0):g} higher"
    for ax, name in zip(axes[:, 0], rows, strict=True):
        ax.set_ylabel(labels[name])
    for ax in axes[-1]:
        ax.set_xlabel("frequency (THz)")
    if grid["conductivity"].notnull().any():
        axes[0, 0].set_xlim(0, last_frequency(grid))
    if "ir_absorption" in grid:
        for ax in axes[-1]:
            ax.secondary_xaxis("top", functions=(lambda f: f * CM_PER_THZ, lambda k: k / CM_PER_THZ)).set_xlabel("1/cm")
    figures.concentration_titles(axes, grid)
    pairs = [
        Line2D([], [], color=figures.COLORS[k % len(figures.COLORS)], label=pair.replace("-", "–"))
        for k, pair in enumerate(grid["pair"].values)
        if np.nan_to_num(grid["conductivity_partial"].sel(pair=pair)).any()
    ]
    figures.temperature_legend(fig, grid, pairs)
    figures.footnote(fig, figures.uncovered(coverage) + gap_notes(grid))
    columns = {"conductivity_S_m": "conductivity", "conductivity_std_S_m": "conductivity_std"}
    for k, pair in enumerate(grid["pair"].values):
        for part in ("", "_std"):
            grid[f"{pair}{part}"] = grid[f"conductivity_partial{part}"].isel(pair=k, drop=True)
            columns[f"conductivity_{pair}{part}_S_m"] = f"{pair}{part}"
    if "ir_absorption" in grid:
        columns |= {"ir_absorption_per_cm": "ir_absorption", "ir_absorption_std_per_cm": "ir_absorption_std"}
    table = reduced.table(grid, ("frequency",), columns)
    figures.publish(fig, out_figure, table.dropna(subset=["conductivity_S_m"]))


if __name__ == "__main__":
    environment.isolate()
    logs.start(snakemake.log[0])
    plot_conductivity_spectrum(Path(snakemake.input.spectra), Path(snakemake.output[0]), snakemake.input.coverage)
