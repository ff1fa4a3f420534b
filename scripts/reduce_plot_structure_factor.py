"""Structure factor figure: S(q) of number and charge and of each pair of species; S(q, f) of number and charge."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from thermoweave import environment, figures, logs, reduced, ridge

if TYPE_CHECKING:
    import matplotlib.axes
    import xarray

DENSITIES = ("number", "charge")
DECADES = 1000  # of S(q, f) shown below its maximum


def draw(ax: "matplotlib.axes.Axes", one: "xarray.Dataset", axis: str, name: str, color: tuple | str) -> None:
    """A curve along an axis with its band; gaps between the few wave vectors of a small cell are bridged."""
    ridge.band(ax, one[axis].values, one[name].values, one[f"{name}_std"].values, color)


def draw_static(axes: np.ndarray, one: "xarray.Dataset") -> None:
    """Number, charge (each temperature) and pairs (the hottest) of one concentration, in three panels."""
    for ax, density in zip(axes[:2], DENSITIES, strict=True):
        ax.axhline(1, color="0.8", linewidth=0.8, zorder=0)
        for T, color in figures.temperature_colors(one["temperature"].values).items():
            draw(ax, one.sel(temperature=T), "q", f"structure_factor_{density}", color)
        ax.set_ylim(0, None)
    for level in (0, 1):
        axes[2].axhline(level, color="0.8", linewidth=0.8, zorder=0)
    for k, pair in enumerate(one["pair"].values):
        color = figures.COLORS[k % len(figures.COLORS)]
        draw(axes[2], one.sel(pair=pair).isel(temperature=-1), "q", "structure_factor", color)
    axes[2].set_xlabel("q (1/Å)")
    for ax in axes:
        ax.set_xlim(0, None)


def draw_dynamic(axes: np.ndarray, one: "xarray.Dataset") -> None:
    """S(q, f) of one concentration on logarithmic axes: for each wave number a panel of number and one of charge."""
    panels = iter(axes)
    for q in one["q_dynamic"].values:
        for density in DENSITIES:
            ax, name = next(panels), f"dynamic_structure_factor_{density}"
            at_q = one.sel(q_dynamic=q)
            for T, color in figures.temperature_colors(one["temperature"].values).items():
                draw(ax, at_q.sel(temperature=T), "frequency", name, color)
            if at_q[name].notnull().any():
                top = float(at_q[name].max())
                if top > 0:  # nothing is charged: no charge density
                    ax.set(yscale="log", ylim=(top / DECADES, 2 * top))
                seen = at_q["frequency"].where((at_q[name] > top / DECADES).any("temperature"))
                ax.set_xlim(0, float(seen.max()))
                low, high = float(at_q["q_dynamic_found"].min()), float(at_q["q_dynamic_found"].max())
                label = f"q = {low:.2f} to {high:.2f} /Å" if high - low > 0.005 else f"q = {low:.2f} /Å"
                ax.annotate(label, (0.96, 0.94), xycoords="axes fraction", ha="right", va="top", fontsize=8)


def plot_structure_factor(spectra: Path, out_figure: Path, coverage: Sequence[Path] = ()) -> None:
    """Draw the figure, with its table, from the grid's spectra.nc. Raises ValueError where it has none."""
    from matplotlib.lines import Line2D

    grid = reduced.load(spectra)
    if "structure_factor" not in grid:
        raise ValueError(f"{spectra}: no structure factors; ask for them with reduce.spectra.structure_factor")
    figures.style()
    n_dynamic = 2 * grid.sizes["q_dynamic"]
    fig, axes = figures.panels(3 + n_dynamic, grid.sizes["concentration"], sharey="row")
    for column, x in zip(axes.T, grid["concentration"].values, strict=True):
        draw_static(column[:3], grid.sel(concentration=x))
        draw_dynamic(column[3:], grid.sel(concentration=x))
        if n_dynamic:
            column[-1].set_xlabel("frequency (THz)")
    hottest = grid["temperature_label"].values[-1]
    static = ["S(q) of number", "S(q) of charge", f"S(q) of pairs\nat {hottest} K"]
    dynamic = [f"S(q, f) of {density} (ps)" for _ in range(grid.sizes["q_dynamic"]) for density in DENSITIES]
    for ax, label in zip(axes[:, 0], static + dynamic, strict=True):
        ax.set_ylabel(label)
    figures.concentration_titles(axes, grid)
    pairs = [
        Line2D([], [], color=figures.COLORS[k % len(figures.COLORS)], label=pair.replace("-", "–"))
        for k, pair in enumerate(grid["pair"].values)
    ]
    figures.temperature_legend(fig, grid, pairs)
    figures.footnote(
        fig,
        figures.uncovered(coverage) + figures.gap_notes(grid.assign(reason=grid["structure_factor_reason"]), "pair"),
    )
    columns = {"S": "structure_factor", "S_std": "structure_factor_std"}
    figures.publish(fig, out_figure, reduced.table(grid, ("pair", "q"), columns).dropna())


if __name__ == "__main__":
    environment.isolate()
    logs.start(snakemake.log[0])
    plot_structure_factor(Path(snakemake.input.spectra), Path(snakemake.output[0]), snakemake.input.coverage)
