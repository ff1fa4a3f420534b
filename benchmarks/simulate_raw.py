"""ms a step with everything that a run has (limits, frames, trajectory, drift, facts) against the engine's own loop."""

import copy
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import simulate_setup
from simulate_setup import SEED, Case

import numpy as np  # isort: skip
from ase import units
from ase.constraints import FixCom
from ase.md.bussi import Bussi
from simulate_tables import cell, spread
from thermoweave import engines
from thermoweave.batch import Batch
from thermoweave.engines import System
from thermoweave.protocol import PIECE
from thermoweave.runs import Condition, Run

PS = 1000 * units.fs
LOOPS = {
    "ase": "ase.md.bussi.Bussi.run(n) with the same calculator",
    "lammps": "run n, with fix nve and fix temp/csvr",
    "torchsim": "torch_sim.integrate with nvt_langevin, without the wall",
}


def raw(case: Case, engine: str, n_systems: int, rounds: int, seconds: float) -> list[dict]:
    """One row a round: ms a step and system of both, the same number of steps of about so many seconds, in turn."""
    module = engines.engine(engine)
    session = module.Session(Path(case.potential), case.device)
    start = case.starts[0]
    atoms = simulate_setup.relaxed(session, start)
    kelvin = simulate_setup.kelvin(start)
    trial = ours(case, module, session, n_systems, PIECE) / PIECE
    steps = PIECE * max(1, round(seconds / trial / PIECE))
    rows = []
    for turn in range(rounds):
        systems = [simulate_setup.moving(atoms, kelvin, k) for k in range(n_systems)]
        with_all = ours(case, module, session, n_systems, steps)
        alone = LOOP[engine](case, session, systems, kelvin, steps)
        per_step = 1000 / steps / n_systems
        row = {"engine": engine, "systems": n_systems, "ions": len(atoms), "round": turn + 1, "steps": steps}
        rows.append({**row, "ours_ms": with_all * per_step, "raw_ms": alone * per_step})
        print(rows[-1], flush=True)
    return rows


def summary(rows: Sequence[dict]) -> dict:
    """Medians, and the ratio by the round."""
    first = rows[0]
    ratios = [row["raw_ms"] / row["ours_ms"] for row in rows]
    return {
        **{key: first[key] for key in ("engine", "systems", "ions")},
        "its own loop": LOOPS[first["engine"]],
        **{f"{way} (ms)": cell(float(np.median([row[f"{way}_ms"] for row in rows]))) for way in ("raw", "ours")},
        "raw over ours": spread(ratios),
        "n": len(rows),
    }


def ours(
    case: Case, module: ModuleType, session, n_systems: int, steps: int, ready: Callable[[], None] = lambda: None
) -> float:
    """Seconds of a production of so many steps; the start is relaxed before, then `ready` is called."""
    start = Path(case.starts[0])
    length = {"heating_ps": 0.0, "equilibration_ps": 0.0, "production_ps": steps * case.protocol.timestep_fs / 1000}
    protocol = replace(case.protocol, **length)
    with tempfile.TemporaryDirectory() as folder:
        places = [Path(folder) / str(k) for k in range(n_systems)]
        conditions = [Condition(*simulate_setup.condition(start), place.name, start, place) for place in places]
        runs = [Run(condition, protocol, "benchmark", SEED) for condition in conditions]
        batch = Batch(runs, session, module.TOGETHER, [], case.limits, case.checks, {})
        for run in runs:
            batch.start(run)
        ready()
        began = time.perf_counter()
        batch.propagate()
        seconds = time.perf_counter() - began
    for run in runs:
        if run.progress.sick:
            raise SystemExit(
                f"{start} ended early ({run.progress.sick}): its time says nothing; name another start first"
            )
    return seconds


def ase_loop(case: Case, session, systems: Sequence[System], kelvin: float, steps: int) -> float:
    protocol, seconds = case.protocol, 0.0
    for system in systems:
        system.atoms.calc = copy.copy(session._calculator)
        system.atoms.set_constraint(FixCom())
        thermostat = protocol.production_thermostat_ps * PS
        move = Bussi(system.atoms, protocol.timestep_fs * units.fs, kelvin, thermostat, rng=system.rng)
        began = time.perf_counter()
        move.run(steps)
        seconds += time.perf_counter() - began
    return seconds


def lammps_loop(case: Case, session, systems: Sequence[System], kelvin: float, steps: int, output: str = "") -> float:
    """`output`: a file for LAMMPS's own log, with its own table of where the time goes."""
    from thermoweave.engines.lammps_instance import Instance

    protocol, seconds = case.protocol, 0.0
    for system in systems:
        instance = Instance(session._model, system.atoms)
        instance.put(system.atoms)
        command = instance._lammps.command
        command(f"timestep {protocol.timestep_fs / 1000!r}")
        command("fix nve all nve")
        command(f"fix csvr all temp/csvr {kelvin} {kelvin} {protocol.production_thermostat_ps} {SEED}")
        command("run 0")  # TensorFlow's first evaluation
        if output:
            command(f"log {output}")
        began = time.perf_counter()
        command(f"run {steps}")
        seconds += time.perf_counter() - began
        if output:
            command("log none")
    return seconds


def torchsim_loop(case: Case, session, systems: Sequence[System], kelvin: float, steps: int) -> float:
    import torch_sim

    state = session._forces._state([system.atoms for system in systems])
    began = time.perf_counter()
    torch_sim.integrate(
        state, session._forces._network, integrator=torch_sim.integrators.nvt_langevin, n_steps=steps,
        temperature=kelvin, timestep=case.protocol.timestep_fs / 1000,
    )  # fmt: skip
    return time.perf_counter() - began


LOOP = {"ase": ase_loop, "lammps": lammps_loop, "torchsim": torchsim_loop}
