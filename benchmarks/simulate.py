#!/usr/bin/env python3
"""How fast the stage simulate is on this machine: the tables of docs/performance.md, ratios from one run.

Run with the Python of the potential's environment (envs/{backend}.yaml) on a machine that does nothing else:

    simulate.py POTENTIAL.json STARTS... --out FOLDER [--device cuda] [--quick] [--parts grid raw pieces scaling]

POTENTIAL.json: the compiled one of a campaign (results/train/final/*/seed*/compiled/potential.json); STARTS: its
results/generate/x*/T*/start1.extxyz, whose folders say concentration and temperature. Writes a CSV file for each part
and summary.md with all tables. Parts, whose files (simulate_*.py) say what is compared:

    grid      conditions of the quickstart's length: one ASE process each, against the workflow's jobs
    raw       the driver (limits, frames, trajectory) against the engine's own loop
    pieces    where the time of a step goes
    scaling   16 to 4096 ions, 1 to 64 systems: time, memory, trajectory
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from simulate_setup import Case, cores, machine, usable

import simulate_grid  # isort: skip
import simulate_pieces
import simulate_raw
import simulate_scaling
from simulate_tables import markdown, write_csv
from thermoweave import engines
from thermoweave.potentials import manifest as manifests

TOGETHER = {"cpu": 16, "cuda": 64}  # systems in a batch of an engine that moves many at once
PARTS = ("grid", "raw", "pieces", "scaling")


def main() -> None:
    options = arguments()
    case = Case(
        str(options.potential.resolve()), [str(s.resolve()) for s in options.starts], options.device, options.quick
    )
    options.out.mkdir(parents=True, exist_ok=True)
    names = usable(case)
    manifest = manifests.read(case.potential)
    if not manifest["compiled"]:
        print(f"{options.potential} is not compiled: all ways run what was trained", flush=True)
    told = f"{machine(case.device)}. {case.backend}, {manifest['dtype']}; device {case.device}; auto: {case.engine}."
    note = " With --quick: a trial, its numbers mean little." if case.quick else ""
    report = [f"{told}{note}\n"]
    print(report[0], flush=True)
    for part in PARTS:
        if part in options.parts:
            report += RUN[part](case, names, options)
            (options.out / "summary.md").write_text("\n".join(report))
    print("\n".join(report))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("potential", type=Path, metavar="POTENTIAL.json")
    parser.add_argument("starts", type=Path, nargs="+", metavar="STARTS")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--conditions", type=int, default=4, help="of the grid (default: 4)")
    parser.add_argument("--quick", action="store_true", help="a trial of some minutes")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    options = parser.parse_intermixed_args()
    for path in [options.potential, *options.starts]:
        if not path.is_file():
            sys.exit(f"{path} is not there")
    return options


def grid(case: Case, names: list[str], options: argparse.Namespace) -> list[str]:
    rows = simulate_grid.grid(case, options.conditions, 1 if case.quick else 3)
    write_csv(options.out / "grid.csv", rows)
    n_steps, at_once = case.protocol.n_steps, cores() if case.device == "cpu" else 1
    title = f"Grid: {options.conditions} conditions, {n_steps} steps each, {at_once} processes side by side"
    return [f"### {title}\n", markdown(simulate_grid.summary(rows))]


def raw(case: Case, names: list[str], options: argparse.Namespace) -> list[str]:
    rows = []
    for name in names:
        found = simulate_raw.raw(case, name, systems(case, name), *((3, 1.0) if case.quick else (7, 5.0)))
        rows.append(found)
    write_csv(options.out / "raw.csv", [row for found in rows for row in found])
    return ["### The driver against the engine's own loop\n", markdown([simulate_raw.summary(found) for found in rows])]


def pieces(case: Case, names: list[str], options: argparse.Namespace) -> list[str]:
    rows = []
    for name in names:
        rows += simulate_pieces.pieces(case, name, systems(case, name), *((3, 1.0) if case.quick else (7, 5.0)))
    write_csv(options.out / "pieces.csv", rows)
    return ["### Where the time of a step goes (ms a step and system)\n", markdown(rows)]


def scaling(case: Case, names: list[str], options: argparse.Namespace) -> list[str]:
    sizes, batches = simulate_scaling.scaling(case, names, *((0.5, 100.0) if case.quick else (5.0, 3000.0)))
    write_csv(options.out / "sizes.csv", sizes)
    write_csv(options.out / "systems.csv", batches)
    return ["### Ions\n", markdown(sizes), "### Systems in a batch\n", markdown(batches)]


def systems(case: Case, name: str) -> int:
    return TOGETHER[case.device] if engines.engine(name).TOGETHER else 1


RUN: dict[str, Callable[[Case, list[str], argparse.Namespace], list[str]]] = {
    "grid": grid, "raw": raw, "pieces": pieces, "scaling": scaling,
}  # fmt: skip


if __name__ == "__main__":
    main()
