"""A config in miniature is one that the campaign accepts, small at every stage and with the same physics."""

import subprocess
import sys
from copy import deepcopy

import pytest
import yaml
from good_config import GOOD, PSEUDOPOTENTIALS, ROOT, changed
from miniature_config import main, miniature, spread
from thermoweave import campaign, rounds

TEST = yaml.safe_load((ROOT / "config/test.yaml").read_text())
NPT = {"pressure_GPa": 0.0, "npt_ps": 50.0, "barostat_ps": 5.0}
TEACHER = {"backend": "mace", "potential": "elsewhere/potential.json", "md_ps": 5.0, "timestep_fs": 1.0}


def small(config: dict, tmp_path) -> dict:
    """The miniature of a config that the campaign accepts, which the campaign accepts, too."""
    campaign.validate(config, ROOT, PSEUDOPOTENTIALS)
    found, left_out = miniature(config, tmp_path)
    assert left_out == []
    campaign.validate(found, ROOT, PSEUDOPOTENTIALS)
    return found


def pressure() -> dict:
    config = changed(("simulate", "protocol", "density"), NPT)
    config["label"]["stress"] = True
    return config


CONFIGS = {
    "quickstart": GOOD,
    "test": TEST,
    "one condition": {**GOOD, "concentrations": ["0.41"], "temperatures": ["1100"]},
    "no rounds": changed(("explore", "rounds"), 0),
    "joined later": changed(("explore", "joined"), {"concentrations": {"0.60": 1}}),
    "a committee in the runs": changed(
        ("simulate", "health", "committee"), {"every": 25, "max_force_deviation": 1.0}
    ),
    "at a pressure": pressure(),
    "automatic lengths": changed(("simulate", "protocol", "timestep_fs"), "auto"),
    "automatic frames": changed(("simulate", "protocol", "frame_interval"), "auto"),
    "constant energy": changed(("simulate", "protocol", "production_thermostat_ps"), "nve"),
    "structure factor": changed(
        ("reduce", "spectra", "structure_factor"), {"q_max_per_A": 8, "dynamic_q_per_A": [1.0, 2.0]}
    ),
    "spot checks": changed(("reduce", "spot_checks"), 5),
    "every potential": changed(
        ("train", "backends"), {name: {} for name in ("nequip", "mace", "deepmd", "schnetpack", "torchani")}
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CONFIGS)
def test_a_miniature_is_accepted_and_small(name, tmp_path):
    config = CONFIGS[name]
    found = small(deepcopy(config), tmp_path)
    assert found["concentrations"] == spread(config["concentrations"], 2)
    assert len(found["temperatures"]) <= 3 and set(found["temperatures"]) <= set(config["temperatures"])
    assert rounds.first_labels(found) + rounds.most(found) * found["explore"]["labels_per_round"] <= 16
    assert found["replicas"] == 1 and len(found["train"]["seeds"]) <= 2
    protocol = found["simulate"]["protocol"]
    assert protocol["production_ps"] <= max(10, config["simulate"]["protocol"]["production_ps"])
    assert found["simulate"]["formula_units"] <= config["simulate"]["formula_units"]


@pytest.mark.parametrize("config", [GOOD, TEST])
def test_a_miniature_has_the_same_physics(config, tmp_path):
    found = small(config, tmp_path)
    assert found["system"] == config["system"]
    labels = [{key: value for key, value in each["label"].items() if key != "batch"} for each in (config, found)]
    assert labels[0] == labels[1]
    assert found["train"]["backends"].keys() == config["train"]["backends"].keys()
    assert found["simulate"]["engine"] == config["simulate"]["engine"]
    assert found["seed"] == config["seed"]
    assert config == (GOOD if config is GOOD else TEST)


@pytest.mark.parametrize(
    ("backend", "section", "expected"),
    [
        ("nequip", {}, {"epochs": 20}),
        ("nequip", {"epochs": 5, "r_max": 5.0}, {"epochs": 5, "r_max": 5.0}),
        ("nequip", {"round0": {"epochs": 300, "batch_size": 4}}, {"epochs": 20, "round0": {"batch_size": 4}}),
        ("deepmd", {"steps": 100_000}, {"steps": 400}),
    ],
)
def test_trainings_are_short_whatever_their_length_is_called(backend, section, expected, tmp_path):
    found = small(changed(("train", "backends"), {backend: deepcopy(section)}), tmp_path)
    assert found["train"]["backends"][backend] == expected


def test_a_checkpoint_that_is_not_there_is_left_out_with_a_sentence(tmp_path):
    config = changed(("train", "backends"), {"nequip": {"init": "old/potential.json", "fine_tune": True}})
    config["generate"]["teacher"] = TEACHER
    found, left_out = miniature(config, tmp_path)
    assert found["train"]["backends"]["nequip"] == {"epochs": 20} and "teacher" not in found["generate"]
    assert left_out == [
        "train.backends.nequip.init: old/potential.json is not there; it is trained from scratch",
        "generate.teacher: elsewhere/potential.json is not there; structures do not walk with it",
    ]


def test_a_checkpoint_that_is_there_is_kept(tmp_path):
    (tmp_path / "old").mkdir()
    (tmp_path / "old/potential.json").write_text("{}")
    config = changed(("train", "backends"), {"nequip": {"init": "old/potential.json"}})
    config["generate"]["teacher"] = TEACHER | {"potential": "old/potential.json"}
    found, left_out = miniature(config, tmp_path)
    assert left_out == [] and found["train"]["backends"]["nequip"]["init"] == "old/potential.json"
    assert found["generate"]["teacher"]["md_ps"] == 0.05


def test_numbers_are_spread_as_they_are_written():
    assert spread(["0.60", "0.5", "0.25"], 2) == ["0.25", "0.60"]
    assert spread(["900", "1000", "1100", "1300", "1200"], 3) == ["900", "1100", "1300"]
    assert spread(["1000"], 3) == ["1000"]
    assert spread(["1000", "900"], 3) == ["900", "1000"]


@pytest.mark.parametrize("name", ["quickstart", "test"])
def test_snakemake_plans_every_stage_of_a_miniature(name, tmp_path):
    main(ROOT / f"config/{name}.yaml", tmp_path / "miniature.yaml")
    command = [
        sys.executable,
        "-m",
        "snakemake",
        "--profile",
        ROOT / "profiles/local",
        "--snakefile",
        ROOT / "Snakefile",
    ]
    plan = [*command, "--configfile", tmp_path / "miniature.yaml", "--directory", tmp_path, "--dry-run"]
    run = subprocess.run(plan, cwd=tmp_path, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert run.returncode == 0, run.stdout
    jobs = dict(line.split() for line in run.stdout.splitlines() if len(line.split()) == 2 and "_" in line.split()[0])
    assert {"label_structures": "4", "simulate_judge": "6", "explore_check": "1"}.items() <= jobs.items()
