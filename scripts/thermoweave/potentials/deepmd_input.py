"""What dp train reads: its input (input.json) and labelled frames in its own format."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ase import Atoms


def right_handed(atoms: Atoms) -> Atoms:
    """The same lattice with vectors that dp reads right: it takes those of a left-handed cell for another one."""
    if np.linalg.det(atoms.cell.array) >= 0:
        return atoms
    copy = atoms.copy()
    copy.set_cell(atoms.cell.array * [[-1], [1], [1]])
    return copy


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
            "box": [right_handed(atoms).cell.array.ravel() for atoms, _ in group],
            "energy": [atoms.info["REF_energy"] for atoms, _ in group],
            "force": [atoms.arrays["REF_forces"][order].ravel() for atoms, order in group],
        }
        for key, values in arrays.items():
            np.save(folder / "set.000" / f"{key}.npy", np.array(values, np.float64))
        folders.append(str(folder))
    return folders


def model(elements: Sequence[str], hypers: dict, seed: int) -> dict:
    """The section "model" of dp train's input."""
    precision = {"precision": hypers["dtype"], "seed": seed}
    common = {"rcut": hypers["r_max"], "rcut_smth": hypers["r_smooth"], **precision}
    descriptor = hypers["descriptor"]
    if descriptor["type"] == "hybrid":
        descriptor = {**descriptor, "list": [{**common, **part} for part in descriptor["list"]]}
    else:
        descriptor = {**common, **descriptor}
    fitting = {"neuron": hypers["fitting_neuron"], **precision}
    return {"type_map": list(elements), "descriptor": descriptor, "fitting_net": fitting}


def config(model: dict, data: dict, hypers: dict, seed: int) -> dict:
    """dp train's input (https://docs.deepmodeling.com/projects/deepmd/en/stable/train/train-input.html)."""
    (e_start, e_limit), (f_start, f_limit) = hypers["energy_weight"], hypers["force_weight"]
    return {
        "model": model,
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
