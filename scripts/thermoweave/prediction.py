"""What a potential predicts for labelled frames, and its errors with their standard errors.

Forces are compared by component, energies per atom, stresses by component where the labels have them. A label's stress
is REF_stress (eV/A^3, ASE's sign and Voigt order).
"""

import os
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from ase import Atoms

from thermoweave import datasets

CLUSTERS = 5  # frames from which on their scatter gives the uncertainty; below, that of single atoms
UNITS = {"force": "meV/A, per component", "energy": "meV/atom", "stress": "meV/A^3, per component"}


class Prediction(NamedTuple):
    """Of one frame: energy (eV), forces (eV/A, (atoms, 3)) and, where the label has one, stress (eV/A^3, Voigt)."""

    energy: float
    forces: np.ndarray
    stress: np.ndarray | None


def predict(calculator, frames: Sequence[Atoms]) -> list[Prediction]:
    """Predictions of an ASE calculator. Raises RuntimeError where one is not a number."""
    results = []
    for atoms in frames:
        copy = Atoms(atoms.numbers, atoms.positions, cell=atoms.cell, pbc=atoms.pbc, calculator=calculator)
        stress = copy.get_stress() if "REF_stress" in atoms.info else None
        results.append(Prediction(float(copy.get_potential_energy()), copy.get_forces(), stress))
        if not all(np.isfinite(values).all() for values in results[-1] if values is not None):
            label = atoms.info.get("label_id", "?")[:12]
            raise RuntimeError(f"the potential predicts no number for label {label}: lower its learning_rate")
    return results


def summarise(frames: Sequence[Atoms], predicted: Sequence[Prediction]) -> dict:
    """Errors over all frames, per species, per concentration, and per (concentration, temperature)."""

    def rows(key: Callable[[Atoms], tuple], names: tuple[str, ...]) -> list[dict]:
        groups = defaultdict(list)
        for atoms, prediction in zip(frames, predicted, strict=True):
            groups[key(atoms)].append((atoms, prediction))
        return [
            {**dict(zip(names, values, strict=True)), **error_row(*zip(*group, strict=True))}
            for values, group in sorted(groups.items())
        ]

    return {
        "all": error_row(frames, predicted),
        "species": species_rows(frames, predicted),
        "concentrations": rows(lambda atoms: datasets.condition(atoms)[:1], ("concentration",)),
        "conditions": rows(datasets.condition, ("concentration", "temperature")),
    }


def error_row(frames: Sequence[Atoms], predicted: Sequence[Prediction]) -> dict:
    """n_frames, and RMSE and MAE of forces (meV/A), energy (meV/atom) and stress (meV/A^3), each with its standard
    error; no stress where a label has none.
    """
    pairs = list(zip(frames, predicted, strict=True))
    row = {"n_frames": len(frames), **_force_errors([f for _, (_, f, _) in pairs], frames)}
    energies = [np.array([[1000 * (e - atoms.info["REF_energy"]) / len(atoms)]]) for atoms, (e, _, _) in pairs]
    row |= _errors("energy", "meV_atom", energies)
    if all(stress is not None for *_, stress in predicted):
        stresses = [1000 * (stress - atoms.info["REF_stress"])[None] for atoms, (_, _, stress) in pairs]
        row |= _errors("stress", "meV_A3", stresses)
    return row


def species_rows(frames: Sequence[Atoms], predicted: Sequence[Prediction]) -> list[dict]:
    """Errors of the forces on each species."""
    rows = []
    for species in sorted({symbol for atoms in frames for symbol in atoms.symbols}):
        holding = [(atoms, p) for atoms, p in zip(frames, predicted, strict=True) if species in atoms.symbols]
        chosen = [atoms[atoms.symbols == species] for atoms, _ in holding]
        forces = [p.forces[atoms.symbols == species] for atoms, p in holding]
        n_atoms = sum(len(atoms) for atoms in chosen)
        rows.append({"species": species, "n_frames": len(chosen), "n_atoms": n_atoms, **_force_errors(forces, chosen)})
    return rows


def _force_errors(forces: Sequence[np.ndarray], frames: Sequence[Atoms]) -> dict:
    differences = [1000 * (f - atoms.arrays["REF_forces"]) for f, atoms in zip(forces, frames, strict=True)]
    return _errors("force", "meV_A", differences)


