"""Whether the answer may be believed: what the labels cover, errors of the potential, health of the runs."""

from collections.abc import Callable, Sequence
from pathlib import Path

from thermoweave.answer_html import Html, bad, bullets, figure, folded, join, paragraph, table
from thermoweave.answer_results import counted
from thermoweave.tables import read_csv

HEADINGS = {
    "seed": "seed", "concentration": "x", "temperature": "T (K)", "species": "forces on", "n_frames": "test labels",
    "force_rmse": "force RMSE (meV/Å)", "force_mae": "force MAE (meV/Å)", "energy_rmse": "energy RMSE (meV/atom)",
    "energy_mae": "energy MAE (meV/atom)", "stress_rmse": "stress RMSE (meV/Å³)", "stress_mae": "stress MAE (meV/Å³)",
}  # fmt: skip


def coverage(rows: Sequence[dict], figures: Sequence[Path]) -> Html:
    """What the labels cover, from explore's conditions.csv (empty without a round of active learning)."""
    if not rows:
        return paragraph(
            "This campaign has no round of active learning: nothing tells which conditions the labels cover, or how "
            "wrong the potentials are along their own runs."
        )
    covered = sum(row["verdict"] == "covered" for row in rows)
    missed = [
        join(bad(f"x = {row['concentration']}, {row['temperature']} K"), f": {row['verdict']}, {row['reason']}")
        for row in rows
        if row["verdict"] != "covered"
    ]
    caption = "Expected force error of the potentials over their walks, by round; dashed: the target."
    return join(
        paragraph(f"The labels cover {counted(covered, len(rows), 'condition', 'conditions')} of the grid."),
        bullets(missed),
        *(figure(path, "Coverage", caption) for path in figures),
        paragraph("Expected force error (meV/Å) of the potentials at each condition, with its 90 % interval:"),
        grid(rows, expected),
    )


def expected(rows: Sequence[dict]) -> object:
    """Expected error of a condition; in red, with the verdict, where it is not covered."""
    (row,) = rows
    error = row["expected_error_meV_A"]
    told = f"{error} ({row['low_meV_A']}–{row['high_meV_A']})" if error else "not known"
    return told if row["verdict"] == "covered" else bad(f"{told}, {row['verdict']}")


def grid(rows: Sequence[dict], shown: Callable[[Sequence[dict]], object]) -> Html:
    """A line for each temperature, a column for each concentration; `shown`: a cell from the rows of a condition."""
    found: dict[tuple[str, str], list[dict]] = {}
    for row in rows:
        found.setdefault((row["temperature"], row["concentration"]), []).append(row)
    temperatures, concentrations = (list(dict.fromkeys(key[k] for key in found)) for k in (0, 1))
    lines = [
        [f"{T} K", *(shown(found[T, x]) if (T, x) in found else "–" for x in concentrations)] for T in temperatures
    ]
    return table(["", *(f"x = {x}" for x in concentrations)], lines)


def errors(backend: str, path: Path, parity: Sequence[Path], conditions: Path) -> Html:
    """Parity of forces, errors on labels held out (errors.csv of the audit), and what spot checks of the runs say."""
    rows = read_csv(path)
    keys = [key for key in HEADINGS if key != "temperature" and any(row[key] for row in rows)]
    lines = [[row[key] for key in keys] for row in rows if row["temperature"] == "all"]
    fine = [key for key in HEADINGS if any(row[key] for row in rows)]
    by_condition = [[row[key] for key in fine] for row in rows if row["temperature"] != "all"]
    seeds = list(dict.fromkeys(row["seed"] for row in rows))
    caption = (
        f"Forces of the potential against labels that it was not trained on, seed {seeds[0]} (of {', '.join(seeds)})."
    )
    return join(
        *(figure(figure_path, f"Parity, {backend}", caption) for figure_path in parity[:1]),
        table([HEADINGS[key] for key in keys], lines),
        paragraph("RMSE and MAE on labels that were held out, each with its standard error.", "small"),
        folded("By condition", table([HEADINGS[key] for key in fine], by_condition)) if by_condition else "",
        spot_checks(read_csv(conditions)),
    )


def spot_checks(runs: Sequence[dict]) -> Html:
    """Force errors on frames of the production runs, where some were labelled."""
    checked = [row for row in runs if row["spot_check"] != "–"]
    if not checked:
        return paragraph(
            "No frame of the production runs was labelled (reduce.spot_checks): how wrong the potential is along them "
            "is not measured."
        )
    return join(
        paragraph("Force RMSE (meV/Å) on frames of the production runs that were labelled, with 68 % intervals:"),
        grid(checked, lambda rows: rows[0]["spot_check"]),
    )


def health(path: Path) -> Html:
    """How many runs passed at each condition, and each failure in full (conditions.csv of the audit)."""
    runs = read_csv(path)
    passed = sum(row["verdict"] == "passed" for row in runs)
    failures = [
        join(
            bad(f"x = {row['concentration']}, {row['temperature']} K, replica {row['replica']}"), f": {row['verdict']}"
        )
        for row in runs
        if row["verdict"] != "passed"
    ]
    told = counted(passed, len(runs), "run", "runs")
    headings = ["run", "verdict", "mean T (K)", "wall contacts / frame", "drift (eV/atom/ns)", "D (10⁻⁹ m²/s)"]
    keys = ["verdict", "mean_temperature_K", "wall_contacts_per_frame", "drift", "diffusion"]
    lines = [[run_name(row), *(row[key] or "–" for key in keys)] for row in runs]
    gaps = " The others are gaps in every figure and table." if failures else ""
    return join(
        paragraph(f"{told[0].upper()}{told[1:]} passed.{gaps}"),
        bullets(failures),
        paragraph("Runs that passed, of those at each condition:"),
        grid(runs, runs_passed),
        folded("Each run", table(headings, lines)),
    )


def run_name(row: dict) -> str:
    return f"x = {row['concentration']}, {row['temperature']} K, replica {row['replica']}"


def runs_passed(rows: Sequence[dict]) -> object:
    """`2 of 2`; in red where not all passed."""
    passed = sum(row["verdict"] == "passed" for row in rows)
    told = f"{passed} of {len(rows)}"
    return told if passed == len(rows) else bad(told)
