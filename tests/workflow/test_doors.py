"""Other engines, labellers and potentials in the miniature campaign: one config key each."""

import json
import shutil

import pytest
import yaml
from miniature import LABELLERS, copy_with, rows, snakemake


def test_another_engine_goes_through_the_same_door(campaign, tmp_path):
    folder = copy_with(campaign, tmp_path / "copy", simulate={"engine": "torchsim"})
    verdict = "results/simulate/nequip/x0.50/T1000/replica1.json"
    run = snakemake(folder, "--", verdict, "simulate_plan", config="config/changed.yaml")
    assert run.returncode == 0, run.stdout[-20000:]
    found, before = (json.loads((place / verdict).read_text()) for place in (folder, campaign))
    assert found["engine"] == "torchsim" and before["engine"] == "ase"
    assert found["frames"] == before["frames"] == 300
    plan = rows(folder / "results/simulate/plan.csv")
    assert [row["runs"] for row in plan] == ["3", "3", "6"] and plan[0]["engine"] == "torchsim"
    assert float(plan[-1]["core_h"]) > 0


@pytest.mark.parametrize(("labeller", "settings"), LABELLERS.items())
def test_another_labeller_goes_through_the_same_door(campaign, tmp_path, labeller, settings):
    config = yaml.safe_load((campaign / "config/test.yaml").read_text())
    del config["label"]["pwscf"]
    config["label"][labeller] = settings
    config["label"]["convergence"]["levels"] = {"other": dict([next(iter(settings.items()))])}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    place = ["--directory", str(tmp_path), "--snakefile", "Snakefile", "--cores", "2"]
    run = snakemake(campaign, *place, "--", "results/label/round0/summary.csv", config=str(tmp_path / "config.yaml"))
    assert run.returncode == 0, run.stdout[-20000:]
    record = rows(tmp_path / "results/label/round0/summary.csv")
    assert {row["outcome"] for row in record} == {"SUCCESS"} and len(record) == 12
    assert all(row["program"].startswith(settings.get("calculator", "tblite")) for row in record)


def test_a_checkpoint_as_it_is_beside_another_potential(campaign, tmp_path):
    nequip = yaml.safe_load((campaign / "config/test.yaml").read_text())["train"]["backends"]["nequip"]
    backends = {"nequip": {**nequip, "init": "pretrained/potential.json", "fine_tune": False}, "lennard_jones": {}}
    folder = copy_with(campaign, tmp_path / "copy", train={"backends": backends, "seeds": ["1"]}, explore={"rounds": 0})
    shutil.copytree(campaign / "results/train/round1/nequip/seed1", folder / "pretrained")
    run = snakemake(folder, "--", "train_compare", "train_learning_curve", config="config/changed.yaml")
    assert run.returncode == 0, run.stdout[-20000:]
    table = {row["backend"]: row for row in rows(folder / "results/train/compare.csv")}
    assert table["nequip"]["start"] == "potential.json" and table["lennard_jones"]["start"] == ""
    weights = [path.read_bytes() for path in folder.glob("pretrained/model.*")]
    assert [path.read_bytes() for path in folder.glob("results/train/round0/nequip/seed1/model.*")] == weights
    curve = rows(folder / "results/train/learning_curve.csv")
    assert {(row["backend"], row["share"]) for row in curve} == {(b, s) for b in table for s in ("0.5", "1.0")}
