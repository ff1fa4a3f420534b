"""Checkpoints in a config: wrong ones are named before any job."""

import json
from copy import deepcopy
from pathlib import Path

import pytest
import yaml
from thermoweave.campaign import ConfigError, validate

ROOT = Path(__file__).parents[2]
GOOD = yaml.safe_load((ROOT / "config/config.yaml").read_text())
MANIFEST = {
    "backend": "nequip", "files": {}, "weights": [], "compiled": None, "elements": ["Cl", "K", "Li"], "cutoff_A": 5.0,
    "dtype": "float32", "wall": {}, "energy_shifts_eV": {},
}  # fmt: skip


@pytest.fixture
def checkpoints(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, changes in {"good": {}, "other": {"backend": "mace"}, "sodium": {"elements": ["Cl", "Na"]}}.items():
        Path(f"{name}.json").write_text(json.dumps({**MANIFEST, **changes}))
    Path("none.json").write_text("{}")
    Path("model.nequip.zip").write_bytes(b"PK")


def said(train=None, teacher=None, rounds=2):
    config = deepcopy(GOOD)
    config["explore"]["rounds"] = rounds
    config["train"].update(train or {})
    if teacher:
        config["generate"]["teacher"] = {"md_ps": 0.5, "timestep_fs": 1.0, **teacher}
    try:
        validate(config, ROOT, ROOT / "resources" / "pseudopotentials")
    except ConfigError as error:
        return str(error)
    return ""


def test_a_checkpoint_that_fits_is_accepted(checkpoints):
    as_it_is = {"backends": {"nequip": {"init": "good.json", "fine_tune": False}}, "seeds": ["1"]}
    assert said(as_it_is, rounds=0) == ""
    assert "(fine_tune: false) learns nothing from labels" in said(as_it_is)
    assert said(teacher={"backend": "nequip", "potential": "good.json"}) == ""


@pytest.mark.parametrize(
    ("section", "told"),
    [
        ({"nequip": {"init": "gone.json"}}, "train.backends.nequip.init: there is no file gone.json"),
        (
            {"nequip": {"init": "other.json"}},
            "train.backends.nequip.init: other.json is a potential of mace, not of nequip",
        ),
        ({"nequip": {"init": "sodium.json"}}, "init: sodium.json knows Cl, Na, and not K, Li of system.charges"),
        ({"nequip": {"init": "none.json"}}, "init: none.json is not a potential's manifest: it lacks"),
        (
            {"nequip": {"init": "model.nequip.zip"}},
            "init: nequip takes a potential.json only; model.nequip.zip is a file that",
        ),
        ({"nequip": {"init": 3}}, "train.backends.nequip.init: 3 is not"),
        ({"nequip": {"fine_tune": False}}, "train.backends.nequip.fine_tune: only with init"),
        ({"nequip": {"model": "Foo", "round0": {"model": "NequIP"}}}, "train.backends.nequip: nequip's model is 'Foo'"),
        ({"nequip": {"model": ["NequIP"]}}, "train.backends.nequip.model: ['NequIP'] will not do"),
        (
            {"lennard_jones": {"init": "good.json"}},
            "lennard_jones.init: lennard_jones cannot start from trained weights",
        ),
    ],
)
def test_a_checkpoint_that_does_not_fit_is_named(checkpoints, section, told):
    assert told in said({"backends": section})


def test_one_potential_as_it_is_has_one_seed(checkpoints):
    section = {"nequip": {"init": "good.json", "fine_tune": False}}
    assert "the same potential for every seed" in said({"backends": section, "seeds": ["1", "2"]})


@pytest.mark.parametrize(
    ("teacher", "told"),
    [
        (
            {"backend": "nequp", "potential": "good.json"},
            "generate.teacher.backend: no potential 'nequp' (did you mean nequip?)",
        ),
        ({"backend": "nequip", "potential": "gone.json"}, "generate.teacher.potential: there is no file gone.json"),
        ({"backend": "nequip", "potential": "sodium.json"}, "generate.teacher.potential: sodium.json knows Cl, Na"),
        ({"backend": "nequip", "potential": "good.json", "md_ps": 0}, "generate.teacher.md_ps: 0 is less than"),
    ],
)
def test_a_teacher_that_does_not_fit_is_named(checkpoints, teacher, told):
    assert told in said(teacher=teacher)


def test_what_cannot_be_compiled_is_named():
    told = said({"backends": {"lennard_jones": {}}, "compile": "always"})
    assert "train.compile: lennard_jones has no compiled form; set it to auto" in told


@pytest.mark.parametrize("share", ["1.5", 0.5, "half", "0.0", "0.50"])
def test_a_share_is_a_number_below_one_in_quotes(share):
    assert "train.learning_curve.0" in said({"learning_curve": [share]})
