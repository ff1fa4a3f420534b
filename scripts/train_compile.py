"""Compile a trained potential for this machine, and check that the compiled model gives the same forces."""

import logging
import os
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ase import Atoms
from thermoweave import datasets, environment, logs, potentials
from thermoweave.potentials import manifest as manifests

log = logging.getLogger(__name__)

MODES = ("auto", "aotinductor", "none")
TOLERANCE = {"float32": 1e-3, "float64": 1e-8}  # eV/A: largest difference of a force component, compiled against eager
FRAMES = 3  # labels on which they are compared
STEPS = 20  # evaluations timed, of each


def train_compile(potential: Path, labels: Sequence[Path], out_manifest: Path, mode: str = "auto") -> None:
    """Write a potential.json whose model is compiled, with the compiled file beside it.

    Parameters: `potential`, the manifest to compile; `labels`, files of labelled frames to compare on; `mode`,
    "aotinductor": compile, and fail where there is no C++ compiler; "none": run eagerly (about five times slower);
    "auto": compile where there is a C++ compiler, else run eagerly and say so in the log. The new manifest adds
    "compiled" (the file, or null) and "compilation" (mode, largest force difference, ms per step eager and compiled).
    Raises ValueError on an unknown mode, RuntimeError without a compiler or where the forces differ by more than
    `TOLERANCE`.
    """
    if mode not in MODES:
        raise ValueError(f"train.compile is {mode!r}; it must be one of {', '.join(MODES)}")
    potential, out_manifest = Path(potential), Path(out_manifest)
    manifest = manifests.read(potential)
    folder = out_manifest.parent
    folder.mkdir(parents=True, exist_ok=True)
    weights = [os.path.relpath(potential.parent / name, folder) for name in manifest["weights"]]
    files = {new: manifest["files"][old] for new, old in zip(weights, manifest["weights"], strict=True)}
    result = {**manifest, "weights": weights, "files": files, "compilation": {"mode": "none"}}
    if wanted(mode):
        frames = datasets.read_labels(labels)[:FRAMES]
        compiled, figures = compile_and_compare(potential, manifest, frames, folder)
        files[compiled.name] = manifests.sha256(compiled)
        result |= {"compiled": compiled.name, "compilation": {"mode": "aotinductor", **figures}}
    manifests.write_json(out_manifest, result)


def wanted(mode: str) -> bool:
    """Whether to compile. Raises RuntimeError if it is asked for and cannot be done."""
    compiler = shutil.which(os.environ.get("CXX", "g++"))
    if mode == "none" or (mode == "auto" and compiler is None):
        why = "train.compile is none" if mode == "none" else "there is no C++ compiler (g++) on this machine"
        log.warning("not compiled: %s; the potential runs eagerly, about five times slower", why)
        return False
    if compiler is None:
        raise RuntimeError(
            "train.compile is aotinductor, and there is no C++ compiler on the PATH: install g++ (Debian, Ubuntu: g++; "
            "Fedora: gcc-c++; conda: gxx_linux-64), name another in CXX, or set train.compile to auto or none"
        )
    return True


def compile_and_compare(
    potential: Path, manifest: dict, frames: Sequence[Atoms], folder: Path
) -> tuple[Path, dict[str, float]]:
    """The compiled file and {"seconds", "force_difference_eV_A", "tolerance_eV_A", "ms_per_step_eager", ...}."""
    adapter = potentials.adapter(manifest["backend"])
    weights = manifests.files(potential, {**manifest, "compiled": None})
    start = time.perf_counter()
    compiled = adapter.compile(weights, folder, "cpu")
    seconds = time.perf_counter() - start
    eager = adapter.calculator(weights, "cpu", manifest["dtype"])
    fast = adapter.calculator([compiled], "cpu", manifest["dtype"])
    difference = max(float(np.abs(forces(eager, atoms) - forces(fast, atoms)).max()) for atoms in frames)
    tolerance = TOLERANCE[manifest["dtype"]]
    figures = {
        "seconds": round(seconds, 1),
        "force_difference_eV_A": difference,
        "tolerance_eV_A": tolerance,
        "n_atoms": len(frames[0]),
        "ms_per_step_eager": round(milliseconds(eager, frames[0]), 2),
        "ms_per_step": round(milliseconds(fast, frames[0]), 2),
    }
    log.info("compiled %s: %s", compiled.name, figures)
    if not difference <= tolerance:  # also where it is not a number
        compiled.unlink()
        raise RuntimeError(
            f"the compiled model's forces differ from eager ones by {difference:.2g} eV/A (allowed: {tolerance:g}); "
            "the C++ compiler or torch is at fault; set train.compile to none to run eagerly"
        )
    return compiled, figures


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
