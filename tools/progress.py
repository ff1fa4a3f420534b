#!/usr/bin/env python3
"""The whole sweep in one screen: `make progress`, or tools/progress.py CAMPAIGN.

Reads what the runs write below CAMPAIGN/results/simulate, and nothing else: it works beside a running Snakemake, on a
cluster's login node, too. Standard library only.
"""

from __future__ import annotations

import json
import re
import sys
import time
from pathlib import Path

SILENT_S = 300  # a run under way that has not written for so long has probably been killed
STATES = ("passed", "failed", "ended", "under way", "silent", "waiting")
SHOWN = 12  # runs under way, and failed ones, in full


def read(path: Path) -> dict:
    """A JSON file; nothing where there is none."""
    return json.loads(path.read_text()) if path.exists() else {}


def state_of(run: Path) -> dict:
    """What a run's folder says, with its `state`, one of `STATES`, and the `share` of its steps that is done."""
    progress, verdict = read(run / "progress.json"), read(run.parent / f"{run.name}.json")
    share = progress.get("steps", 0) / max(progress.get("steps_planned", 1), 1)
    if (run / "facts.json").exists():
        state = "ended" if not verdict else "passed" if verdict["passed"] else "failed"
    elif not progress:
        state = "waiting"
    else:
        state = "under way" if time.time() - progress["written"] < SILENT_S else "silent"
    return {**progress, "state": state, "share": share, "reason": verdict.get("reason", "")}


def cell(runs: list[dict]) -> str:
    """The runs of a condition in a few characters: passed of all, failed, per cent of the work done."""
    count = [sum(run["state"] == state for run in runs) for state in ("passed", "failed")]
    share = sum(1.0 if run["state"] in ("passed", "failed", "ended") else run["share"] for run in runs) / len(runs)
    if count[0] + count[1] == len(runs):
        return f"{count[0]}/{len(runs)}" + (f" {count[1]} failed" if count[1] else "")
    return f"{share:.0%}" + (f" {count[1]} failed" if count[1] else "")


def sweep(folder: Path) -> dict[tuple[str, str], dict[str, dict]]:
    """All runs of a potential: by (concentration, temperature), then replica; those not begun, too, from the starts."""
    found: dict[tuple[str, str], dict[str, dict]] = {}
    starts = folder.parents[1].glob("generate/x*/T*/start*.extxyz")
    planned = [(p.parts[-3], p.parts[-2], re.sub(r"\D", "", p.stem)) for p in starts]
    begun = [(p.parts[-3], p.parts[-2], p.name[7:]) for p in folder.glob("x*/T*/replica*") if p.is_dir()]
    for x, t, replica in sorted({*planned, *begun}):
        found.setdefault((x, t), {})[replica] = state_of(folder / x / t / f"replica{replica}")
    return found


def table(found: dict) -> list[str]:
    """Concentrations down, temperatures across."""
    xs, ts = sorted({x for x, _ in found}), sorted({t for _, t in found}, key=lambda t: float(t[1:]))
    rows = [["", *ts]] + [[x, *(cell(list(found[x, t].values())) if (x, t) in found else "" for t in ts)] for x in xs]
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    return ["  " + "  ".join(text.rjust(width) for text, width in zip(row, widths, strict=True)) for row in rows]


def line(name: str, run: dict) -> str:
    """A run that is under way."""
    parts = [f"{run['share']:.0%}", run["stage"], f"{run['temperature_K']:.0f} K", f"{run['ns_per_day']:.2f} ns/day"]
    parts.append(f"{run['seconds_left'] / 60:.0f} min of its own left")
    if run["drift_eV_atom_ns"] is not None:
        parts.append(f"drift {run['drift_eV_atom_ns']:.2g} eV/atom/ns")
    if run["half_step"]:
        parts.append("with half the time step")
    if run["state"] == "silent":
        parts.append(f"silent since {(time.time() - run['written']) / 60:.0f} min")
    return f"  {name}: {', '.join(parts)}"


def report(folder: Path) -> list[str]:
    """The lines of one potential."""
    found = sweep(folder)
    runs = {f"{x} {t} replica {r}": run for (x, t), each in found.items() for r, run in each.items()}
    states = [run["state"] for run in runs.values()]
    counts = [
        f"{states.count(s)} {s}" for s in ("passed", "failed", "ended", "under way", "silent", "waiting") if s in states
    ]
    lines = [f"{folder.name}: {len(runs)} runs: {', '.join(counts)}", *table(found)]
    lines += [line(name, run) for name, run in runs.items() if run["state"] in ("under way", "silent")][:SHOWN]
    failed = [(name, run) for name, run in runs.items() if run["state"] == "failed"]
    lines += [f"  {name} failed: {run['reason']}" for name, run in failed[:SHOWN]]
    return lines


def main() -> int:
    campaign = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    folders = [path for path in sorted(campaign.glob("results/simulate/*")) if path.is_dir()]
    if not folders:
        print(f"{campaign / 'results/simulate'}: no run has begun")
        return 1
    for folder in folders:
        print("\n".join(report(folder)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
