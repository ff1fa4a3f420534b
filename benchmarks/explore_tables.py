"""What benchmarks/explore.py found: summary.md, labels.csv and labels.svg."""

from collections.abc import Sequence
from pathlib import Path

from explore_setup import STRATEGIES  # isort: skip
import numpy as np
from simulate_tables import cell, markdown
from thermoweave import figures
from thermoweave.tables import write_csv

TAIL = 0.05  # of 90 % intervals
DRAWS = 2000
ERRORS = {
    "worst_rmse_meV_A": "worst condition",
    "mean_rmse_meV_A": "mean of conditions",
    "worst_network_rmse_meV_A": "worst, without the wall",
    "mean_network_rmse_meV_A": "mean, without the wall",
}
COLUMNS = ("strategy", "seed", "round", "n_labels", *ERRORS, "frames_inside", "frames_in_wall")


def write(folder: Path, rows: Sequence[dict], walks: Sequence[dict]) -> None:
    """All that there is to say of seeds of which every strategy has come to its end; `walks`: true and stated errors
    over the committees' walks.
    """
    last = max(row["round"] for row in rows)
    ended = {name: {row["seed"] for row in of(rows, name) if row["round"] == last} for name in STRATEGIES}
    seeds = sorted(set.intersection(*ended.values()))
    if not seeds:
        raise SystemExit(f"no seed has {last} rounds of every strategy: {', '.join(STRATEGIES)}")
    rows = [row for row in rows if row["seed"] in seeds]
    parts = [f"Force errors (meV/A) on the hidden test set, {len(seeds)} seeds\n", markdown(learning(rows)), RATIO]
    parts += [markdown(ratios(rows, seeds)), CALIBRATION, markdown(calibration(rows))]
    parts += [OWN_WALKS, markdown(own_walks(walks))] if walks else []
    (folder / "summary.md").write_text("\n".join(parts))
    write_csv(folder / "labels.csv", [{key: row[key] for key in COLUMNS} for row in rows], list(COLUMNS))
    draw(folder / "labels.svg", rows)
    print("\n".join(parts))


RATIO = f"""
Labels for the same error, of the lowest error that both ways reach: labels of ours over those of the other, with the
first ones that all share, and without them; {100 - 200 * TAIL:.0f} % interval from {DRAWS} resamplings of the seeds.
"""
CALIBRATION = """
Share of true errors inside the stated 90 % interval: of conditions (after each round with fresh labels; and below its
upper end), and of single frames of the hidden test set (after every round).
"""


OWN_WALKS = """
The same for the committees' own walks (ours): the true error over every second frame of each, with the wall.
"""


def of(rows: Sequence[dict], strategy: str) -> list[dict]:
    return [row for row in rows if row["strategy"] == strategy]


def learning(rows: Sequence[dict]) -> list[dict]:
    """Per strategy and round: mean over the seeds, with their lowest and highest."""
    table = []
    for strategy in STRATEGIES:
        for round in sorted({row["round"] for row in rows}):
            own = [row for row in of(rows, strategy) if row["round"] == round]
            line = {"strategy": strategy, "round": round, "labels": float(np.mean([row["n_labels"] for row in own]))}
            for key, name in ERRORS.items():
                values = [row[key] for row in own]
                line[name] = f"{cell(float(np.mean(values)))} ({cell(min(values))}-{cell(max(values))})"
            table.append(line)
    return table


def curve(rows: Sequence[dict], strategy: str, seeds: Sequence[int], key: str) -> tuple[np.ndarray, np.ndarray]:
    """Mean labels and error (geometric mean) after each round, over seeds that may be there more than once."""
    by_seed = {
        seed: sorted((r for r in of(rows, strategy) if r["seed"] == seed), key=lambda r: r["round"])
        for seed in set(seeds)
    }
    labels = np.mean([[row["n_labels"] for row in by_seed[seed]] for seed in seeds], axis=0)
    return labels, np.exp(np.mean([np.log([row[key] for row in by_seed[seed]]) for seed in seeds], axis=0))


def reached(labels: np.ndarray, errors: np.ndarray, level: float) -> float:
    """Labels at which a curve first comes down to `level`, linear in the logarithm of the error between rounds."""
    k = int(np.argmax(errors <= level * (1 + 1e-12)))
    if k == 0:
        return float(labels[0])
    share = np.log(errors[k - 1] / level) / np.log(errors[k - 1] / errors[k])
    return float(labels[k - 1] + share * (labels[k] - labels[k - 1]))


