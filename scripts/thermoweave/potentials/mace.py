"""MACE (equivariant message passing with many-body messages), through its own command mace_run_train.

The command runs as a subprocess of this environment's Python; threads come from OMP_NUM_THREADS. With one thread, the
same seed and the same labels give the same weights, bit for bit, on one machine. mace writes a pickled network; `train`
makes model.pt of it, which holds tensors and plain values (`mace_files`).
"""

import json
import logging
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ase import Atoms
from ase.calculators.calculator import Calculator
from ase.data import atomic_numbers, chemical_symbols

from thermoweave import pairwise, pairwise_torchsim
from thermoweave.potentials import mace_compiled, mace_files, mace_pairs
from thermoweave.potentials.command import emptied, run, write_labels

if TYPE_CHECKING:
    from torch_sim.models.interface import ModelInterface

HYPERS = {
    "r_max": 6.0,  # A, cutoff of one layer
    "num_layers": 2,  # interaction layers: each adds r_max to what an atom sees
    "num_channels": 16,  # features of each order
    "max_L": 0,  # highest rotation order of the messages
    "max_ell": 2,  # highest order of the spherical harmonics of a neighbour's direction
    "correlation": 2,  # neighbours that one message combines
    "num_radial_basis": 8,  # radial functions
    "radial_MLP": [32, 32],  # neurons of the radial network
    "dtype": "float32",  # of the network; energies are summed in float64 in either case
    "epochs": 80,  # passes over the training frames
    "batch_size": 2,  # frames a step; an epoch leaves out the frames, others each time, that do not fill a batch
    "learning_rate": 0.02,  # at the start
    "lr_gamma": 0.96,  # factor of the learning rate each epoch
    "ema_decay": 0.99,  # the weights used are a running mean over about 1 / (1 - ema_decay) steps
    "energy_weight": 10.0,  # of the squared energy error (eV/atom)^2 in the loss
    "force_weight": 10.0,  # of the squared force error (eV/A)^2 in the loss
}
ARCHITECTURE = (
    "r_max", "num_layers", "num_channels", "max_L", "max_ell", "correlation", "num_radial_basis", "radial_MLP", "dtype",
)  # fmt: skip
REFERENCES = [
    "I. Batatia et al., NeurIPS 35, 11423 (2022), arXiv:2206.07697",
    "I. Batatia et al., Nat. Mach. Intell. 7, 56 (2025), doi:10.1038/s42256-024-00956-x",
]
DISTRIBUTION = "mace-torch"
COMPILER = "g++"
TOLERANCE = {"float32": 1e-3, "float64": 1e-8}
MODEL, COMPILED = "model.pt", "model.pt2"

log = logging.getLogger(__name__)


def train(
    train: Sequence[Atoms], valid: Sequence[Atoms], hypers: dict, seed: int, directory: Path,
    start: Sequence[Path] | None = None,
) -> list[Path]:  # fmt: skip
    """Train on frames with REF_energy (eV) and REF_forces (eV/A); returns [model.pt].

    `directory` also keeps mace's config, its log, and results/*_train.txt (losses and errors, JSON lines). The weights
    are those (running mean) of the epoch with the lowest validation loss. With `start` the network is the one of that
    file, all its species and its atomic energies included (mace itself cannot go on from one of three layers or more
    with max_L above 0). Raises RuntimeError where mace fails or the loss is not finite.
    """
    import torch

    directory = emptied(directory)
    write_labels(directory, train, valid)
    if start:
        foundation = directory / "start.model"
        network = mace_files.load(start[0])
        torch.save(network, foundation)  # mace goes on from a pickled network only
        energies = network.atomic_energies_fn.atomic_energies.reshape(-1)  # of its one head
        levels = dict(zip(network.atomic_numbers.tolist(), energies.tolist(), strict=True))
    else:
        foundation, levels = None, {atomic_numbers[s]: 0.0 for atoms in [*train, *valid] for s in atoms.symbols}
    config = _config(directory, min(hypers["batch_size"], len(train)), hypers, seed, levels, foundation)
    (directory / "config.yaml").write_text(json.dumps(config, indent=1))  # JSON is YAML
    run([sys.executable, "-m", "mace.cli.run_train", "--config", "config.yaml"], directory, "mace-train")
    _check(next(directory.glob("results/*_train.txt")))
    # the one pickle that is loaded with its code: our own subprocess wrote it a moment ago
    mace_files.save(torch.load(directory / "mace.model", map_location="cpu", weights_only=False), directory / MODEL)
    return [directory / MODEL]


