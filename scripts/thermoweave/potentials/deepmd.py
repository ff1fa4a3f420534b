"""DeePMD (smooth descriptors and a network per element), through its own command dp, in its TensorFlow build.

Each command runs as a subprocess of this environment; threads come from OMP_NUM_THREADS. With one thread, the same seed
and the same labels give the same weights, bit for bit, on one machine. The trained model is a frozen TensorFlow graph
(a protocol buffer: no pickle), read before it is run (`deepmd_graph`); LAMMPS reads it, too (`pair_style deepmd`).
"""

import json
import logging
import math
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes

from thermoweave.potentials import deepmd_graph, deepmd_input
from thermoweave.potentials.command import emptied, run

HYPERS = {
    "r_max": 6.0,  # A, cutoff
    "r_smooth": 0.5,  # A, where the weight of a neighbour begins to fall
    "descriptor": {  # any descriptor of dp's TensorFlow build, with its own keys (sel "auto": counted in the labels)
        "type": "se_e2_a", "neuron": [8, 16, 32], "axis_neuron": 8, "sel": "auto:1.3", "type_one_side": True,
    },
    "fitting_neuron": [32, 32, 32],  # neurons of the network from an atom's descriptor to its energy
    "dtype": "float32",  # of the networks; energies are summed in float64 in either case
    "steps": 5000,  # batches
    "batch_size": 2,  # frames a step, all of one composition
    "learning_rate": 0.01,  # at the start; falls exponentially
    "last_learning_rate": 1e-6,
    "energy_weight": [0.02, 1.0],  # of the energy error in the loss, at the start and at the end
    "force_weight": [1000.0, 1000.0],  # of the force error
}  # fmt: skip
REFERENCES = [
    "L. Zhang et al., Adv. Neural Inf. Process. Syst. 31, 4436 (2018), arXiv:1805.09003",
    "J. Zeng et al., J. Chem. Phys. 159, 054801 (2023), doi:10.1063/5.0155600",
]
DISTRIBUTION = "deepmd-kit"
ARCHITECTURE = ("r_max", "r_smooth", "descriptor", "fitting_neuron", "dtype")
COMPILER = ""
TOLERANCE = {"float32": 2e-3, "float64": 1e-6}  # the networks are tabulated; measured: 4e-4, 3e-10
MODEL, COMPILED = "model.pb", "model_compressed.pb"
SEPARATE = ("rcut", "rcut_smth", "precision", "seed")  # keys of a descriptor that are not in HYPERS["descriptor"]

log = logging.getLogger(__name__)


def train(
    train: Sequence[Atoms],
    valid: Sequence[Atoms],
    hypers: dict,
    seed: int,
    directory: Path,
    start: Sequence[Path] | None = None,
) -> list[Path]:
    """Train on frames with REF_energy (eV) and REF_forces (eV/A); returns [the frozen graph].

    The weights are those of the last step: dp keeps no best one. With `start` the model is the one of that graph: its
    species, its own count of neighbours (`sel`), its normalisation. Raises ValueError where `start` is no graph of
    DeePMD's, RuntimeError where dp fails or diverges.
    """
    directory = emptied(directory)
    elements = sorted({symbol for atoms in train for symbol in atoms.symbols})
    model = deepmd_graph.model(start[0]) if start else deepmd_input.model(elements, hypers, seed)
    data = {
        name: deepmd_input.write_systems(frames, model["type_map"], directory / name)
        for name, frames in (("train", train), ("valid", valid))
    }
    (directory / "input.json").write_text(json.dumps(deepmd_input.config(model, data, hypers, seed), indent=1))
    _dp("train", ["input.json", *(["--init-frz-model", str(Path(start[0]).resolve())] if start else [])], directory)
    for line in (directory / "dp-train.log").read_text().splitlines():
        if "is not enough" in line:  # sel: neighbours beyond it are left out
            log.warning(line)
    _check(directory / "lcurve.out")
    _dp("freeze", ["-o", MODEL], directory)
    return [directory / MODEL]


