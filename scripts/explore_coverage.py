"""What the labels cover, round by round, and what that says of each condition of the grid: tables and two figures."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from thermoweave import committee_errors, coverage, environment, figures, logs
from thermoweave.tables import read_csv, write_csv, write_html

if TYPE_CHECKING:
    import matplotlib.axes

log = logging.getLogger(__name__)

ERRORS = ("expected_error_meV_A", "low_meV_A", "high_meV_A")
CONDITION_COLUMNS = ("concentration", "temperature", "round", *ERRORS, "share_above_target", "verdict", "reason")
HEADERS = {
    "round": "round",
    "concentration": "x",
    "temperature": "T (K)",
    "margin": "beyond the grid",
    "n_labels": "labels",
    "expected_error_meV_A": "expected force error (meV/Å)",
    "interval": "90 % interval",
    "share_above_target": "share of frames above the target",
    "verdict": "verdict",
    "reason": "reason",
}
CAPTION = (
    "Expected force error (root mean square of a component) of the potentials of each round over their walks, from how "
    "far they disagree and how wrong they then were on labels that they had not seen. A condition is covered where the "
    "95 % bound is at most {target:g} meV/Å (explore.target) and the walk came to its end. The labels of round n + 1 "
    "judged round n; the potentials that run the grid have learned from all of them."
)


def conditions(rows: Sequence[dict], concentrations: Sequence[str], temperatures: Sequence[str]) -> list[dict]:
    """A line for each condition of the grid, from the last round's walks: its own, or the worse of its neighbours in
    temperature, both of which must be covered.
    """
    last = max(int(row["round"]) for row in rows)
    walks = {
        (row["concentration"][1:], row["temperature"][1:]): row
        for row in rows
        if int(row["round"]) == last and not row["margin"]
    }
    table = []
    for x in concentrations:
        there = sorted((t for c, t in walks if c == x), key=float)
        for T in temperatures:
            near = [T] if T in there else [
                max((t for t in there if float(t) < float(T)), key=float),
                min((t for t in there if float(t) > float(T)), key=float),
            ]  # fmt: skip
            found = [walks[x, t] for t in near]
            missed = [row for row in found if row["verdict"] != coverage.COVERED]
            # of walks without a frame nothing is known: they are the worst
            worst = max(missed or found, key=lambda row: float(row["high_meV_A"] or "inf"))
            row = {key: worst[key] for key in CONDITION_COLUMNS} | {"concentration": x, "temperature": T}
            if len(near) > 1:
                between = f"no walk here: the worse of those at {near[0]} and {near[1]} K"
                row["reason"] = f"{row['reason']} ({between})" if row["reason"] else between
            table.append(row)
    return table


def draw_coverage(rows: Sequence[dict], target: float, notes: Sequence[str], path: Path) -> None:
    """Expected error with its interval against temperature, a column a concentration, a colour a round."""
    import pandas
    from matplotlib.lines import Line2D

    figures.style()
    names = list(dict.fromkeys(row["concentration"] for row in rows))
    rounds = sorted({int(row["round"]) for row in rows})
    colors = dict(zip(rounds, round_colors(len(rounds)), strict=True))
    fig, axes = figures.panels(1, len(names), width=2.8, sharey=True)
    for ax, name in zip(axes[0], names, strict=True):
        for round in rounds:
            own = [row for row in rows if row["concentration"] == name and int(row["round"]) == round]
            draw_round(ax, [row for row in own if row[ERRORS[0]]], colors[round], rounds.index(round), len(rounds))
        ax.axhline(target, color=figures.INK, linewidth=0.8, linestyle=(0, (4, 3)))
        ax.set(yscale="log", xlabel="T (K)", title=f"x = {name[1:]}")
        figures.plain_numbers(ax.yaxis)
    axes[0, 0].set_ylabel("expected force error\n(meV/Å)")
    handles = [Line2D([], [], color=color, marker="o", label=f"round {k}") for k, color in colors.items()]
    handles += [
        Line2D([], [], color=figures.INK, marker="o", markerfacecolor="white", linestyle="", label="not covered"),
        Line2D([], [], color=figures.INK, marker="^", linestyle="", label="beyond the grid"),
        Line2D([], [], color=figures.INK, linewidth=0.8, linestyle=(0, (4, 3)), label="target"),
    ]
    fig.legend(handles=handles, loc="outside right upper")
    figures.footnote(fig, list(notes))
    figures.publish(fig, path, pandas.DataFrame(rows))


def draw_round(ax: "matplotlib.axes.Axes", rows: Sequence[dict], color: tuple, which: int, of: int) -> None:
    """One round's points, hollow where not covered, triangles beyond the grid; a line joins those of the grid."""
    shift = 10.0 * (which - (of - 1) / 2)  # K, so that the bars of rounds stand side by side
    grid = sorted((row for row in rows if not row["margin"]), key=lambda row: float(row["temperature"][1:]))
    along = [float(row["temperature"][1:]) + shift for row in grid]
    ax.plot(along, [float(row[ERRORS[0]]) for row in grid], color=color, linewidth=1)
    for row in rows:
        T = float(row["temperature"][1:]) + shift + (10.0 * of if row["margin"] == "denser" else 0)
        error, low, high = (float(row[key]) for key in ERRORS)
        face = color if row["verdict"] == coverage.COVERED else "white"
        style = dict(color=color, marker="^" if row["margin"] else "o", markerfacecolor=face, markersize=4.5)
        ax.errorbar(T, error, yerr=[[max(0, error - low)], [max(0, high - error)]], elinewidth=1, capsize=1.5, **style)


