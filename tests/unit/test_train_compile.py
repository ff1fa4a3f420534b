"""Compiled potentials: what the manifest says of them, and when there is none."""

import json
import os

import pytest
import train_compile
from morse_labels import write_labels
from stand_in import STAND_IN, run
from thermoweave import potentials
from thermoweave.potentials import manifest as manifests


@pytest.fixture
def adapter(monkeypatch):
    monkeypatch.setattr(potentials, "adapter", lambda name: STAND_IN)
    return STAND_IN


@pytest.fixture
def labels(tmp_path):
    return [write_labels(tmp_path / "labels.extxyz")]


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
    assert content["speed"]["force_difference_eV_A"] == 0
    assert content["speed"]["ms_per_step"] > 0 and content["speed"]["n_atoms"] == 8
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
        train_compile.train_compile(manifest, labels, out, "always")
    with pytest.raises(ValueError, match="auto, always, none"):
        train_compile.train_compile(manifest, labels, out, "torchscript")


def test_a_model_without_a_compiled_form(labels, tmp_path, adapter, compiler, monkeypatch, caplog):
    manifest, *_ = run(labels, tmp_path / "seed1")

    def fail(weights, directory, device="cpu"):
        raise RuntimeError("no such layer can be compressed")

    monkeypatch.setattr(STAND_IN, "compile", fail)
    out = tmp_path / "seed1" / "compiled" / "potential.json"
    train_compile.train_compile(manifest, labels, out, "auto")
    assert "not compiled: no such layer" in caplog.text
    assert manifests.read(out)["compiled"] is None
    with pytest.raises(RuntimeError, match="no such layer"):
        train_compile.train_compile(manifest, labels, out, "always")


def test_wrong_compiled_forces_are_refused(labels, tmp_path, adapter, compiler, monkeypatch):
    manifest, *_ = run(labels, tmp_path / "seed1")

    def wrong(weights, directory, device="cpu"):
        (directory / "fast.bin").write_text(json.dumps({"epsilon": 2.0}))
        return directory / "fast.bin"

    monkeypatch.setattr(STAND_IN, "compile", wrong)
    out = tmp_path / "seed1" / "compiled" / "potential.json"
    with pytest.raises(RuntimeError, match="compiled model's forces differ"):
        train_compile.train_compile(manifest, labels, out, "always")
    assert not list(out.parent.iterdir())
