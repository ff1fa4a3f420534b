"""Wall time of a small grid: one plain ASE process a condition, as it is done by hand, against this workflow's jobs.

Ways, in turn, as many processes side by side as cores (on a GPU one):
    usual           ASE, the potential as trained; relax, Bussi's thermostat, a frame to ase.io.Trajectory as often as
                    the workflow writes one; no checks, no restart
    usual compiled  the same with the compiled potential
    ours            scripts/simulate_md.py with the engine that `auto` chooses; conditions in one batch a process
"""

import json
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from itertools import cycle, islice
from pathlib import Path

import simulate_setup
from simulate_setup import SEED, Case

import numpy as np  # isort: skip
import simulate_md
from ase import units
from ase.io import read
from ase.io.trajectory import Trajectory
from ase.md.bussi import Bussi
from ase.md.velocitydistribution import MaxwellBoltzmannDistribution, Stationary
from ase.optimize import FIRE
from simulate_tables import spread
from thermoweave.batch import Batch
from thermoweave.runs import Condition

WAYS = ("usual", "usual compiled", "ours")


def grid(case: Case, n_conditions: int, rounds: int) -> list[dict]:
    """One row for each way and round: wall seconds of the grid, and seconds of all its jobs' loops over steps."""
    starts = list(islice(cycle(case.starts), n_conditions))
    at_once = simulate_setup.cores() if case.device == "cpu" else 1
    jobs = {way: [[start] for start in starts] for way in WAYS[:2]}
    jobs["ours"] = [batch.tolist() for batch in np.array_split(starts, min(at_once, n_conditions))]
    rows = []
    for turn in range(rounds):
        for way in WAYS:
            with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(at_once) as pool:
                began = time.perf_counter()
                given = [(case, way, batch, f"{folder}/{k}") for k, batch in enumerate(jobs[way])]
                loops = list(pool.map(lambda arguments: job(*arguments), given))
                wall = time.perf_counter() - began
            row = {"way": way, "round": turn + 1, "conditions": n_conditions, "processes": at_once}
            rows.append({**row, "wall_s": round(wall, 2), "loops_s": round(sum(loops), 2)})
            print(rows[-1], flush=True)
    return rows


def summary(rows: list[dict]) -> list[dict]:
    """Seconds of each way, and how many times longer than ours it takes, paired by the round."""
    table = []
    for way in WAYS:
        line = {"way": way}
        for key, name in (("wall_s", "wall"), ("loops_s", "without start-up, all jobs")):
            own, ours = ([row[key] for row in rows if row["way"] == which] for which in (way, "ours"))
            line[f"{name} (s)"] = spread(own)
            line[f"over ours, {name.split(',')[0]}"] = spread([a / b for a, b in zip(own, ours, strict=True)])
        table.append({**line, "n": len(own)})
    return table


def job(case: Case, way: str, starts: list[str], folder: str) -> float:
    """Seconds of the loop over steps of a process of its own."""
    Path(folder).mkdir()
    task = json.dumps([asdict(case), way, starts, folder])
    done = subprocess.run([sys.executable, __file__, task], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{way}, {', '.join(starts)}: {done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def usual(case: Case, start: str, folder: Path, compiled: bool) -> float:
    protocol, temperature = case.protocol, simulate_setup.kelvin(start)
    atoms = read(start)
    atoms.calc = case.calculator(compiled)
    FIRE(atoms, logfile=None).run(fmax=2.0, steps=50)
    rng = np.random.default_rng(SEED)
    MaxwellBoltzmannDistribution(atoms, temperature_K=temperature, rng=rng)
    Stationary(atoms)
    began = time.perf_counter()
    picosecond = 1000 * units.fs
    thermostat = protocol.production_thermostat_ps * picosecond
    move = Bussi(atoms, protocol.timestep_fs * units.fs, temperature, thermostat, rng=rng)
    move.run(protocol.begin("produce"))
    with Trajectory(folder / "run.traj", "w", atoms) as file:
        move.attach(file.write, protocol.frame_interval)
        move.run(protocol.steps("produce"))
    return time.perf_counter() - began


def ours(case: Case, starts: list[str], folder: Path) -> float:
    seconds = []

    class Timed(Batch):
        def propagate(self) -> None:
            began = time.perf_counter()
            super().propagate()
            seconds.append(time.perf_counter() - began)

    simulate_md.Batch = Timed
    conditions = [
        Condition(*simulate_setup.condition(start), str(k), Path(start), folder / str(k))
        for k, start in enumerate(starts)
    ]
    simulate_md.simulate(
        conditions, Path(case.potential), [], "", folder / "run.json", "auto", case.device, case.protocol, case.limits,
        case.checks, SEED,
    )  # fmt: skip
    for one in conditions:
        fault = json.loads((one.folder / "facts.json").read_text())["sick"]
        if fault:
            sys.exit(f"{one.start} ended early ({fault}): its time says nothing; leave it out")
    return seconds[0]


def main() -> None:
    plain, way, starts, folder = json.loads(sys.argv[1])
    case, folder = Case(**plain), Path(folder)
    seconds = ours(case, starts, folder) if way == "ours" else usual(case, starts[0], folder, way != "usual")
    print(json.dumps(seconds))


if __name__ == "__main__":
    main()
