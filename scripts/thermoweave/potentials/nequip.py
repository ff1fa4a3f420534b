"""NequIP (equivariant message passing), through its own commands nequip-train, nequip-package and nequip-compile.

Each command runs as a subprocess of this environment's Python; threads come from OMP_NUM_THREADS. With one thread, the
same seed and the same labels give the same weights, bit for bit, on one machine (two trainings gave equal forces to the
last bit: tests/conformance/test_nequip.py repeats it; another machine's instruction set may round differently).
"""

import csv
import json
import logging
import math
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator
from ase.io import write

from thermoweave.potentials.command import run

HYPERS = {
    "r_max": 6.0,  # A, cutoff of one layer
    "num_layers": 2,  # interaction layers: each adds r_max to what an atom sees
    "l_max": 1,  # highest rotation order of the features
    "num_features": 16,  # features of each order
    "parity": False,  # also features that are odd under inversion: dearer, seldom better
    "radial_width": 64,  # neurons of the radial network
    "dtype": "float32",  # of the network; energies are summed in float64 in either case
    "epochs": 140,  # passes over the training frames
    "batch_size": 2,  # frames a step
    "learning_rate": 0.02,  # highest of the one-cycle schedule
    "ema_decay": 0.99,  # the weights used are a running mean over about 1 / (1 - ema_decay) steps
    "energy_weight": 1.0,  # of the squared energy error (eV/atom)^2 in the loss
    "force_weight": 1.0,  # of the squared force error (eV/A)^2 in the loss
}
REFERENCES = [
    "S. Batzner et al., Nat. Commun. 13, 2453 (2022), doi:10.1038/s41467-022-29939-5",
    "C. W. Tan et al., arXiv:2504.16068 (2025)",
]
DISTRIBUTION = "nequip"
PACKAGE, COMPILED = "model.nequip.zip", "model.nequip.pt2"
MONITOR = "val0_epoch/weighted_sum"  # eV/atom + eV/A: the sum of the validation RMSEs

log = logging.getLogger(__name__)


def train(train: Sequence[Atoms], valid: Sequence[Atoms], hypers: dict, seed: int, directory: Path) -> list[Path]:
    """Train on frames with REF_energy (eV) and REF_forces (eV/A); returns [the packaged model].

    `directory` also keeps nequip's config, its log, and metrics.csv (losses and validation errors per epoch). The
    weights are those (running mean) of the epoch with the lowest validation error.
    Raises RuntimeError where nequip fails or the loss is not finite.
    """
    directory = Path(directory).resolve()
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    for name, frames in (("train", train), ("valid", valid)):
        write(directory / f"{name}.extxyz", list(frames), format="extxyz")
    config = _config(train, hypers, seed, directory)
    (directory / "config.yaml").write_text(json.dumps(config, indent=1))  # JSON is YAML
    _run("train", ["-cp", str(directory), "-cn", "config"], directory)
    _check(directory / "metrics.csv")
    _run("package", ["build", str(directory / "best.ckpt"), str(directory / PACKAGE)], directory)
    return [directory / PACKAGE]


def compile(weights: Sequence[Path], directory: Path, device: str = "cpu") -> Path:
    """The model as machine code (AOTInductor) for this machine and OMP_NUM_THREADS threads; needs a C++ compiler."""
    directory = Path(directory).resolve()
    directory.mkdir(parents=True, exist_ok=True)
    target = directory / COMPILED
    options = ["--mode", "aotinductor", "--device", device, "--target", "ase"]
    with TemporaryDirectory(dir=directory, prefix="inductor-") as cache:  # or torch leaves its cache in /tmp for good
        arguments = [str(Path(weights[0]).resolve()), str(target), *options]
        _run("compile", arguments, directory, TORCHINDUCTOR_CACHE_DIR=cache)
    return target


def calculator(weights: Sequence[Path], device: str = "cpu", dtype: str = "float32") -> Calculator:
    """ASE calculator from what `train` or `compile` wrote. `dtype` is a property of these files, and checked.

    A package holds pickles, which can run code as they load. These are safe to load: this workflow wrote them, and
    `potentials.load` has compared their sha256 with the manifest.
    """
    from nequip.integrations.ase import NequIPCalculator

    path = str(weights[0])
    # species map True: nequip's types are named after the chemical symbols
    options = {"device": device, "chemical_species_to_atom_type_map": True, "neighborlist_backend": "vesin"}
    if path.endswith(COMPILED):
        return NequIPCalculator.from_compiled_model(path, **options)
    return NequIPCalculator._from_saved_model(path, **options)


