"""Train one potential on the labels of all rounds so far, and measure its errors per condition on held-out frames."""

import logging
import os
import shutil
import time
from collections import defaultdict
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

import numpy as np
from ase import Atoms
from thermoweave import datasets, environment, logs, potentials
from thermoweave.potentials import manifest as manifests
from thermoweave.potentials.wall import STIFFNESS, Walled, fit_wall

log = logging.getLogger(__name__)

CLUSTERS = 5  # frames from which on their scatter gives the uncertainty; below, that of single atoms


def train_potential(
    labels: Sequence[Path],
    out_manifest: Path,
    out_errors: Path,
    out_predictions: Path,
    directory: Path,
    backend: str,
    hypers: dict,
    seed: int,
    wall_stiffness: float = STIFFNESS,
) -> None:
    """Train, fit the wall, write the manifest, the errors on held-out frames, and the predictions behind them.

    Parameters: `labels`, extended XYZ files of labelled frames; `out_manifest`, potential.json (the weights go beside
    it); `out_errors`, errors.json; `out_predictions`, npz with the forces of the test frames; `directory`, scratch of
    the backend (its logs and learning curve stay there); `backend` and `hypers`, an adapter's name and changes to its
    HYPERS; `seed`, of initial weights and batches; `wall_stiffness`, eV/A^2.
    Raises ValueError on unusable labels or hyperparameters, RuntimeError where training diverges. The manifest is
    written last: where it exists, all else does.
    """
    adapter = potentials.adapter(backend)
    hypers = potentials.hyperparameters(backend, hypers)
    frames = datasets.read_labels(labels)
    parts = datasets.split(frames)
    wall = fit_wall(parts["train"], wall_stiffness)
    log.info("%d labels: %s; wall: %s", len(frames), {name: len(part) for name, part in parts.items()}, wall["r_min_A"])
    start = time.perf_counter()
    trained = adapter.train(parts["train"], parts["valid"], hypers, seed, Path(directory))
    training_s = time.perf_counter() - start
    calculator = Walled(adapter.calculator(trained, "cpu", hypers["dtype"]), wall)
    errors = {"units": {"force": "meV/A, per component", "energy": "meV/atom"}}
    predicted = predict(calculator, parts["test"])
    errors["test"] = summarise(parts["test"], predicted)
    errors["valid"] = error_row(parts["valid"], predict(calculator, parts["valid"]))
    log.info("trained in %.0f s; on %d test frames: %s", training_s, len(parts["test"]), errors["test"]["all"])

    folder = Path(out_manifest).parent
    folder.mkdir(parents=True, exist_ok=True)
    for path in trained:
        shutil.copyfile(path, folder / f"{path.name}.part")
        os.replace(folder / f"{path.name}.part", folder / path.name)
    save_predictions(out_predictions, parts["test"], predicted)
    manifests.write_json(out_errors, errors)
    manifests.write_json(out_manifest, {
        "backend": backend,
        "version": metadata.version(adapter.DISTRIBUTION),
        "files": {path.name: manifests.sha256(path) for path in trained},
        "weights": [path.name for path in trained],
        "compiled": None,
        "elements": sorted({symbol for atoms in parts["train"] for symbol in atoms.symbols}),
        "cutoff_A": hypers["r_max"],
        "dtype": hypers["dtype"],
        "units": manifests.UNITS,
        "hyperparameters": hypers,
        "seed": seed,
        "training_set_sha256": datasets.digest(parts["train"]),
        **{f"n_{name}": len(part) for name, part in parts.items()},
        "wall": wall,
        "errors": errors["test"]["all"],
        "training_s": round(training_s, 1),
    })  # fmt: skip


def predict(calculator: Walled, frames: Sequence[Atoms]) -> list[tuple[float, np.ndarray]]:
    """(energy in eV, forces in eV/A) of each frame."""
    results = []
    for atoms in frames:
        copy = Atoms(atoms.numbers, atoms.positions, cell=atoms.cell, pbc=atoms.pbc, calculator=calculator)
        results.append((float(copy.get_potential_energy()), copy.get_forces()))
    return results


def summarise(frames: Sequence[Atoms], predicted: Sequence[tuple[float, np.ndarray]]) -> dict:
    """Errors over all frames, per concentration, and per (concentration, temperature)."""
    by_condition, by_concentration = defaultdict(list), defaultdict(list)
    for atoms, prediction in zip(frames, predicted, strict=True):
        concentration, temperature = datasets.condition(atoms)
        by_condition[concentration, temperature].append((atoms, prediction))
        by_concentration[concentration].append((atoms, prediction))
    return {
        "all": error_row(frames, predicted),
        "concentrations": [
            {"concentration": x, **error_row(*zip(*group, strict=True))}
            for x, group in sorted(by_concentration.items())
        ],
        "conditions": [
            {"concentration": x, "temperature": t, **error_row(*zip(*group, strict=True))}
            for (x, t), group in sorted(by_condition.items())
        ],
    }


def error_row(frames: Sequence[Atoms], predicted: Sequence[tuple[float, np.ndarray]]) -> dict:
    """Force RMSE and MAE (meV/A, components) and energy RMSE (meV/atom), each with its standard error."""
    forces = [1000 * (f - atoms.arrays["REF_forces"]) for atoms, (_, f) in zip(frames, predicted, strict=True)]
    energy = np.array(
        [1000 * (e - atoms.info["REF_energy"]) / len(atoms) for atoms, (e, _) in zip(frames, predicted, strict=True)]
    )
    rmse, rmse_std = root_mean_square(forces)
    mae, mae_std = mean_with_error([np.abs(f) for f in forces])
    energy_rmse, energy_std = root_mean_square([energy[:, None]])
    row = {
        "force_rmse_meV_A": rmse, "force_rmse_std_meV_A": rmse_std,
        "force_mae_meV_A": mae, "force_mae_std_meV_A": mae_std,
        "energy_rmse_meV_atom": energy_rmse, "energy_rmse_std_meV_atom": energy_std,
    }  # fmt: skip
    return {"n_frames": len(frames), **{key: round(value, 3) for key, value in row.items()}}


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


def save_predictions(path: Path, frames: Sequence[Atoms], predicted: Sequence[tuple[float, np.ndarray]]) -> None:
    """npz with, per atom of the test frames: symbol, reference and predicted force (eV/A)."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".part")
    with open(temporary, "wb") as file:
        np.savez_compressed(
            file,
            symbol=np.concatenate([np.array(atoms.get_chemical_symbols(), dtype="U3") for atoms in frames]),
            reference=np.concatenate([atoms.arrays["REF_forces"] for atoms in frames]),
            predicted=np.concatenate([forces for _, forces in predicted]),
        )
    os.replace(temporary, path)


if __name__ == "__main__":
    environment.isolate()
    logs.start(snakemake.log[0])
    train_potential(
        snakemake.input.labels,
        snakemake.output.manifest,
        snakemake.output.errors,
        snakemake.output.predictions,
        **snakemake.params,
    )
