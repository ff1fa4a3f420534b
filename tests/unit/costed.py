"""A campaign with two potentials as its jobs leave it: results, Snakemake's records, benchmark files, attempts."""

import json
from pathlib import Path

from audit_cost import audit_cost
from recorded import Recorded
from thermoweave import lineage
from thermoweave.attempts import COLUMNS
from thermoweave.tables import read_csv

SECONDS = {  # of the last run of each job
    "generate_structures": 36, "label_structures": 360, "label_summary": 3.6, "train_potential": 720,
    "simulate_md": 1800, "reduce_transport": 36, "reduce_plot_arrhenius": 0,
}  # fmt: skip
CORES = {"label_structures": 4}
WALL = {"nequip": (1000.0, 600.0), "mace": (500.0, 500.0)}  # of the runs at 1000 and 1100 K
TABLES = {
    "csv": "cost.csv", "labels": "cost_labels.csv", "conditions": "cost_conditions.csv", "figures": "cost_figures.csv",
    "json": "cost.json", "html": "cost.html",
}  # fmt: skip
# id, rung, outcome, core-seconds
LABELS = [
    ("aa" * 32, "as asked", "UNCONVERGED", 200.0), ("aa" * 32, "slower mixing", "SUCCESS", 600.0),
    ("bb" * 32, "as asked", "SUCCESS", 400.0), ("cc" * 32, "", "TOO_CLOSE", 0.0), ("dd" * 32, "", "STORED", 0.0),
]  # fmt: skip
BATCH = "label_structures/x0.50_batch0"
MD = "simulate_md/nequip_x0.50_T1000_replica1"
# Core-h: generate, label, one training, one sweep, two reductions; judging and drawing have no benchmark, but a record
LABELLING, SWEEP = 0.01 + 0.4, 0.5
FIGURE = LABELLING + 0.2 + SWEEP + 2 * 0.01 + 3 * 0.0005
ALL = 2 * FIGURE - LABELLING + 0.001


def csv(columns: list[str], rows: list[tuple]) -> str:
    return "\n".join(",".join(map(str, row)) for row in [columns, *rows]) + "\n"


def attempts_csv(labels: list[tuple]) -> str:
    return csv(
        COLUMNS,
        [(label, "x0.50", "T1000", rung, outcome, "", 8, seconds / 4, seconds, "pw.x")
         for label, rung, outcome, seconds in labels],
    )  # fmt: skip


def arrhenius(potential: str) -> str:
    return f"results/reduce/{potential}/figures/arrhenius.svg"


def campaign(folder: Path, labels: list[tuple] = LABELS) -> Recorded:
    made = Recorded(folder)
    structures, batch = "results/generate/x0.50/structures.extxyz", "results/label/round0/x0.50/batch0"
    made.job("generate_structures/x0.50", [], {structures: "2\n"})
    made.job(BATCH, [structures], {f"{batch}.extxyz": "2\n", f"{batch}.csv": attempts_csv(labels)})
    made.job("label_summary/round0", [f"{batch}.csv"], {"results/label/round0/summary.csv": attempts_csv(labels)})
    for potential, walls in WALL.items():
        trained = f"results/train/round0/{potential}/seed1/potential.json"
        made.job(f"train_potential/round0_{potential}_seed1", [f"{batch}.extxyz"], {trained: "{}"})
        runs = f"results/simulate/{potential}/x0.50/T1000/replica1.run.json"
        made.job(f"simulate_md/{potential}_x0.50_T1000_replica1", [trained], {runs: "{}"})
        reduced = []
        for kelvin, wall in zip(("1000", "1100"), walls, strict=True):
            run, name = f"results/simulate/{potential}/x0.50/T{kelvin}/replica1", f"{potential}_x0.50_T{kelvin}"
            files = {f"{run}.json": json.dumps({"wall_s": wall}), f"{run}.nc": "CDF"}
            made.job(f"simulate_judge/{name}_replica1", [runs], files)
            reduced.append(f"results/reduce/{potential}/x0.50/T{kelvin}/transport.nc")
            made.job(f"reduce_transport/{name}", [f"{run}.nc"], {reduced[-1]: "CDF"})
        made.job(f"reduce_plot_arrhenius/{potential}", reduced, {arrhenius(potential): "<svg/>"})
    for name, job in graph(made).jobs.items():
        if job.rule in SECONDS and SECONDS[job.rule]:
            benchmark(made, name, SECONDS[job.rule], CORES.get(job.rule, 1))
        attempt(made, name, SECONDS.get(job.rule) or 1.8)
    return made


def benchmark(made: Recorded, name: str, seconds: float, cores: int) -> None:
    made.write(f"results/benchmarks/{name}.tsv", f"s\tthreads\tresources\n{seconds}\t1\t{{'tasks': {cores}}}\n")


def attempt(made: Recorded, name: str, seconds: float, said: list[str] = (), end: str = "done") -> None:
    """Add an attempt of a job to its record; `end`: done, failed, killed."""
    file = made.folder / f"results/logs/{name}.attempts"
    file.parent.mkdir(parents=True, exist_ok=True)
    last = f"2026-11-23 {9 + int(seconds // 3600):02}:{int(seconds // 60 % 60):02}:{seconds % 60:06.3f}".replace(
        ".", ","
    )
    lines = ["2026-11-23 09:00:00,000 INFO    attempt: the attempt begins"]
    lines += [f"2026-11-23 09:00:00,000 INFO    __main__: {line}" for line in said]
    if end == "failed":
        lines += [f"{last} CRITICAL thermoweave: the job failed:", "Traceback", "ValueError: no"]
    lines += [f"{last} INFO    attempt: the attempt {'goes on' if end == 'killed' else 'ends'}"]
    before = file.read_text() if file.exists() else ""
    file.write_text("\n".join([*lines, before]))  # an earlier one: the last one is the one behind the results


def graph(made: Recorded) -> lineage.Lineage:
    results = [arrhenius(potential) for potential in WALL] + ["results/label/round0/summary.csv"]
    return lineage.from_records(made.folder, results)


def audited(made: Recorded, power: float | None = None) -> dict:
    """Tables by name, the facts and the page."""
    out = {name: made.folder / file for name, file in TABLES.items()}
    audit_cost(made.folder, graph(made), out, power)
    tables = {name: read_csv(out[name]) for name in ("csv", "labels", "conditions", "figures")}
    return tables | {"facts": json.loads(out["json"].read_text()), "page": out["html"].read_text()}


def by(rows: list[dict], key: str) -> dict[str, dict]:
    return {row[key]: row for row in rows}
