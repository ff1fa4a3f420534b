"""The loop of active learning: it ends early, goes on where more is asked for, and is resumed."""

import json
import shutil

import pytest
import yaml
from miniature import LABELLERS, PARTS, ROOT, planned_with, rows, snakemake

CHANGED = "config/changed.yaml"


@pytest.fixture(scope="module")
def campaign(tmp_path_factory):
    """Two concentrations and temperatures, labels from a Lennard-Jones potential, up to five rounds, a target that any
    potential reaches: a finished loop.
    """
    folder = tmp_path_factory.mktemp("rounds")
    for part in PARTS:
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, folder / part)
    configure(folder)
    run = explore(folder)
    assert run.returncode == 0, run.stdout[-20000:]
    return folder


def configure(folder, **changes):
    """Write the config with changes of the section explore."""
    config = yaml.safe_load((ROOT / "config/test.yaml").read_text())
    del config["label"]["pwscf"]
    config["label"]["ase"] = LABELLERS["ase"]
    config["label"]["convergence"]["levels"] = {"other": {"calculator": LABELLERS["ase"]["calculator"]}}
    config["explore"] |= {"rounds": 5, "target": 1e6, "leave": 1e9, **changes}
    (folder / CHANGED).write_text(yaml.safe_dump(config, sort_keys=False))


def explore(folder, *arguments):
    return snakemake(folder, *arguments, "--", "explore_coverage", "results/train/compare.csv", config=CHANGED)


def test_it_ends_where_every_condition_was_covered_twice_in_a_row(campaign):
    assert sorted(path.name for path in campaign.glob("results/explore/round*")) == ["round0", "round1"]
    stop = json.loads((campaign / "results/explore/round1/stop.json").read_text())
    assert stop == {"ends": True, "reason": "every condition was covered in rounds 0 and 1"}
    manifest, final = (
        (campaign / f"results/train/{name}/nequip/seed2/potential.json").read_text() for name in ("round2", "final")
    )
    assert manifest == final
    assert {row["verdict"] for row in rows(campaign / "results/explore/conditions.csv")} == {"covered"}
    # with nothing in doubt only frames at the wall and the share that is drawn at random were labelled
    chosen = (campaign / "results/explore/round1/selected.extxyz").read_text()
    assert chosen.count("chosen=random") == 1
    assert not [line for line in chosen.splitlines() if "chosen=uncertain" in line and "wall_contacts=0" in line]


def test_later_rounds_go_on_from_the_weights_of_the_round_before(campaign):
    manifest = json.loads((campaign / "results/train/round2/nequip/seed2/potential.json").read_text())
    assert manifest["start"]["file"] == "results/train/round1/nequip/seed2/potential.json"
    assert manifest["start"]["fine_tuned"]


def test_touching_nothing_runs_nothing(campaign):
    run = explore(campaign, "--dry-run")
    assert "Nothing to be done" in run.stdout, run.stdout


def test_a_lower_target_judges_again_and_goes_on_where_it_ended(campaign, tmp_path):
    """Labels, potentials and walks of the rounds until then stay as they are; a killed round is resumed."""
    folder = tmp_path / "copy"
    shutil.copytree(campaign, folder)
    kept = {path: path.stat().st_mtime_ns for path in folder.glob("results/train/round*/nequip/*/potential.json")}
    kept |= {path: path.stat().st_mtime_ns for path in folder.glob("results/explore/round*/x*/candidates.extxyz")}
    configure(folder, target=1e-3, rounds=3)
    # a part of round 2, as if it had been killed on its way
    run = snakemake(folder, "--", "results/explore/round2/x0.50/walks.csv", config=CHANGED)
    assert run.returncode == 0, run.stdout[-20000:]
    kept[folder / "results/explore/round2/x0.50/walks.csv"] = (
        (folder / "results/explore/round2/x0.50/walks.csv").stat().st_mtime_ns
    )
    run = explore(folder)
    assert run.returncode == 0, run.stdout[-20000:]
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert not json.loads((folder / "results/explore/round1/stop.json").read_text())["ends"]
    assert (folder / "results/train/round3/nequip/seed1/potential.json").exists()
    assert {row["verdict"] for row in rows(folder / "results/explore/conditions.csv")} == {"not covered"}
    assert planned_with(folder).get("train_potential") is None
