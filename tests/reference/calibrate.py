#!/usr/bin/env python3
"""
The calibration: known truths, many seeds, and the tables of docs/calibration.md.

    calibrate.py --out FOLDER [--table docs/calibration.md] [--seeds 1.0] [--parts NAME...] [--processes 2]

Runs in the environment of envs/calibration.yaml. Each part writes FOLDER/NAME.json; the table is made of all that are
there, so that parts may be run one after another. --seeds multiplies the number of trials.
"""

import argparse
import importlib
import json
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")  # before numpy reads them: the processes share the cores

from scoring import Answer  # noqa: E402

import report  # noqa: E402

# part: module, function, trials
PARTS = {
    "series": ("series", "trial", 1000),
    "curves": ("curves", "trial", 1000),
    "diffusion": ("diffusion", "trial", 400),
    "campaigns": ("campaigns", "trial", 400),
    "ions": ("ions", "trial", 400),
    "vibrations": ("vibrations", "trial", 100),
    "comparison_D": ("comparison", "diffusion_trial", 200),
    "comparison_Ea": ("comparison", "campaign_trial", 50),
    "lennard_jones": ("lennard_jones", "trial", 8),
}


def main() -> None:
    options = arguments()
    options.out.mkdir(parents=True, exist_ok=True)
    for part in options.parts:
        begin = time.perf_counter()
        n_trials = max(2, round(options.seeds * PARTS[part][2]))
        answers = run(part, n_trials, options.processes)
        seconds = time.perf_counter() - begin
        record = {"part": part, "n_trials": n_trials, "seconds": round(seconds, 1), "answers": answers}
        (options.out / f"{part}.json").write_text(json.dumps(record), encoding="utf-8")
        print(f"{part}: {n_trials} trials in {seconds:.0f} s", flush=True)
    records = [json.loads(path.read_text(encoding="utf-8")) for path in map(options.out.joinpath, names(options.out))]
    text = report.markdown(records)
    (options.table or options.out / "calibration.md").write_text(text, encoding="utf-8")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--table", type=Path, metavar="FILE", help="default: FOLDER/calibration.md")
    parser.add_argument("--seeds", type=float, default=1.0, help="times the usual number of trials")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    return parser.parse_args()


def names(folder: Path) -> list[str]:
    """The files of the parts that are there, in the order of `PARTS`."""
    return [f"{part}.json" for part in PARTS if (folder / f"{part}.json").is_file()]


def run(part: str, n_trials: int, processes: int) -> list[Answer]:
    """All answers of a part, in the order of the seeds, whatever the number of processes."""
    with ProcessPoolExecutor(processes) as pool:
        chunk = max(1, n_trials // (20 * processes))
        found = pool.map(trial, [part] * n_trials, range(n_trials), chunksize=chunk)
        return [answer for answers in found for answer in answers]


def trial(part: str, seed: int) -> list[Answer]:
    """The answers of one seed of a part."""
    module, function, _ = PARTS[part]
    return getattr(importlib.import_module(module), function)(seed)


if __name__ == "__main__":
    sys.exit(main())
