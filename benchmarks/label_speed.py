#!/usr/bin/env python3
"""Labels per core-hour of the label stage against a bare loop over pw.x, on the same structures, one after the other.

Run with the Python of envs/pwscf.yaml: label_speed.py [ROUNDS]. Three structures of 24 ions (rattled rock salt, half of
the Li replaced by K) at 25 Ry, one thread. Three ways, in turn, ROUNDS times:
    stage      scripts/label_structures.py: gate, record, store
    same       the stage's own inputs, in a loop of subprocesses that only write the output
    default    the same with pw.x's default disk_io, which saves wavefunctions and density
Prints seconds, and each way's labels per core-hour as a ratio to "same".
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.build import bulk

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "scripts"))

from label_structures import label_structures  # noqa: E402
from thermoweave import espresso_input, ladder, pseudopotentials  # noqa: E402
from thermoweave.attempts import Batch  # noqa: E402
from thermoweave.frames import read_frames  # noqa: E402
from thermoweave.label_store import LabelStore  # noqa: E402
from thermoweave.labellers import Machine, pwscf  # noqa: E402

SETTINGS = {
    "functional": "LDA",
    "ecutwfc": 25,
    "conv_thr": 1e-7,
    "mixing_beta": 0.4,
    "electron_maxstep": 100,
    "occupations": "fixed",
    "kpoints": [1, 1, 1],
}
MACHINE = Machine(
    pw_command=f"{sys.executable} {ROOT}/tools/pw_wheel.py", pseudo_dir=ROOT / "resources" / "pseudopotentials"
)


def structure(seed: int) -> Atoms:
    atoms = bulk("LiCl", "rocksalt", a=5.7, cubic=True) * (3, 1, 1)
    atoms.symbols[np.flatnonzero(atoms.symbols == "Li")[::2]] = "K"
    atoms.rattle(0.2, seed=seed)
    return atoms


def stage(structures: list[Atoms], folder: Path) -> None:
    rungs = ladder.read(ROOT / "config" / "ladder.toml", "pwscf", pwscf.NUMERICS, [])
    limits = {"min_distance": 0.7, "max_net_force": 0.01}
    batch = Batch(pwscf, SETTINGS, rungs, limits, False, MACHINE, folder / "scratch", folder / "failed")
    label_structures(structures, folder / "out.extxyz", folder / "out.csv", batch, LabelStore(folder / "store"))
    if len(read_frames(folder / "out.extxyz")) != len(structures):
        sys.exit(f"not every structure was labelled: {(folder / 'out.csv').read_text()}")


def loop(structures: list[Atoms], folder: Path, default_disk_io: bool) -> None:
    files = pseudopotentials.find(MACHINE.pseudo_dir, {"Li", "K", "Cl"}, "LDA")
    names = {symbol: pseudo.name for symbol, pseudo in files.items()}
    for number, atoms in enumerate(structures):
        own = folder / str(number)
        own.mkdir()
        text = espresso_input.input_text(atoms, SETTINGS, names, str(MACHINE.pseudo_dir), float("inf"), False)
        if default_disk_io:
            text = "".join(line for line in text.splitlines(keepends=True) if "disk_io" not in line)
        (own / "pw.in").write_text(text)
        with open(own / "pw.out", "w") as out:
            command = [*MACHINE.pw_command.split(), "-in", "pw.in"]
            subprocess.run(command, cwd=own, stdout=out, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"})


def main() -> None:
    structures = [structure(seed) for seed in (1, 2, 3)]
    ways = {
        "same": lambda folder: loop(structures, folder, default_disk_io=False),
        "stage": lambda folder: stage(structures, folder),
        "default": lambda folder: loop(structures, folder, default_disk_io=True),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(int(sys.argv[1]) if len(sys.argv) > 1 else 3):
        for name, way in ways.items():
            with tempfile.TemporaryDirectory() as folder:
                start = time.perf_counter()
                way(Path(folder))
            seconds[name].append(time.perf_counter() - start)
            print(f"{name}: {seconds[name][-1]:.1f} s", flush=True)
    for name in ways:
        ratios = [same / own for same, own in zip(seconds["same"], seconds[name], strict=True)]
        rate = 3600 * len(structures) / np.median(seconds[name])
        print(f"{name}: {rate:.0f} labels per core-hour, {np.median(ratios):.3f} times the bare loop's")


if __name__ == "__main__":
    main()
