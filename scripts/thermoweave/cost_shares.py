"""Who needed what a campaign cost: conditions, whose runs share jobs, and figures, by all that they rest on."""

import json
import re
from collections import Counter
from pathlib import Path

from thermoweave import label_record
from thermoweave.cost import COUNTED, Spent
from thermoweave.lineage import Job, Lineage
from thermoweave.tables import read_csv

OWN = re.compile(
    r"results/(?:simulate|reduce|label/spot_checks)/(?P<potential>[^/]+)/x(?P<x>\d+(?:\.\d+)?)/T(?P<T>\d+(?:\.\d+)?)[/.]"
)
FIGURE = re.compile(r"results/(?:reduce/(?P<reduced>[^/]+)|train/final/(?P<trained>[^/]+)/seed(?P<seed>\d+))/figures/")
LABELLING = {"label_structures", "label_selected", "label_spot_checks", "label_convergence_level"}
TITLES = {
    "arrhenius": "Arrhenius figure",
    "activation": "figure of the activation energies",
    "conductivity": "figure of the conductivity",
    "budget": "figure of the error budget",
    "msd": "figure of the mean square displacements",
    "rdf": "figure of the radial distribution functions",
    "solvation": "figure of the solvation shells",
    "vdos": "figure of the densities of states",
    "conductivity_spectrum": "figure of the conductivity spectra",
    "structure_factor": "figure of the dynamic structure factor",
    "parity": "parity figure",
    "learning_curve": "learning curve",
    "compare": "figure that compares the potentials",
    "coverage": "figure of the coverage",
    "calibration": "figure of the calibration",
}

Condition = tuple[str, str, str]  # potential, concentration, temperature


def condition(path: str) -> Condition | None:
    """Whose file that is; None for what conditions share."""
    found = OWN.match(path)
    return found and (found["potential"], found["x"], found["T"])


def runs(graph: Lineage, folder: Path) -> dict[str, list[tuple[Condition, float]]]:
    """Condition and wall time (s, over all attempts) of each run that a job moved, by the job's name."""
    found: dict[str, list[tuple[Condition, float]]] = {}
    for job in graph.jobs.values():
        if job.rule == "simulate_judge":
            (verdict,) = (path for path in job.outputs if path.endswith(".json"))
            moved_by = graph.made_by(job.inputs[0])
            wall = json.loads((folder / verdict).read_text())["wall_s"]
            found.setdefault(moved_by, []).append((condition(verdict), wall))
    return found


def shares(name: str, job: Job, moved: dict[str, list[tuple[Condition, float]]]) -> dict[Condition | None, float]:
    """Parts of a job that conditions needed, None for what they share: 1 in all. A job's runs share it by wall time."""
    if name not in moved:
        return {condition(job.outputs[0]): 1.0}
    total, parts = sum(wall for _, wall in moved[name]), Counter()
    for one, wall in moved[name]:
        parts[one] += wall / total if total else 1 / len(moved[name])
    return dict(parts)


def conditions(graph: Lineage, spent: dict[str, Spent], folder: Path) -> list[dict]:
    """One row a condition, with what only it needed, by stage; the last row is the rest, which they share."""
    moved = runs(graph, folder)
    found: dict[Condition | None, Counter] = {}
    for name, one in spent.items():
        parts = shares(name, graph.jobs[name], moved) if name in graph.jobs else {None: 1.0}
        for key, part in parts.items():
            sums = found.setdefault(key, Counter())
            sums[one.stage] += part * one.core_h
            sums["core_h"] += part * one.core_h
            sums["lost_core_h"] += part * one.lost_core_h
    shared = found.pop(None, Counter())
    keys = sorted(found, key=lambda key: (key[0], float(key[1]), float(key[2])))
    n_runs = Counter(key for members in moved.values() for key, _ in members)
    rows = [dict(zip(("potential", "concentration", "temperature"), key, strict=True)) for key in keys]
    for row, key in zip(rows, keys, strict=True):
        row.update(runs=n_runs[key], **_stages(found[key]))
    return [*rows, {"potential": "all", "concentration": "shared", "temperature": "", "runs": "", **_stages(shared)}]


