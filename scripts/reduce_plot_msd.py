"""MSD figure: mean squared displacement against lag, a panel for each species and concentration."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from thermoweave import environment, figures, logs, reduced

if TYPE_CHECKING:
    import matplotlib.axes
    import xarray


def draw_curve(ax: "matplotlib.axes.Axes", curve: "xarray.Dataset", color: tuple) -> None:
    """One condition: the MSD with its band, the fitted line over its range, a dot at the onset of diffusion."""
    lag, msd, std = curve["lag"].values, curve["msd"].values, curve["msd_std"].values
    ax.fill_between(lag, np.maximum(msd - std, 0.2 * msd), msd + std, color=color, alpha=0.25, linewidth=0)
    ax.plot(lag, msd, color=color, linewidth=1)
    if np.isfinite(curve["D"]):
        fitted = np.geomspace(curve["onset"], curve["fit_end"], 50)
        line = float(curve["msd_slope"]) * fitted + float(curve["msd_intercept"])
        ax.plot(fitted, line, color="black", linewidth=1, linestyle=(0, (2, 2)))
        ax.plot(fitted[0], line[0], "o", color=color, markeredgecolor="black", markersize=4.5)


def plot_msd(transport: Path, out_figure: Path, coverage: Sequence[Path] = ()) -> None:
    """Draw the figure, with its table, from the grid's transport.nc."""
    from matplotlib.lines import Line2D

    grid = reduced.load(transport)
    figures.style()
    fig, axes = figures.panels(grid.sizes["species"], grid.sizes["concentration"], sharex=True, sharey=True)
    colors = figures.temperature_colors(grid["temperature"].values)
    scale = "log" if grid["msd"].notnull().any() else "linear"  # a logarithmic axis cannot be empty
    for row, species in zip(axes, grid["species"].values, strict=True):
        for ax, x in zip(row, grid["concentration"].values, strict=True):
            for T, color in colors.items():
                draw_curve(ax, grid.sel(species=species, concentration=x, temperature=T), color)
            ax.set(xscale=scale, yscale=scale)
        row[0].set_ylabel(f"MSD of {species} (Å²)")
    for ax in axes[-1]:
        ax.set_xlabel("lag (ps)")
    figures.concentration_titles(axes, grid)
    extra = [
        Line2D([], [], color="black", linewidth=1, linestyle=(0, (2, 2)), label="fit 6 D t + c"),
        Line2D([], [], color="none", marker="o", markerfacecolor="0.8", markeredgecolor="black", label="onset"),
    ]
    figures.temperature_legend(fig, grid, extra)
    figures.footnote(fig, figures.uncovered(coverage) + figures.gap_notes(grid, "species"))
    columns = {"msd_A2": "msd", "msd_std_A2": "msd_std"}
    figures.publish(fig, out_figure, reduced.table(grid, ("species", "lag"), columns).dropna())


if __name__ == "__main__":
    environment.isolate()
    logs.start(snakemake.log[0])
    plot_msd(Path(snakemake.input.transport), Path(snakemake.output[0]), snakemake.input.coverage)
