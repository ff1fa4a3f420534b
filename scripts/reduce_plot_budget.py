"""Error budget figure: where the bars of activation energies and of transport coefficients come from."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from thermoweave import environment, figures, logs
from thermoweave.budget import LINES, NAMES

if TYPE_CHECKING:
    import matplotlib.axes
    import pandas

ROWS = {"meV": "standard error of Ea (meV)", "%": "relative standard error (%)"}


def draw(ax: "matplotlib.axes.Axes", rows: "pandas.DataFrame", order: list[str]) -> None:
    """A line for each quantity: a mark for each source of error, the median over temperatures, and the total."""
    for k, quantity in enumerate(order):
        one = rows[rows["quantity"] == quantity]
        for i, line in enumerate(LINES):
            at = k + 0.28 * (1 - 2 * i / (len(LINES) - 1))
            value = one[line].median()
            ax.plot([0, value], [at, at], color=figures.COLORS[i], linewidth=1, alpha=0.6)
            ax.plot(value, at, figures.MARKERS[i], color=figures.COLORS[i], markersize=4.5)
        total = one["total"].median()
        ax.plot([total, total], [k - 0.38, k + 0.38], color=figures.INK, linewidth=2)
    ax.set_ylim(len(order) - 0.4, -0.6)
    ax.set_yticks(range(len(order)), order)


def unknown(table: "pandas.DataFrame") -> list[str]:
    """What is not known and why, a line for each reason."""
    parts = {part for cell in table["unknown"].dropna() for part in cell.split("; ")}
    return sorted(part for part in parts if not part.startswith(NAMES["form"])) or []


def plot_budget(budget: Path, out_figure: Path) -> None:
    """Draw the figure, with its table, from budget.csv."""
    import pandas
    from matplotlib.lines import Line2D

    table = pandas.read_csv(budget, dtype={"concentration": str, "temperature": str})
    numbers = table.copy()
    numbers["total"] = numbers["total"].astype(str).str.removeprefix("≥ ").astype(float)
    for line in LINES:
        numbers[line] = pandas.to_numeric(numbers[line].replace("–", np.nan))
    concentrations = list(dict.fromkeys(numbers["concentration"]))
    figures.style()
    fig, axes = figures.panels(len(ROWS), max(1, len(concentrations)), width=2.9, sharex="row", sharey="row")
    for row, (unit, label) in zip(axes, ROWS.items(), strict=True):
        of_unit = numbers[numbers["unit"] == unit]
        order = list(dict.fromkeys(of_unit["quantity"]))
        for ax, x in zip(row, concentrations, strict=False):
            draw(ax, of_unit[of_unit["concentration"] == x], order)
            ax.set_xlabel(label)
        row[0].set_xlim(0, 1.08 * row[0].get_xlim()[1])
    for ax, x in zip(axes[0], concentrations, strict=False):
        ax.set_title(f"x = {x}", color=figures.INK)
    marks = zip(LINES, figures.COLORS, figures.MARKERS, strict=False)
    handles = [Line2D([], [], color=c, marker=m, markersize=4.5, label=NAMES[line]) for line, c, m in marks]
    handles.append(Line2D([], [], color=figures.INK, linewidth=2, label="total of what is known"))
    fig.legend(handles=handles, loc="outside right upper", title="from")
    figures.footnote(fig, [f"not known: {part}" for part in unknown(table)])
    figures.publish(fig, out_figure, table)


if __name__ == "__main__":
    environment.isolate()
    logs.start(snakemake.log[0])
    plot_budget(Path(snakemake.input.budget), Path(snakemake.output[0]))
