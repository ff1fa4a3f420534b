"""Arrhenius figure: D of each species against 1000 / T, a panel for each concentration, with fits and their bands."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from thermoweave import environment, figures, logs, reduced

if TYPE_CHECKING:
    import matplotlib.axes
    import xarray


def draw_panel(ax: "matplotlib.axes.Axes", points: "xarray.Dataset", fits: "xarray.Dataset") -> None:
    """One concentration: points with bars of one standard error, lines with 68 % bands, crosses for gaps."""
    inverse = 1000 / points["temperature"].values
    along = 1000 / fits["temperature_fit"].values
    for k, species in enumerate(points["species"].values):
        color, marker = figures.COLORS[k % 7], figures.MARKERS[k % 7]
        one, fit = points.sel(species=species), fits.sel(species=species)
        lnD, std = one["lnD"].values, np.sqrt(one["lnD_var"].values)
        if one["n_atoms"].max() == 0:
            continue
        bars = np.exp(lnD) - np.exp(lnD - std), np.exp(lnD + std) - np.exp(lnD)
        ax.errorbar(inverse, np.exp(lnD), yerr=bars, fmt=marker, color=color, markersize=4.5, capsize=2, elinewidth=1)
        middle, width = fit["lnD_fit"].values, fit["lnD_fit_std"].values
        ax.plot(along, np.exp(middle), color=color, linewidth=1)
        ax.fill_between(along, np.exp(middle - width), np.exp(middle + width), color=color, alpha=0.2, linewidth=0)
        missing = inverse[np.isnan(lnD)]
        level = np.full(len(missing), 0.03 + 0.04 * k)  # of the height, just above the axis
        ax.plot(missing, level, "x", color=color, markersize=5, transform=ax.get_xaxis_transform())


def energies(fits: "xarray.Dataset", species: str) -> str:
    """A legend entry: the species and its activation energy with the error of the last digits."""
    one = fits.sel(species=species)
    if np.isnan(one["Ea"]):
        return f"{species}: no fit"
    return f"{species}: {float(one['Ea']):.3f} ± {float(one['Ea_std']):.3f} eV"


def plot_arrhenius(transport: Path, arrhenius: Path, out_figure: Path) -> None:
    """Draw the figure (SVG) from the grid's transport.nc and arrhenius.nc."""
    from matplotlib.lines import Line2D

    grid, fits = reduced.load(transport), reduced.load(arrhenius)
    figures.style()
    fig, axes = figures.panels(1, grid.sizes["concentration"], width=3.3, sharex=True, sharey=True)
    inverse = 1000 / grid["temperature"].values
    margin = 0.06 * (np.ptp(inverse) or 0.1)
    for ax, x in zip(axes[0], grid["concentration"].values, strict=True):
        points, line = grid.sel(concentration=x), fits.sel(concentration=x)
        draw_panel(ax, points, line)
        handles = [
            Line2D([], [], color=figures.COLORS[k % 7], marker=figures.MARKERS[k % 7], label=energies(line, species))
            for k, species in enumerate(grid["species"].values)
            if points["n_atoms"].sel(species=species).max() > 0
        ]
        ax.legend(handles=handles, title="activation energy", loc=(0.02, 0.12), alignment="left", handlelength=1.2)
        ax.set(yscale="log", xlim=(inverse.min() - margin, inverse.max() + margin), xlabel="1000 K / T")
        top = ax.secondary_xaxis("top")
        top.set_xticks(inverse, grid["temperature_label"].values)
        top.set_xlabel("T (K)")
        ax.set_title(f"x = {points['concentration_label'].item()}", color=figures.INK)
    bottom, top = axes[0, 0].get_ylim()
    axes[0, 0].set(ylabel="D (m²/s)", ylim=(bottom * (bottom / top) ** 0.35, top))  # room for the legend and the gaps
    figures.footnote(fig, figures.gap_notes(grid, "species"))
    figures.save(fig, out_figure)


if __name__ == "__main__":
    environment.isolate()
    logs.start(snakemake.log[0])
    plot_arrhenius(Path(snakemake.input.transport), Path(snakemake.input.arrhenius), Path(snakemake.output[0]))
