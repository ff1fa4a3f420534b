"""MACE's networks as files: model.pt, and the .model that mace writes and publishes.

model.pt is {"config": the arguments of ScaleShiftMACE as plain values, "state": tensors}, of which the network is built
again: loading it runs no code of the file. A .model is a pickled network, which can hold any code. `read` takes tensors
and attributes out of it and runs nothing of it: its modules become inert ones of the same name, its graphs (Python
source and TorchScript) are left where they are, and a file that holds anything else is refused.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import torch

MODULES = ("mace.modules.", "e3nn.", "torch.nn.modules.")  # where the classes of a network's modules are
PLAIN = {
    "builtins.slice", "torch.nn.functional.silu", "torch.nn.functional.sigmoid", "e3nn.o3._irreps.Irreps",
    "e3nn.o3._irreps.Irrep", "e3nn.o3._irreps._MulIr", "e3nn.o3._linear.Instruction",
    "e3nn.o3._tensor_product._instruction.Instruction",
}  # fmt: skip


def save(network: "torch.nn.Module", path: Path) -> None:
    """Write a ScaleShiftMACE as a model.pt. Raises ValueError for another network."""
    import torch

    torch.save({"config": describe(network), "state": network.state_dict()}, path)


def load(path: Path) -> "torch.nn.Module":
    """The network of a model.pt. Raises ValueError if it is none, or holds more than tensors and plain values."""
    import mace  # noqa: F401 - before e3nn, whose own table torch refuses to load else
    import torch

    foreign = _foreign(path)
    if foreign:
        raise ValueError(f"{path} is refused: it holds {', '.join(foreign)}, which could run code as it is loaded")
    saved = torch.load(path, map_location="cpu", weights_only=True)  # said here, it outranks what mace's import sets
    if not isinstance(saved, dict) or set(saved) != {"config", "state"}:
        raise ValueError(f"{path} is not a model.pt of this workflow's MACE")
    return _build(saved["config"], saved["state"], path)


def read(path: Path) -> "torch.nn.Module":
    """The network of a .model file.

    Raises ValueError for anything but a ScaleShiftMACE of one head, as mace trains it for energies and forces.
    """
    import mace.modules  # noqa: F401 - before e3nn, as in `load`
    import torch
    from torch.serialization import safe_globals

    with safe_globals([(_stand_in(name, path), name) for name in _foreign(path)]):
        inert = torch.load(path, map_location="cpu", weights_only=True)
    if type(inert).__name__ != "ScaleShiftMACE":
        raise ValueError(f"{path} holds a {type(inert).__name__}; of mace's networks only ScaleShiftMACE can be read")
    heads = getattr(inert, "heads", ["Default"])
    if len(heads) > 1:
        raise ValueError(
            f"{path} has the heads {', '.join(heads)}: take one out with mace's own command, mace_select_head "
            "--head_name HEAD FILE (which runs what the file holds), and start from what it writes"
        )
    try:
        config = describe(inert)
    except AttributeError as error:
        raise ValueError(
            f"{path} is not of the kind that this version of mace reads, being too old or too new: {error}"
        ) from error
    return _build(config, inert.state_dict(), path)


def describe(network: "torch.nn.Module") -> dict:
    """The arguments of a ScaleShiftMACE as plain values. Raises ValueError for another network."""
    import mace  # noqa: F401 - before e3nn, as in `load`
    from mace.tools.scripts_utils import extract_config_mace_model

    config = extract_config_mace_model(network)
    if "error" in config:
        raise ValueError(config["error"])
    return {key: _plain(value) for key, value in config.items()}


def dtype(state: dict) -> str:
    """float32 or float64."""
    return str(state["scale_shift.scale"].dtype).removeprefix("torch.")


def features(config: dict) -> tuple[int, int]:
    """Number of features of an order, and the highest order."""
    from e3nn import o3

    irreps = o3.Irreps(config["hidden_irreps"])
    return irreps.count("0e"), irreps.lmax


def _plain(value: Any) -> Any:
    """Irreps as text, classes and functions by name, arrays as lists."""
    from e3nn import o3

    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, o3.Irreps):  # a tuple, too
        return str(value)
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value.tolist() if hasattr(value, "tolist") else value.__name__


def _build(config: dict, state: dict, path: Path) -> "torch.nn.Module":
    """The network of these arguments and tensors."""
    import torch
    from e3nn import o3
    from mace import modules
    from mace.tools import torch_tools

    config = dict(config)
    for key in ("interaction_cls", "interaction_cls_first"):
        config[key] = modules.interaction_classes[config[key]]
    config["readout_cls"] = modules.readout_classes[config["readout_cls"]]
    config["gate"] = modules.gate_dict[str(config["gate"])]
    for key in ("hidden_irreps", "MLP_irreps", "edge_irreps"):
        config[key] = config[key] and o3.Irreps(config[key])
    for key in ("atomic_energies", "atomic_inter_scale", "atomic_inter_shift"):
        config[key] = np.array(config[key])
    with torch_tools.default_dtype(dtype(state)):
        network = modules.ScaleShiftMACE(**config)
    fitted = dict(network.named_parameters())
    constants = {name: tensor for name, tensor in network.state_dict().items() if name not in fitted}
    for name in state.keys() & constants.keys():
        same = state[name].shape == constants[name].shape
        if "U_matrix" in name and same and not torch.allclose(state[name], constants[name], atol=1e-5):
            raise ValueError(
                f"{path} was made with other Clebsch-Gordan coefficients ({name}) than this version of mace has"
            )
    try:
        network.load_state_dict({**constants, **state})  # a .model keeps some constants in its TorchScript
    except RuntimeError as error:
        raise ValueError(f"{path} does not fit the networks of this version of mace: {error}") from error
    return network


def _foreign(path: Path) -> list[str]:
    """Names of what a file holds besides tensors and plain values. Raises ValueError if torch.save did not write it."""
    from torch.serialization import get_unsafe_globals_in_checkpoint

    try:
        return sorted(get_unsafe_globals_in_checkpoint(path))
    except (ValueError, RuntimeError) as error:
        raise ValueError(f"{path} is not a network that torch.save wrote: {error}") from error


class _Inert:
    """Takes any arguments and any state, and does nothing."""

    def __init__(self, *_: Any):
        pass

    def __setstate__(self, _: Any) -> None:
        pass


def _graph(*_: Any) -> "torch.nn.Module":
    import torch

    return torch.nn.Identity()


STAND_INS = {
    "torch.fx.graph_module.reduce_graph_module": _graph,  # would run the source of a graph
    "torch.fx._symbolic_trace.Tracer": _Inert,  # in older files
}


def _stand_in(name: str, path: Path) -> Any:
    """What the file's `name` is replaced by. Raises ValueError for a name that no MACE network needs."""
    import torch

    if name in STAND_INS:
        return STAND_INS[name]
    module, _, attribute = name.rpartition(".")
    found = getattr(sys.modules.get(module), attribute, None)
    if name in PLAIN:
        return found
    if name.startswith(MODULES) and isinstance(found, type) and issubclass(found, torch.nn.Module):
        # e3nn's own __setstate__ would load TorchScript that the file holds
        own = {"__init__": lambda self, *_: None, "__setstate__": torch.nn.Module.__setstate__}
        return type(attribute, (found,), own)
    raise ValueError(f"{path} is refused: it holds {name}, which is no part of a MACE network and could run code")