def ratio(rows: Sequence[dict], other: str, seeds: Sequence[int], key: str) -> tuple[float, float, float]:
    """The lowest error that both reach, labels of ours over those of the other there, and the same without round 0."""
    ours, theirs = curve(rows, "ours", seeds, key), curve(rows, other, seeds, key)
    level = max(ours[1].min(), theirs[1].min())
    n_ours, n_theirs, first = reached(*ours, level), reached(*theirs, level), ours[0][0]
    # a way that never improves on the first labels needs none more to be as bad
    without = (n_ours - first) / (n_theirs - first) if n_theirs > first else np.nan
    return level, n_ours / n_theirs, without


def ratios(rows: Sequence[dict], seeds: Sequence[int]) -> list[dict]:
    table = []
    for other in STRATEGIES[1:]:
        for key, name in ERRORS.items():
            rng = np.random.default_rng(1)
            drawn = [ratio(rows, other, rng.choice(seeds, len(seeds)), key)[1:] for _ in range(DRAWS)]
            level, *found = ratio(rows, other, seeds, key)
            ends = np.nanquantile(drawn, [TAIL, 1 - TAIL], axis=0).T
            told = [f"{value:.2f} ({low:.2f}-{high:.2f})" for value, (low, high) in zip(found, ends, strict=True)]
            line = {"ours against": other, "error": name, "at (meV/A)": level}
            table.append(line | dict(zip(("all labels", "after round 0"), told, strict=True)))
    return table


def calibration(rows: Sequence[dict]) -> list[dict]:
    table = []
    for strategy in STRATEGIES:
        own = of(rows, strategy)
        stated = [(row["rmse_meV_A"][name], *one) for row in own for name, one in row["stated_meV_A"].items()]
        true, expected, low, high = np.array(stated).T
        table.append(
            {
                "strategy": strategy,
                "conditions": len(stated),
                "inside": f"{np.mean((low < true) & (true < high)):.2f}",
                "below the upper end": f"{np.mean(true < high):.2f}",
                "true / expected": f"{np.exp(np.mean(np.log(true / expected))):.2f}",
                "frames inside": f"{np.mean([row['frames_inside'] for row in own]):.2f}",
            }
        )
    return table


def own_walks(walks: Sequence[dict]) -> list[dict]:
    table = []
    for round in [*sorted({row["round"] for row in walks}), "all"]:
        own = [row for row in walks if round in ("all", row["round"])]
        true, expected, low, high = (
            np.array([row[key] for row in own]) for key in ("total", "expected_error", "low", "high")
        )
        ratio = np.log(true / expected)
        table.append(
            {
                "round": round,
                "walks": len(own),
                "inside": f"{np.mean((low < true) & (true < high)):.2f}",
                "below the upper end": f"{np.mean(true < high):.2f}",
                "true / expected": f"{np.exp(ratio.mean()):.2f}",
                "scatter of its logarithm": f"{ratio.std():.2f}",
                "half interval": f"{np.mean(np.log(high / low)) / 2:.2f}",
            }
        )
    return table


def draw(path: Path, rows: Sequence[dict]) -> None:
    """Error against labels: the mean over the seeds, and a band from the lowest to the highest of them."""
    figures.style()
    figure, axes = figures.panels(1, len(ERRORS), width=2.2, sharey=True)
    for ax, (key, title) in zip(axes[0], ERRORS.items(), strict=True):
        for strategy, color, marker in zip(STRATEGIES, figures.COLORS, figures.MARKERS, strict=False):
            own = of(rows, strategy)
            labels, errors = curve(rows, strategy, sorted({row["seed"] for row in own}), key)
            each = [[row[key] for row in own if row["round"] == k] for k in sorted({row["round"] for row in own})]
            ax.fill_between(labels, [min(e) for e in each], [max(e) for e in each], color=color, alpha=0.15, lw=0)
            ax.plot(labels, errors, color=color, marker=marker, markersize=4, label=strategy)
        ax.set(title=title, xlabel="labels", yscale="log")
        figures.plain_numbers(ax.yaxis)
    axes[0, 0].set_ylabel("force error (meV/A)")
    axes[0, 0].legend()
    figures.save(figure, path)
