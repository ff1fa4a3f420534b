"""ANI (symmetry functions and a network per element) with TorchANI's descriptors and networks.

TorchANI has no trainer of its own: `train` is the short loop of its documentation, on energies and forces. The networks
compute in Hartree, as TorchANI's do. model.pt is {"config": plain values, "state": tensors}: loading it runs no code of
the file (torch.load, weights_only). With one thread, the same seed and the same labels give the same weights, bit for
bit, on one machine.
"""

import csv
import logging
import math
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator

from thermoweave import pairwise, pairwise_torchsim
from thermoweave.potentials import torchani_model as models
from thermoweave.potentials.command import emptied

if TYPE_CHECKING:
    import torch
    from torch_sim.models.interface import ModelInterface

HYPERS = {
    "r_max": 6.0,  # A, cutoff of the radial functions
    "r_angular": 5.0,  # A, cutoff of the angular functions; below r_max
    "r_min": 0.9,  # A, where the first radial function stands
    "radial_shifts": 12,  # radial functions
    "angular_shifts": 5,  # radial parts of the angular functions
    "sections": 4,  # angular parts of the angular functions
    "cutoff": "smooth",  # TorchANI's function of the cutoff: smooth (to all orders), or cosine (to the first)
    "networks": "like_1x",  # TorchANI's sizes of the networks: like_1x, like_2x, like_dr, like_ala
    "activation": "gelu",  # gelu or celu
    "bias": False,  # whether layers have one
    "members": 1,  # networks of each element, of which the mean counts
    "dtype": "float32",  # of the network; energies are summed in float64 in either case
    "epochs": 150,  # passes over the training frames
    "batch_size": 2,  # frames a step
    "learning_rate": 0.002,  # highest of the one-cycle schedule
    "weight_decay": 0.01,  # of AdamW: against overfitting
    "ema_decay": 0.99,  # the weights used are a running mean over about 1 / (1 - ema_decay) steps
    "energy_weight": 1.0,  # of the squared energy error (eV/atom)^2 in the loss
    "force_weight": 1.0,  # of the squared force error (eV/A)^2 in the loss
}
ARCHITECTURE = tuple(HYPERS)[: tuple(HYPERS).index("dtype") + 1]
REFERENCES = [
    "J. S. Smith et al., Chem. Sci. 8, 3192 (2017), doi:10.1039/C6SC05720A",
    "X. Gao et al., J. Chem. Inf. Model. 60, 3408 (2020), doi:10.1021/acs.jcim.0c00451",
]
DISTRIBUTION = "torchani"
MODEL = "model.pt"
ALLOWED = {
    "cutoff": ("smooth", "cosine"),
    "networks": ("like_1x", "like_2x", "like_dr", "like_ala"),
    "activation": ("gelu", "celu"),
}
# Models of TorchANI's that `checkpoint` reads: their elements, in their order, and architecture.
ANI_2X = ["H", "C", "N", "O", "S", "F", "Cl"], {
    "r_max": 5.1, "r_angular": 3.5, "r_min": 0.8, "radial_shifts": 16, "angular_shifts": 8, "sections": 4,
    "cutoff": "cosine", "networks": "like_2x", "activation": "celu", "bias": True, "members": 8, "dtype": "float32",
}  # fmt: skip

log = logging.getLogger(__name__)


