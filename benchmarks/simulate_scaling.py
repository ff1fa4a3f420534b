"""ms a step and memory, by the number of ions and of systems; each point in a process of its own."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import simulate_setup
from simulate_setup import SEED, Case

import numpy as np  # isort: skip
from ase import Atoms
from ase.io import read
from thermoweave import engines, trajectory
from thermoweave.preparation import relax
from thermoweave.protocol import Piece

# Of the cell along its axes: parts of it, and copies.
CELLS = [(0.5, 0.5, 1), (0.5, 1, 1), (1, 1, 1), (2, 1, 1), (2, 2, 1), (2, 2, 2), (4, 2, 2), (4, 4, 2), (4, 4, 4)]
SYSTEMS = (1, 4, 16, 64)
BLOCKS = 5


def scaling(case: Case, names: Sequence[str], seconds: float, slowest_ms: float) -> tuple[list[dict], list[dict]]:
    """Rows of the sizes (one system), up to the first step above `slowest_ms`, and rows of the numbers of systems."""
    sizes, batches = [], []
    for name in names:
        for cell in CELLS:
            sizes.append(process(case, name, cell, 1, seconds))
            if sizes[-1]["ms a step"] > slowest_ms:
                break
        for n_systems in SYSTEMS:
            batches.append(process(case, name, (1, 1, 1), n_systems, seconds))
            if batches[-1]["ms a step"] > slowest_ms:
                break
    return sizes, batches


def process(case: Case, engine: str, cell: Sequence[float], n_systems: int, seconds: float) -> dict:
    task = json.dumps([asdict(case), engine, cell, n_systems, seconds])
    done = subprocess.run([sys.executable, __file__, task], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{engine}, cell x {cell}, {n_systems} systems: {done.stderr}")
    row = json.loads(done.stdout.splitlines()[-1])
    print(row, flush=True)
    return row


def point(case: Case, engine: str, cell: Sequence[float], n_systems: int, seconds: float) -> dict:
    """One row: "ms a step" is that of all systems together."""
    session = engines.engine(engine).Session(Path(case.potential), case.device)
    atoms = cut_or_repeated(session, case.starts[0], cell)
    kelvin = simulate_setup.kelvin(case.starts[0])
    systems = [simulate_setup.moving(atoms, kelvin, SEED + k) for k in range(n_systems)]
    once = list(blocks(case, session, systems, kelvin, 1, 2))[-1]
    steps = min(max(round(seconds / BLOCKS / once), 1), 200)
    times = list(blocks(case, session, systems, kelvin, steps, BLOCKS + 1))[1:]  # the first evaluates once more
    if any(system.stopped for system in systems):
        sys.exit(f"{case.starts[0]}: a force is no number; take another start")
    found = np.array(times) * 1000 / steps
    frames_ns = 1e6 / case.protocol.timestep_fs / case.protocol.frame_interval
    row = {
        "engine": engine, "ions": len(atoms), "systems": n_systems,
        "ms a step": float(np.median(found)), "lowest": float(found.min()), "highest": float(found.max()),
        "ms a step, system": float(np.median(found)) / n_systems,
        "us a step, ion": 1000 * float(np.median(found)) / n_systems / len(atoms),
        "memory (MB)": most_memory(),
        "trajectory (MB a ns and system)": trajectory.frame_bytes(len(atoms)) * frames_ns / 1e6,
    }  # fmt: skip
    if case.device == "cuda":
        import torch

        row["memory of the GPU (MB)"] = torch.cuda.max_memory_allocated() / 2**20
    return row


def most_memory() -> float:
    """Largest resident memory of this process, MB. (getrusage would give its parent's, where that had more.)"""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(float(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def cut_or_repeated(session, start: str, cell: Sequence[float]) -> Atoms:
    """So much of a start along each axis, without its worst contacts: parts are relaxed after the cut."""
    whole = simulate_setup.relaxed(session, start) if min(cell) >= 1 else read(start)
    if min(cell) >= 1:
        return whole.repeat([int(n) for n in cell])
    kept = (whole.get_scaled_positions() < cell).all(axis=1)
    atoms = Atoms(whole.numbers[kept], whole.positions[kept], cell=whole.cell.array * np.array(cell)[:, None], pbc=True)
    system = simulate_setup.moving(atoms, 1.0)
    relax(session, system)
    return system.atoms


def blocks(case: Case, session, systems: Sequence, kelvin: float, steps: int, n: int) -> Iterator[float]:
    """Seconds of each of `n` blocks of so many steps."""
    drive = case.protocol.drive(kelvin, Piece("equilibrate", n * steps, steps), 0)
    began = time.perf_counter()
    for _ in session.advance(systems, [drive] * len(systems), n * steps, steps, 1e9):
        now = time.perf_counter()
        yield now - began
        began = now


def main() -> None:
    plain, *options = json.loads(sys.argv[1])
    print(json.dumps(point(Case(**plain), *options)))


if __name__ == "__main__":
    main()
