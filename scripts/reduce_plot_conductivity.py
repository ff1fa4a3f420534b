"""Conductivity figure: with and without cross terms, Haven ratio, transference numbers; a column a concentration."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from thermoweave import environment, figures, logs, reduced

if TYPE_CHECKING:
    import matplotlib.axes
    import xarray

WAYS = {"conductivity": "Green–Kubo", "conductivity_eh": "Einstein–Helfand", "conductivity_ne": "Nernst–Einstein"}
COLUMNS = {
    f"{name}{part}_S_m": f"{name}{part}" for name in WAYS for part in ("", "_std", "_upper_bound")
} | {
    "haven_ratio": "haven_ratio", "haven_ratio_std": "haven_ratio_std", "viscosity_Pa_s": "viscosity",
    "viscosity_std_Pa_s": "viscosity_std", "viscosity_lower_bound_Pa_s": "viscosity_lower_bound",
    "conductivity_reason": "conductivity_reason", "conductivity_eh_reason": "conductivity_eh_reason",
    "conductivity_ne_reason": "conductivity_ne_reason", "viscosity_reason": "viscosity_reason",
    "viscosity_note": "viscosity_note",
}  # fmt: skip


def draw_ways(ax: "matplotlib.axes.Axes", one: "xarray.Dataset", shift: float) -> None:
    """Conductivity by three ways, a little beside each other; an arrow down where Green-Kubo gives an upper bound."""
    for k, name in enumerate(WAYS):
        style = dict(fmt=figures.MARKERS[k], color=figures.COLORS[k], markersize=4.5, capsize=2, elinewidth=1)
        at = one["temperature"] + (k - 1) * shift
        ax.errorbar(at, one[name], yerr=one[f"{name}_std"], **style)
    bound = one["conductivity_upper_bound"].where(one["conductivity"].isnull())
    at = one["temperature"] - shift
    ax.errorbar(at, bound, yerr=0.12 * bound, uplims=True, linestyle="", color=figures.COLORS[0])


def draw_haven(ax: "matplotlib.axes.Axes", one: "xarray.Dataset") -> None:
    """The Haven ratio, with a line where ions move independently."""
    ax.axhline(1, color="0.8", linewidth=0.8, zorder=0)
    bars = dict(fmt="o", color=figures.COLORS[6], markersize=4.5, capsize=2, elinewidth=1)
    ax.errorbar(one["temperature"], one["haven_ratio"], yerr=one["haven_ratio_std"], **bars)


def draw_shares(ax: "matplotlib.axes.Axes", one: "xarray.Dataset", shift: float) -> None:
    """The share of the current that each species carries."""
    ax.axhline(0, color="0.8", linewidth=0.8, zorder=0)
    for k, species in enumerate(one["species"].values):
        line = one.sel(species=species)
        at = line["temperature"] + (k - 1) * shift
        style = dict(fmt=figures.MARKERS[k % 7], color=figures.COLORS[k % 7], markersize=4.5, capsize=2, elinewidth=1)
        ax.errorbar(at, line["transference"], yerr=line["transference_std"], **style)


def gap_notes(grid: "xarray.Dataset") -> list[str]:
    """Why a condition has no conductivity or no Onsager matrix; that of Einstein-Helfand is in the table."""
    notes = []
    for what in ("conductivity", "conductivity_ne", "onsager"):
        reasons = grid[f"{what}_reason"].transpose("concentration", "temperature")
        for x, row in zip(grid["concentration_label"].values, reasons.values, strict=True):
            for T, reason in zip(grid["temperature_label"].values, row, strict=True):
                if reason:
                    notes.append(f"x = {x}, {T} K, {WAYS.get(what, 'Onsager matrix')}: {reason}")
    return notes


def plot_conductivity(transport: Path, out_figure: Path, coverage: Sequence[Path] = ()) -> None:
    """Draw the figure, with its table, from the grid's transport.nc."""
    from matplotlib.lines import Line2D

    grid = reduced.load(transport)
    figures.style()
    fig, axes = figures.panels(3, grid.sizes["concentration"], sharex=True, sharey="row")
    temperature = grid["temperature"].values
    shift = 0.08 * (np.diff(temperature).min() if len(temperature) > 1 else 0.1 * temperature[0])
    for column, x in zip(axes.T, grid["concentration"].values, strict=True):
        one = grid.sel(concentration=x)
        draw_ways(column[0], one, shift)
        draw_haven(column[1], one)
        draw_shares(column[2], one, shift)
        column[-1].set_xlabel("T (K)")
    axes[0, 0].set(ylabel="conductivity (S/m)", ylim=(0, None))
    axes[1, 0].set(ylabel="Haven ratio", ylim=(0, None))
    axes[2, 0].set(ylabel="transference number")
    figures.concentration_titles(axes, grid)

    def marks(names: list[str]) -> list:
        marked = zip(names, figures.COLORS * 3, figures.MARKERS * 3, strict=False)
        return [Line2D([], [], color=c, marker=m, linestyle="", markersize=4.5, label=name) for name, c, m in marked]

    fig.legend(handles=marks([*WAYS.values()]), loc="outside right upper", title="conductivity")
    fig.legend(handles=marks([*grid["species"].values]), loc="outside right lower", title="carried by")
    figures.footnote(fig, figures.uncovered(coverage) + gap_notes(grid))
    figures.publish(fig, out_figure, reduced.table(grid, (), COLUMNS))


if __name__ == "__main__":
    environment.isolate()
    logs.start(snakemake.log[0])
    plot_conductivity(Path(snakemake.input.transport), Path(snakemake.output[0]), snakemake.input.coverage)
