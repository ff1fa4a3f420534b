"""Activation energies against concentration: a panel for each kind of quantity, with curves and 68 % bands."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from thermoweave import environment, figures, logs, reduced

if TYPE_CHECKING:
    import pandas
    import xarray

PANELS = {
    "self-diffusion": lambda name: name.startswith("D "),
    "self-diffusion, infinite cell": lambda name: name.startswith("D_corrected "),
    "conductivity, viscosity": lambda name: " " not in name,
}
LABELS = {"conductivity": "conductivity", "conductivity_ne": "Nernst–Einstein", "viscosity": "viscosity"}


def curve_table(fits: "xarray.Dataset") -> "pandas.DataFrame":
    """Ea of each quantity along concentration: the points and the band of the curve, as the figure shows them."""
    import pandas

    curves = fits[["Ea_curve", "Ea_curve_std"]].drop_vars("quantity_units").to_dataframe().reset_index()
    names = {"concentration_fit": "concentration", "Ea_curve": "Ea_eV", "Ea_curve_std": "Ea_std_eV"}
    curves = curves[["quantity", *names]].rename(columns=names).assign(kind="curve")
    points = fits[["Ea", "Ea_std"]].reset_coords(drop=True).to_dataframe().reset_index()
    points = points.rename(columns={"Ea": "Ea_eV", "Ea_std": "Ea_std_eV"}).assign(kind="point")
    return pandas.concat([points[["kind", "quantity", "concentration", "Ea_eV", "Ea_std_eV"]], curves], join="inner")


def plot_activation(arrhenius: Path, out_figure: Path, coverage: Sequence[Path] = ()) -> None:
    """Draw the figure, with its table, from the grid's arrhenius.nc."""
    fits = reduced.load(arrhenius)
    panels = {title: [n for n in fits["quantity"].values if test(n)] for title, test in PANELS.items()}
    panels = {title: names for title, names in panels.items() if names}
    figures.style()
    fig, axes = figures.panels(1, len(panels), width=3.0, sharey=True)
    c, along = fits["concentration"].values, fits["concentration_fit"].values
    step = 0.006 * (np.ptp(c) or 1.0)
    lines = []
    for ax, (title, names) in zip(axes[0], panels.items(), strict=True):
        for k, name in enumerate(names):
            one, color = fits.sel(quantity=name), figures.COLORS[k % 7]
            label = LABELS.get(name, name.split(" ")[-1])
            style = dict(fmt=figures.MARKERS[k % 7], color=color, markersize=4.5, capsize=2, elinewidth=1)
            shift = step * (k - (len(names) - 1) / 2)  # bars of different quantities beside each other
            ax.errorbar(c + shift, one["Ea"], yerr=one["Ea_std"], label=label, **style)
            middle, width = one["Ea_curve"].values, one["Ea_curve_std"].values
            ax.plot(along, middle, color=color, linewidth=1)
            ax.fill_between(along, middle - width, middle + width, color=color, alpha=0.18, linewidth=0)
            if one["Ea_curve_note"].item():
                lines.append(f"{name}: {one['Ea_curve_note'].item()}")
        ax.set_title(title, color=figures.INK)
        ax.set_xlabel("concentration x (mole fraction)")
        ax.set_xticks(c, fits["concentration_label"].values)
        ax.legend(loc="best")
    axes[0, 0].set_ylabel("activation energy (eV)")
    figures.footnote(fig, figures.uncovered(coverage) + lines)
    figures.publish(fig, out_figure, curve_table(fits))


if __name__ == "__main__":
    environment.isolate()
    logs.start(snakemake.log[0])
    plot_activation(Path(snakemake.input.arrhenius), Path(snakemake.output[0]), snakemake.input.coverage)
