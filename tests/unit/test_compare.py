"""Potentials side by side and learning curves: what the tables say of potentials that are known."""

import csv
import json
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
import train_compile
import train_potential
from morse_labels import write_labels
from train_compare import train_compare
from train_learning_curve import train_learning_curve

SAMPLED = {"concentrations": ["0.00", "0.10"], "temperatures": ["900", "1000"]}


def train(folder, labels, seed=1, share=1.0, **hypers):
    """The double, trained: (compiled manifest, errors, predictions)."""
    own = folder if share == 1 else folder / f"share{share}"
    paths = [own / name for name in ("potential.json", "errors.json", "predictions.npz", "training")]
    train_potential.train_potential([labels], *paths, "lennard_jones", hypers, seed, SAMPLED, share=share)
    train_compile.train_compile(paths[0], [labels], own / "compiled" / "potential.json")
    return own / "compiled" / "potential.json", paths[1], paths[2]


@pytest.fixture(scope="module")
def labels(tmp_path_factory):
    return write_labels(tmp_path_factory.mktemp("labels") / "labels.extxyz")


def rows(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def test_the_best_comes_first_and_differences_are_to_it(labels, tmp_path):
    """A cutoff of the nearest neighbours alone fits the labels worse than one that holds all that they feel."""
    short = train(tmp_path / "lennard_jones/seed1", labels, 1, r_max=2.6)
    long = train(tmp_path / "lennard_jones/seed2", labels, 2, r_max=5.0)
    outputs = [tmp_path / name for name in ("compare.csv", "compare.html", "compare.svg")]
    train_compare([short[0], long[0]], [short[2], long[2]], *outputs)
    table = rows(outputs[0])
    assert [row["seed"] for row in table] == ["2", "1"]
    best, other = (float(row["force_rmse_meV_A"]) for row in table)
    assert table[0]["above_best_meV_A"] == ""
    assert float(table[1]["above_best_meV_A"]) == pytest.approx(other - best, rel=1e-2)
    assert 0 < float(table[1]["above_best_std_meV_A"]) < other
    assert float(table[0]["ms_per_step"]) > 0 and table[0]["compiled"] == "no"
    content = json.loads(long[1].read_text())
    assert best == pytest.approx(content["test"]["all"]["force_rmse_meV_A"], rel=1e-3)
    page = outputs[1].read_text()
    assert "above the best" in page and "stress" not in page.split("<thead>")[1]
    ElementTree.parse(outputs[2])


def test_potentials_of_different_test_labels_do_not_compare(labels, tmp_path):
    first, second = (train(tmp_path / f"lennard_jones/seed{k}", labels, k) for k in (1, 2))
    content = json.loads(second[0].read_text())
    second[0].write_text(json.dumps({**content, "test_set_sha256": "0" * 64}))
    outputs = [tmp_path / name for name in ("compare.csv", "compare.html", "compare.svg")]
    with pytest.raises(ValueError, match="tested on different labels .*00000000"):
        train_compare([first[0], second[0]], [first[2], second[2]], *outputs)
    assert not any(path.exists() for path in outputs)


def test_learning_curve(labels, tmp_path):
    folder = tmp_path / "lennard_jones" / "seed1"
    runs = [train(folder, labels, share=share) for share in (1.0, 0.25, 0.5)]
    table, figure = tmp_path / "curve.csv", tmp_path / "curve.svg"
    train_learning_curve([run[1] for run in runs], [run[2] for run in runs], table, figure)
    found = rows(table)
    assert [float(row["share"]) for row in found] == [0.25, 0.5, 1.0]
    assert [int(row["n_train"]) for row in found] == sorted(int(row["n_train"]) for row in found)
    assert {(row["backend"], row["seed"]) for row in found} == {("lennard_jones", "1")}
    values = [float(row["force_rmse_meV_A"]) for row in found]
    for row, value in zip(found[:2], values, strict=False):
        assert float(row["above_all_meV_A"]) == pytest.approx(value - values[2], abs=2e-3)
        assert np.isfinite(float(row["above_all_std_meV_A"]))
    assert found[2]["above_all_meV_A"] == ""
    ElementTree.parse(figure)