def compile(weights: Sequence[Path], directory: Path, device: str = "cpu") -> Path:
    """The model with its embedding networks tabulated (`dp compress`). Raises ValueError where it is no such model."""
    deepmd_graph.model(weights[0])  # dp compress runs the input that the graph holds
    directory = Path(directory).resolve()
    directory.mkdir(parents=True, exist_ok=True)
    _dp("compress", ["-i", str(Path(weights[0]).resolve()), "-o", COMPILED], directory)
    return directory / COMPILED


def calculator(weights: Sequence[Path], device: str = "cpu", dtype: str = "float32") -> Calculator:
    """ASE calculator from what `train` or `compile` wrote. Raises ValueError where a graph is not one of DeePMD's.

    Where an atom has more neighbours than the network takes notice of (`sel`), energy and forces are no numbers, which
    ends a run, and a warning says why: dp would leave them out without a word.
    """
    os.environ.update(threads())  # TensorFlow reads them once
    graph = deepmd_graph.check(weights[0])
    limits, types = deepmd_graph.neighbours(graph), deepmd_graph.types(graph)
    from deepmd.calculator import DP

    class Counted(DP):
        def calculate(self, atoms=None, properties=("energy",), system_changes=tuple(all_changes)):
            super().calculate(deepmd_input.right_handed(atoms), list(properties), list(system_changes))
            told = [crowded(atoms, r_max, sel, types) for r_max, sel in limits]
            if any(told):
                log.warning("%s", "; ".join(filter(None, told)))
                self.results = {key: np.full_like(value, np.nan) for key, value in self.results.items()}

    return Counted(model=str(weights[0]))


def crowded(atoms: Atoms, r_max: float, sel: Sequence[int], types: Sequence[str]) -> str:
    """A sentence where an atom has more neighbours within `r_max` (A) than `sel` of one of the `types` (or, if that is
    one number, of any), else nothing.
    """
    from vesin import NeighborList

    search = NeighborList(cutoff=r_max, full_list=True, n_threads=1)
    i, j = (k.astype(int) for k in search.compute(atoms.positions, atoms.cell.array, atoms.pbc, "ij"))
    kinds = np.array([types.index(symbol) if len(sel) > 1 else 0 for symbol in atoms.symbols])
    counts = np.bincount(i * len(sel) + kinds[j], minlength=len(atoms) * len(sel))
    most = counts.reshape(-1, len(sel)).max(axis=0)
    names = types if len(sel) > 1 else ["all species"]
    told = ", ".join(f"{name}: {m} (sel {s})" for name, m, s in zip(names, most, sel, strict=True) if m > s)
    return told and (
        f"an atom has more neighbours within {r_max:g} A than the network takes notice of ({told}): the cell is denser "
        "than the labels were, or descriptor.sel too small"
    )


def checkpoint(path: Path, directory: Path) -> tuple[list[Path], dict]:
    """A frozen graph (.pb) of `dp --tf freeze` as weight files, {"elements", "hyperparameters"}.

    Raises ValueError where `deepmd_graph.model` does.
    """
    model = deepmd_graph.model(path)
    descriptor, network = model["descriptor"], model["fitting_net"]
    parts = descriptor.get("list", [descriptor])  # of a hybrid
    single = all(part.get("precision") == "float32" for part in (*parts, network))
    hypers = {
        "r_max": max(part["rcut"] for part in parts),
        "r_smooth": min(part["rcut_smth"] for part in parts),
        "descriptor": {key: value for key, value in descriptor.items() if key not in SEPARATE},
        "fitting_neuron": network["neuron"],
        "dtype": "float32" if single else "float64",
    }
    weights = Path(directory) / MODEL
    shutil.copyfile(path, weights)
    return [weights], {"elements": model["type_map"], "hyperparameters": hypers}


def threads() -> dict[str, str]:
    """Environment variables of DeePMD's own threads, from OMP_NUM_THREADS."""
    threads = os.environ.get("OMP_NUM_THREADS", "1")
    return {
        "OMP_NUM_THREADS": threads, "DP_INTRA_OP_PARALLELISM_THREADS": threads, "DP_INTER_OP_PARALLELISM_THREADS": "1",
        "DP_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3",
    }  # fmt: skip


def _dp(command: str, arguments: Sequence[str], directory: Path) -> None:
    argv = [sys.executable, "-m", "deepmd", "--tf", command, *arguments]
    run(argv, directory, f"dp-{command}", threads())


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
