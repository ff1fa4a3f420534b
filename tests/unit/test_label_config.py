"""The labeller of a config: other programs, pseudopotentials and ladders that are refused before any job."""

import shutil

import pytest
from good_config import GOOD, PSEUDOPOTENTIALS, ROOT, TBLITE, changed
from thermoweave.campaign import ConfigError, validate


def labelled_by(**labeller):
    """The good config with another labeller."""
    config = changed(("label", "pwscf"), None)
    config["label"].update(labeller, convergence={"structures": 2, "levels": {"finer": {"accuracy": 0.1}}})
    if "ase" in labeller:
        config["label"]["convergence"]["levels"] = {"other": {"arguments": {}}}
    return config


def test_other_labellers_need_no_pseudopotentials(tmp_path):
    lennard_jones = {"calculator": "ase.calculators.lj.LennardJones", "arguments": {}, "environment": "workflow"}
    validate(labelled_by(tblite=TBLITE), ROOT, tmp_path / "nowhere")
    validate(labelled_by(ase=lennard_jones), ROOT, tmp_path / "nowhere")
    for key, value, said in (
        ("environment", "analysys", "label.ase.environment: no envs/analysys.yaml (did you mean analysis?)"),
        ("calculator", "LennardJones", "label.ase.calculator: 'LennardJones' is no import path"),
    ):
        with pytest.raises(ConfigError) as caught:
            validate(labelled_by(ase={**lennard_jones, key: value}), ROOT, tmp_path)
        assert said in str(caught.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (shutil.rmtree, "no such folder of pseudopotentials (resource pseudo_dir)"),
        (lambda folder: (folder / "K.upf").unlink(), "no pseudopotential for K (looked for K.gth, K.*.upf)"),
        (lambda folder: (folder / "K.gth").write_text(""), "several pseudopotentials for K: K.gth, K.upf"),
        (lambda folder: (folder / "Li.gth").write_text("damaged"), "Li.gth: its sha256"),
        (lambda folder: shutil.copy(folder / "Cl.gth", folder / "Li.gth"), "Li.gth: its sha256"),
        (
            lambda folder: (folder / "SHA256SUMS").unlink() or shutil.copy(folder / "Cl.gth", folder / "Li.gth"),
            "Li.gth: its header says that it is for Cl, its name for Li",
        ),
    ],
)
def test_wrong_pseudopotentials_stop_before_any_job(tmp_path, change, said):
    folder = shutil.copytree(PSEUDOPOTENTIALS, tmp_path / "pseudopotentials")
    validate(GOOD, ROOT, folder)
    change(folder)
    with pytest.raises(ConfigError) as caught:
        validate(GOOD, ROOT, folder)
    assert said in str(caught.value) and str(folder) in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("pwscf = [", "pwscf = ", "ladder.toml: not readable"),
        (
            "mixing_beta =",
            "mixing_bta =",
            "ladder.toml: pwscf: gentle mixing: unknown setting mixing_bta (did you mean",
        ),
    ],
)
def test_a_wrong_ladder_stops_before_any_job(tmp_path, old, new, said):
    for part in ("config", "envs"):
        shutil.copytree(ROOT / part, tmp_path / part)
    ladder = tmp_path / "config" / "ladder.toml"
    ladder.write_text(ladder.read_text().replace(old, new, 1))
    with pytest.raises(ConfigError) as caught:
        validate(GOOD, tmp_path, PSEUDOPOTENTIALS)
    assert said in str(caught.value)
