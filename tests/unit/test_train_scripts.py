"""The train stage without a network: a stand-in adapter shows what the scripts write, and when they refuse."""

import json

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.morse import MorsePotential
from morse_labels import write_labels
from stand_in import STAND_IN, run
from thermoweave import datasets, potentials
from thermoweave.frames import write_frames
from thermoweave.potentials import manifest as manifests


@pytest.fixture
def adapter(monkeypatch):
    monkeypatch.setattr(potentials, "adapter", lambda name: STAND_IN)
    return STAND_IN


@pytest.fixture
def labels(tmp_path):
    return [write_labels(tmp_path / "labels.extxyz")]


def test_manifest_errors_and_predictions(labels, tmp_path, adapter):
    manifest, errors, predictions, _ = run(labels, tmp_path / "seed1")
    content = json.loads(manifest.read_text())
    assert content["elements"] == ["Cl", "Li"]
    assert content["n_train"] + content["n_valid"] + content["n_test"] == 24
    assert content["wall"]["stiffness_eV_per_A2"] == 30.0
    assert set(content["wall"]["r_min_A"]) == {"Cl-Cl", "Cl-Li", "Li-Li"}
    assert content["files"]["model.bin"] == manifests.sha256(manifest.parent / "model.bin")
    rows = json.loads(errors.read_text())["test"]
    assert sum(row["n_frames"] for row in rows["conditions"]) == rows["all"]["n_frames"] == content["n_test"]
    assert {row["concentration"] for row in rows["conditions"]} == {"0.00", "0.10"}
    with np.load(predictions) as data:
        error = data["predicted"] - data["reference"]
        reference = data["reference"]
    assert 1000 * np.sqrt(np.mean(error**2)) == pytest.approx(rows["all"]["force_rmse_meV_A"], abs=1e-3)
    assert error == pytest.approx(0.01 * reference, abs=1e-6)  # seed 1: 1.01 times the labels' forces
    assert not list(manifest.parent.glob("*.part"))


def test_the_manifest_knows_what_training_cost_and_on_what_it_was_tested(labels, tmp_path, adapter):
    manifest, errors, *_ = run(labels, tmp_path / "seed1")
    content = json.loads(manifest.read_text())
    assert content["errors"] == json.loads(errors.read_text())["test"]
    assert set(content["training"]) == {"wall_s", "core_s", "threads"}
    assert content["start"] is None and len(content["test_set_sha256"]) == 64
    assert {row["species"] for row in content["errors"]["species"]} == {"Cl", "Li"}


def test_the_level_of_the_energies_comes_back(labels, tmp_path, adapter, monkeypatch):
    """A network that predicts nothing, but for the level of the labels: its energies are right on the average."""
    monkeypatch.setattr(STAND_IN, "calculator", lambda *_: MorsePotential(rcut1=4.0, rcut2=5.0, r0=2.5, epsilon=0.0))
    frames = datasets.read_labels(labels)
    for atoms in frames:
        atoms.info["REF_energy"] -= 4000.0 * 4 + 90.0 * 4
    write_frames(tmp_path / "deep.extxyz", frames)
    manifest, *_ = run([tmp_path / "deep.extxyz"], tmp_path / "seed1")
    shifts = manifests.read(manifest)["energy_shifts_eV"]
    assert 4 * sum(shifts.values()) == pytest.approx(np.mean([f.info["REF_energy"] for f in frames]), abs=2)
    assert potentials.load(manifest).network.parameters["epsilon"] == 0.0
    atoms = frames[0].copy()
    atoms.calc = potentials.load(manifest)
    assert atoms.get_potential_energy() - atoms.calc.results["wall_energy"] == pytest.approx(4 * sum(shifts.values()))


def test_a_checkpoint_is_fine_tuned_or_taken_as_it_is(labels, tmp_path, adapter):
    """The start's forces are wrong by 4 per cent, and its labels had another level of energies."""
    first, *_ = run(labels, tmp_path / "first", seed=4)
    frames = datasets.read_labels(labels)
    for atoms in frames:
        atoms.info["REF_energy"] += 7.0 * 4
    write_frames(tmp_path / "other.extxyz", frames)
    rmse = {}
    for name, fine_tune in (("tuned", True), ("zero-shot", False)):
        manifest, *_ = run([tmp_path / "other.extxyz"], tmp_path / name, start=first, fine_tune=fine_tune)
        content = json.loads(manifest.read_text())
        record = {"file": str(first), "sha256": manifests.sha256(first), "fine_tuned": fine_tune}
        assert content["start"] == record
        rmse[name] = content["errors"]["all"]["force_rmse_meV_A"]
        weights = json.loads((manifest.parent / "model.bin").read_text())
        assert weights["epsilon"] == pytest.approx(1.02 if fine_tune else 1.04)
    assert rmse["tuned"] == pytest.approx(rmse["zero-shot"] / 2, rel=1e-3)
    # 4 per cent of the scatter of the energies is left, nothing of their level
    assert content["errors"]["all"]["energy_rmse_meV_atom"] < 50


