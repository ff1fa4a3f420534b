"""What only DeePMD's adapter promises: graphs that are read before they run, and a start from one of somebody else."""

import json
import pickle

import numpy as np
import pytest
from conftest import GENTLE, R_MAX, TINY
from thermoweave import potentials
from thermoweave.potentials import deepmd_graph

pytest.importorskip("deepmd", reason="runs in the deepmd environment")
adapter = potentials.adapter("deepmd")
SEL = {"neuron": [4, 8], "sel": "auto:1.3"}
HYBRID = [{"type": "se_e2_a", "axis_neuron": 2, "type_one_side": True, **SEL}, {"type": "se_e3", "rcut": 3.5, **SEL}]
HYPERS = {
    **adapter.HYPERS, **TINY["deepmd"], "r_max": R_MAX, "dtype": "float64", "steps": 20,
    "descriptor": {"type": "hybrid", "list": HYBRID},
}  # fmt: skip
SCRIPT = "train_attr/training_script"


@pytest.fixture(scope="module")
def weights(melt, tmp_path_factory):
    return adapter.train(melt[:8], melt[8:], HYPERS, 1, tmp_path_factory.mktemp("hybrid"))


@pytest.fixture
def changed(weights, tmp_path):
    """A function that writes a model.pb whose graph (or the input of its training) is changed by what it is given."""

    def change(graph=None, script=None):
        content = deepmd_graph.check(weights[0])
        node = next(node for node in content.node if node.name == SCRIPT)
        if script:
            told = json.loads(node.attr["value"].tensor.string_val[0])
            script(told)
            node.attr["value"].tensor.string_val[0] = json.dumps(told).encode()
        if graph:
            graph(content)
        path = tmp_path / "model.pb"
        path.write_bytes(content.SerializeToString())
        return path

    return change


def forces(weights, frame):
    atoms = frame.copy()
    atoms.calc = adapter.calculator(weights, "cpu", "float64")
    return atoms.get_forces()


def test_a_start_keeps_its_descriptor_neighbours_and_species(weights, melt, tmp_path):
    """Through checkpoint, as from a file of somebody else; the labels lack an element, and so neighbours."""
    started, facts = adapter.checkpoint(weights[0], tmp_path)
    assert facts["elements"] == ["Cl", "K", "Li"]
    hypers = facts["hyperparameters"]
    assert set(hypers) == set(adapter.ARCHITECTURE)
    same = ("r_max", "r_smooth", "fitting_neuron", "dtype")
    assert [hypers[key] for key in same] == [HYPERS[key] for key in same]
    assert [part["rcut"] for part in hypers["descriptor"]["list"]] == [R_MAX, 3.5]
    frames = [frame[[atom.symbol != "K" for atom in frame]] for frame in melt]
    gentle = {**HYPERS, **GENTLE["deepmd"], **hypers}
    other = adapter.train(frames[:8], frames[8:], gentle, 2, tmp_path / "on", start=started)
    assert forces(other, melt[0]) == pytest.approx(forces(weights, melt[0]), abs=1e-5)
    assert adapter.checkpoint(other[0], tmp_path)[1] == facts


def in_graph(graph, path):
    node = graph.node.add(name="out", op="WriteFile")
    graph.node.add(name="path", op="Const").attr["value"].tensor.string_val.append(str(path).encode())
    node.input.extend(["path", "path"])


def in_function(graph, path):
    function = graph.library.function.add()
    function.signature.name = "innocent"
    function.node_def.add(name="out", op="WriteFile")


@pytest.mark.parametrize("put", [in_graph, in_function])
@pytest.mark.parametrize(
    "use",
    [
        lambda path, melt: adapter.calculator([path]),
        lambda path, melt: adapter.compile([path], path.parent),
        lambda path, melt: adapter.checkpoint(path, path.parent / "start"),
        lambda path, melt: adapter.train(melt[:8], melt[8:], HYPERS, 1, path.parent / "run", start=[path]),
    ],
    ids=["calculator", "compile", "checkpoint", "train"],
)
def test_a_graph_that_writes_files_is_refused(changed, melt, tmp_path, put, use):
    path = changed(lambda graph: put(graph, tmp_path / "written"))
    with pytest.raises(ValueError, match="model.pb holds WriteFile, which no graph of DeePMD does"):
        use(path, melt)
    assert not (tmp_path / "written").exists()


@pytest.mark.parametrize(
    ("name", "content"), [("model.pb", pickle.dumps({"a": 1})), ("model.pb", b""), ("model.pth", None)]
)
def test_a_file_that_is_no_graph_is_refused(weights, tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(weights[0].read_bytes() if content is None else content)
    with pytest.raises(ValueError, match="is no frozen TensorFlow graph"):
        adapter.calculator([path])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            lambda script: script["model"].update(modifier={"type": "dipole_charge", "model_name": "other.pb"}),
            "modifier",
        ),
        (lambda script: script["model"].update(use_srtab="table.txt"), "use_srtab"),
        (lambda script: script.update(nvnmd={"config_file": "config.npy"}), "nvnmd"),
        (lambda script: script["model"]["fitting_net"].update(type="dipole"), "dipole"),
        (lambda script: script["model"].update(compress={"model_file": "model.pb"}), "compressed model"),
    ],
)
def test_an_input_that_names_other_files_is_refused(changed, tmp_path, change, told):
    """dp compress runs the input that a graph holds."""
    path = changed(script=change)
    with pytest.raises(ValueError, match=told):
        adapter.compile([path], tmp_path / "compiled")
    with pytest.raises(ValueError, match=told):
        adapter.checkpoint(path, tmp_path)


def test_a_graph_without_the_input_of_its_training(changed, tmp_path):
    def forget(graph):
        for node in graph.node:
            node.name = node.name.replace(SCRIPT, "else")

    with pytest.raises(ValueError, match="does not hold the input of its training"):
        adapter.checkpoint(changed(forget), tmp_path)


def test_types_that_are_no_elements_are_named(changed, tmp_path):
    def rename(graph):
        node = next(node for node in graph.node if node.name == "model_attr/tmap")
        node.attr["value"].tensor.string_val[0] = b"Cl K OW"

    with pytest.raises(ValueError, match="has Cl, K, OW for its atom types"):
        adapter.checkpoint(changed(rename), tmp_path)


def test_compression_in_single_precision(melt, tmp_path):
    weights = adapter.train(melt[:8], melt[8:], {**HYPERS, "dtype": "float32"}, 1, tmp_path / "run")
    compiled = [adapter.compile(weights, tmp_path)]
    for atoms in (melt[0], melt[0].repeat(2)):
        assert forces(compiled, atoms) == pytest.approx(forces(weights, atoms), abs=adapter.TOLERANCE["float32"])


def test_neighbours_that_the_network_would_leave_out_end_a_run(weights, melt, caplog):
    """dp counts as many neighbours as `sel` says, and drops the others without a word."""
    dense = melt[0].copy()
    dense.set_cell(0.6 * dense.cell, scale_atoms=True)
    assert np.isnan(forces(weights, dense)).all()
    assert "more neighbours within 4.5 A than the network takes notice of" in caplog.text
