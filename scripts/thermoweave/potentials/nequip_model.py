"""model.pt: a network of NequIP's or Allegro's builder as {"config": plain values, "state": tensors}.

nequip's checkpoints and packages are pickles and code; loading a model.pt runs no code of the file.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from thermoweave.potentials import tensors

if TYPE_CHECKING:
    import torch

STATISTICS = {  # of the training frames, which nequip-train works out
    "avg_num_neighbors": "${training_data_stats:num_neighbors_mean}",
    "per_type_energy_scales": "${training_data_stats:per_type_forces_rms}",
}


def builder(config: dict) -> dict:
    """A builder's name (_target_) and arguments, from the hyperparameters, type_names, seed and statistics in `config`.

    What is called is named here only: a `config` may come from a file of someone else's.
    """
    width = config["mlp_width"]
    shared = {
        "seed": config["seed"], "model_dtype": config["dtype"], "type_names": config["type_names"],
        "r_max": config["r_max"], "num_layers": config["num_layers"], "l_max": config["l_max"],
        "parity": config["parity"], **{key: config[key] for key in STATISTICS},
        "per_type_energy_shifts": 0.0,  # the labels come without (`shifts`)
    }  # fmt: skip
    if config["model"] == "NequIP":
        own = {
            "_target_": "nequip.model.NequIPGNNModel", "num_features": config["num_features"],
            "radial_mlp_depth": 1, "radial_mlp_width": config["radial_width"],
        }  # fmt: skip
    else:
        own = {
            "_target_": "allegro.model.AllegroModel",
            "radial_chemical_embed": {"_target_": "allegro.nn.TwoBodyBesselScalarEmbed"},
            "scalar_embed_mlp_hidden_layers_width": width, "allegro_mlp_hidden_layers_width": width,
            "readout_mlp_hidden_layers_width": width,
            "num_scalar_features": config["num_scalar_features"], "num_tensor_features": config["num_tensor_features"],
        }  # fmt: skip
    return {**own, **shared}


def network(path: Path) -> "torch.nn.Module":
    """The network of a model.pt; nequip-train calls it, too, where training goes on."""
    from hydra.utils import get_method
    from nequip.utils.global_state import set_global_state

    config, state = tensors.read(path)
    set_global_state()
    arguments = builder(config)
    model = get_method(arguments.pop("_target_"))(**arguments)
    model.load_state_dict(state)
    return model


def save(checkpoint: Path, config: dict, path: Path) -> Path:
    """model.pt from nequip-train's checkpoint: the running mean of the weights, and the statistics it worked out."""
    import torch
    from nequip.model import ModelFromCheckpoint
    from nequip.utils.global_state import set_global_state

    set_global_state()
    model = ModelFromCheckpoint(str(checkpoint))["sole_model"]
    built = torch.load(checkpoint, map_location="cpu", weights_only=True)["hyper_parameters"]["model"]
    config = config | {key: built[key] for key in STATISTICS if key in built}
    torch.save({"config": config, "state": model.state_dict()}, path)
    return path
