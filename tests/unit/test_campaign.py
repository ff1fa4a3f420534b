"""Wrong configs, one fault at a time: each stops with its key, what is allowed and the nearest valid name."""

import pytest
import yaml
from good_config import GOOD, PSEUDOPOTENTIALS, ROOT, TBLITE, changed
from thermoweave import simulate_config
from thermoweave.campaign import ConfigError, physics, validate
from thermoweave.train_config import hyperparameters

NPT = {"pressure_GPa": 0, "npt_ps": 20, "barostat_ps": 1}
COMMITTEE = {"every": 10, "max_force_deviation": 1.0}


@pytest.mark.parametrize("path", sorted((ROOT / "config").rglob("*.yaml")), ids=lambda p: p.name)
def test_shipped_configs_are_valid(path):
    if path.name != "schema.yaml":
        validate(yaml.safe_load(path.read_text()), ROOT, PSEUDOPOTENTIALS)


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
        (("label", "pwscf", "degauss"), 0.01, "label.pwscf.degauss: only with occupations: smearing"),
        (("label", "pwscf", "functional"), "PBS", "label.pwscf.functional: 'PBS' is not one of LDA, PBE, PBEsol"),
        (("label", "pwscf", "functional"), "PBE", "K.upf: made with LDA, label.pwscf.functional asks for PBE"),
        (("label", "pwscf", "system"), {"ecutwfc": 30}, "label.pwscf.system.ecutwfc: set by label.pwscf or by the"),
        (("label", "pwscf", "system"), {"ECUTWFC": 30}, "label.pwscf.system.ECUTWFC: set by label.pwscf or by the"),
        (("label", "pwscf", "system"), {"vdw_corr": "d3"}, "vdw_corr: 'd3': pw.x would go on without dispersion"),
        (("label", "pwscf", "system"), {"celldm(1)": 8}, "label.pwscf.system.celldm(1): set by label.pwscf or by the"),
        (("label", "pwscf"), None, "label: no labeller given; it takes the settings of one of ase, pwscf, tblite"),
        (("label", "tblite"), TBLITE, "label: pwscf and tblite given; it takes the settings of one of"),
        (("label", "allowed_rungs"), ["higher cutof"], "label.allowed_rungs: higher cutof: no rung of pwscf in ladder"),
        (
            ("label", "convergence", "levels", "30Ry"),
            {"ecutwf": 9},
            "30Ry: label.pwscf.ecutwf: unknown key (did you mean ecu",
        ),
        (("label", "convergence", "levels"), {}, "label.convergence.levels: {}"),
        (("label", "convergence", "levels"), {"asked": {"ecutwfc": 30}}, "levels.asked: this name is taken"),
        (("label", "convergence", "levels"), {"a": {"ecutwfc": -3}}, "levels.a: label.pwscf.ecutwfc: -3 is less than"),
        (
            ("label", "convergence", "levels"),
            {"a": {"occupations": "smearing"}},
            "levels.a: label.pwscf.degauss: missing",
        ),
        (("label", "convergence", "levels"), {"a b": {"ecutwfc": 30}}, "levels: 'a b' is no name"),
        (
            ("label", "convergence", "levels"),
            {60: {"ecutwfc": 60}},
            "levels: 60 is no name (letters, digits and _ . -); write it in quotes",
        ),
        (("label", "stress"), "yes", "label.stress: 'yes' is not of type 'boolean'"),
        (("temperatures",), [900], 'write it in quotes, "900"'),
        (("temperatures",), ["900", "900"], "non-unique"),
        (("temperatures",), ["-5"], "'-5' is not a plain number in quotes"),
        (("archive", "licence"), "CC BY", "archive.licence: 'CC BY' cannot be read (of the data, as SPDX names it"),
        (("archive", "trajectories"), {"every": 1}, "archive.trajectories.every: 1 is less than the minimum of 2"),
        (("archive", "trajectories"), "some", "archive.trajectories: 'some' is none of its choices (all; none"),
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
        (("simulate", "engine"), "gromacs", "simulate.engine: 'gromacs' is not one of auto, ase, lammps, torchsim"),
        (("simulate", "engine"), "lammps", "simulate.engine: engine lammps runs deepmd potentials alone"),
        (("simulate", "batch"), 2.0, "simulate.batch: 2.0 is not of type 'integer'"),
        (("simulate", "protocol", "heating_ps"), float("nan"), "heating_ps: nan is not of type 'number'"),
        (("simulate", "protocol", "production_ps"), float("inf"), "production_ps: inf is not of type 'number'"),
        (("simulate", "protocol", "timestep_fs"), 8, "8 is too long for the lightest element at 1300 K; at most 3.4"),
        (("simulate", "protocol", "production_thermostat_ps"), 1e-9, "time constant is below five time steps"),
        (("simulate", "protocol", "density"), "npt", "simulate.protocol.density: 'npt' is none of its choices (fixed:"),
        (
            ("simulate", "protocol", "density"),
            {"pressure_GPa": 0, "npt": 9},
            "density.npt: unknown key (did you mean npt_",
        ),
        (("simulate", "protocol", "density"), NPT, "the potential's pressure is not checked against any label"),
        (
            ("simulate", "protocol", "density"),
            {**NPT, "npt_ps": 2},
            "npt_ps: 2 is less than five times barostat_ps",
        ),
        (("simulate", "protocol", "density"), {**NPT, "barostat_ps": 0.1}, "barostat_ps: 0.1 is too short"),
        (("simulate", "protocol", "frame_interval"), 4000, "production_ps: 12 has 1.5 frames every 4000 steps of 2 fs"),
        (("simulate", "protocol", "production_thermostat_ps"), "nvt", "'nvt' is none of its choices"),
        (("train", "seeds"), ["1"], "train.seeds: 1 potential is no committee, which the rounds of explore need"),
        (("explore", "rounds"), -1, "explore.rounds: -1 is less than the minimum of 0"),
        (("explore", "labels_per_round"), 0, "explore.labels_per_round: 0 is less than the minimum of 1"),
        (("explore", "random_share"), 1.5, "explore.random_share: 1.5 is greater than the maximum of 1"),
        (("explore", "leave"), 90, "explore.leave: 90 meV/A is not above explore.target (100)"),
        (("explore", "budget", "labels"), 0, "explore.budget.labels: 0 is none of its choices"),
        (("explore", "budget", "labels"), 40, "labels: 40 leaves none for a round of 9 after the 39 of round 0"),
        (("explore", "budget", "core_h"), 0, "explore.budget.core_h: 0 is none of its choices"),
        (("explore", "temperatures"), ["950", "1300"], "temperatures: 900 K lies outside explore.temperatures (950 to"),
        (("explore", "temperatures"), ["900.0", "1300"], "explore.temperatures: 900.0 is 900 in temperatures; write"),
        (("explore", "joined"), {"concentrations": {"0.7": 1}}, "explore.joined.concentrations.0.7: there is no 0.7"),
        (("explore", "joined"), {"temperatures": {"900": 2}}, "900: round 2 has no walks, the last round can be 2"),
        (
            ("explore", "joined"),
            {"concentrations": {"0.25": 1, "0.41": 1, "0.60": 1}},
            "joined.concentrations: one of them must be there from the beginning",
        ),
        (("simulate", "health", "liquid"), {"min_displacement": 1}, "simulate.health.liquid.max_cavity: missing"),
        (
            ("system", "density", "coefficients", "KCl"),
            [2135.9, 0],
            "and would overlap; the densest salts have 90% at most",
        ),
        (("temperatures",), ["0"], "temperatures: 0 K: nothing moves"),
        (("train", "seeds"), ["1.5"], "train.seeds.0: '1.5'"),
        (("concentrations",), ["0.5", "0.50"], "concentrations: 0.5 and 0.50 are the same number"),
        (("train", "backends"), {"nequip": {"epochs": "many"}}, "train.backends.nequip.epochs: 'many' will not do"),
        (("train", "backends"), {"nequip": {"r_max": -1.0}}, "train.backends.nequip.r_max: -1.0 will not do"),
        (("train", "backends"), {"nequip": {"round0": 5}}, "train.backends.nequip.round0: 5 is not of type 'object'"),
        (("explore", "length_ps"), 0.04, "explore.length_ps: 0.04 is shorter than explore.interval_ps"),
        (
            ("simulate", "protocol", "production_ps"),
            1.0,
            "resolution_THz: a resolution of 0.5 THz takes",
        ),
        (("generate", "contact_share"), 0.1, "squeezes 2 pairs of species, there are 6"),
        (("replicas",), 0, "replicas: 0 is less than the minimum of 1"),
        (("name",), "a/b", "name:"),
    ],
)
def test_wrong_values_are_named(keys, value, said):
    with pytest.raises(ConfigError) as caught:
        validate(changed(keys, value), ROOT, PSEUDOPOTENTIALS)
    assert said in str(caught.value)


