"""Error budgets of D, of the conductivity and of activation energies, and what would shrink their bars most."""

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from thermoweave import budget, environment, logs, reduced
from thermoweave.budget import NAMES, Budget
from thermoweave.budget_series import Series, quantities
from thermoweave.tables import write_csv, write_html

log = logging.getLogger(__name__)

COLUMNS = {
    "concentration": "x",
    "temperature": "T (K)",
    "quantity": "quantity",
    "unit": "unit",
    **NAMES,
    "total": "total",
    "advice": "what would shrink it most",
    "unknown": "not known",
}
CAPTION = (
    "One standard error by where it comes from, and in quadrature; a dash is not known, and the total then is a lower "
    "bound. Length of the runs: what a longer run would shrink. Replicas, potentials: what runs of one potential, and "
    "potentials of different seeds, differ beyond that. Labels: the potentials' share, times the error of the labels "
    "over that of the potential (forces). Size of the cell: the whole of the Yeh-Hummer correction, which D does not "
    "contain. Form: Arrhenius against Vogel-Fulcher-Tammann, by their evidence."
)
SHORTEST = 0.1  # s of a run, which is what it is rounded to
UNTESTED = "one size of the cell"
TESTED = {"D": "the onset of diffusion tests it", "": "in the length of the runs (orders averaged)"}
NO_LABEL = "`snakemake label_convergence` was not run"
NO_SCALE = "scales with the potentials' share, which is not known"


class Setting(NamedTuple):
    """Seed of each replica, label error over the potential's (NaN: unknown), core-hours of training one potential."""

    seeds: list[str]
    label_ratio: float
    seed_hours: float


def of_points(name: str, one: Series, parts: budget.Components, setting: Setting) -> list[Budget]:
    """Budgets of ln X at each temperature."""
    unknown = reasons(name, one, setting)
    n_seeds = len(set(setting.seeds))
    return [
        budget.budget(
            {
                "sampling": variance / n,
                "replica": parts.replica / n,
                "committee": parts.committee / n_seeds,
                "label": parts.committee * setting.label_ratio**2,
                "size": size**2,
                "form": np.nan,
            },
            unknown,
        )
        for variance, n, size in zip(one.variance, one.n_replicas, one.size, strict=True)
    ]


def of_energy(
    name: str, one: Series, parts: budget.Components, setting: Setting, form: float, hours: dict[str, float]
) -> tuple[Budget, budget.Gain]:
    """The budget of the activation energy (eV), and what would shrink it most; hours: of a run at each temperature."""
    weights = budget.slope_weights(one.temperature, one.ln_var)
    n_seeds = len(set(setting.seeds))
    runs = weights**2 * (one.variance + np.nan_to_num(parts.replica)) / one.n_replicas
    committee = committee_of_energy(one, parts, setting.seeds)
    found = budget.budget(
        {
            "sampling": weights**2 @ (one.variance / one.n_replicas),
            "replica": weights**2 @ (parts.replica / one.n_replicas),
            "committee": committee / n_seeds,
            "label": committee * setting.label_ratio**2,
            "size": (weights @ one.size) ** 2,
            "form": form**2,
        },
        {**reasons(name, one, setting), "form": "too few temperatures"},
    )
    cost = np.array([hours[label] for label in one.labels])
    args = one.labels, runs, one.n_replicas, cost, committee / n_seeds, n_seeds, setting.seed_hours
    return found, budget.best_gain(*args, found.total**2)


def committee_of_energy(one: Series, parts: budget.Components, seeds: list[str]) -> float:
    """
    Variance (eV^2) of the activation energy between potentials, from a line through the temperatures of each replica.

    A replica that gave nothing at some temperatures has a line through the others; with fewer than two it has none.
    """
    energies, variances = [], []
    for values in one.values.T:
        there = np.isfinite(values)
        if there.sum() < 2:
            energies.append(np.nan)
            continue
        weights = budget.slope_weights(one.temperature[there], one.ln_var[there])
        energies.append(weights @ values[there])
        variances.append(weights**2 @ (one.variance[there] + np.nan_to_num(parts.replica)))
    alone = np.array([np.mean(variances) if variances else np.nan])
    return budget.components(np.array([energies]), alone, seeds).committee


def reasons(name: str, one: Series, setting: Setting) -> dict[str, str]:
    """Why a line may be unknown."""
    told = budget.counted(int(one.n_replicas.max()), setting.seeds)
    fallback = {"replica": "no scatter to compare", "committee": "no scatter to compare"}
    diffusion = name.startswith("D ")
    return {
        **fallback,
        **told,
        "label": NO_LABEL if np.isnan(setting.label_ratio) else NO_SCALE,
        "size": "no viscosity, or no cubic cell" if diffusion else UNTESTED,
        "form": TESTED["D" if diffusion else ""],
    }


