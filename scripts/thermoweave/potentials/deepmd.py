"""DeePMD (smooth descriptors and a network per element), through its own command dp, in its TensorFlow build.

Each command runs as a subprocess of this environment; threads come from OMP_NUM_THREADS. The trained model is a frozen
TensorFlow graph (a protocol buffer: no pickle), which LAMMPS reads, too (`pair_style deepmd model.pb`).
"""

import json
import logging
import math
import os
import shutil
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator

from thermoweave.potentials.command import run

HYPERS = {
    "r_max": 6.0,  # A, cutoff
    "r_smooth": 1.0,  # A, where the weight of a neighbour begins to fall
    "descriptor": {  # any descriptor of dp's TensorFlow build, with its own keys (sel "auto": counted in the labels)
        "type": "se_e2_a", "neuron": [16, 32], "axis_neuron": 4, "sel": "auto:1.3", "type_one_side": True,
    },
    "fitting_neuron": [32, 32, 32],  # neurons of the network from an atom's descriptor to its energy
    "dtype": "float32",  # of the networks; energies are summed in float64 in either case
    "steps": 5000,  # batches
    "batch_size": 1,  # frames a step, all of one composition
    "learning_rate": 0.005,  # at the start; falls exponentially
    "last_learning_rate": 1e-6,
    "energy_weight": [0.1, 1.0],  # of the energy error in the loss, at the start and at the end
    "force_weight": [1000.0, 1.0],  # of the force error
}  # fmt: skip
REFERENCES = [
    "L. Zhang et al., Adv. Neural Inf. Process. Syst. 31, 4436 (2018), arXiv:1805.09003",
    "J. Zeng et al., J. Chem. Phys. 159, 054801 (2023), doi:10.1063/5.0155600",
]
DISTRIBUTION = "deepmd-kit"
MODEL, COMPILED = "model.pb", "model_compressed.pb"

log = logging.getLogger(__name__)


def train(train: Sequence[Atoms], valid: Sequence[Atoms], hypers: dict, seed: int, directory: Path) -> list[Path]:
    """Train on frames with REF_energy (eV) and REF_forces (eV/A); returns [the frozen graph].

    The weights are those of the last step: dp keeps no best one. Raises RuntimeError where dp fails or diverges.
    """
    directory = Path(directory).resolve()
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    elements = sorted({symbol for atoms in train for symbol in atoms.symbols})
    data = {
        name: write_systems(frames, elements, directory / name) for name, frames in (("train", train), ("valid", valid))
    }
    (directory / "input.json").write_text(json.dumps(_config(elements, data, hypers, seed), indent=1))
    _dp("train", ["input.json"], directory)
    _check(directory / "lcurve.out")
    _dp("freeze", ["-o", MODEL], directory)
    return [directory / MODEL]


def compile(weights: Sequence[Path], directory: Path, device: str = "cpu") -> Path:
    """The model with its embedding networks tabulated (`dp compress`)."""
    directory = Path(directory).resolve()
    directory.mkdir(parents=True, exist_ok=True)
    _dp("compress", ["-i", str(Path(weights[0]).resolve()), "-o", COMPILED], directory)
    return directory / COMPILED


def calculator(weights: Sequence[Path], device: str = "cpu", dtype: str = "float32") -> Calculator:
    """ASE calculator from what `train` or `compile` wrote."""
    os.environ.update(_threads())  # TensorFlow reads them once
    from deepmd.calculator import DP

    return DP(model=str(weights[0]))


