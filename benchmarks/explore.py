#!/usr/bin/env python3
"""How many labels active learning needs: the tables and the figure of docs/active_learning.md.

Molten LiCl-KCl at nine conditions with GFN1-xTB as the truth. From the same few first labels three ways go on for some
rounds, each with a committee of its own that walks the same way:

    ours        explore_select as the workflow has it: by expected error and need, mutually different, some at random
    random      explore_select with random_share 1
    threshold   frames of all conditions pooled, at random from a fixed window of the largest deviation of an atom, as
                in DP-GEN (Y. Zhang et al., Comput. Phys. Commun. 253, 107206 (2020)) and AiiDA-TrainsPot

After each round the committee's forces are compared with the truth's on frames that it never sees, from molecular
dynamics of the truth at each condition. Run with a Python that has the packages of envs/nequip.yaml and of
envs/tblite.yaml:

    explore.py truth --out FOLDER                 the hidden test set, once
    explore.py run --out FOLDER [--seeds 1 2]     all ways of these seeds; what is there is not computed again
    explore.py walks --out FOLDER [--seeds 1 2]   the true errors over the committees' own walks
    explore.py table --out FOLDER                 summary.md, labels.csv and labels.svg from these

With one thread a run is the same to the bit on one machine.
"""

import argparse
import json
import logging
from pathlib import Path

from explore_setup import ROUNDS, STRATEGIES

import explore_loop  # isort: skip
import explore_tables
import explore_train
import explore_truth
import explore_walks
from thermoweave.frames import read_frames
from thermoweave.potentials.manifest import write_json

HIDDEN, ROWS, WALKS = "hidden.extxyz", "rows.json", "walks.json"
HIDDEN_SEED = 1


def main() -> None:
    options = arguments()
    options.out.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    if options.command == "truth":
        explore_truth.hidden_test_set(options.out / HIDDEN, HIDDEN_SEED)
    elif options.command == "run":
        run(options)
    elif options.command == "walks":
        walks(options)
    else:
        explore_tables.write(options.out, read_rows(options.out / ROWS), read_rows(options.out / WALKS))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=("truth", "run", "walks", "table"))
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--strategies", nargs="+", choices=STRATEGIES, default=STRATEGIES)
    return parser.parse_args()


def run(options: argparse.Namespace) -> None:
    explore_train.quick()
    hidden = read_frames(options.out / HIDDEN)
    rows = read_rows(options.out / ROWS)

    def report(row: dict) -> None:
        rows.append(row)
        write_json(options.out / ROWS, rows)

    for seed in options.seeds:
        for strategy in options.strategies:
            there = [row["round"] for row in rows if (row["strategy"], row["seed"]) == (strategy, seed)]
            if ROUNDS not in there:
                explore_loop.run(options.out, strategy, seed, hidden, there, report)


def walks(options: argparse.Namespace) -> None:
    """Of the strategy ours."""
    rows = read_rows(options.out / WALKS)
    for seed in options.seeds:
        if seed not in {row["seed"] for row in rows}:
            explore_walks.check(options.out, seed, "ours", range(ROUNDS), rows.append)
            write_json(options.out / WALKS, rows)


def read_rows(path: Path) -> list[dict]:
    """One for each strategy, seed and round that is there."""
    return json.loads(path.read_text()) if path.exists() else []


if __name__ == "__main__":
    main()
