"""SchNet and PaiNN of SchNetPack, trained by its AtomisticTask with Lightning's trainer.

model.pt is {"config": plain values, "state": tensors}: loading it runs no code of the file (torch.load, weights_only).
SchNetPack's own best_model is a pickled module, which cannot be read so: there is no `checkpoint`. With one thread, the
same seed and the same labels give the same weights, bit for bit, on one machine.
"""

import importlib
import logging
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator

from thermoweave import pairwise, pairwise_torchsim
from thermoweave.potentials import schnetpack_model as models
from thermoweave.potentials.command import emptied

if TYPE_CHECKING:
    import pytorch_lightning
    from torch_sim.models.interface import ModelInterface

HYPERS = {
    "model": "PaiNN",  # PaiNN (equivariant), or SchNet (invariant, faster)
    "r_max": 6.0,  # A, cutoff of one layer
    "num_layers": 2,  # interaction layers: each adds r_max to what an atom sees
    "num_features": 24,  # features of an atom
    "num_radial_basis": 12,  # radial functions
    "dtype": "float32",  # of the network; energies are summed in float64 in either case
    "epochs": 120,  # passes over the training frames
    "batch_size": 2,  # frames a step
    "learning_rate": 0.01,  # highest; falls along a cosine
    "ema_decay": 0.99,  # the weights used are a running mean over about 1 / (1 - ema_decay) steps
    "energy_weight": 1.0,  # of the squared energy error (eV/atom)^2 in the loss
    "force_weight": 1.0,  # of the squared force error (eV/A)^2 in the loss
}
ARCHITECTURE = ("model", "r_max", "num_layers", "num_features", "num_radial_basis", "dtype")
REFERENCES = [
    "K. T. Schuett et al., J. Chem. Phys. 148, 241722 (2018), doi:10.1063/1.5019779",
    "K. T. Schuett et al., Proc. Mach. Learn. Res. 139, 9377 (2021), arXiv:2102.03150",
    "K. T. Schuett et al., J. Chem. Phys. 158, 144801 (2023), doi:10.1063/5.0138367",
]
DISTRIBUTION = "schnetpack"
COMPILER = "g++"
TOLERANCE = {"float32": 1e-3, "float64": 1e-8}
MODEL, COMPILED = "model.pt", "model.pt2"
WARMUP = 20  # steps in which the learning rate rises

log = logging.getLogger(__name__)


def train(
    train: Sequence[Atoms], valid: Sequence[Atoms], hypers: dict, seed: int, directory: Path,
    start: Sequence[Path] | None = None,
) -> list[Path]:  # fmt: skip
    """Train on frames with REF_energy (eV) and REF_forces (eV/A); returns [model.pt].

    The weights are those (running mean) of the epoch with the lowest validation loss; `directory` also keeps
    metrics.csv (losses per epoch). Raises RuntimeError where the loss is not finite.
    """
    spk = models.package()
    import pytorch_lightning as lightning
    import torch
    from schnetpack.train import ExponentialMovingAverage

    directory = emptied(directory)
    torch.manual_seed(seed)
    elements = sorted({symbol for atoms in train for symbol in atoms.symbols})
    config, model = models.load(start[0]) if start else ({"elements": elements}, models.build(hypers))
    keeper = _keeper({**config, "hypers": hypers}, directory)
    outputs = [
        spk.task.ModelOutput(name, torch.nn.MSELoss(), hypers[weight], metrics={})
        for name, weight in (("energy_per_atom", "energy_weight"), ("forces", "force_weight"))
    ]
    task = spk.task.AtomisticTask(
        model, outputs, torch.optim.AdamW, {"lr": hypers["learning_rate"]},
        torch.optim.lr_scheduler.CosineAnnealingLR, {"T_max": hypers["epochs"]}, warmup_steps=WARMUP,
    )  # fmt: skip
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)  # it advertises
    trainer = lightning.Trainer(
        accelerator="cpu", devices=1, max_epochs=hypers["epochs"], inference_mode=False, num_sanity_val_steps=0,
        logger=False, enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
        callbacks=[ExponentialMovingAverage(hypers["ema_decay"]), keeper],
    )  # fmt: skip
    data, held = ([_labelled(atoms, hypers) for atoms in frames] for frames in (train, valid))
    size = hypers["batch_size"]
    trainer.fit(task, spk.data.AtomsLoader(data, size, shuffle=True), spk.data.AtomsLoader(held, size))
    log.info("best validation loss %.3g in epoch %d", keeper.best, keeper.epoch)
    return [directory / MODEL]


