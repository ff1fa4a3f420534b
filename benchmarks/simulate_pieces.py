"""Where the time of a step goes: each piece by itself, on the same system, and the whole that they should add up to."""

import copy
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import simulate_setup
from simulate_setup import SEED, Case

import numpy as np  # isort: skip
import simulate_raw
from ase.calculators.calculator import Calculator
from ase.constraints import FixCom
from thermoweave import engines, health, trajectory
from thermoweave.engines import System
from thermoweave.engines import ase as ase_engine
from thermoweave.potentials import manifest as manifests
from thermoweave.potentials import wall
from thermoweave.protocol import PIECE, Piece

LOG_SECTIONS = {"Pair": "network and wall (Pair)", "Neigh": "neighbour list (Neigh)", "Modify": "integrator (Modify)"}


def pieces(case: Case, engine: str, n_systems: int, rounds: int, seconds: float) -> list[dict]:
    """Rows of ms a step and system: medians over the rounds, in each of which everything is timed once."""
    module = engines.engine(engine)
    session = module.Session(Path(case.potential), case.device)
    atoms, kelvin = simulate_setup.relaxed(session, case.starts[0]), simulate_setup.kelvin(case.starts[0])
    systems = [simulate_setup.moving(atoms, kelvin, k) for k in range(n_systems)]
    drive = case.protocol.drive(kelvin, Piece("produce", PIECE, PIECE), 0)
    for _ in session.advance(systems, [drive] * n_systems, PIECE, PIECE, 1e9):
        pass  # hot, as the whole run is: a relaxed system has fewer neighbours
    turns = []
    for turn in range(rounds + 1):
        whole = PIECE * -(-5 // n_systems)  # what ends a run is a small part of it, as it is of a long one
        step_ms = 1000 * simulate_raw.ours(case, module, session, n_systems, whole) / whole / n_systems
        steps = PIECE * max(1, round(1000 * seconds / step_ms / n_systems / PIECE))
        found = OF[engine](case, session, systems, kelvin, steps, seconds)
        found |= of_frames(case, systems[0], kelvin, seconds)
        found["sum"] = sum(ms for name, ms in found.items() if not name.startswith("of it"))
        found["measured, whole"] = step_ms
        if turn:  # the first warms up
            turns.append(found)
    rows = []
    for name in turns[0]:
        ms = float(np.median([found[name] for found in turns]))
        share = float(np.median([100 * found[name] / found["measured, whole"] for found in turns]))
        row = {"engine": engine, "systems": n_systems, "ions": len(atoms), "piece": name}
        rows.append({**row, "ms": ms, "% of a step": share, "n": rounds})
    return rows


def of_ase(case: Case, session, systems: list[System], kelvin: float, steps: int, seconds: float) -> dict[str, float]:
    system = systems[0]
    atoms, calculator = system.atoms, session._calculator
    return {
        "network with its neighbour list": timed(
            lambda: calculator.network.calculate(nudged(atoms), ["energy", "forces"]), seconds
        ),
        "of it the neighbour list (vesin)": list_ms(case, atoms, seconds),
        "wall": timed(lambda: wall_of(calculator, atoms), seconds),
        "integrator, force limit": integrator_ms(case, system, kelvin, seconds),
    }


def of_lammps(
    case: Case, session, systems: list[System], kelvin: float, steps: int, seconds: float
) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        output = f"{folder}/log.lammps"
        total = 1000 * simulate_raw.lammps_loop(case, session, systems[:1], kelvin, steps, output) / steps
        lines = [line.split("|") for line in Path(output).read_text().splitlines() if line.count("|") == 5]
    times = {line[0].strip(): 1000 * float(line[2]) / steps for line in lines if line[0].strip() in LOG_SECTIONS}
    found = {name: times[key] for key, name in LOG_SECTIONS.items()}
    drive = case.protocol.drive(kelvin, Piece("produce", steps, steps), 0)
    ways = {interval: [] for interval in (case.protocol.frame_interval, PIECE)}  # with frames, and nearly without
    for _ in range(3):
        for interval, times in ways.items():
            began = time.perf_counter()
            for _ in session.advance([simulate_setup.moving(systems[0].atoms, kelvin)], [drive], steps, interval, 1e9):
                pass
            times.append(1000 * (time.perf_counter() - began) / steps)
    often, seldom = (float(np.median(times)) for times in ways.values())
    found["rest of LAMMPS's loop (Comm, Other)"] = total - sum(found.values())
    found["force limit each step (fix halt)"] = seldom - total
    return found | {"frames out of LAMMPS": often - seldom}


def of_torchsim(
    case: Case, session, systems: list[System], kelvin: float, steps: int, seconds: float
) -> dict[str, float]:
    from thermoweave.engines import torchsim

    forces, n = session._forces, len(systems)
    drive = case.protocol.drive(kelvin, Piece("produce", steps, steps), 0)
    state = forces._state([system.atoms for system in systems])

    free = copy.deepcopy(systems)  # they fly apart: their forces stay as they are

    def integrate() -> None:
        for system in free:
            torchsim.thermostat(system, drive, 0.5)
            torchsim.kick(system, drive)
            torchsim.drift(system.atoms, drive)
            torchsim.kick(system, drive)
            torchsim._look(system, 1e9)

    def network() -> None:
        forces._network(state)["forces"].cpu()  # waits for a GPU

    def walls() -> None:
        for system in systems:
            forces._add_wall(system)

    batch = [system.atoms for system in systems]
    return {
        "network with its neighbour list": timed(network, seconds) / n,
        "of it the neighbour list (vesin, on the CPU)": list_ms(case, batch[0], seconds),
        "wall": timed(walls, seconds) / n,
        "torch-sim's state": timed(lambda: forces._state(batch), seconds) / n,
        "integrator, force limit": timed(integrate, seconds) / n,
    }


OF = {"ase": of_ase, "lammps": of_lammps, "torchsim": of_torchsim}


def of_frames(case: Case, system: System, kelvin: float, seconds: float) -> dict[str, float]:
    """What a frame costs, by the step."""
    from netCDF4 import Dataset

    interval, n_frames = case.protocol.frame_interval, -(-PIECE // case.protocol.frame_interval)
    frames = [trajectory.frame(system, 0.0, kelvin)] * n_frames
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trajectory.nc"
        trajectory.create(path, system.atoms, {})
        with Dataset(path, "a") as file:
            append = timed(lambda: trajectory.append(file, frames), seconds) / n_frames
    return {
        "limits of a frame": timed(lambda: health.sick_frame(system, kelvin, case.limits), seconds) / interval,
        "the frame": timed(lambda: trajectory.frame(system, 0.0, kelvin), seconds) / interval,
        "trajectory": append / interval,
    }


class Still(Calculator):
    """Forces for nothing, as long as an atom moves: what is left of a step is the integrator."""

    implemented_properties = ("energy", "forces")

    def __init__(self, system: System):
        super().__init__()
        self.found = {"energy": system.energy, "forces": 0 * system.forces}
        self.atoms = system.atoms.copy()
        self.atoms.positions += 1.0

    def calculate(self, *_) -> None:
        self.results = self.found


def integrator_ms(case: Case, system: System, kelvin: float, seconds: float) -> float:
    copied = System(system.atoms.copy(), np.random.default_rng(SEED))
    copied.atoms.calc = Still(system)
    copied.atoms.set_constraint(FixCom())
    move = ase_engine.dynamics(copied, case.protocol.drive(kelvin, Piece("produce", PIECE, PIECE), 0))
    targets = np.full(PIECE, kelvin)
    return timed(lambda: ase_engine.run(copied, move, targets, np.inf), seconds) / PIECE


def list_ms(case: Case, atoms, seconds: float) -> float:
    from vesin import NeighborList

    cutoff = manifests.read(case.potential)["cutoff_A"]
    search = NeighborList(cutoff=cutoff, full_list=True, n_threads=1)
    return timed(lambda: search.compute(atoms.positions, atoms.cell.array, True, "ijS"), seconds)


def wall_of(calculator: wall.Walled, atoms) -> None:
    found = wall.pairs(atoms, calculator._r_min.max())
    wall.evaluate(calculator._r_min, calculator._stiffness, atoms.numbers, *found)


def nudged(atoms):
    atoms.positions += 1e-9  # or a calculator gives what it found last
    return atoms


def timed(function: Callable[[], object], seconds: float) -> float:
    """Median ms of a call, of those that fit into so many seconds; 5 at least, after one that is not counted."""
    function()
    times, until = [], time.perf_counter() + seconds
    while len(times) < 5 or time.perf_counter() < until:
        began = time.perf_counter()
        function()
        times.append(time.perf_counter() - began)
    return 1000 * float(np.median(times))
