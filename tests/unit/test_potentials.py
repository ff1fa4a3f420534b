"""The adapters' door: found by name, "did you mean", and manifests whose files are what they say."""

import json

import pytest
from thermoweave import potentials
from thermoweave.potentials import manifest as manifests


def test_adapters_are_listed_without_importing_them():
    assert set(potentials.available()) == {"deepmd", "lennard_jones", "mace", "nequip", "schnetpack", "torchani"}


@pytest.mark.parametrize("name", potentials.available())
def test_every_adapter_has_what_the_workflow_calls(name):
    adapter = potentials.adapter(name)
    assert adapter.HYPERS and adapter.REFERENCES and adapter.DISTRIBUTION
    assert "r_max" in adapter.HYPERS and adapter.HYPERS["dtype"] in ("float32", "float64")
    for function in ("train", "calculator"):
        assert callable(getattr(adapter, function))


def test_did_you_mean():
    with pytest.raises(ValueError, match="did you mean 'nequip'"):
        potentials.adapter("neqip")
    with pytest.raises(ValueError, match="did you mean 'num_layers'"):
        potentials.hyperparameters("nequip", {"n_layers": 3})


@pytest.mark.parametrize(
    ("name", "changes", "said"),
    [
        ("mace", {"dtype": "float16"}, "mace's dtype is 'float16'; it can be float32 or float64"),
        ("nequip", {"model": "allegro"}, "nequip's model is 'allegro'; it can be NequIP or Allegro"),
        ("nequip", {"num_tensor_features": 4}, "num_tensor_features: Allegro only, but nequip's model is NequIP"),
        ("nequip", {"model": "Allegro", "num_features": 4}, "num_features: NequIP only"),
        ("schnetpack", {"model": "PAINN"}, "schnetpack's model is 'PAINN'; it can be PaiNN or SchNet"),
        ("torchani", {"activation": "relu"}, "torchani's activation is 'relu'; it can be gelu, celu"),
        ("torchani", {"r_max": 4.0}, "torchani needs r_min < r_angular <= r_max, and has r_min 0.9"),
    ],
)
def test_wrong_values_say_what_is_allowed(name, changes, said):
    with pytest.raises(ValueError, match=said):
        potentials.hyperparameters(name, changes)


def test_hyperparameters_are_the_defaults_with_changes():
    changed = potentials.hyperparameters("nequip", {"epochs": 3})
    assert changed == {**potentials.adapter("nequip").HYPERS, "epochs": 3}


def manifest(folder, **changes):
    (folder / "model.bin").write_bytes(b"weights")
    content = {
        "backend": "nequip", "files": {"model.bin": manifests.sha256(folder / "model.bin")}, "weights": ["model.bin"],
        "compiled": None, "elements": ["Cl", "Li"], "cutoff_A": 5.0, "dtype": "float32", "wall": {},
        "energy_shifts_eV": {}, **changes,
    }  # fmt: skip
    manifests.write_json(folder / "potential.json", content)
    return folder / "potential.json"


def test_files_are_relative_to_the_manifest(tmp_path):
    path = manifest(tmp_path)
    assert manifests.files(path, manifests.read(path)) == [tmp_path / "model.bin"]


def test_a_changed_file_is_refused(tmp_path):
    path = manifest(tmp_path)
    (tmp_path / "model.bin").write_bytes(b"other weights")
    with pytest.raises(ValueError, match="was changed or replaced"):
        potentials.load(path)


def test_a_missing_file_is_named(tmp_path):
    path = manifest(tmp_path)
    (tmp_path / "model.bin").unlink()
    with pytest.raises(FileNotFoundError, match="names model"):
        potentials.load(path)


def test_something_else_is_no_manifest(tmp_path):
    (tmp_path / "potential.json").write_text(json.dumps({"backend": "nequip"}))
    with pytest.raises(ValueError, match="it lacks files"):
        manifests.read(tmp_path / "potential.json")


def test_json_is_written_whole_or_not_at_all(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        manifests.write_json(tmp_path / "a.json", {"x": float("nan")})
    assert not (tmp_path / "a.json").exists()