def check(hypers: dict) -> None:
    """Raises ValueError on an unknown `model`."""
    if hypers["model"] not in ("PaiNN", "SchNet"):
        raise ValueError(f"schnetpack's model is {hypers['model']!r}; it can be PaiNN or SchNet")


def compile(weights: Sequence[Path], directory: Path, device: str = "cpu") -> Path:
    """The network as machine code (AOTInductor) for any number of atoms and pairs; needs a C++ compiler."""
    config, model = models.load(weights[0], device)
    facts = models.facts(config["hypers"])
    example = Atoms(["Li", "Cl"] * 4, 2.0 * np.array(list(np.ndindex(2, 2, 2))), cell=[4.0] * 3, pbc=True)
    inputs = pairwise.neighbours(example, **facts, device=device)
    scatter = importlib.import_module("schnetpack.nn.scatter")
    # TorchScript would fix the number of pairs at that of the example: trace the Python that it was made of
    with mock.patch.object(scatter, "_scatter_add", scatter._scatter_add._torchdynamo_inline):
        return pairwise.compile(models.network(model), inputs, Path(directory) / COMPILED, facts)


def calculator(weights: Sequence[Path], device: str = "cpu", dtype: str = "float32") -> Calculator:
    """ASE calculator from what `train` or `compile` wrote. `dtype` is a property of these files."""
    if str(weights[0]).endswith(COMPILED):
        return pairwise.Pairwise.compiled(weights[0], device)
    config, model = models.load(weights[0], device)
    return pairwise.Pairwise(models.network(model), models.facts(config["hypers"]), device)


def torchsim(weights: Sequence[Path], device: str = "cpu", dtype: str = "float32") -> "ModelInterface":
    """torch-sim's model of the same files."""
    return pairwise_torchsim.batched(calculator(weights, device, dtype))


def _labelled(atoms: Atoms, hypers: dict) -> dict:
    """A frame as SchNetPack's loader wants it; the offsets are what the positions leave of the pairs' vectors."""
    import torch
    from schnetpack import properties

    numbers, i, j, vectors = pairwise.neighbours(atoms, **models.facts(hypers))
    positions = torch.tensor(atoms.positions, dtype=vectors.dtype)
    return {
        properties.idx: torch.tensor([0]), properties.n_atoms: torch.tensor([len(atoms)]),
        properties.Z: numbers, properties.R: positions, properties.idx_i: i, properties.idx_j: j,
        properties.offsets: vectors - positions[j] + positions[i],
        "energy_per_atom": torch.tensor([atoms.info["REF_energy"] / len(atoms)], dtype=vectors.dtype),
        "forces": torch.tensor(atoms.arrays["REF_forces"], dtype=vectors.dtype),
    }  # fmt: skip


def _keeper(config: dict, directory: Path) -> "pytorch_lightning.Callback":
    import pytorch_lightning as lightning
    import torch

    metrics = directory / "metrics.csv"
    metrics.write_text("epoch,train_loss,val_loss\n")  # the first: of an epoch's last batch

    class Keeper(lightning.Callback):
        """Keeps the tensors of the best epoch, writes metrics.csv, and ends a training that diverges."""

        best, epoch = math.inf, -1

        def on_validation_end(self, trainer, task):
            losses = [float(trainer.callback_metrics[name]) for name in ("train_loss", "val_loss")]
            with open(metrics, "a") as file:
                print(trainer.current_epoch, *losses, sep=",", file=file)
            if not all(map(math.isfinite, losses)):
                told = f"losses (training, validation) {losses} in epoch {trainer.current_epoch} ({metrics})"
                raise RuntimeError(f"training diverged: {told}; lower learning_rate")
            if losses[1] < self.best:
                self.best, self.epoch = losses[1], trainer.current_epoch
                torch.save({"config": config, "state": task.model.state_dict()}, directory / MODEL)

    return Keeper()
