"""Deviation and true error of a committee on labels that none of its members was trained on: pairs for `calibration`.

Kinds: `held out`, the test labels of all rounds so far; `fresh`, those of the next round, which its walks found. The
kinds are different populations (the first structures were made hotter and strained) and may differ in their errors.

Errors are those of the networks, without the wall: the members share it, so that their deviation knows nothing of it.
What it adds is known for each frame, its own force, and added where an error is expected (`calibration.expected`).
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ase import Atoms

from thermoweave import calibration as calibrations
from thermoweave.calibration import Calibration, Pair
from thermoweave.potentials.committee import frame_deviation, frame_error
from thermoweave.tables import read_csv

COLUMNS = (
    "round",
    "kind",
    "condition",
    "label_id",
    "deviation_meV_A",
    "error_meV_A",
    "wall_meV_A",
    "chosen",
    "low_meV_A",
    "high_meV_A",
)


def group(round: int, kind: str) -> str:
    """The group of such pairs in a calibration."""
    return f"round {round} {kind}"


def held_out(predictions: Sequence[Path], round: int) -> list[dict]:
    """Pairs of the committee of a round from the predictions.npz of its members.

    Raises ValueError with fewer than two members, or where these were not tested on the same labels.
    """
    if len(predictions) < 2:
        raise ValueError("a committee has two members or more; add seeds to train.seeds")
    tests = [np.load(path, allow_pickle=False) for path in predictions]
    frame, labels = tests[0]["frame"], tests[0]["label_id"]
    if any(not np.array_equal(test["label_id"], labels) for test in tests):
        raise ValueError(
            f"{', '.join(map(str, predictions))} are of different labels: delete them, and they train again"
        )
    members = np.array([test["predicted"] - test["wall"] for test in tests])
    mean = members.mean(axis=0)
    scatter = np.sqrt(members.var(axis=0, ddof=1).sum(axis=1))
    rows = []
    for k, label in enumerate(labels):
        own = frame == k
        error = frame_error(mean[own], scatter[own], tests[0]["reference"][own], len(tests))
        condition = str(tests[0]["condition"][k])
        wall = frame_deviation(np.linalg.norm(tests[0]["wall"][own], axis=1))
        rows.append(row(round, "held out", condition, str(label), frame_deviation(scatter[own]), error, wall))
    return rows


def fresh(
    selected: Sequence[Atoms], labels: Sequence[Atoms], round: int, n_members: int, known: Calibration
) -> list[dict]:
    """Pairs of the committee of a round from the frames that it chose and their labels, by the frames' `index`; with
    the interval in which `known`, the calibration of before, expects the error.
    """
    by_index = {int(atoms.info["index"]): atoms for atoms in selected}
    rows = []
    for label in labels:
        atoms = by_index[int(label.info["index"])]
        forces, scatter = atoms.arrays["committee_forces"], atoms.arrays["deviation"]
        spread, condition = frame_deviation(scatter), atoms.info["walk"]
        error = frame_error(forces, scatter, label.arrays["REF_forces"], n_members)
        low, high = calibrations.interval(known, condition, spread)
        chosen = {"chosen": atoms.info["chosen"], "low_meV_A": f"{low:.4g}", "high_meV_A": f"{high:.4g}"}
        found = row(round, "fresh", condition, label.info["label_id"], spread, error, atoms.info["wall_force"])
        rows.append(found | chosen)
    return rows


def row(
    round: int, kind: str, condition: str, label_id: str, deviation: float, error: float, wall: float
) -> dict:  # fmt: skip
    """A line of such a table, without what only fresh labels have."""
    numbers = {"deviation_meV_A": f"{deviation:.6g}", "error_meV_A": f"{error:.6g}", "wall_meV_A": f"{wall:.6g}"}
    where = {"round": round, "kind": kind, "condition": condition, "label_id": label_id}
    return {**dict.fromkeys(COLUMNS, ""), **where, **numbers}


def pairs(tables: Sequence[Path]) -> list[Pair]:
    """Of tables that `COLUMNS` describes."""
    return [
        Pair(
            float(row["deviation_meV_A"]),
            float(row["error_meV_A"]),
            row["condition"],
            group(int(row["round"]), row["kind"]),
        )
        for path in tables
        for row in read_csv(path)
    ]
