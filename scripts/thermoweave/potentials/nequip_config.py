"""The configuration of nequip-train (https://nequip.readthedocs.io/en/latest/guide/configuration/config.html)."""

import math
from collections.abc import Sequence
from pathlib import Path

from thermoweave.potentials.nequip_model import builder

MONITOR = "val0_epoch/weighted_sum"  # eV/atom + eV/A: the sum of the validation RMSEs


def training(config: dict, start: Path | None, hypers: dict, seed: int, frames: int, directory: Path) -> dict:
    """All of it, as plain values.

    `config`: of the model; `start`: the model.pt to go on from; `frames`: how many there are to train on.
    """
    rate = hypers["learning_rate"]
    steps = hypers["epochs"] * math.ceil(frames / hypers["batch_size"])
    further = {"_target_": "thermoweave.potentials.nequip_model.network", "path": str(start)}
    return {
        "run": ["train"],
        "hydra": {"run": {"dir": str(directory)}, "output_subdir": None},
        "data": _data(config["type_names"], config["r_max"], start is None, hypers["batch_size"], seed, str(directory)),
        "trainer": _trainer(hypers["epochs"], str(directory)),
        "training_module": {
            "_target_": "nequip.train.EMALightningModule", "ema_decay": hypers["ema_decay"],
            "loss": {"_target_": "nequip.train.EnergyForceLoss", "per_atom_energy": True,
                     "coeffs": {"total_energy": hypers["energy_weight"], "forces": hypers["force_weight"]}},
            "val_metrics": {"_target_": "nequip.train.EnergyForceMetrics",
                            "coeffs": {"per_atom_energy_rmse": 1.0, "forces_rmse": 1.0}},
            "optimizer": {"_target_": "torch.optim.Adam", "lr": rate},
            "lr_scheduler": {"interval": "step", "scheduler": {
                "_target_": "torch.optim.lr_scheduler.OneCycleLR", "max_lr": rate, "total_steps": steps,
                "pct_start": 0.11 if steps == 10 else 0.1}},  # a tenth of ten steps makes torch divide by zero
            "model": further if start else builder(config),
        },
    }  # fmt: skip


def _data(elements: Sequence[str], r_max: float, statistics: bool, batch: int, seed: int, folder: str) -> dict:
    """Frames, neighbours and batches; `statistics` where the model is built with those of the frames."""
    loader = {"_target_": "torch.utils.data.DataLoader", "batch_size": batch}
    data = {
        "_target_": "nequip.data.datamodule.ASEDataModule", "seed": seed,
        "train_file_path": f"{folder}/train.extxyz", "val_file_path": f"{folder}/valid.extxyz",
        "key_mapping": {"REF_energy": "total_energy", "REF_forces": "forces"},
        "transforms": [
            {"_target_": "nequip.data.transforms.ChemicalSpeciesToAtomTypeMapper", "model_type_names": elements,
             "chemical_species_to_atom_type_map": {symbol: symbol for symbol in elements}},
            {"_target_": "nequip.data.transforms.NeighborListTransform", "r_max": r_max, "backend": "vesin"},
        ],
        "train_dataloader": {**loader, "shuffle": True}, "val_dataloader": loader,
    }  # fmt: skip
    if statistics:
        data["stats_manager"] = {
            "_target_": "nequip.data.CommonDataStatisticsManager", "type_names": elements,
            "dataloader_kwargs": {"batch_size": batch},
        }  # fmt: skip
    return data


def _trainer(epochs: int, folder: str) -> dict:
    """Lightning's trainer: the checkpoint of the best epoch, and metrics.csv."""
    return {
        "_target_": "lightning.Trainer", "accelerator": "cpu", "devices": 1, "max_epochs": epochs,
        "log_every_n_steps": 1, "num_sanity_val_steps": 0,
        "enable_progress_bar": False, "enable_model_summary": False,
        "logger": {"_target_": "lightning.pytorch.loggers.CSVLogger", "save_dir": folder, "name": "", "version": ""},
        "callbacks": [{"_target_": "lightning.pytorch.callbacks.ModelCheckpoint", "dirpath": folder,
                       "filename": "best", "monitor": MONITOR}],
    }  # fmt: skip
