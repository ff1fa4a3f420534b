#!/usr/bin/env python3
"""A campaign in miniature out of a campaign's config: every stage, with fewer and smaller of everything.

    .venv/bin/python tools/miniature_config.py CONFIG.yaml OUT.yaml

System, labeller, level of theory, potentials, engine, protocol and estimators stay. What comes out means nothing, so
that limits which only say how good it is are lifted.
"""

import os
import sys
from copy import deepcopy
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "scripts"))

from thermoweave import campaign, potentials, simulate_config  # noqa: E402
from thermoweave.protocol import BAROSTAT_INTERVAL  # noqa: E402

LENGTHS = {"epochs": 20, "steps": 400}  # of a training: the key depends on the potential
STEPS = 50  # of a walk
FRAMES, INTERVAL, SEGMENT = 200, 8, 64  # frames of a run, steps between them, frames of a piece for spectra
LOOSE = {"min_distance": 0.5, "max_force": 1000.0, "max_temperature_ratio": 20.0}


def miniature(config: dict, folder: Path) -> tuple[dict, list[str]]:
    """The config in miniature; and what is left out, in sentences: checkpoints that are not below `folder`."""
    small = deepcopy(config)
    small.update(
        name=f"{config['name']}-miniature",
        concentrations=spread(config["concentrations"], 2),
        temperatures=spread(config["temperatures"], 3),
        replicas=1,
    )
    temperatures = spread(config["generate"]["temperatures"], 2)
    small["generate"].update(structures=6, temperatures=temperatures, contact_share=0.0, md_ps=0.2)
    small["label"]["batch"] = 3
    left_out = shorten_trainings(small, folder)
    shorten_walks(small["explore"])
    shorten_runs(small)
    shorten_reductions(small)
    small["audit"].update(max_rejected_share=1.0, cluster_significance=0.001, max_failed_share=1.0)
    for stage, fewest in (("generate", 4), ("simulate", 8)):
        small[stage]["formula_units"] = smallest_cell(small, small[stage]["formula_units"], fewest)
    return small, left_out


def spread(values: list[str], n: int) -> list[str]:
    """Up to `n` of these numbers, as they are written, from the lowest to the highest."""
    ordered = sorted(values, key=float)
    return list(dict.fromkeys(ordered[round(k * (len(ordered) - 1) / (n - 1))] for k in range(n)))


def shorten_trainings(config: dict, folder: Path) -> list[str]:
    """Two seeds and short trainings; from scratch, where the campaign's checkpoint is not at hand."""
    train, teacher, left_out = config["train"], config["generate"].get("teacher"), []
    train.update(seeds=train["seeds"][:2], compile="none")
    for name, section in train["backends"].items():
        known = potentials.adapter(name).HYPERS
        for key in LENGTHS.keys() & known.keys():
            section[key] = min(LENGTHS[key], section.get(key, known[key]))
            section.get("round0", {}).pop(key, None)
        if "init" in section and not (folder / section["init"]).is_file():
            left_out.append(f"train.backends.{name}.init: {section['init']} is not there; it is trained from scratch")
            del section["init"]
            section.pop("fine_tune", None)
    if teacher and not (folder / teacher["potential"]).is_file():
        left_out.append(f"generate.teacher: {teacher['potential']} is not there; structures do not walk with it")
        del config["generate"]["teacher"]
    elif teacher:
        teacher["md_ps"] = min(teacher["md_ps"], STEPS * teacher["timestep_fs"] / 1000)
    return left_out


def shorten_walks(explore: dict) -> None:
    """One round of short walks, that a poor potential may well leave."""
    length = STEPS * explore["timestep_fs"] / 1000
    explore.update(
        rounds=min(explore["rounds"], 1), labels_per_round=4, target=1e4, leave=1e6, joined={},
        budget={"labels": "none", "core_h": "none"}, temperatures=spread(explore["temperatures"], 2),
        length_ps=length, interval_ps=length / 5, spacing_ps=length / 5, health=dict(LOOSE),
    )  # fmt: skip


def shorten_runs(config: dict) -> None:
    """Short runs that end, however poor the potential is."""
    protocol, health = config["simulate"]["protocol"], config["simulate"]["health"]
    if protocol["frame_interval"] != "auto":
        protocol["frame_interval"] = min(protocol["frame_interval"], INTERVAL)
    timestep = simulate_config.protocol(config)["timestep_fs"] / 1000  # ps
    protocol.update(
        heating_ps=100 * timestep, equilibration_ps=100 * timestep, production_ps=FRAMES * frame_step(config)
    )
    if protocol["density"] != "fixed":
        barostat = BAROSTAT_INTERVAL * timestep / 0.02
        protocol["density"].update(barostat_ps=barostat, npt_ps=6 * barostat)
    health.update(LOOSE, max_drift=1e6, max_wall_contacts=1e6, liquid=False)
    if health["committee"] != "none":
        health["committee"] = {"every": FRAMES // 10, "max_force_deviation": 1e6}


def frame_step(config: dict) -> float:
    """Time between two frames of a run, ps."""
    protocol = simulate_config.protocol(config)
    return protocol["timestep_fs"] * protocol["frame_interval"] / 1000


def shorten_reductions(config: dict) -> None:
    """Lags and frequencies that short runs hold, and one spot check."""
    reduce, step = config["reduce"], frame_step(config)
    reduce.update(onset_floor_ps=FRAMES / 12 * step, n_lags=20, spot_checks=min(reduce["spot_checks"], 1))
    reduce["spectra"]["resolution_THz"] = float(f"{1 / (SEGMENT * step):.3g}")
    if reduce["solvation"] != "none":
        reduce["solvation"]["tolerance_ps"] = min(reduce["solvation"]["tolerance_ps"], FRAMES / 12 * step)


def smallest_cell(config: dict, given: int, fewest: int) -> int:
    """The fewest formula units, from `fewest` on and not more than there were, that hold the concentrations."""
    for n in range(fewest, given):
        cells = {stage: config[stage] | {"formula_units": n} for stage in ("generate", "simulate")}
        if not campaign.grid_faults(config | cells):
            return n
    return given


def main(source: Path, target: Path) -> None:
    small, left_out = miniature(yaml.safe_load(source.read_text()), Path())
    partial = target.with_name(f"{target.name}.partial")
    partial.write_text(yaml.safe_dump(small, sort_keys=False))
    os.replace(partial, target)
    print("\n".join([f"{target}: {source} in miniature", *left_out]))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
