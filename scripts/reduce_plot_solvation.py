"""Solvation figure: neighbours in the shell of the chosen ion, and how long they stay; a column per concentration."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from thermoweave import environment, figures, logs, reduced

if TYPE_CHECKING:
    import matplotlib.axes
    import xarray

# column of the table: variable of the grid
COLUMNS = {
    "shell_radius_A": "shell_radius", "shell_radius_std_A": "shell_radius_std", "number": "shell_number",
    "number_std": "shell_number_std", "residence_time_ps": "residence_time",
    "residence_time_std_ps": "residence_time_std", "residence_time_lower_ps": "residence_time_lower",
    "residence_time_upper_ps": "residence_time_upper", "residence_time_bound_ps": "residence_time_bound",
    "exits": "exits", "exposure_ps": "exposure", "exit_dispersion": "exit_dispersion",
    "exit_age_ratio": "exit_age_ratio", "exit_age_ratio_std": "exit_age_ratio_std", "reason": "shell_reason",
}  # fmt: skip


def draw_numbers(ax: "matplotlib.axes.Axes", T: np.ndarray, one: "xarray.Dataset", look: dict) -> None:
    """Mean numbers of one species in the shell, with bars of one standard error."""
    ax.errorbar(T, one["shell_number"].values, yerr=one["shell_number_std"].values, **look)


def draw_residence(ax: "matplotlib.axes.Axes", T: np.ndarray, one: "xarray.Dataset", look: dict) -> None:
    """Residence times of one species with their 95 % intervals; lower bounds as arrows that point up."""
    time = one["residence_time"].values
    lower, upper = (one[f"residence_time_{end}"].values for end in ("lower", "upper"))
    ax.errorbar(T, time, yerr=(np.maximum(time - lower, 0), np.maximum(upper - time, 0)), **look)
    bound = one["residence_time_bound"].values
    there = np.isfinite(bound)
    arrow = look | {"marker": "_", "linestyle": "none"}
    ax.errorbar(T[there], bound[there], yerr=bound[there], lolims=True, **arrow)


def plot_solvation(structure: Path, out_figure: Path, coverage: Sequence[Path] = ()) -> None:
    """Draw the figure, with its table, from the grid's structure.nc."""
    from matplotlib.lines import Line2D
    from matplotlib.ticker import LogFormatter

    grid = reduced.load(structure)
    centre = grid.attrs["centre"]
    figures.style()
    fig, axes = figures.panels(2, grid.sizes["concentration"], sharex=True, sharey="row")
    T = grid["temperature"].values
    spread = 0.012 * (np.ptp(T) or 0.1 * T[0])  # side by side: bars on top of each other cannot be read
    handles = []
    for k, species in enumerate(grid["neighbour"].values):
        look = {"color": figures.COLORS[k % 7], "marker": figures.MARKERS[k % 7], "markersize": 4.5, "linewidth": 0.8}
        handles.append(Line2D([], [], label=species, **look))
        shifted = T + (k - (grid.sizes["neighbour"] - 1) / 2) * spread
        for column, x in zip(axes.T, grid["concentration"].values, strict=True):
            one = grid.sel(neighbour=species, concentration=x)
            draw_numbers(column[0], shifted, one, look | {"capsize": 2, "elinewidth": 1})
            draw_residence(column[1], shifted, one, look | {"capsize": 2, "elinewidth": 1})
    axes[0, 0].set(ylabel=f"neighbours of {centre}", ylim=(0, None))
    axes[1, 0].set(ylabel=f"residence time at {centre} (ps)")
    if (np.isfinite(grid["residence_time"]) | np.isfinite(grid["residence_time_bound"])).any():
        axes[1, 0].set_yscale("log")  # a logarithmic axis cannot be empty
        axes[1, 0].yaxis.set_major_formatter(LogFormatter())  # 3, not 3 x 10^0
        axes[1, 0].yaxis.set_minor_formatter(LogFormatter(minor_thresholds=(2, 0.6)))
    for ax in axes[1]:
        ax.set(xlabel="T (K)", xticks=T, xticklabels=grid["temperature_label"].values)
    figures.concentration_titles(axes, grid)
    fig.legend(handles=handles, title="neighbour", loc="outside right upper")
    notes = figures.gap_notes(grid.assign(reason=grid["shell_reason"]), "neighbour")
    figures.footnote(fig, figures.uncovered(coverage) + notes)
    figures.publish(fig, out_figure, reduced.table(grid, ("neighbour",), COLUMNS))


if __name__ == "__main__":
    environment.isolate()
    logs.start(snakemake.log[0])
    plot_solvation(Path(snakemake.input.structure), Path(snakemake.output[0]), snakemake.input.coverage)
