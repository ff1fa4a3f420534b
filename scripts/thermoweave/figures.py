"""One look for all figures, and files that are the same bytes for the same data."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from thermoweave import reduced
from thermoweave.coverage import COVERED
from thermoweave.tables import read_csv

if TYPE_CHECKING:
    import matplotlib.axes
    import matplotlib.axis
    import matplotlib.figure
    import pandas
    import xarray

# Okabe and Ito, "Color Universal Design" (2008): told apart with any colour vision. Without yellow: too pale for lines.
COLORS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000"]
MARKERS = ["o", "s", "^", "D", "v", "P", "X"]
INK = "#333333"
CHARACTERS_PER_INCH = 18  # of the small print


def style() -> None:
    """Set matplotlib's defaults: call once before the first figure of a script. Never needs a display."""
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams.update(
        {
            "axes.prop_cycle": matplotlib.cycler(color=COLORS),
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.edgecolor": INK,
            "axes.labelcolor": INK,
            "axes.titlesize": 9,
            "axes.labelsize": 9,
            "xtick.labelsize": 8,
            "ytick.labelsize": 8,
            "legend.fontsize": 8,
            "legend.title_fontsize": 8,
            "legend.frameon": False,
            "font.family": "sans-serif",
            "font.size": 9,
            "lines.linewidth": 1.4,
            "figure.dpi": 100,
            "figure.constrained_layout.use": True,
            "svg.fonttype": "none",  # text stays text: searchable, editable
            "svg.hashsalt": "thermoweave",  # ids of clip paths would be random
        }
    )


def save(figure: "matplotlib.figure.Figure", path: Path | str) -> None:
    """Write the figure as SVG without a date, then rename it into place, and close it."""
    import matplotlib.pyplot as plt

    _write(figure, Path(path))
    plt.close(figure)


def publish(figure: "matplotlib.figure.Figure", path: Path, table: "pandas.DataFrame") -> None:
    """Save a figure as SVG, with the same as PDF and the table of what it shows as CSV beside it."""
    reduced.save_csv(table, path.with_suffix(".csv"))
    _write(figure, path.with_suffix(".pdf"))
    save(figure, path)


def _write(figure: "matplotlib.figure.Figure", path: Path) -> None:
    kind = path.suffix[1:]
    partial = Path(f"{path}.partial")
    figure.savefig(partial, format=kind, metadata={{"svg": "Date", "pdf": "CreationDate"}[kind]: None})
    os.replace(partial, path)


def panels(n_rows: int, n_columns: int, width: float = 2.5, **options) -> tuple["matplotlib.figure.Figure", np.ndarray]:
    """A grid of panels of one width (inches), axes (n_rows, n_columns); `options` go to `plt.subplots`."""
    import matplotlib.pyplot as plt

    size = (width * n_columns + 1.3, 0.85 * width * n_rows + 0.8)
    return plt.subplots(n_rows, n_columns, figsize=size, squeeze=False, **options)


def plain_numbers(*axes: "matplotlib.axis.Axis") -> None:
    """Ticks of logarithmic axes that span a decade or so: 20, 50, 100, not powers of ten."""
    from matplotlib.ticker import LogLocator, NullFormatter, ScalarFormatter

    for axis in axes:
        axis.set(major_locator=LogLocator(subs=(1, 2, 5)), major_formatter=ScalarFormatter())
        axis.set_minor_formatter(NullFormatter())


def temperature_colors(temperatures: np.ndarray) -> dict[float, tuple]:
    """A colour for each temperature, cold to hot, from a perceptually uniform map without its pale end."""
    import matplotlib

    shades = np.linspace(0.0, 0.85, len(temperatures)) if len(temperatures) > 1 else [0.4]
    return dict(zip(temperatures.tolist(), matplotlib.colormaps["plasma"](shades), strict=True))


def temperature_legend(figure: "matplotlib.figure.Figure", grid: "xarray.Dataset", extra: tuple = ()) -> None:
    """One legend beside all panels: a line for each temperature as the user wrote it, hottest on top, then `extra`."""
    from matplotlib.lines import Line2D

    colors = temperature_colors(grid["temperature"].values)
    labels = [f"{label} K" for label in grid["temperature_label"].values]
    handles = [Line2D([], [], color=color, label=label) for color, label in zip(colors.values(), labels, strict=True)]
    figure.legend(handles=[*handles[::-1], *extra], loc="outside right upper")


def concentration_titles(axes: np.ndarray, grid: "xarray.Dataset") -> None:
    """Name the concentration above each column of panels, as the user wrote it."""
    for ax, label in zip(axes[0], grid["concentration_label"].values, strict=True):
        ax.set_title(f"x = {label}", color=INK)


def gap_notes(grid: "xarray.Dataset", over: str) -> list[str]:
    """What is missing and why, a line for each condition: the variable `reason` along the dimension `over`."""
    notes = []
    for x, concentration in zip(grid["concentration"], grid["concentration_label"].values, strict=True):
        for T, temperature in zip(grid["temperature"], grid["temperature_label"].values, strict=True):
            reasons = grid["reason"].sel(concentration=x, temperature=T)
            by_reason: dict[str, list[str]] = {}
            for name, reason in zip(reasons[over].values, reasons.values, strict=True):
                if reason and "at this concentration" not in reason:
                    by_reason.setdefault(reason, []).append(str(name))
            for reason, names in by_reason.items():
                what = "" if len(names) == grid.sizes[over] else f", {' '.join(names)}"
                notes.append(f"x = {concentration}, {temperature} K{what}: {reason}")
    return notes


def uncovered(table: list[str]) -> list[str]:
    """A note on each condition of explore's conditions.csv (its path in a list, which is empty where nothing walked)
    that the labels do not cover: a figure that shows it must say so.
    """
    rows = [row for path in table for row in read_csv(path) if row["verdict"] != COVERED]
    by_concentration: dict[str, list[str]] = {}
    for row in rows:
        by_concentration.setdefault(row["concentration"], []).append(row["temperature"])
    return [f"x = {x}, {', '.join(T)} K: not covered by labels (explore.target)" for x, T in by_concentration.items()]


def footnote(figure: "matplotlib.figure.Figure", lines: list[str], at_most: int = 8) -> None:
    """Small print below the panels, as wide as they are; beyond `at_most` entries it says how many more there are."""
    import textwrap

    if not lines:
        return
    shown = lines[:at_most] + ([f"and {len(lines) - at_most} more, in the table"] if len(lines) > at_most else [])
    width = int(CHARACTERS_PER_INCH * figure.get_figwidth())
    wrapped = "\n".join(textwrap.fill(line, width) for line in shown)
    figure.supxlabel(wrapped, x=0.01, ha="left", fontsize=7, color="#666666")
