"""Compile a trained potential for this machine, check that it gives the same forces, and time a step of it."""

import logging
import os
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import numpy as np
from ase import Atoms
from thermoweave import datasets, environment, logs, potentials
from thermoweave.potentials import manifest as manifests
from thermoweave.potentials.wall import Walled

log = logging.getLogger(__name__)

MODES = ("auto", "always", "none")
STEPS = 20  # evaluations timed, of each


def train_compile(
    potential: Path, labels: Sequence[Path], out_manifest: Path, mode: str = "auto", device: str = "cpu"
) -> None:
    """Write a potential.json whose model is compiled, with the compiled file beside it.

    Parameters: `potential`, the manifest to compile; `labels`, files of labelled frames to compare on; `mode`,
    "always": compile, and fail where that cannot be done; "none": leave it as it was trained (up to five times slower);
    "auto": compile where it can be done, else say in the log why not; `device` (cpu, cuda), where it will run. The new
    manifest adds "compiled" (the file, or null) and "speed" (ms a step before and after, atoms, seconds of the
    compilation, largest force difference).
    Raises ValueError on an unknown mode, RuntimeError where it cannot be compiled or where the forces differ by more
    than the adapter's TOLERANCE.
    """
    if mode not in MODES:
        raise ValueError(f"train.compile is {mode!r}; it must be one of {', '.join(MODES)}")
    potential, out_manifest = Path(potential), Path(out_manifest)
    manifest = manifests.read(potential)
    adapter = potentials.adapter(manifest["backend"])
    folder = out_manifest.parent
    folder.mkdir(parents=True, exist_ok=True)
    weights = [os.path.relpath(potential.parent / name, folder) for name in manifest["weights"]]
    files = {new: manifest["files"][old] for new, old in zip(weights, manifest["weights"], strict=True)}
    first = {datasets.condition(atoms)[0]: atoms for atoms in reversed(datasets.read_labels(labels))}
    frames = [atoms for _, atoms in sorted(first.items())]  # one of each concentration: all species are among them
    trained = manifests.files(potential, {**manifest, "compiled": None})
    network = walled(adapter, trained, manifest, device)
    speed = {"n_atoms": len(frames[0]), "ms_per_step": round(milliseconds(network, frames[0]), 2)}
    result = {**manifest, "weights": weights, "files": files, "speed": speed}
    if wanted(mode, manifest["backend"], adapter):
        start = time.perf_counter()
        compiled = compiled_file(mode, adapter, trained, folder, device)
        seconds = time.perf_counter() - start
        if compiled:
            figures = compare(adapter, compiled, manifest, network, frames, device)
            files[compiled.name] = manifests.sha256(compiled)
            speed |= {"ms_per_step_before": speed["ms_per_step"], "compilation_s": round(seconds, 1), **figures}
            result["compiled"] = compiled.name
    log.info("%s: %s", result["compiled"] or "not compiled", speed)
    manifests.write_json(out_manifest, result)


def wanted(mode: str, backend: str, adapter: ModuleType) -> bool:
    """Whether to compile. Raises RuntimeError if it is asked for and cannot be done."""
    if mode == "none":
        return False
    if not hasattr(adapter, "compile"):
        why = f"{backend} has no compiled form"
    elif adapter.COMPILER and shutil.which(os.environ.get("CXX", adapter.COMPILER)) is None:
        why = (
            "there is no C++ compiler on the PATH: install g++ (Debian, Ubuntu: g++; Fedora: gcc-c++; conda: "
            "gxx_linux-64) or name another in CXX"
        )
    else:
        return True
    if mode == "always":
        raise RuntimeError(f"train.compile is always, and {why}; or set train.compile to auto or none")
    log.warning("not compiled: %s", why)
    return False


def compiled_file(mode: str, adapter: ModuleType, weights: Sequence[Path], folder: Path, device: str) -> Path | None:
    """What the adapter makes of the weights; None, said in the log, where it cannot and `mode` is auto."""
    try:
        return adapter.compile(weights, folder, device)
    except RuntimeError as error:  # not every model of a package has a compiled form
        if mode == "always":
            raise
        log.warning("not compiled: %s", error)
        return None


def compare(
    adapter: ModuleType, compiled: Path, manifest: dict, network: Walled, frames: Sequence[Atoms], device: str
) -> dict[str, float]:
    """{"force_difference_eV_A", "tolerance_eV_A", "ms_per_step"} of the compiled model. Removes it, and raises
    RuntimeError, where the difference is above the tolerance.
    """
    fast = walled(adapter, [compiled], manifest, device)
    difference = max(float(np.abs(forces(network, atoms) - forces(fast, atoms)).max()) for atoms in frames)
    tolerance = adapter.TOLERANCE[manifest["dtype"]]
    if not difference <= tolerance:  # also where it is not a number
        compiled.unlink()
        raise RuntimeError(
            f"the compiled model's forces differ by {difference:.2g} eV/A from those of the trained one (allowed: "
            f"{tolerance:g}); the compiler or the package is at fault; set train.compile to none to run without"
        )
    milliseconds_now = round(milliseconds(fast, frames[0]), 2)
    return {
        "force_difference_eV_A": difference, "tolerance_eV_A": tolerance, "ms_per_step": milliseconds_now
    }  # fmt: skip


def walled(adapter: ModuleType, files: Sequence[Path], manifest: dict, device: str) -> Walled:
    """The potential as a run has it, with its wall."""
    network = adapter.calculator(files, device, manifest["dtype"])
    return Walled(network, manifest["wall"], manifest["energy_shifts_eV"])


def forces(calculator: object, atoms: Atoms) -> np.ndarray:
    """Forces (eV/A) from `calculator`, with nothing cached."""
    return Atoms(atoms.numbers, atoms.positions, cell=atoms.cell, pbc=atoms.pbc, calculator=calculator).get_forces()


def milliseconds(calculator: object, atoms: Atoms) -> float:
    """Median wall time of one evaluation, in ms."""
    moved = Atoms(atoms.numbers, atoms.positions, cell=atoms.cell, pbc=atoms.pbc, calculator=calculator)
    times = []
    for _ in range(STEPS):
        moved.positions += 1e-6  # a changed position, or ASE returns the last result
        start = time.perf_counter()
        moved.get_forces()
        times.append(time.perf_counter() - start)
    return 1000 * float(np.median(times))


if __name__ == "__main__":
    environment.isolate()
    logs.start(snakemake.log[0])
    train_compile(snakemake.input.potential, snakemake.input.labels, snakemake.output[0], **snakemake.params)