def _errors(name: str, unit: str, differences: Sequence[np.ndarray]) -> dict:
    """RMSE and MAE with their standard errors, of one array (atoms, components) a frame."""
    rmse, rmse_std = root_mean_square(differences)
    mae, mae_std = mean_with_error([np.abs(d) for d in differences])
    found = {"rmse": rmse, "rmse_std": rmse_std, "mae": mae, "mae_std": mae_std}
    return {f"{name}_{key}_{unit}": round(value, 3) for key, value in found.items()}


def mean_with_error(values: Sequence[np.ndarray]) -> tuple[float, float]:
    """Mean over everything, and its standard error, of one array (atoms, components) per frame.

    The components of an atom, and the atoms of a frame, err together. With `CLUSTERS` frames or more the scatter of the
    frames' means counts (each weighted by its size); with fewer that of the atoms', taken for independent.
    """
    atoms = [v.mean(axis=1) for v in values]
    clusters = atoms if len(atoms) >= CLUSTERS else [row[None] for v in atoms for row in v]
    mean = float(np.concatenate(atoms).mean())
    n, total = len(clusters), sum(len(c) for c in clusters)
    residuals = np.array([(c - mean).sum() for c in clusters])
    if n == 1:
        return mean, abs(mean)  # one number only: all that is known is its size
    return mean, float(np.sqrt(n / (n - 1) * np.sum(residuals**2)) / total)


def root_mean_square(values: Sequence[np.ndarray]) -> tuple[float, float]:
    """Root mean square and its standard error (delta method on the mean of the squares)."""
    mean, error = mean_with_error([v**2 for v in values])
    rms = np.sqrt(mean)
    return float(rms), float(error / (2 * rms)) if rms > 0 else 0.0


def rmse_difference(first: Sequence[np.ndarray], second: Sequence[np.ndarray]) -> tuple[float, float]:
    """RMSE of `first` less that of `second`, and its standard error, for the errors (atoms, components) that two
    potentials make on the same frames.

    What makes a frame hard is hard for both, so that the difference is known better than either RMSE. Delta method:
    d(rms) = d(mean square) / (2 rms).
    """
    rms = [float(np.sqrt(np.mean(np.concatenate(errors) ** 2))) for errors in (first, second)]
    if min(rms) == 0:
        return rms[0] - rms[1], float("nan")
    _, error = mean_with_error([a**2 / (2 * rms[0]) - b**2 / (2 * rms[1]) for a, b in zip(first, second, strict=True)])
    return rms[0] - rms[1], error


def read_force_errors(path: Path) -> list[np.ndarray]:
    """Errors of the forces (meV/A, (atoms, 3)) of each frame of a file that `save` wrote."""
    with np.load(path, allow_pickle=False) as data:
        difference = 1000 * (data["predicted"] - data["reference"])
        return [difference[data["frame"] == k] for k in range(data["frame"].max() + 1)]


def save(path: Path, frames: Sequence[Atoms], predicted: Sequence[Prediction], walls: Sequence[np.ndarray]) -> None:
    """npz with, per atom of the frames: number of its frame, symbol, reference and predicted force and what of the
    latter is the wall's (eV/A); per frame: label_id, and the condition that it was made for, or the walk that it is of.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".part")
    with open(temporary, "wb") as file:
        np.savez_compressed(
            file,
            frame=np.repeat(np.arange(len(frames)), [len(atoms) for atoms in frames]),
            symbol=np.concatenate([np.array(atoms.get_chemical_symbols(), dtype="U3") for atoms in frames]),
            reference=np.concatenate([atoms.arrays["REF_forces"] for atoms in frames]),
            predicted=np.concatenate([p.forces for p in predicted]),
            wall=np.concatenate(walls),
            label_id=np.array([atoms.info["label_id"] for atoms in frames]),
            condition=np.array([condition(atoms) for atoms in frames]),
        )
    os.replace(temporary, path)


def condition(atoms: Atoms) -> str:
    """The walk that a frame is of, or the condition that it was made for: "x0.50 T1000", "x0.50 T1000 denser"."""
    return atoms.info.get("walk", f"{atoms.info['concentration']} {atoms.info['temperature']}")
