"""The train stage without a network: a stand-in adapter shows what the scripts write, and when they refuse."""

import hashlib
import json
import os
from types import SimpleNamespace

import numpy as np
import pytest
import train_compile
import train_potential
from ase import Atoms
from ase.calculators.morse import MorsePotential
from thermoweave import potentials
from thermoweave.frames import write_frames
from thermoweave.potentials import manifest as manifests


def fit(train, valid, hypers, seed, directory):
    if hypers["epochs"] == 0:
        raise RuntimeError("training diverged")
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "model.bin").write_text(json.dumps({"epsilon": 1.0 + 0.01 * seed}))
    return [directory / "model.bin"]


def build(weights, device="cpu", dtype="float64"):
    return MorsePotential(rcut1=4.0, rcut2=5.0, r0=2.5, **json.loads(weights[0].read_text()))


def translate(weights, directory, device="cpu"):
    (directory / "fast.bin").write_bytes(weights[0].read_bytes())
    return directory / "fast.bin"


STAND_IN = SimpleNamespace(
    DISTRIBUTION="nequip",
    HYPERS={"r_max": 5.0, "dtype": "float64", "epochs": 1},
    REFERENCES=[],
    train=fit,
    compile=translate,
    calculator=build,
)


@pytest.fixture
def adapter(monkeypatch):
    monkeypatch.setattr(potentials, "adapter", lambda name: STAND_IN)
    return STAND_IN


@pytest.fixture
def labels(tmp_path):
    """24 frames of 8 ions at two concentrations and two temperatures, labelled with the stand-in's own potential."""
    rng = np.random.default_rng(5)
    frames = []
    for k in range(24):
        lattice = Atoms("LiClClLiClLiLiCl", [[x, y, z] for x in (0, 2.5) for y in (0, 2.5) for z in (0, 2.5)], pbc=True)
        atoms = Atoms(lattice, cell=[5.0] * 3)
        atoms.positions += 0.1 * rng.standard_normal((8, 3))
        atoms.calc = MorsePotential(rcut1=4.0, rcut2=5.0, r0=2.5, epsilon=1.0)
        atoms.info |= {
            "REF_energy": atoms.get_potential_energy(), "label_id": hashlib.sha256(str(k).encode()).hexdigest(),
            "concentration": f"x0.{k % 2}0", "temperature": f"T{900 + 100 * (k % 4 > 1)}", "round": 0,
            "level": "settings:a Li:b",
        }  # fmt: skip
        atoms.arrays["REF_forces"] = atoms.get_forces()
        atoms.calc = None
        frames.append(atoms)
    write_frames(tmp_path / "labels.extxyz", frames)
    return [tmp_path / "labels.extxyz"]


def run(labels, folder, **changes):
    options = {"backend": "ase", "hypers": {}, "seed": 1, "wall_stiffness": 30.0, **changes}
    paths = [folder / name for name in ("potential.json", "errors.json", "predictions.npz", "scratch")]
    train_potential.train_potential(labels, *paths, **options)
    return paths


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


def test_the_manifest_loads_as_a_walled_calculator(labels, tmp_path, adapter):
    manifest, *_ = run(labels, tmp_path / "seed1")
    atoms = Atoms("LiCl", [[0, 0, 0], [0, 0, 1.0]], cell=[12] * 3, pbc=True, calculator=potentials.load(manifest))
    energy = atoms.get_potential_energy()
    assert atoms.calc.results["wall_contacts"] == 1
    assert energy == pytest.approx(atoms.calc.network.results["energy"] + atoms.calc.results["wall_energy"])


def test_nothing_is_written_when_training_fails(labels, tmp_path, adapter):
    with pytest.raises(RuntimeError, match="diverged"):
        run(labels, tmp_path / "seed1", hypers={"epochs": 0})
    assert not (tmp_path / "seed1").exists()


def test_an_unknown_hyperparameter_stops_before_training(labels, tmp_path, adapter):
    with pytest.raises(ValueError, match="did you mean 'epochs'"):
        run(labels, tmp_path / "seed1", hypers={"epoch": 3})


@pytest.fixture
def compiler(tmp_path, monkeypatch):
    """A program named g++ and nothing else on the PATH."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "g++").write_text("")
    os.chmod(tmp_path / "bin" / "g++", 0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv("CXX", raising=False)
    return tmp_path / "bin" / "g++"


def test_compiled_manifest(labels, tmp_path, adapter, compiler):
    manifest, *_ = run(labels, tmp_path / "seed1")
    out = tmp_path / "seed1" / "compiled" / "potential.json"
    train_compile.train_compile(manifest, labels, out, "auto")
    content = manifests.read(out)
    assert content["compiled"] == "fast.bin"
    assert content["weights"] == ["../model.bin"]
    assert content["compilation"]["force_difference_eV_A"] == 0
    assert manifests.files(out, content) == [out.parent / "fast.bin"]
    assert potentials.load(out).manifest["seed"] == 1


def test_without_a_compiler(labels, tmp_path, adapter, compiler, caplog):
    manifest, *_ = run(labels, tmp_path / "seed1")
    compiler.unlink()
    out = tmp_path / "seed1" / "compiled" / "potential.json"
    train_compile.train_compile(manifest, labels, out, "auto")
    assert "no C++ compiler" in caplog.text
    content = manifests.read(out)
    assert content["compiled"] is None
    assert manifests.files(out, content)[0].resolve() == (tmp_path / "seed1" / "model.bin").resolve()
    with pytest.raises(RuntimeError, match="install g\\+\\+"):
        train_compile.train_compile(manifest, labels, out, "aotinductor")
    with pytest.raises(ValueError, match="auto, aotinductor, none"):
        train_compile.train_compile(manifest, labels, out, "torchscript")


def test_wrong_compiled_forces_are_refused(labels, tmp_path, adapter, compiler, monkeypatch):
    manifest, *_ = run(labels, tmp_path / "seed1")

    def wrong(weights, directory, device="cpu"):
        (directory / "fast.bin").write_text(json.dumps({"epsilon": 2.0}))
        return directory / "fast.bin"

    monkeypatch.setattr(STAND_IN, "compile", wrong)
    out = tmp_path / "seed1" / "compiled" / "potential.json"
    with pytest.raises(RuntimeError, match="differ from eager ones"):
        train_compile.train_compile(manifest, labels, out, "aotinductor")
    assert not list(out.parent.iterdir())


@pytest.mark.parametrize("n_frames", [2, 4, 10])
def test_two_standard_errors_cover_the_true_error(n_frames):
    """Frames of 24 atoms with Gaussian errors of 50 meV/A: +-2 standard errors hold the truth about 95 times in 100."""
    rng = np.random.default_rng(n_frames)
    trials = [train_potential.root_mean_square(50 * rng.standard_normal((n_frames, 24, 3))) for _ in range(400)]
    covered = np.mean([abs(rms - 50) < 2 * error for rms, error in trials])
    assert covered > 0.9


def test_the_standard_error_knows_that_frames_differ():
    """Frames whose errors differ by their scale (30 to 70 meV/A): single atoms alone would say too little."""
    rng = np.random.default_rng(7)
    true = np.sqrt(np.mean(np.linspace(30, 70, 1001) ** 2))
    trials = []
    for _ in range(400):
        scale = rng.uniform(30, 70, 10)[:, None, None]
        trials.append(train_potential.root_mean_square(scale * rng.standard_normal((10, 24, 3))))
    assert np.mean([abs(rms - true) < 2 * error for rms, error in trials]) > 0.88
