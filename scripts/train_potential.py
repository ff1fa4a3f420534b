"""Train one potential on the labels of all rounds so far, and measure its errors per condition on held-out frames."""

import itertools
import logging
import os
import shutil
import time
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from ase import Atoms
from thermoweave import datasets, environment, logs, potentials, prediction
from thermoweave.potentials import manifest as manifests
from thermoweave.potentials import shifts as levels
from thermoweave.potentials import start as starts
from thermoweave.potentials.wall import STIFFNESS, Walled, fit_wall
from thermoweave.potentials.wall import forces as wall_forces

log = logging.getLogger(__name__)


def train_potential(
    labels: Sequence[Path],
    out_manifest: Path,
    out_errors: Path,
    out_predictions: Path,
    directory: Path,
    backend: str,
    hypers: dict,
    seed: int,
    sampled: dict[str, list[str]],
    wall_stiffness: float = STIFFNESS,
    start: Path | None = None,
    fine_tune: bool = True,
    share: float = 1.0,
) -> None:
    """Train, fit the wall and the energies of the species, write the manifest, the errors on held-out frames, and the
    predictions behind them.

    Parameters: `labels`, extended XYZ files of labelled frames; `out_manifest`, potential.json (the weights go beside
    it); `out_errors`, errors.json; `out_predictions`, npz with the forces of the test frames; `directory`, scratch of
    the backend (its logs and learning curve stay there); `backend` and `hypers`, an adapter's name and changes to its
    HYPERS; `seed`, of initial weights and batches; `sampled`, the "concentrations" and "temperatures" that structures
    were made for; `wall_stiffness`, eV/A^2; `start`, a checkpoint to begin from, and whether to `fine_tune` it or to
    take it as it is; `share`, of the training labels that are used, in as many steps as all of them would take.
    Raises ValueError on unusable labels, hyperparameters or a checkpoint that does not fit, RuntimeError where training
    diverges. The manifest is written last: where it exists, all else does.
    """
    adapter, directory = potentials.adapter(backend), Path(directory)
    parts = datasets.split(datasets.read_labels(labels))
    datasets.check_coverage(parts["train"], **sampled)
    n_all = len(parts["train"])
    parts["train"] = datasets.first_share(parts["train"], share)
    wall = fit_wall(parts["train"], wall_stiffness)
    log.info("labels: %s; wall: %s", {name: len(part) for name, part in parts.items()}, wall["r_min_A"])
    begin, changes = None, hypers
    hypers = potentials.hyperparameters(backend, changes)
    if start is not None:
        unpacked = directory.with_name(f"{directory.name}_start")
        shutil.rmtree(unpacked, ignore_errors=True)  # of an earlier job
        begin = starts.read(start, backend, unpacked)
        starts.check_species(
            begin.file, begin.elements, {s for part in parts.values() for a in part for s in a.symbols}
        )
        hypers = starts.hyperparameters(begin, adapter, changes)
    before, clock = os.times(), time.perf_counter()
    trained, shifts = fit(adapter, parts, hypers, seed, directory, begin, fine_tune, n_all)
    wall_s, after = time.perf_counter() - clock, os.times()
    calculator = Walled(adapter.calculator(trained, "cpu", hypers["dtype"]), wall, shifts)
    predicted = prediction.predict(calculator, parts["test"])
    errors = {"units": prediction.UNITS, "share": share, "n_train": len(parts["train"])}
    errors["test"] = prediction.summarise(parts["test"], predicted)
    errors["valid"] = prediction.error_row(parts["valid"], prediction.predict(calculator, parts["valid"]))
    log.info("trained in %.0f s; on %d test frames: %s", wall_s, len(parts["test"]), errors["test"]["all"])

    place(trained, Path(out_manifest).parent)
    prediction.save(out_predictions, parts["test"], predicted, [wall_forces(wall, atoms) for atoms in parts["test"]])
    manifests.write_json(out_errors, errors)
    manifests.write_json(out_manifest, {
        "backend": backend,
        "version": metadata.version(adapter.DISTRIBUTION),
        "files": {path.name: manifests.sha256(path) for path in trained},
        "weights": [path.name for path in trained],
        "compiled": None,
        "elements": sorted(shifts),
        "cutoff_A": hypers["r_max"],
        "dtype": hypers["dtype"],
        "units": manifests.UNITS,
        "hyperparameters": hypers,
        "seed": seed,
        "start": begin and {"file": str(start), "sha256": manifests.sha256(start), "fine_tuned": fine_tune},
        "training_set_sha256": datasets.digest(parts["train"]),
        "test_set_sha256": datasets.digest(parts["test"]),
        **{f"n_{name}": len(part) for name, part in parts.items()},
        "wall": wall,
        "energy_shifts_eV": shifts,
        "errors": errors["test"],
        "training": {
            "wall_s": round(wall_s, 2),
            # of this process and of the commands that it ran
            "core_s": max(0.01, round(sum(after[:4]) - sum(before[:4]), 2)),
            "threads": int(os.environ.get("OMP_NUM_THREADS", "1")),
        },
    })  # fmt: skip


def place(files: Sequence[Path], folder: Path) -> None:
    """Copy files into a folder, each whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in files:
        shutil.copyfile(path, folder / f"{path.name}.part")
        os.replace(folder / f"{path.name}.part", folder / path.name)


def fit(
    adapter, parts: dict[str, list[Atoms]], hypers: dict, seed: int, directory: Path,
    begin: starts.Start | None, fine_tune: bool, n_all: int,
) -> tuple[list[Path], dict[str, float]]:  # fmt: skip
    """The weight files, and the energies of the species that go with them (eV)."""
    known = None
    if begin is not None:  # its network has a level of its own: what is left of the labels without it is theirs
        network = adapter.calculator(begin.weights, "cpu", hypers["dtype"])
        no_shifts = Walled(network, starts.NO_WALL, dict.fromkeys(begin.elements, 0.0))
        known = [p.energy for p in prediction.predict(no_shifts, parts["train"])]
    shifts = levels.fit(parts["train"], known)
    if begin is not None and not fine_tune:
        return begin.weights, shifts
    # a part of the labels is shown more often: fewer steps would pass for fewer labels
    train = list(itertools.islice(itertools.cycle(parts["train"]), n_all))
    data = levels.take_off(shifts, train), levels.take_off(shifts, parts["valid"])
    options = {"start": begin.weights} if begin is not None else {}
    return adapter.train(*data, hypers, seed, directory, **options), shifts


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