def row(x: str, temperature: str, quantity: str, unit: str, scale: float, found: Budget, advice: str) -> dict:
    """A line of the table."""
    lines = {line: f"{scale * value:.3g}" if np.isfinite(value) else "–" for line, value in found.lines.items()}
    unknown = "; ".join(f"{NAMES[line]}: {reason}" for line, reason in found.unknown.items())
    at_least = "≥ " if found.unknown.keys() - {"form"} else ""  # what is tested elsewhere is not missing
    total = f"{at_least}{scale * found.total:.3g}"
    where = {"concentration": x, "temperature": temperature, "quantity": quantity, "unit": unit}
    return {**where, **lines, "total": total, "unknown": unknown, "advice": advice}


def reduce_budget(
    transport: Path, arrhenius: Path, verdicts: Sequence[Path], manifests: Sequence[Path], out_csv: Path,
    out_html: Path, seeds: list[str], convergence: Sequence[Path], threads: int,
) -> None:  # fmt: skip
    """
    Write budget.csv and budget.html.

    manifests: of the trained potentials, one a seed; seeds: as replicas take them in turn; convergence:
    convergence.json of the labels, or nothing; threads: of a run.
    """
    grid, fits = reduced.load(transport), reduced.load(arrhenius)
    numbers = grid["replica"].values
    potentials = [json.loads(Path(path).read_text()) for path in manifests]
    setting = Setting(
        [seeds[(int(number) - 1) % len(seeds)] for number in numbers],
        label_ratio(potentials, convergence),
        float(np.mean([one["training"]["core_s"] for one in potentials])) / 3600,
    )
    hours = run_hours([json.loads(Path(path).read_text()) for path in verdicts], threads)
    rows, best = [], []
    for x, label in zip(grid["concentration"].values, grid["concentration_label"].values, strict=True):
        for name, one in quantities(grid, x).items():
            parts = budget.components(one.values, one.variance, setting.seeds)
            points = zip(one.labels, of_points(name, one, parts, setting), strict=True)
            rows += [row(label, temperature, name, "%", 100, found, "") for temperature, found in points]
            if len(one.temperature) < 3:
                continue
            form = float(fits["Ea_form_std"].sel(concentration=x, quantity=name))
            found, gain = of_energy(name, one, parts, setting, form, {t: hours[label, t] for t in one.labels})
            advice = f"{gain.how}: {100 * gain.saved:.2g} % off the variance for {gain.hours:.2g} core-hours"
            rows.append(row(label, "", f"Ea of {name}", "meV", 1000, found, advice))
            best.append((gain.saved / gain.hours, f"the Ea of {name} at x = {label}: {advice}"))
    rows.sort(key=lambda row: bool(row["temperature"]))  # activation energies first; the rest stays in order
    write_csv(out_csv, rows, list(COLUMNS))
    title = f"Error budget: the next core-hours do most for {max(best)[1]}" if best else "Error budget"
    write_html(out_html, title, CAPTION, COLUMNS, rows)
    log.info("%s", title)


def label_ratio(potentials: list[dict], convergence: Sequence[Path]) -> float:
    """Force error of the labels, against those of the highest level, over that of the potentials; NaN if not known."""
    if not convergence:
        return np.nan
    levels = json.loads(Path(convergence[0]).read_text())["levels"]
    labels = levels["asked"].get("force_rms_meV_A", {}).get("value", np.nan)
    return labels / np.mean([one["errors"]["all"]["force_rmse_meV_A"] for one in potentials])


def run_hours(verdicts: list[dict], threads: int) -> dict[tuple[str, str], float]:
    """Core-hours of a run at each concentration and temperature, mean over the replicas that passed."""
    found: dict[tuple[str, str], list[float]] = {}
    for verdict in verdicts:
        if verdict["passed"]:
            hours = max(verdict["wall_s"], SHORTEST) * threads / 3600
            found.setdefault((verdict["concentration"], verdict["temperature"]), []).append(hours)
    return {key: float(np.mean(values)) for key, values in found.items()}


if __name__ == "__main__":
    environment.isolate()
    logs.start(snakemake.log[0])
    reduce_budget(
        Path(snakemake.input.transport),
        Path(snakemake.input.arrhenius),
        snakemake.input.verdicts,
        snakemake.input.manifests,
        Path(snakemake.output.csv),
        Path(snakemake.output.html),
        snakemake.params.seeds,
        [path for path, _ in snakemake.params.convergence],
        snakemake.params.threads,
    )
