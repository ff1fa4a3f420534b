"""DeePMD's frozen TensorFlow graphs: what they hold, read without running them.

A graph is a program. TensorFlow has operations that read and write files and call Python, and runs them while a model
is loaded or evaluated. So a graph is parsed first, and one with any operation that DeePMD's own graphs do not have is
refused. It also holds the input of its training, which `dp compress` runs again: that must name no other files.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from ase.data import chemical_symbols

if TYPE_CHECKING:
    from tensorflow.core.framework.graph_pb2 import GraphDef

# All operations of the graphs that dp 3.2 trains, freezes and compresses with se_e2_a, se_e2_r, se_e3, se_atten,
# se_atten_v2 and their hybrids, each activation function, with and without a type embedding. They compute from tensors.
OPERATIONS = """
    AddN AddV2 BatchMatMulV2 BiasAdd BroadcastGradientArgs BroadcastTo Cast ConcatOffset ConcatV2 Const DynamicStitch
    Einsum ExpandDims Fill FloorMod GatherV2 GeluCustom GeluGradCustom GreaterEqual Identity LessEqual MatMul
    MatrixDiagV3 Maximum Mean Minimum Mul Neg OneHot Pack Pad Placeholder Pow Prod ProdEnvMatA ProdEnvMatAMix
    ProdEnvMatR ProdForceSeA ProdForceSeR ProdVirialSeA ProdVirialSeR Range Rank RealDiv Relu Relu6 Relu6Grad ReluGrad
    Reshape Rsqrt RsqrtGrad Select SelectV2 Shape ShapeN Sigmoid SigmoidGrad Size Slice Softmax Softplus Sqrt SqrtGrad
    Square StridedSlice Sub Sum TabulateFusionSeA TabulateFusionSeAGrad TabulateFusionSeAtten TabulateFusionSeAttenGrad
    TabulateFusionSeR TabulateFusionSeRGrad TabulateFusionSeT TabulateFusionSeTGrad Tanh TanhGrad Tile ZerosLike
"""
SECTIONS = {"model", "learning_rate", "loss", "training", "optimizer", "validating"}
MODEL = {
    "type", "type_map", "descriptor", "fitting_net", "type_embedding", "data_stat_nbatch", "data_stat_protect",
    "data_bias_nsample", "pair_exclude_types", "atom_exclude_types", "preset_out_bias", "srtab_add_bias",
    "bridging_method", "bridging_r_inner", "bridging_r_outer",
}  # fmt: skip


def check(path: str | Path) -> "GraphDef":
    """Parse the graph of a .pb file, running nothing of it.

    Raises ValueError where the file is no graph, or has an operation that is not in `OPERATIONS`.
    """
    from google.protobuf.message import DecodeError
    from tensorflow.core.framework.graph_pb2 import GraphDef

    path = Path(path)
    graph = GraphDef()
    try:
        graph.ParseFromString(path.read_bytes())
    except DecodeError:
        graph.Clear()
    if path.suffix != ".pb" or not graph.node:  # dp would load a file of another name in another way
        raise ValueError(f"{path} is no frozen TensorFlow graph (a .pb file, as `dp --tf freeze` writes it)")
    nodes = [*graph.node, *(node for function in graph.library.function for node in function.node_def)]
    foreign = sorted({node.op for node in nodes} - set(OPERATIONS.split()))
    if foreign:
        raise ValueError(
            f"{path} holds {', '.join(foreign)}, which no graph of DeePMD does. A graph is a program, and there are "
            "operations that write files or run code, so it is not loaded; if it is a DeePMD model of an older "
            "version, freeze it again with version 3"
        )
    return graph


def neighbours(graph: "GraphDef") -> list[tuple[float, list[int]]]:
    """Cutoff (A) and `sel` of the graph's descriptor, or of each part of a hybrid one: the most neighbours of each type
    (one number: of any type) that it takes notice of. Empty where the graph does not hold the input of its training.
    """
    script = _script(graph)
    if script is None:
        return []
    descriptor = script["model"]["descriptor"]
    parts = descriptor.get("list", [descriptor])
    return [(part["rcut"], list(np.atleast_1d(part["sel"]))) for part in parts]


def types(graph: "GraphDef") -> list[str]:
    """Names of the atoms' types, in the graph's order."""
    return _texts(graph)["model_attr/tmap"][0].decode().split()


def _texts(graph: "GraphDef") -> dict[str, list[bytes]]:
    return {node.name: node.attr["value"].tensor.string_val for node in graph.node if node.op == "Const"}


def _script(graph: "GraphDef") -> dict | None:
    """The input of the training, which the graph holds."""
    text = _texts(graph).get("train_attr/training_script")
    return json.loads(text[0]) if text else None


def model(path: str | Path) -> dict:
    """The section "model" of the input that the graph in a .pb file was trained with, its type_map filled in.

    Raises ValueError where `check` does, where the graph does not hold that input, or where it is not one of a plain
    energy model whose types are elements.
    """
    graph = check(path)
    script = _script(graph)
    if script is None:
        raise ValueError(
            f"{path} does not hold the input of its training (train_attr/training_script), so that its architecture "
            "is unknown: take a model that DeePMD-kit 2.1.5 or later has frozen"
        )
    settings = script["model"]
    if settings.get("compress"):
        raise ValueError(f"{path} is a compressed model, which cannot be trained on: take the one that it was made of")
    fit = settings["fitting_net"]
    more = [key for key, value in script.items() if value and key not in SECTIONS]
    more += [key for key, value in settings.items() if value and key not in MODEL]
    more += [key for key in ("numb_fparam", "numb_aparam", "dim_case_embd") if fit.get(key)]
    more += [kind for kind in (settings.get("type"), fit.get("type")) if kind not in (None, "standard", "ener")]
    if more:
        raise ValueError(f"{path} is no plain energy model, but one with {', '.join(more)}, which is not supported")
    settings["type_map"] = types(graph)
    unknown = set(settings["type_map"]) - set(chemical_symbols[1:])
    if unknown or not settings["type_map"]:
        told = ", ".join(settings["type_map"]) or "no names"
        raise ValueError(f"{path} has {told} for its atom types; they must be chemical symbols")
    return settings