def write_systems(frames: Sequence[Atoms], elements: Sequence[str], directory: Path) -> list[str]:
    """dp's own format: one folder for the frames of one composition, atoms sorted by element. Returns the folders."""
    systems = defaultdict(list)
    for atoms in frames:
        order = np.argsort([elements.index(symbol) for symbol in atoms.symbols], kind="stable")
        systems[atoms[order].get_chemical_formula(mode="reduce")].append((atoms, order))
    folders = []
    for formula, group in sorted(systems.items()):
        folder = directory / formula
        (folder / "set.000").mkdir(parents=True)
        first, order = group[0]
        (folder / "type_map.raw").write_text("\n".join(elements) + "\n")
        (folder / "type.raw").write_text("\n".join(str(elements.index(first.symbols[i])) for i in order) + "\n")
        arrays = {
            "coord": [atoms.positions[order].ravel() for atoms, order in group],
            "box": [atoms.cell.array.ravel() for atoms, _ in group],
            "energy": [atoms.info["REF_energy"] for atoms, _ in group],
            "force": [atoms.arrays["REF_forces"][order].ravel() for atoms, order in group],
        }
        for key, values in arrays.items():
            np.save(folder / "set.000" / f"{key}.npy", np.array(values, np.float64))
        folders.append(str(folder))
    return folders


def _config(elements: Sequence[str], data: dict, hypers: dict, seed: int) -> dict:
    """dp train's input (https://docs.deepmodeling.com/projects/deepmd/en/stable/train/train-input.html)."""
    precision = {"precision": hypers["dtype"], "seed": seed}
    (e_start, e_limit), (f_start, f_limit) = hypers["energy_weight"], hypers["force_weight"]
    return {
        "model": {
            "type_map": list(elements),
            "descriptor": {
                "rcut": hypers["r_max"], "rcut_smth": hypers["r_smooth"], **hypers["descriptor"], **precision,
            },
            "fitting_net": {"neuron": hypers["fitting_neuron"], **precision},
        },
        "learning_rate": {
            "type": "exp", "start_lr": hypers["learning_rate"], "stop_lr": hypers["last_learning_rate"],
            "decay_steps": max(1, hypers["steps"] // 100),
        },
        "loss": {
            "type": "ener", "start_pref_e": e_start, "limit_pref_e": e_limit,
            "start_pref_f": f_start, "limit_pref_f": f_limit,
        },
        "training": {
            "numb_steps": hypers["steps"], "seed": seed, "disp_freq": max(1, hypers["steps"] // 50),
            "save_freq": hypers["steps"],
            "training_data": {
                "systems": data["train"], "batch_size": hypers["batch_size"], "auto_prob": "prob_sys_size",
            },
            "validation_data": {"systems": data["valid"], "batch_size": 1, "numb_btch": 3},
        },
    }  # fmt: skip


def _threads() -> dict[str, str]:
    """TensorFlow's own threads, from OMP_NUM_THREADS."""
    threads = os.environ.get("OMP_NUM_THREADS", "1")
    return {
        "OMP_NUM_THREADS": threads, "DP_INTRA_OP_PARALLELISM_THREADS": threads, "DP_INTER_OP_PARALLELISM_THREADS": "1",
        "DP_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3",
    }  # fmt: skip


def _dp(command: str, arguments: Sequence[str], directory: Path) -> None:
    argv = [sys.executable, "-m", "deepmd", "--tf", command, *arguments]
    run(argv, directory, f"dp-{command}", _threads())


def _check(curve: Path) -> None:
    """Raises RuntimeError if an error in lcurve.out is not finite."""
    names = curve.read_text().splitlines()[0].lstrip("# ").split()
    rows = np.loadtxt(curve, ndmin=2)
    for row in rows:
        for name, value in zip(names, row, strict=True):
            if not math.isfinite(value):
                told = f"{name} is {value} at step {row[0]:.0f} ({curve})"
                raise RuntimeError(f"training diverged: {told}; lower learning_rate")
    first, last = (dict(zip(names, row, strict=True)) for row in (rows[0], rows[-1]))
    if last["rmse_f_val"] > 100 * first["rmse_f_val"]:  # dp can go on for long without a NaN
        told = f"rmse_f_val grew to {last['rmse_f_val']:.3g} eV/A ({curve})"
        raise RuntimeError(f"training diverged: {told}; lower learning_rate")
    told = 1e3 * last["rmse_f_val"], 1e3 * last["rmse_e_val"]
    log.info("last batches: forces %.1f meV/A, energy %.2f meV/atom (RMSE, validation)", *told)