def test_a_checkpoint_that_does_not_fit_is_refused(labels, tmp_path, adapter):
    first, *_ = run(labels, tmp_path / "first")
    with pytest.raises(ValueError, match="r_max is 6.0 in the config, but .* was trained with 5.0"):
        run(labels, tmp_path / "seed1", start=first, hypers={"r_max": 6.0})
    with pytest.raises(ValueError, match="pickles, which can run any code"):
        run(labels, tmp_path / "seed1", start=tmp_path / "model.pth")
    content = json.loads(first.read_text())
    manifests.write_json(first.parent / "other.json", {**content, "backend": "else"})
    with pytest.raises(ValueError, match="is a potential of else"):
        run(labels, tmp_path / "seed1", start=first.parent / "other.json")
    manifests.write_json(first.parent / "sodium.json", {**content, "elements": ["Cl", "Na"]})
    with pytest.raises(ValueError, match="knows Cl, Na, not Li"):
        run(labels, tmp_path / "seed1", start=first.parent / "sodium.json")
    (first.parent / "fast.bin").write_bytes(b"machine code")
    files = {"fast.bin": manifests.sha256(first.parent / "fast.bin")}
    manifests.write_json(first.parent / "code.json", {**content, "weights": ["fast.bin"], "files": files})
    with pytest.raises(ValueError, match="names a compiled model as its weights, which is machine code"):
        run(labels, tmp_path / "seed1", start=first.parent / "code.json")
    assert not (tmp_path / "seed1").exists()


@pytest.mark.parametrize(
    ("sampled", "told"),
    [
        (
            {"concentrations": ["0.00", "0.10", "0.20"], "temperatures": ["900"]},
            "no training label at concentration 0.20",
        ),
        ({"concentrations": ["0.00"], "temperatures": ["900", "1000"]}, "are of one temperature"),
    ],
)
def test_labels_of_one_condition_do_not_stand_for_all(labels, tmp_path, adapter, sampled, told):
    frames = [atoms for atoms in datasets.read_labels(labels) if atoms.info["temperature"] == "T900"]
    write_frames(tmp_path / "cold.extxyz", frames)
    with pytest.raises(ValueError, match=told):
        run([tmp_path / "cold.extxyz"], tmp_path / "seed1", sampled=sampled)
    assert not (tmp_path / "seed1").exists()


def test_no_label_and_one_label_are_refused(labels, tmp_path, adapter):
    for n, told in ((0, "no labels in"), (1, "label at least four structures")):
        write_frames(tmp_path / "few.extxyz", datasets.read_labels(labels)[:n])
        with pytest.raises(ValueError, match=told):
            run([tmp_path / "few.extxyz"], tmp_path / "seed1")
    assert not (tmp_path / "seed1").exists()


def test_a_share_of_the_labels_trains_in_as_many_steps(labels, tmp_path, adapter):
    whole, part = (run(labels, tmp_path / str(share), share=share) for share in (1.0, 0.5))
    n_train = json.loads(whole[0].read_text())["n_train"]
    seen = [json.loads((paths[3] / "seen.json").read_text()) for paths in (whole, part)]
    assert len(seen[0]) == len(set(seen[0])) == n_train
    assert len(seen[1]) == n_train and set(seen[1]) < set(seen[0])
    content = json.loads(part[1].read_text())
    assert content["share"] == 0.5 and content["n_train"] == len(set(seen[1])) == n_train / 2
    assert content["test"]["all"]["n_frames"] == json.loads(whole[1].read_text())["test"]["all"]["n_frames"]


def test_the_manifest_loads_as_a_walled_calculator(labels, tmp_path, adapter):
    manifest, *_ = run(labels, tmp_path / "seed1")
    atoms = Atoms("LiCl", [[0, 0, 0], [0, 0, 1.0]], cell=[12] * 3, pbc=True, calculator=potentials.load(manifest))
    energy = atoms.get_potential_energy()
    assert atoms.calc.results["wall_contacts"] == 1
    level = sum(manifests.read(manifest)["energy_shifts_eV"].values())
    parts = atoms.calc.network.results["energy"], atoms.calc.results["wall_energy"], level
    assert energy == pytest.approx(sum(parts))


def test_nothing_is_written_when_training_fails(labels, tmp_path, adapter):
    with pytest.raises(RuntimeError, match="diverged"):
        run(labels, tmp_path / "seed1", hypers={"epochs": 0})
    assert not (tmp_path / "seed1").exists()


def test_an_unknown_hyperparameter_stops_before_training(labels, tmp_path, adapter):
    with pytest.raises(ValueError, match="did you mean 'epochs'"):
        run(labels, tmp_path / "seed1", hypers={"epoch": 3})


def test_a_potential_that_predicts_no_number_is_refused(labels, tmp_path, adapter, monkeypatch):
    monkeypatch.setattr(
        STAND_IN, "calculator", lambda *_: MorsePotential(rcut1=4.0, rcut2=5.0, r0=2.5, epsilon=float("nan"))
    )
    with pytest.raises(RuntimeError, match="predicts no number for label"):
        run(labels, tmp_path / "seed1")
    assert not (tmp_path / "seed1" / "potential.json").exists()