def round_colors(n: int) -> list[tuple]:
    """One for each round, early ones pale."""
    import matplotlib

    return list(matplotlib.colormaps["viridis_r"](np.linspace(0.15, 0.95, n) if n > 1 else [0.6]))


def draw_calibration(fresh: Sequence[dict], path: Path) -> None:
    """True error of each fresh label against the interval in which it was expected before it was labelled; an empty
    frame where no round asked for any.
    """
    import matplotlib.pyplot as plt
    import pandas
    from matplotlib.lines import Line2D

    low, high, error = (np.array([float(row[key]) for row in fresh]) for key in (*ERRORS[1:], "error_meV_A"))
    middle, inside = np.sqrt(low * high), (low < error) & (error < high)
    rounds = sorted({int(row["round"]) for row in fresh})
    figures.style()
    fig, ax = plt.subplots(figsize=(4.2, 3.6))
    for round, color in zip(rounds, round_colors(len(rounds)), strict=True):
        for chosen, marker in (("uncertain", "o"), ("random", "s")):
            own = [k for k, row in enumerate(fresh) if int(row["round"]) == round and row["chosen"] == chosen]
            bars = [middle[own] - low[own], high[own] - middle[own]]
            ax.errorbar(
                middle[own], error[own], xerr=bars, fmt=marker, color=color, markersize=3.5, elinewidth=0.6, alpha=0.9
            )
    known = np.concatenate([low, high, error])
    ends = (known.min() / 1.2, known.max() * 1.2) if len(known) else (1, 1000)
    ax.plot(ends, ends, color=figures.INK, linewidth=0.8)
    ax.set(xscale="log", yscale="log", xlim=ends, ylim=ends)
    figures.plain_numbers(ax.xaxis, ax.yaxis)
    ax.set(xlabel="expected force error (meV/Å)", ylabel="true force error (meV/Å)")
    ax.set_title(f"{inside.sum()} of {len(inside)} inside their 90 % interval")
    handles = [
        Line2D([], [], color=color, marker="", linewidth=2, label=f"round {k}")
        for k, color in zip(rounds, round_colors(len(rounds)), strict=True)
    ]
    kinds = (("o", "chosen as doubtful"), ("s", "drawn at random"))
    handles += [Line2D([], [], color=figures.INK, marker=m, linestyle="", label=label) for m, label in kinds]
    fig.legend(handles=handles, loc="outside right upper")
    figures.publish(fig, path, pandas.DataFrame(fresh, columns=list(committee_errors.COLUMNS)))


def explore_coverage(
    tables: Sequence[Path], fresh: Sequence[Path], out_coverage: Path, out_conditions: Path, out_html: Path,
    out_figure: Path, out_calibration: Path, concentrations: Sequence[str], temperatures: Sequence[str], target: float,
) -> None:  # fmt: skip
    """Write coverage.csv (a line a round and walk), conditions.csv (a line a condition of the grid), coverage.html and
    the figures. `tables`, `fresh`: coverage.csv and fresh.csv of each round.
    """
    rows = [row for path in tables for row in read_csv(path)]
    grid = conditions(rows, concentrations, temperatures)
    write_csv(out_coverage, rows, list(coverage.COLUMNS))
    write_csv(out_conditions, grid, list(CONDITION_COLUMNS))
    for row in rows:
        row["interval"] = f"{row['low_meV_A']} to {row['high_meV_A']}" if row["low_meV_A"] else "–"
        row["gap"] = row["verdict"] != coverage.COVERED
    write_html(out_html, "Coverage", CAPTION.format(target=target), HEADERS, rows)
    notes = figures.uncovered([out_conditions])
    draw_coverage([{key: row[key] for key in coverage.COLUMNS} for row in rows], target, notes, out_figure)
    draw_calibration([row for path in fresh for row in read_csv(path)], out_calibration)
    missed = [row for row in grid if row["verdict"] != coverage.COVERED]
    log.info("%d of %d conditions of the grid are covered", len(grid) - len(missed), len(grid))
    for row in missed:
        log.warning("not covered: x = %s, %s K: %s", row["concentration"], row["temperature"], row["reason"])


if __name__ == "__main__":
    environment.isolate()
    logs.start(snakemake.log[0])
    explore_coverage(
        snakemake.input.coverage,
        snakemake.input.fresh,
        *(Path(snakemake.output[name]) for name in ("coverage", "conditions", "html", "figure", "calibration")),
        **snakemake.params,
    )