def checkpoint(path: Path, directory: Path) -> tuple[list[Path], dict]:
    """Read a .model file that mace wrote or that is published for it, without running code of it.

    Returns [model.pt] in `directory`, and {"elements", "hyperparameters": those of ARCHITECTURE}. Raises ValueError for
    a file with anything but one network of energies and forces with one head in it.
    """
    network = mace_files.read(path)
    mace_files.save(network, Path(directory) / MODEL)
    config = mace_files.describe(network)
    channels, order = mace_files.features(config)
    hypers = {
        "r_max": round(config["r_max"], 6),  # as written: it comes from a float32
        "num_layers": config["num_interactions"], "num_channels": channels, "max_L": order,
        "max_ell": config["max_ell"], "correlation": config["correlation"],
        "num_radial_basis": config["num_bessel"], "radial_MLP": config["radial_MLP"],
        "dtype": mace_files.dtype(network.state_dict()),
    }  # fmt: skip
    return [Path(directory) / MODEL], {
        "elements": [chemical_symbols[z] for z in config["atomic_numbers"]],
        "hyperparameters": hypers,
    }


def compile(weights: Sequence[Path], directory: Path, device: str = "cpu") -> Path:
    """The model as machine code (AOTInductor) for this machine and OMP_NUM_THREADS threads; needs a C++ compiler."""
    directory = Path(directory).resolve()
    directory.mkdir(parents=True, exist_ok=True)
    mace_compiled.write(weights[0], directory / COMPILED, device)
    return directory / COMPILED


def calculator(weights: Sequence[Path], device: str = "cpu", dtype: str = "float32") -> Calculator:
    """ASE calculator from what `train` or `compile` wrote. Raises ValueError for a file that could run code."""
    if Path(weights[0]).name == COMPILED:
        return pairwise.Pairwise.compiled(weights[0], device)
    network = mace_files.load(weights[0])
    from mace.calculators import MACECalculator

    class Summed(MACECalculator):
        def calculate(self, *arguments, **options):
            """A total energy in float32 has steps of 1e-3 eV at 1e4 eV: sum the atoms' energies in float64 instead."""
            super().calculate(*arguments, **options)
            self.results["forces"] = self.results["forces"].astype(float)
            self.results["energy"] = self.results["free_energy"] = float(self.results["energies"].sum())

    return Summed(models=[network], device=device, default_dtype=dtype)


def torchsim(weights: Sequence[Path], device: str = "cpu", dtype: str = "float32") -> "ModelInterface":
    """torch-sim's model of the same files."""
    if Path(weights[0]).name == COMPILED:
        return pairwise_torchsim.batched(pairwise.Pairwise.compiled(weights[0], device))
    mace = mace_files.load(weights[0]).to(device)
    single = pairwise.Pairwise(mace_pairs.network(mace), mace_pairs.facts(mace), device)
    return pairwise_torchsim.batched(single)


def _config(
    directory: Path, batch_size: int, hypers: dict, seed: int, levels: dict[int, float], foundation: Path | None
) -> dict:
    """mace_run_train's options (https://mace-docs.readthedocs.io/en/latest/guide/training.html).

    `levels`: energy of each species (eV) by atomic number; `foundation`: a pickled network to go on from.
    """
    folder = str(directory)
    config = {
        "name": "mace", "work_dir": folder, "model_dir": folder, "seed": seed, "device": "cpu", "plot": False,
        "default_dtype": hypers["dtype"], "model": "MACE", "r_max": hypers["r_max"],
        "train_file": f"{folder}/train.extxyz", "valid_file": f"{folder}/valid.extxyz",
        "energy_key": "REF_energy", "forces_key": "REF_forces", "E0s": repr(levels),
        "num_interactions": hypers["num_layers"], "num_channels": hypers["num_channels"], "max_L": hypers["max_L"],
        "max_ell": hypers["max_ell"], "correlation": hypers["correlation"],
        "num_radial_basis": hypers["num_radial_basis"], "radial_MLP": repr(hypers["radial_MLP"]),
        "max_num_epochs": hypers["epochs"], "batch_size": batch_size, "valid_batch_size": hypers["batch_size"],
        "lr": hypers["learning_rate"], "scheduler": "ExponentialLR", "lr_scheduler_gamma": hypers["lr_gamma"],
        "ema": True, "ema_decay": hypers["ema_decay"],
        "energy_weight": hypers["energy_weight"], "forces_weight": hypers["force_weight"],
    }  # fmt: skip
    if foundation:
        config |= {
            "foundation_model": str(foundation), "foundation_model_elements": True, "multiheads_finetuning": False,
        }  # fmt: skip
    return config


def _check(metrics: Path) -> None:
    """Log the best validation errors. Raises RuntimeError if a loss is not finite, which mace counts as best."""
    rows = [json.loads(line) for line in metrics.read_text().splitlines()]
    for row in rows:
        if not math.isfinite(row["loss"]):
            raise RuntimeError(
                f"training diverged: loss is {row['loss']} in epoch {row['epoch']} ({metrics}); lower learning_rate"
            )
    best = min((row for row in rows if row["mode"] == "eval" and row["epoch"] is not None), key=lambda row: row["loss"])
    told = 1e3 * best["rmse_f"], 1e3 * best["rmse_e_per_atom"], best["epoch"]
    log.info("best validation: forces %.1f meV/A, energy %.2f meV/atom (RMSE), epoch %s", *told)
