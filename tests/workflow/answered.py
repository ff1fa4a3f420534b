"""A small finished campaign for tests of the answer page: one concentration, three temperatures, two runs each."""

import json
from pathlib import Path

from audit_answer import audit_answer
from thermoweave.answer_results import Answer
from thermoweave.budget import LINES
from thermoweave.tables import write_csv

SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="600pt" height="300pt" viewBox="0 0 600 300"><text>{}</text></svg>'
TEMPERATURES = ("900", "1000", "1100")
LABEL = 'label_id=ab labeller="pw.x 7.2" level="Li:c0ffee" pbc="T T T"'
NAMES = {
    "energies": "results/reduce/{}/arrhenius.csv",
    "budget": "results/reduce/{}/budget.csv",
    "conditions": "results/audit/{}/conditions.csv",
    "points": "results/reduce/{}/figures/arrhenius.csv",
    "arrhenius": "results/reduce/{}/figures/arrhenius.svg",
    "vdos": "results/reduce/{}/figures/vdos.svg",
    "conductivity_spectrum": "results/reduce/{}/figures/conductivity_spectrum.svg",
}


def energy(quantity, value="", std="", note="", form="Arrhenius"):
    return {
        "concentration": "0.25", "quantity": quantity, "form": form if value else "", "Ea_eV": value, "Ea_std_eV": std,
        "Ea_temperature_K": "990.5", "note": note,
    }  # fmt: skip


def budget(quantity, total, unknown="", **lines):
    row = {"concentration": "0.25", "temperature": "", "quantity": f"Ea of {quantity}", "unit": "meV"}
    return row | dict.fromkeys(LINES, "–") | lines | {"total": total, "unknown": unknown}


TABLES = {
    "energies": [
        energy("D Li", "0.31234", "0.02"),
        energy("conductivity", "-0.0412", "0.03", note="falls on heating: Ea < 0"),
        energy("viscosity", note="2 temperatures known, 3 are needed: no fit"),
        energy("D_corrected Li", "0.2987", "0.017"),
        energy("conductivity_ne", note="nothing known at 900 K"),
    ],
    "budget": [
        budget("D Li", "27.5", sampling="21.3", replica="4.1", committee="8.2", label="2.6", size="14.7", form="1.9"),
        budget("conductivity", "≥ 33.1", "size of the cell: one size of the cell", sampling="33", form="2.4"),
        budget("D Li", "7") | {"temperature": "900", "quantity": "D Li", "unit": "%"},
    ],
    "conditions": [
        {
            "concentration": "0.25", "temperature": T, "replica": replica, "verdict": "passed",
            "mean_temperature_K": "998.7", "wall_contacts_per_frame": "0.02", "drift": "-0.011 ± 0.006",
            "diffusion": "Li 6.84 ± 0.51", "spot_check": "–",
        }
        for T in TEMPERATURES for replica in ("1", "2")
    ],
    "points": [{"kind": kind} for kind in ["number"] * 7 + ["upper bound", "gap"]],
    "errors": [
        {"seed": "1", "concentration": x, "temperature": T, "species": "all", "n_frames": "9",
         "force_rmse": "41.8 ± 3.8", "force_mae": "31.4 ± 2.3", "energy_rmse": "11.6 ± 2.0",
         "energy_mae": "10.3 ± 1.9", "stress_rmse": "", "stress_mae": ""}
        for x, T in (("all", "all"), ("0.25", "900"))
    ],
    "coverage": [
        {"concentration": "0.25", "temperature": T, "expected_error_meV_A": "52.1", "low_meV_A": "43.5",
         "high_meV_A": "62.9", "verdict": "covered", "reason": ""}
        for T in TEMPERATURES
    ],
    "cost": [{"stage": "label", "rule": "label_structures", "jobs": "4", "core_h": "0.371", "share": "90.2"}],
    "cost_figures": [
        {"sentence": "The VDOS took 0.402 core-hours."},
        {"sentence": "The Arrhenius figure took 0.411 core-hours, 9 % in failed labels."},
    ],
}  # fmt: skip


def lineage(backends):
    """Two jobs behind each figure, and a file that no job made."""
    labels = "results/label/a.extxyz"
    jobs = {"label_structures/a": job("label_structures", 1e9, ["x.cif"], [labels])}
    for name in backends:
        figure = NAMES["arrhenius"].format(name)
        jobs[f"reduce_plot_arrhenius/{name}"] = job("reduce_plot_arrhenius", 1e9 + 7200, [labels], [figure])
    return {"format": 1, "jobs": jobs, "sources": {"x.cif": "5ca1ab1e" * 8}}


def job(rule, start, inputs, outputs):
    return {"rule": rule, "start": start, "end": start + 60, "inputs": inputs, "outputs": outputs}


def write(folder: Path, name: str, rows: list[dict]) -> Path:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    write_csv(folder / name, rows, list(rows[0]) if rows else ["kind"])
    return Path(name)


def page(folder: Path, backends=("nequip",), title="LiCl-KCl", **changed) -> Path:
    """The answer page of a campaign written into `folder`, which must be where we are; `changed`: tables by name."""
    tables = TABLES | changed
    answers, errors, parity = [], [], []
    for backend in backends:
        paths = {kind: Path(name.format(backend)) for kind, name in NAMES.items()}
        for kind, path in paths.items():
            if path.suffix == ".csv":
                write(folder, str(path), tables[kind])
            else:
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_text(SVG.format(kind))
        answers.append(Answer(backend, **paths))
        errors.append(write(folder, f"results/audit/{backend}/errors.csv", tables["errors"]))
        parity.append([folder / "parity.svg"])
    for name in ("parity.svg", "coverage.svg"):
        (folder / name).write_text(SVG.format(name))
    (folder / "lineage.json").write_text(json.dumps(lineage(backends)))
    (folder / "methods.html").write_text("<html><body><p>Labels by <i>pw.x</i>.</p></body></html>")
    (folder / "results/label").mkdir(exist_ok=True)
    (folder / "results/label/a.extxyz").write_text(f"1\n{LABEL}\nLi 0 0 0\n")
    covered = [write(folder, "coverage.csv", tables["coverage"])] if tables["coverage"] else []
    cost = [write(folder, f"{name}.csv", tables[name]) for name in ("cost", "cost_figures")]
    others = (folder / "lineage.json", folder / "methods.html", title, folder, folder / "answer.html")
    drawn = [folder / "coverage.svg"] if covered else []
    audit_answer(answers, errors, parity, covered, drawn, *cost, *others)
    return folder / "answer.html"