def figures(graph: Lineage, spent: dict[str, Spent], folder: Path) -> list[dict]:
    """One row a figure: core-hours of all jobs that it rests on, by stage; of them (percent), those in failed label
    attempts and in lost attempts of jobs.
    """
    failed = failed_labels(graph.jobs, folder)
    rows = []
    for path in sorted(path for job in graph.jobs.values() for path in job.outputs if path.endswith(".svg")):
        names = [name for name in graph.upstream([path]) if graph.jobs[name].stage in COUNTED]
        found = [spent[name] for name in names if name in spent]
        sums = Counter(core_h=sum(one.core_h for one in found))
        for one in found:
            sums[one.stage] += one.core_h
        sums["lost_core_h"] = sum(one.lost_core_h for one in found)
        sums["failed_label_core_h"] = sum(failed.get(name, 0.0) for name in names)
        unknown = sum(name not in spent or not spent[name].recorded for name in names)
        row = {"figure": path, "potential": named(path)[1] or "all"}
        row |= {**_stages(sums), "failed_label_core_h": float(sums["failed_label_core_h"]), "jobs": len(names)}
        for key, part in (("failed_labels_share", "failed_label_core_h"), ("lost_share", "lost_core_h")):
            row[key] = 100 * sums[part] / sums["core_h"] if sums["core_h"] else 0.0
        rows.append(row | {"jobs_without_record": unknown})
    return rows


def labelling(jobs: dict[str, Job], folder: Path) -> dict[str, float]:
    """Core-seconds of all attempts on record, by the name of the label job."""
    found = {}
    for name, job in jobs.items():
        if job.rule in LABELLING:
            records = [read_csv(folder / path) for path in job.outputs if path.endswith(".csv")]
            found[name] = sum(float(row["core_s"]) for record in records for row in record)
    return found


def failed_labels(jobs: dict[str, Job], folder: Path) -> dict[str, float]:
    """Core-hours in failed attempts, by the name of the label job."""
    found = {}
    for name, job in jobs.items():
        if job.rule in LABELLING:
            records = [path for path in job.outputs if path.endswith(".csv")]
            found[name] = sum(label_record.failed_core_s(read_csv(folder / path)) for path in records) / 3600
    return found


def _stages(sums: Counter) -> dict[str, float]:
    return {key: float(sums[key]) for key in (*COUNTED, "core_h", "lost_core_h")}


def named(path: str) -> tuple[str, str, str]:
    """Name, potential and seed of a figure; empty where it has none."""
    found = FIGURE.match(path)
    seed = found["seed"] or "" if found else ""
    return Path(path).stem, (found["reduced"] or found["trained"]) if found else "", seed


def title(path: str) -> str:
    """What a figure is called in a sentence."""
    name, potential, seed = named(path)
    told = TITLES.get(name, f"figure {name}")
    return told + (f" of {potential}" if potential else "") + (f", seed {seed}," if seed else "")


def short(path: str) -> str:
    """What a figure is called in a table."""
    name, potential, seed = named(path)
    return ", ".join(filter(None, (name.replace("_", " "), potential, seed and f"seed {seed}")))


def percent(part: float, whole: float) -> str:
    """`9 %`, or a word where a rounded number would mislead."""
    share = 100 * part / whole if whole else 0.0
    return "none" if not part else "less than 1 %" if share < 1 else f"{share:.0f} %"


def hours(value: float) -> str:
    """Hours with three digits; a dash for none."""
    if not value:
        return "–"
    return f"{value:.0f}" if value >= 99.95 else f"{value:#.3g}" if value >= 1e-4 else f"{value:.5f}"


def sentence(row: dict, power: float | None) -> str:
    """What a figure cost."""
    return f"The {title(row['figure'])} {spending(row, power)}."


def spending(row: dict, power: float | None) -> str:
    """`cost 412 core-hours, 9 % of them in failed label attempts and ...`; `power`: W a busy core."""
    spent = row["core_h"]
    told = f" ({hours(energy(spent, power))} kWh at {power:g} W a busy core)" if power else ""
    failed, lost = percent(row["failed_label_core_h"], spent), percent(row["lost_core_h"], spent)
    rest = f" and {lost} in lost attempts of jobs"
    unknown, jobs = row["jobs_without_record"], row["jobs"]
    if unknown == jobs:
        rest = "; what lost attempts of jobs cost is not on record"
    elif unknown:
        rest += f" (not on record of {unknown} of {jobs} jobs)"
    stored = row["labels_from_elsewhere"]
    if stored:
        were = "labels were there before: what they" if stored > 1 else "label was there before: what it"
        rest += f"; {stored} {were} cost is not known here"
    return f"cost {hours(spent)} core-hours{told}, {failed} of them in failed label attempts{rest}"


def energy(core_h: float, power: float) -> float:
    """kWh of core-hours at so many W a busy core."""
    return core_h * power / 1000
