"""NequIP and Allegro (equivariant networks), trained by their own command nequip-train.

The command runs as a subprocess of this environment's Python; threads come from OMP_NUM_THREADS. With one thread, the
same seed and the same labels give the same weights, bit for bit, on one machine (another machine's instruction set may
round differently). The weight file is that of `nequip_model`; a package that someone else published can only be
unpickled, which may run any code: there is no `checkpoint`.
"""

import csv
import json
import logging
import math
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator
from ase.data import atomic_numbers, covalent_radii

from thermoweave.potentials import nequip_config, nequip_model, tensors
from thermoweave.potentials.command import emptied, run, write_labels

if TYPE_CHECKING:
    import torch
    from torch_sim.models.interface import ModelInterface

HYPERS = {
    "model": "NequIP",  # NequIP (message passing), or Allegro (strictly local)
    "r_max": 6.0,  # A, cutoff of one layer
    "num_layers": 2,  # interaction layers: each of NequIP adds r_max to what an atom sees, none of Allegro does
    "l_max": 1,  # highest rotation order of the features
    "parity": False,  # also features that are odd under inversion: dearer, seldom better
    "num_features": 16,  # NequIP: features of each order
    "radial_width": 64,  # NequIP: neurons of the radial network
    "num_scalar_features": 32,  # Allegro: scalar features of a pair
    "num_tensor_features": 8,  # Allegro: features of each order of a pair
    "mlp_width": 32,  # Allegro: neurons of each of its networks
    "dtype": "float32",  # of the network; energies are summed in float64 in either case
    "epochs": 140,  # passes over the training frames
    "batch_size": 2,  # frames a step
    "learning_rate": 0.02,  # highest of the one-cycle schedule
    "ema_decay": 0.99,  # the weights used are a running mean over about 1 / (1 - ema_decay) steps
    "energy_weight": 1.0,  # of the squared energy error (eV/atom)^2 in the loss
    "force_weight": 1.0,  # of the squared force error (eV/A)^2 in the loss
}
OWN = {
    "NequIP": ("num_features", "radial_width"),
    "Allegro": ("num_scalar_features", "num_tensor_features", "mlp_width"),
}
ARCHITECTURE = ("model", "r_max", "num_layers", "l_max", "parity", *OWN["NequIP"], *OWN["Allegro"], "dtype")
REFERENCES = [
    "S. Batzner et al., Nat. Commun. 13, 2453 (2022), doi:10.1038/s41467-022-29939-5",
    "A. Musaelian et al., Nat. Commun. 14, 579 (2023), doi:10.1038/s41467-023-36329-y",
    "C. W. Tan et al., arXiv:2504.16068 (2025)",
]
DISTRIBUTION = "nequip"
COMPILER = "g++"
TOLERANCE = {"float32": 1e-3, "float64": 1e-8}
MODEL, COMPILED = "model.pt", "model.nequip.pt2"

log = logging.getLogger(__name__)


def train(
    train: Sequence[Atoms], valid: Sequence[Atoms], hypers: dict, seed: int, directory: Path,
    start: Sequence[Path] | None = None,
) -> list[Path]:  # fmt: skip
    """Train on frames with REF_energy (eV) and REF_forces (eV/A); returns [model.pt].

    `directory` also keeps nequip's config, its log, and metrics.csv (losses and validation errors per epoch). The
    weights are those (running mean) of the epoch with the lowest validation error. What `start` fixes, its statistics
    of the labels among it, is taken from its file.
    Raises RuntimeError where nequip fails or the loss is not finite.
    """
    directory = emptied(directory)
    write_labels(directory, train, valid)
    if start:
        start = Path(start[0]).resolve()
        config, _ = tensors.read(start)
        known = all(symbol in atomic_numbers for symbol in config["type_names"])
        if not (known and isinstance(config["r_max"], float)):  # nequip-train calls what its configuration names
            raise ValueError(f"{start} is refused: its type_names are no chemical symbols, or its r_max is no number")
    else:
        elements = sorted({symbol for atoms in train for symbol in atoms.symbols})
        config = {key: hypers[key] for key in ARCHITECTURE} | {"type_names": elements, "seed": seed}
        config |= nequip_model.STATISTICS
    told = nequip_config.training(config, start, hypers, seed, len(train), directory)
    (directory / "config.yaml").write_text(json.dumps(told, indent=1))  # JSON is YAML
    argv = [sys.executable, "-m", "nequip.scripts.train", "-cp", str(directory), "-cn", "config"]
    own = str(Path(__file__).parents[2])  # where the subprocess finds nequip_model.network
    run(argv, directory, "nequip-train", {"PYTHONPATH": os.pathsep.join([own, os.environ.get("PYTHONPATH", "")])})
    _report(directory / "metrics.csv")
    return [nequip_model.save(directory / "best.ckpt", config, directory / MODEL)]