def test_time_step_and_frames_follow_from_elements_and_temperature():
    config = changed(("simulate", "protocol"), {"timestep_fs": "auto", "frame_interval": "auto"})
    assert simulate_config.protocol(config) == {"timestep_fs": 1.35, "frame_interval": 7}


def test_frames_that_cannot_follow_the_motion_are_refused():
    protocol = {**GOOD["simulate"]["protocol"], "timestep_fs": 10, "frame_interval": "auto"}
    with pytest.raises(ConfigError, match="simulate.protocol.frame_interval: timestep_fs of 10 cannot follow"):
        validate(changed(("simulate", "protocol"), protocol), ROOT, PSEUDOPOTENTIALS)


def test_a_committee_that_never_meets_is_refused():
    alone = changed(("simulate", "health", "committee"), COMMITTEE)
    alone["train"]["seeds"], alone["explore"]["rounds"] = ["1"], 0
    with pytest.raises(ConfigError, match="a committee has two train.seeds or more; add one"):
        validate(alone, ROOT, PSEUDOPOTENTIALS)
    config = changed(("simulate", "health", "committee"), {**COMMITTEE, "every": 1000})
    config["train"]["seeds"] = ["1", "2"]
    with pytest.raises(ConfigError, match="committee.every: 1000 is more than the 750 frames of a run"):
        validate(config, ROOT, PSEUDOPOTENTIALS)


def test_an_unknown_device_is_named():
    with pytest.raises(ConfigError, match="device of simulate_md is 'gpu'; it can be cpu or cuda"):
        validate(GOOD, ROOT, PSEUDOPOTENTIALS, "gpu")


def test_all_faults_come_at_once():
    config = changed(("seed",), -1)
    config["replicas"] = 0
    with pytest.raises(ConfigError) as caught:
        validate(config, ROOT, PSEUDOPOTENTIALS)
    assert "seed" in str(caught.value) and "replicas" in str(caught.value)


def test_what_only_the_archive_says_and_batches_are_no_physics():
    author = changed(("archive", "authors"), [{"name": "Jane Doe"}])
    assert physics(author) == physics(changed(("simulate", "batch"), 7)) == physics(GOOD)
    assert physics(changed(("archive", "title"), "Other")) != physics(GOOD)


def test_first_potential_has_its_own_hyperparameters():
    config = changed(("train", "backends"), {"nequip": {"max_epochs": 100, "round0": {"max_epochs": 20}}})
    assert hyperparameters(config, "nequip", 0) == {"max_epochs": 20}
    assert hyperparameters(config, "nequip", 1) == {"max_epochs": 100}
