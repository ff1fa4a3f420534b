"""Arrhenius figure: D, conductivity and viscosity against 1000 / T, a column a concentration, fits with bands."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from thermoweave import arrhenius_points, environment, figures, logs, reduced

if TYPE_CHECKING:
    import matplotlib.axes
    import pandas
    import xarray

ROWS = {
    "D (m²/s)": lambda name: name.startswith("D "),
    "conductivity (S/m)": lambda name: name.startswith("conductivity"),
    "viscosity (Pa s)": lambda name: name == "viscosity",
}
LABELS = {"conductivity": "collective", "conductivity_ne": "Nernst–Einstein", "viscosity": "shear viscosity"}
ONE_SIDED = 1.645  # standard errors of a 95 % bound
DECADES = 5.0  # beyond the points: a line that goes further is cut
BEYOND = 0.6  # of the grid's range of 1/T: how far extrapolations are drawn
FAR = 30.0  # beyond ln X of the points, out of sight: where a band ends that reaches X = 0


def marks(grid: "xarray.Dataset", x: float, name: str) -> "pandas.DataFrame":
    """A row for each temperature: what the point is to the fit, X with one standard error, or its 95 % upper bound."""
    import pandas

    points = arrhenius_points.quantity(grid.sel(concentration=x), name).points
    std = np.sqrt(np.diag(points.covariance))
    bound = np.maximum(points.estimate, 0) + ONE_SIDED * points.std
    ends = [np.exp(points.lnX + k * std) for k in (0, -1, 1)]
    columns = dict(zip(("value", "lower_68", "upper_68"), ends, strict=True))
    columns["upper_bound"] = np.where(points.linear, bound, np.nan)
    where = {"quantity": name, "temperature": points.temperature, "kind": arrhenius_points.used_as(points)}
    return pandas.DataFrame({**where, **columns})


def draw(ax: "matplotlib.axes.Axes", shown: "pandas.DataFrame", fit: "xarray.Dataset", k: int) -> None:
    """One quantity: points with bars, hollow where they are uncertain, arrows for bounds, crosses for gaps; its fit."""
    color, marker = figures.COLORS[k % 7], figures.MARKERS[k % 7]
    inverse = 1000 / shown["temperature"]
    bars = shown["value"] - shown["lower_68"], shown["upper_68"] - shown["value"]
    for which, face in ((shown["kind"] == "number", color), (shown["kind"] == "uncertain", "white")):
        style = dict(fmt=marker, color=color, markerfacecolor=face, markersize=4.5, capsize=2, elinewidth=1)
        ax.errorbar(inverse[which], shown["value"][which], yerr=[bar[which] for bar in bars], **style)
    bound = shown["upper_bound"]
    arrow = dict(uplims=True, linestyle="", color=color, elinewidth=1, marker="_", markersize=7)
    ax.errorbar(inverse, bound, yerr=0.35 * bound, **arrow)
    gaps = inverse[shown["kind"] == "gap"]
    level = np.full(len(gaps), 0.03 + 0.04 * k)  # of the height, just above the axis
    ax.plot(gaps, level, "x", color=color, markersize=5, transform=ax.get_xaxis_transform())
    along = 1000 / fit["temperature_fit"].values
    known = np.log(shown[["lower_68", "upper_68", "upper_bound"]].to_numpy())
    ends = (np.nanmin(known) - FAR, np.nanmax(known) + FAR) if np.isfinite(known).any() else (None, None)
    lines = (fit[f"ln_X_fit{part}"].values for part in ("", "_lower_68", "_upper_68"))
    middle, lower, upper = (np.exp(np.clip(line, *ends)) for line in lines)
    inside = fit["region_fit"].values == "interpolation"
    ax.plot(along, middle, color=color, linewidth=1, linestyle=(0, (3, 2)))
    ax.plot(along, np.where(inside, middle, np.nan), color=color, linewidth=1)
    ax.fill_between(along, lower, upper, color=color, alpha=0.18, linewidth=0)


def energy(fit: "xarray.Dataset", name: str) -> str:
    """A legend entry: the quantity and its activation energy with the error of the last digits."""
    label = LABELS.get(name, name.removeprefix("D "))
    if np.isnan(fit["Ea"]):
        return f"{label}: no fit"
    where = f", VTF at {float(fit['Ea_temperature']):.0f} K" if fit["form"].item() == "VTF" else ""
    return f"{label}: {float(fit['Ea']):.3f} ± {float(fit['Ea_std']):.3f} eV{where}"


def limits(ax: "matplotlib.axes.Axes", shown: "pandas.DataFrame", fits: "xarray.Dataset") -> None:
    """From the points and lines, not the bands, with room for the legend below."""
    lines = np.exp(fits["ln_X_fit"].values.ravel())
    values = shown[["lower_68", "upper_68", "upper_bound"]].to_numpy().ravel()
    values = values[np.isfinite(values) & (values > 0)]
    if not len(values):
        ax.set(yscale="linear", yticks=[])
        return
    lines = lines[(lines > values.min() / 10**DECADES) & (lines < values.max() * 10**DECADES)]
    low, high = np.log10(min([*values, *lines])), np.log10(max([*values, *lines]))
    room = 0.1 + 0.11 * fits.sizes["quantity"]
    ax.set_ylim(10 ** (low - (room + 0.1) * max(high - low, 0.3)), 10 ** (high + 0.08 * max(high - low, 0.3)))


def notes(fits: "xarray.Dataset") -> list[str]:
    """Why points are no numbers, and what was found beyond a line, for each concentration."""
    lines: dict[str, list[str]] = {}
    for x, label in enumerate(fits["concentration_label"].values):
        for name in fits["quantity"].values:
            one = fits.isel(concentration=x).sel(quantity=name)
            for T, reason in zip(one["temperature_label"].values, one["reason"].values, strict=True):
                if reason and "at this concentration" not in str(reason):
                    lines.setdefault(f"x = {label}, {T} K, {{}}: {reason}", []).append(name)
            if "break" in one["note"].item() or one["form"].item() == "VTF":
                lines.setdefault(f"x = {label}, {{}}: {one['note'].item()}", []).append(name)
    return [line.format(", ".join(who)) for line, who in lines.items()]


def shown_range(fits: "xarray.Dataset") -> tuple[float, float]:
    """Ends of the axis, 1000 K / T: the grid, and what was asked for beyond it, but not so far that it shrinks."""
    inverse = 1000 / fits["temperature"].values
    asked = 1000 / np.append(fits["temperature_predicted"].values, fits["temperature"].values)
    room = BEYOND * (np.ptp(inverse) or 0.2)
    margin = 0.05 * (np.ptp(inverse) or 0.2)
    low, high = max(asked.min(), inverse.min() - room), min(asked.max(), inverse.max() + room)
    return low - margin, high + margin


def temperature_axis(ax: "matplotlib.axes.Axes", fits: "xarray.Dataset", ends: tuple[float, float]) -> None:
    """Temperatures above the first row: those of the grid, and those asked for outside it."""
    grid = fits["temperature"].values
    written = dict(zip(grid, fits["temperature_label"].values, strict=True))
    for T, label in zip(
        fits["temperature_predicted"].values, fits["temperature_predicted_label"].values, strict=True
    ):  # between those of the grid there is no room for more labels
        if not grid.min() <= T <= grid.max() and ends[0] < 1000 / T < ends[1]:
            written[T] = label
    top = ax.secondary_xaxis("top")
    top.set_xticks([1000 / T for T in written], [*written.values()], rotation=45 if len(written) > 7 else 0)
    top.set_xlabel("T (K)")


def plot_arrhenius(transport: Path, arrhenius: Path, out_figure: Path, coverage: Sequence[Path] = ()) -> None:
    """Draw the figure, with its table, from the grid's transport.nc and arrhenius.nc."""
    import pandas
    from matplotlib.lines import Line2D

    grid, fits = reduced.load(transport), reduced.load(arrhenius)
    ends = shown_range(fits)
    inverse = 1000 / fits["temperature_fit"]
    fits = fits.sel(temperature_fit=fits["temperature_fit"][(inverse >= ends[0]) & (inverse <= ends[1])])
    drawn = {row: [n for n in fits["quantity"].values if test(n)] for row, test in ROWS.items()}
    drawn = {
        row: names for row, names in drawn.items() if names and (fits.sel(quantity=names)["used_as"] != "gap").any()
    }
    drawn = drawn or {"D (m²/s)": [n for n in fits["quantity"].values if n.startswith("D ")]}
    figures.style()
    fig, axes = figures.panels(len(drawn), grid.sizes["concentration"], width=3.3, sharex=True, sharey="row")
    everything = []
    for row, (label, names) in zip(axes, drawn.items(), strict=True):
        shown = []
        for ax, x in zip(row, grid["concentration"].values, strict=True):
            one = fits.sel(concentration=x)
            entries = []
            for k, name in enumerate(names):
                if (one["reason"].sel(quantity=name) != "").all() and "at this" in one["note"].sel(
                    quantity=name
                ).item():
                    continue
                shown.append(marks(grid, x, name).assign(concentration=one["concentration_label"].item()))
                draw(ax, shown[-1], one.sel(quantity=name), k)
                style = dict(color=figures.COLORS[k % 7], marker=figures.MARKERS[k % 7])
                entries.append(Line2D([], [], label=energy(one.sel(quantity=name), name), **style))
            ax.legend(handles=entries, loc=(0.02, 0.04 * len(names) + 0.02), alignment="left", handlelength=1.2)
            ax.set(yscale="log")
        row[0].set_ylabel(label)
        everything += shown
        limits(row[0], pandas.concat(shown), fits.sel(quantity=names))
    for ax in axes[0]:
        ax.set_xlim(*ends)
        temperature_axis(ax, fits, ends)
    for ax in axes[-1]:
        ax.set_xlabel("1000 K / T")
    figures.concentration_titles(axes, grid)
    figures.footnote(
        fig,
        figures.uncovered(coverage) + notes(fits.sel(quantity=[name for names in drawn.values() for name in names])),
    )
    figures.publish(fig, out_figure, pandas.concat(everything))


if __name__ == "__main__":
    environment.isolate()
    logs.start(snakemake.log[0])
    plot_arrhenius(
        Path(snakemake.input.transport),
        Path(snakemake.input.arrhenius),
        Path(snakemake.output[0]),
        snakemake.input.coverage,
    )
