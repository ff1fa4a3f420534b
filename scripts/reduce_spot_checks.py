"""The spot checks of the whole grid in one table: errors of the potential where it was used, against held-out ones."""

import json
import logging
import math
from collections.abc import Sequence
from pathlib import Path

from thermoweave import environment, logs, spot_errors
from thermoweave.convergence import Interval
from thermoweave.spot_errors import Ratio
from thermoweave.tables import write_csv

log = logging.getLogger(__name__)


def reduce_spot_checks(conditions: Sequence[Path], output: Path, species: list[str]) -> None:
    """Write one line a condition, and one of all of them (CSV). `conditions`: what `reduce_spot_errors` wrote."""
    found = [json.loads(Path(path).read_text()) for path in conditions]
    rows = [row([condition], species) for condition in found]
    rows.append({**row(found, species), "concentration": "all", "temperature": "all", "note": ""})
    for told in rows:
        log.info("%s", {key: value for key, value in told.items() if value != ""})
    write_csv(output, rows, list(rows[0]))


def row(conditions: list[dict], species: list[str]) -> dict:
    """The line of one condition, or of several taken together."""
    frames = [frame for condition in conditions for frame in condition["frames"]]
    by_species = {s: spot_errors.force_rmse(frames, s) for s in species}
    energies, ratio = spot_errors.energy_errors(conditions), spot_errors.ratio(conditions)
    return {
        "concentration": conditions[0]["concentration"],
        "temperature": conditions[0]["temperature"],
        "asked": sum(condition["asked"] for condition in conditions),
        "labelled": len(frames),
        "rejected": sum(len(condition["rejected"]) for condition in conditions),
        **columns("force_rmse", "_meV_A", spot_errors.force_rmse(frames)),
        **{f"force_rmse_{s}_meV_A": text(by_species[s] and by_species[s].value) for s in species},
        "held_out_labels": ratio.n_held_out if ratio else 0,
        "held_out_force_rmse_meV_A": text(ratio and ratio.held_out),
        **columns("force_ratio", "", ratio),
        "p_worse": text(ratio and ratio.p_worse),
        **columns("energy_rmse", "_meV_atom", energies["rmse"]),
        **columns("energy_offset", "_meV_atom", energies["offset"]),
        **columns("energy_spread", "_meV_atom", energies["spread"]),
        "verdict": spot_errors.verdict(ratio) if frames else "no label",
        "note": "; ".join(filter(None, map(note, conditions))),
    }


def columns(name: str, unit: str, found: Interval | Ratio | None) -> dict[str, str]:
    """An estimate and the ends of its 68 % interval, empty where there are none."""
    ends = {f"{name}_{end}{unit}": text(found and getattr(found, end)) for end in ("low", "high")}
    return {f"{name}{unit}": text(found and found.value), **ends}


def text(value: float | None) -> str:
    return "" if value is None or math.isnan(value) else f"{value:.4g}"


def note(condition: dict) -> str:
    """What is missing and why, and which labels came from a rung that changes the physics."""
    told = [f"no replica passed: {condition['gap']}"] if condition["gap"] else []
    if condition["rejected"]:
        told.append(f"no label of {', '.join(condition['rejected'])} ({'; '.join(condition['reasons'])})")
    told += [
        f"replica {frame['replica']} at {frame['time_ps']:g} ps labelled on {frame['changed']}"
        for frame in condition["frames"]
        if frame["changed"]
    ]
    return "; ".join(told)


if __name__ == "__main__":
    environment.isolate()
    logs.start(snakemake.log[0])
    reduce_spot_checks(snakemake.input.conditions, snakemake.output[0], snakemake.params.species)
