"""Wrong configs, one fault at a time: each stops with its key, what is allowed and the nearest valid name."""

from copy import deepcopy
from pathlib import Path

import pytest
import yaml
from thermoweave.campaign import ConfigError, hyperparameters, validate

ROOT = Path(__file__).parents[2]
GOOD = yaml.safe_load((ROOT / "config/config.yaml").read_text())


@pytest.mark.parametrize("path", sorted((ROOT / "config").rglob("*.yaml")), ids=lambda p: p.name)
def test_shipped_configs_are_valid(path):
    if path.name != "schema.yaml":
        validate(yaml.safe_load(path.read_text()), ROOT)


def changed(keys, value):
    config = deepcopy(GOOD)
    section = config
    for key in keys[:-1]:
        section = section[key]
    if value is None:
        del section[keys[-1]]
    else:
        section[keys[-1]] = value
    return config


@pytest.mark.parametrize(
    ("keys", "value", "said"),
    [
        (("temperatues",), [], "temperatues: unknown key (did you mean temperatures?)"),
        (("label", "pwscf", "ecutwf"), 30, "label.pwscf.ecutwf: unknown key (did you mean ecutwfc?)"),
        (("label", "pwscf", "ecutwfc"), None, "label.pwscf.ecutwfc: missing (plane-wave cutoff, Ry)"),
        (("label", "pwscf", "ecutwfc"), "25", "label.pwscf.ecutwfc: '25' is not of type 'number'"),
        (("label", "pwscf", "conv_thr"), -1, "label.pwscf.conv_thr: -1 is less than"),
        (("label", "pwscf", "occupations"), "smering", "did you mean smearing?"),
        (("label", "pwscf", "occupations"), "smearing", "label.pwscf.degauss: missing"),
        (("temperatures",), [900], 'write it in quotes, "900"'),
        (("temperatures",), ["900", "900"], "non-unique"),
        (("temperatures",), ["-5"], "'-5' is not a plain number in quotes"),
        (("temperatures",), ["1400"], "1400 K lies above the highest of generate.temperatures (1300 K)"),
        (("concentrations",), ["1.41"], "concentration 1.41 gives -0.41 of LiCl"),
        (("system", "composition", "XeqCl"), [0, 0], "system.composition.XeqCl: not a chemical formula"),
        (("system", "composition", "LiQCl"), [0, 0], "unknown element Q"),
        (("system", "composition", "CaCl"), [0, 0], "system.charges: no formal charge for Ca"),
        (("system", "charges", "Cl"), -2, "system.composition.LiCl: net charge -1 e"),
        (("system", "charges", "Na"), 1, "system.charges.Na: no such species"),
        (("system", "radii", "K"), None, "system.radii: no ionic radius for K"),
        (("system", "density", "rule"), "table", "system.density.coefficients: no entry for 0.25"),
        (("train", "backends"), {"nequp": {}}, "train.backends.nequp: no such potential (did you mean nequip?)"),
        (("train", "backends"), {"nequip": {"r_mx": 5}}, "r_max"),
        (("generate", "formula_units"), 3, "cannot be built from generate.formula_units: 3"),
        (("simulate", "protocol", "timestep_fs"), 0, "simulate.protocol.timestep_fs"),
        (("train", "seeds"), ["1.5"], "train.seeds.0: '1.5'"),
        (("concentrations",), ["0.5", "0.50"], "concentrations: 0.5 and 0.50 are the same number"),
        (("train", "backends"), {"nequip": {"epochs": "many"}}, "train.backends.nequip.epochs: 'many' will not do"),
        (("train", "backends"), {"nequip": {"r_max": -1.0}}, "train.backends.nequip.r_max: -1.0 will not do"),
        (("train", "backends"), {"nequip": {"round0": 5}}, "train.backends.nequip.round0: 5 is not of type 'object'"),
        (("explore", "length_ps"), 0.05, "explore.length_ps: 0.05 is shorter than explore.interval_ps"),
        (("simulate", "protocol", "production_ps"), 1.0, "reduce.vdos_resolution_THz: 0.5 takes a run of 2 ps"),
        (("reduce", "onset_floor_ps"), 100, "reduce.onset_floor_ps: 100 leaves no lags"),
        (("generate", "contact_share"), 0.1, "squeezes 2 pairs of species, there are 6"),
        (("replicas",), 0, "replicas: 0 is less than the minimum of 1"),
        (("name",), "a/b", "name:"),
    ],
)
def test_wrong_values_are_named(keys, value, said):
    with pytest.raises(ConfigError) as caught:
        validate(changed(keys, value), ROOT)
    assert said in str(caught.value)


def test_all_faults_come_at_once():
    config = changed(("seed",), -1)
    config["replicas"] = 0
    with pytest.raises(ConfigError) as caught:
        validate(config, ROOT)
    assert "seed" in str(caught.value) and "replicas" in str(caught.value)


def test_first_potential_has_its_own_hyperparameters():
    config = changed(("train", "backends"), {"nequip": {"max_epochs": 100, "round0": {"max_epochs": 20}}})
    assert hyperparameters(config, "nequip", 0) == {"max_epochs": 20}
    assert hyperparameters(config, "nequip", 1) == {"max_epochs": 100}