def _config(train: Sequence[Atoms], hypers: dict, seed: int, directory: Path) -> dict:
    """nequip-train's configuration (https://nequip.readthedocs.io/en/latest/guide/configuration/config.html)."""
    elements = sorted({symbol for atoms in train for symbol in atoms.symbols})
    rate, batch, r_max, folder = hypers["learning_rate"], hypers["batch_size"], hypers["r_max"], str(directory)
    steps = hypers["epochs"] * math.ceil(len(train) / batch)
    loader = {"_target_": "torch.utils.data.DataLoader", "batch_size": batch}
    # fmt: off
    return {
        "run": ["train"],
        "hydra": {"run": {"dir": folder}, "output_subdir": None},
        "data": {
            "_target_": "nequip.data.datamodule.ASEDataModule", "seed": seed,
            "train_file_path": f"{folder}/train.extxyz", "val_file_path": f"{folder}/valid.extxyz",
            "key_mapping": {"REF_energy": "total_energy", "REF_forces": "forces"},
            "transforms": [
                {"_target_": "nequip.data.transforms.ChemicalSpeciesToAtomTypeMapper", "model_type_names": elements,
                 "chemical_species_to_atom_type_map": {symbol: symbol for symbol in elements}},
                {"_target_": "nequip.data.transforms.NeighborListTransform", "r_max": r_max, "backend": "vesin"},
            ],
            "train_dataloader": {**loader, "shuffle": True}, "val_dataloader": loader,
            "stats_manager": {"_target_": "nequip.data.CommonDataStatisticsManager", "type_names": elements,
                              "dataloader_kwargs": {"batch_size": batch}},
        },
        "trainer": {
            "_target_": "lightning.Trainer", "accelerator": "cpu", "devices": 1, "max_epochs": hypers["epochs"],
            "log_every_n_steps": 1, "num_sanity_val_steps": 0,
            "enable_progress_bar": False, "enable_model_summary": False,
            "logger": {"_target_": "lightning.pytorch.loggers.CSVLogger", "save_dir": folder, "name": "",
                       "version": ""},
            "callbacks": [{"_target_": "lightning.pytorch.callbacks.ModelCheckpoint", "dirpath": folder,
                           "filename": "best", "monitor": MONITOR}],
        },
        "training_module": {
            "_target_": "nequip.train.EMALightningModule", "ema_decay": hypers["ema_decay"],
            "loss": {"_target_": "nequip.train.EnergyForceLoss", "per_atom_energy": True,
                     "coeffs": {"total_energy": hypers["energy_weight"], "forces": hypers["force_weight"]}},
            "val_metrics": {"_target_": "nequip.train.EnergyForceMetrics",
                            "coeffs": {"per_atom_energy_rmse": 1.0, "forces_rmse": 1.0}},
            "optimizer": {"_target_": "torch.optim.Adam", "lr": rate},
            "lr_scheduler": {"interval": "step", "scheduler": {
                "_target_": "torch.optim.lr_scheduler.OneCycleLR", "max_lr": rate, "total_steps": steps,
                "pct_start": 0.1}},
            "model": {
                "_target_": "nequip.model.NequIPGNNModel", "seed": seed, "model_dtype": hypers["dtype"],
                "type_names": elements, "r_max": r_max, "num_layers": hypers["num_layers"],
                "l_max": hypers["l_max"], "parity": hypers["parity"], "num_features": hypers["num_features"],
                "radial_mlp_depth": 1, "radial_mlp_width": hypers["radial_width"],
                "avg_num_neighbors": "${training_data_stats:num_neighbors_mean}",
                "per_type_energy_scales": "${training_data_stats:per_type_forces_rms}",
                "per_type_energy_shifts": _shifts(train, elements),
            },
        },
    }
    # fmt: on


def _shifts(train: Sequence[Atoms], elements: Sequence[str]) -> dict[str, float]:
    """Energy per atom of each element (eV): least squares over the training frames. Where compositions cannot tell the
    elements apart (a salt's charges balance), the smallest ones of those that fit equally."""
    counts = np.array([[np.count_nonzero(atoms.symbols == symbol) for symbol in elements] for atoms in train], float)
    energies = np.array([atoms.info["REF_energy"] for atoms in train])
    return dict(zip(elements, np.linalg.lstsq(counts, energies, rcond=1e-6)[0].tolist(), strict=True))


def _run(command: str, arguments: Sequence[str], directory: Path, **environment: str) -> None:
    """Run nequip's `command` with its output in directory/nequip-{command}.log."""
    run([sys.executable, "-m", f"nequip.scripts.{command}", *arguments], directory, f"nequip-{command}", environment)


def _check(metrics: Path) -> None:
    """Log the best validation errors. Raises RuntimeError if a loss or an error is not finite."""
    with open(metrics) as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        for key, value in row.items():
            if value and not math.isfinite(float(value)):
                raise RuntimeError(
                    f"training diverged: {key} is {value} in epoch {row['epoch']} ({metrics}); lower learning_rate"
                )
    best = min((row for row in rows if row[MONITOR]), key=lambda row: float(row[MONITOR]))
    forces, energy = (1000 * float(best[f"val0_epoch/{key}"]) for key in ("forces_rmse", "per_atom_energy_rmse"))
    log.info("best validation: forces %.1f meV/A, energy %.2f meV/atom (RMSE), epoch %s", forces, energy, best["epoch"])