def compile(weights: Sequence[Path], directory: Path, device: str = "cpu") -> Path:
    """The model as machine code (AOTInductor) for this machine and OMP_NUM_THREADS threads; needs a C++ compiler.

    Does what `nequip-compile --mode aotinductor --target batch` does, which itself reads pickles only. The one file is
    for many systems at once and for one (where it takes 1 % longer than with nequip's target for one).
    """
    from nequip.data import AtomicDataDict
    from nequip.scripts._compile_utils import AOTI_BATCH_TARGET, COMPILE_TARGET_DICT
    from nequip.utils import aoti_metadata
    from nequip.utils.aot import aot_export_model
    from torch._inductor.utils import fresh_cache
    from torch.export import Dim

    directory = Path(directory).resolve()
    directory.mkdir(parents=True, exist_ok=True)
    eager = calculator(weights, device)
    target = COMPILE_TARGET_DICT[AOTI_BATCH_TARGET]
    facts = eager.model.metadata | {
        "allow_tf32": "0",
        aoti_metadata.NEQUIP_AOTI_INPUTS_KEY: aoti_metadata.serialize_aoti_keys(target["input"]),
        aoti_metadata.NEQUIP_AOTI_OUTPUTS_KEY: aoti_metadata.serialize_aoti_keys(target["output"]),
    }
    example = _example(eager.model.type_names, float(eager.model.metadata["r_max"]))
    with fresh_cache(dir=str(directory)):  # or torch leaves its cache, and headers, in /tmp for good
        aot_export_model(
            eager.model, device, target["input"], target["output"],
            data=target["data_settings"](AtomicDataDict.with_batch_(eager.atoms_to_data(example))),
            batch_map=target["batch_map_settings"]({key: Dim(f"{key}s", min=2) for key in ("graph", "node", "edge")}),
            output_path=str(directory / COMPILED),
            inductor_configs={"aot_inductor.metadata": facts, "aot_inductor.precompile_headers": False},
        )  # fmt: skip
    return directory / COMPILED


def calculator(weights: Sequence[Path], device: str = "cpu", dtype: str = "float32") -> Calculator:
    """ASE calculator from what `train` or `compile` wrote. `dtype` is a property of these files."""
    from nequip.data import AtomicDataDict
    from nequip.integrations.ase import NequIPCalculator

    class Single(NequIPCalculator):
        """A batch of one, its tensors contiguous: compiled code does not look at strides."""

        def atoms_to_data(self, atoms):
            data = AtomicDataDict.with_batch_(super().atoms_to_data(atoms))
            return {key: value.contiguous() for key, value in data.items()}

    model, transforms = _network(weights[0], device)
    compiled = str(weights[0]).endswith(COMPILED)
    return (Single if compiled else NequIPCalculator)(model, device, transforms=transforms)


def torchsim(weights: Sequence[Path], device: str = "cpu", dtype: str = "float32") -> "ModelInterface":
    """torch-sim's model of the same files. Raises ValueError for a file compiled for one system only."""
    from nequip.integrations.torchsim import NequIPTorchSimCalc

    target = NequIPTorchSimCalc._get_aoti_compile_target()
    model, transforms = _network(weights[0], device, target["input"], target["output"])
    return NequIPTorchSimCalc(model, device, transforms=transforms)


def check(hypers: dict) -> None:
    """Raises ValueError on an unknown `model`, or where a hyperparameter of the other model is changed."""
    if hypers["model"] not in OWN:
        raise ValueError(f"nequip's model is {hypers['model']!r}; it can be {' or '.join(OWN)}")
    for model, keys in OWN.items():
        changed = [key for key in keys if hypers[key] != HYPERS[key]]
        if changed and model != hypers["model"]:
            raise ValueError(
                f"{', '.join(changed)}: {model} only, but nequip's model is {hypers['model']}; leave it out, or set "
                f"model: {model}"
            )


def _network(path: Path, device: str, *keys: list[str]) -> tuple["torch.nn.Module", list]:
    """A network, and what turns atoms into its input; `keys`: the input and output that a compiled one must have."""
    from nequip.data.transforms import ChemicalSpeciesToAtomTypeMapper, NeighborListTransform
    from nequip.model.inference_models import load_compiled_model

    if str(path).endswith(COMPILED):
        model, facts = load_compiled_model(str(path), device, *keys)
        names, r_max = facts["type_names"], facts["r_max"]
    else:
        model = nequip_model.network(path).eval()
        names, r_max = model.type_names, float(model.metadata["r_max"])
    species = ChemicalSpeciesToAtomTypeMapper(names, {symbol: symbol for symbol in names})
    return model, [species, NeighborListTransform(r_max=r_max, backend="vesin")]


def _report(metrics: Path) -> None:
    """Log the best validation errors. Raises RuntimeError if a loss or an error is not finite."""
    with open(metrics) as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        for key, value in row.items():
            if value and not math.isfinite(float(value)):
                raise RuntimeError(
                    f"training diverged: {key} is {value} in epoch {row['epoch']} ({metrics}); lower learning_rate"
                )
    monitor = nequip_config.MONITOR
    best = min((row for row in rows if row[monitor]), key=lambda row: float(row[monitor]))
    forces, energy = (1000 * float(best[f"val0_epoch/{key}"]) for key in ("forces_rmse", "per_atom_energy_rmse"))
    log.info("best validation: forces %.1f meV/A, energy %.2f meV/atom (RMSE), epoch %s", forces, energy, best["epoch"])


def _example(elements: Sequence[str], r_max: float) -> Atoms:
    """A dozen atoms or more of all species, far enough apart that no force is large, near enough to have neighbours."""
    spacing = min(2 * max(covalent_radii[atomic_numbers[symbol]] for symbol in elements), 0.8 * r_max)
    sites = np.array(list(np.ndindex(2, 3, 2 * len(elements))), float)
    atoms = Atoms(list(elements) * 12, spacing * sites, cell=spacing * np.array([2, 3, 2 * len(elements)]), pbc=True)
    atoms.rattle(0.1, seed=1)
    return atoms