def train(
    train: Sequence[Atoms], valid: Sequence[Atoms], hypers: dict, seed: int, directory: Path,
    start: Sequence[Path] | None = None,
) -> list[Path]:  # fmt: skip
    """Train on frames with REF_energy (eV) and REF_forces (eV/A); returns [model.pt].

    The weights are those (running mean) of the epoch with the lowest validation error; `directory` also keeps
    metrics.csv (errors per epoch). Raises RuntimeError where the loss is not finite.
    """
    import torch
    from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

    directory = emptied(directory)
    torch.manual_seed(seed)
    elements = sorted({symbol for atoms in train for symbol in atoms.symbols})
    config, model = models.load(start[0]) if start else ({"elements": elements}, models.build(elements, hypers))
    config |= {"hypers": hypers}
    mean = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(hypers["ema_decay"]))
    data, held = ([_labelled(atoms, hypers) for atoms in frames] for frames in (train, valid))
    steps = hypers["epochs"] * math.ceil(len(data) / hypers["batch_size"])
    optimizer = torch.optim.AdamW(model.parameters(), lr=hypers["learning_rate"], weight_decay=hypers["weight_decay"])
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, hypers["learning_rate"], total_steps=steps, pct_start=0.1)
    best = math.inf
    with open(directory / "metrics.csv", "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["epoch", "train_loss", "valid_energy_rmse_eV_atom", "valid_force_rmse_eV_A"])
        for epoch in range(hypers["epochs"]):
            loss = _epoch(model, mean, data, optimizer, schedule, hypers)
            energy, force = (math.sqrt(error.item()) for error in errors(mean.module, held))
            table.writerow([epoch, loss, energy, force])
            if not math.isfinite(loss + energy + force):
                told = f"the loss is {loss}, validation errors {energy} eV/atom and {force} eV/A, in epoch {epoch}"
                raise RuntimeError(f"training diverged: {told}; lower learning_rate")
            if energy + force < best:
                best, figures = energy + force, (1e3 * force, 1e3 * energy, epoch)
                torch.save({"config": config, "state": mean.module.state_dict()}, directory / MODEL)
    log.info("best validation: forces %.1f meV/A, energy %.2f meV/atom (RMSE), epoch %d", *figures)
    return [directory / MODEL]


def check(hypers: dict) -> None:
    """Raises ValueError on an unknown name, or where the angular functions reach beyond the radial ones."""
    for key, allowed in ALLOWED.items():
        if hypers[key] not in allowed:
            raise ValueError(f"torchani's {key} is {hypers[key]!r}; it can be {', '.join(allowed)}")
    if not hypers["r_min"] < hypers["r_angular"] <= hypers["r_max"]:
        told = ", ".join(f"{key} {hypers[key]:g}" for key in ("r_min", "r_angular", "r_max"))
        raise ValueError(f"torchani needs r_min < r_angular <= r_max, and has {told} A")


def checkpoint(path: str | Path, directory: Path) -> tuple[list[Path], dict]:
    """ANI-2x's published parameters (ani2x_state_dict.pt of TorchANI: its eight members, of which the mean counts).

    Their energies of lone atoms are left out: hundreds of Hartree, which float32 cannot hold to the meV, and `shifts`
    fits them to the labels. Raises ValueError where the file is none of plain tensors, or of another network.
    """
    import torch

    elements, hypers = ANI_2X
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ValueError(
            f"{path} does not hold tensors only: to load it could run any code, so it is refused"
        ) from error
    model = models.build(elements, hypers)
    try:
        model.load_state_dict(state)
    except (RuntimeError, AttributeError, TypeError, ValueError) as error:
        raise ValueError(f"{path} does not hold the parameters of ANI-2x: {str(error)[:500]}") from error
    torch.nn.init.zeros_(model.energy_shifter.self_energies)
    target = Path(directory) / MODEL
    torch.save({"config": {"elements": elements, "hypers": hypers}, "state": model.state_dict()}, target)
    return [target], {"elements": elements, "hyperparameters": hypers}


def calculator(weights: Sequence[Path], device: str = "cpu", dtype: str = "float32") -> Calculator:
    """ASE calculator from what `train` wrote. `dtype` is a property of this file."""
    config, model = models.load(weights[0], device)
    model.requires_grad_(False)
    return pairwise.Pairwise(lambda *pairs: models.slopes(model, *pairs), models.facts(config["hypers"]), device)


def torchsim(weights: Sequence[Path], device: str = "cpu", dtype: str = "float32") -> "ModelInterface":
    """torch-sim's model of the same file."""
    return pairwise_torchsim.batched(calculator(weights, device, dtype))


def errors(model: "torch.nn.Module", data: Sequence[tuple], create_graph: bool = False) -> tuple:
    """Mean squared errors over frames (`_labelled`): of the energy per atom (eV^2), of force components (eV/A)^2."""
    import torch

    numbers, i, j, vectors, energy, labels = zip(*data, strict=True)
    sizes = [len(z) for z in numbers]
    first = np.cumsum([0, *sizes[:-1]]).tolist()
    i, j = (torch.cat([k + n for k, n in zip(indices, first, strict=True)]) for indices in (i, j))
    energies, gradient = models.slopes(model, torch.cat(numbers), i, j, torch.cat(vectors), create_graph)
    per_atom = torch.stack([part.mean() for part in energies.split(sizes)])
    difference = pairwise.forces(gradient, i, j, sum(sizes)) - torch.cat(labels)
    return ((per_atom - torch.stack(energy)) ** 2).mean(), (difference**2).mean()


def _epoch(model, mean, data: Sequence[tuple], optimizer, schedule, hypers: dict) -> float:
    """One pass over the frames in random order; the mean loss."""
    import torch

    order, batch, losses = torch.randperm(len(data)).tolist(), hypers["batch_size"], []
    for first in range(0, len(order), batch):
        optimizer.zero_grad()
        energy, force = errors(model, [data[k] for k in order[first : first + batch]], create_graph=True)
        loss = hypers["energy_weight"] * energy + hypers["force_weight"] * force
        loss.backward()
        optimizer.step()
        schedule.step()
        mean.update_parameters(model)
        losses.append(loss.item())
    return float(np.mean(losses))


def _labelled(atoms: Atoms, hypers: dict) -> tuple:
    """A frame's `pairwise.neighbours`, its energy (eV/atom) and its forces (eV/A)."""
    import torch

    pairs = pairwise.neighbours(atoms, **models.facts(hypers))
    labels = atoms.info["REF_energy"] / len(atoms), atoms.arrays["REF_forces"]
    return *pairs, *(torch.tensor(values, dtype=pairs[-1].dtype) for values in labels)
