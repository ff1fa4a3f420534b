"""Where the time of a step goes: a run with a clock around each piece.

Each piece where it is and not in a loop of its own: what runs once after a network's milliseconds finds cold caches,
and takes up to seven times as long.
"""

import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from unittest import mock

import simulate_setup
from simulate_setup import Case

import numpy as np  # isort: skip
import simulate_raw
import vesin
from thermoweave import engines, health, run_facts, trajectory
from thermoweave.potentials import wall
from thermoweave.protocol import PIECE

NETWORK, LIST = "network", "of it the neighbour list (vesin)"
FRAMES = [
    (health, "sick_frame", "limits of a frame"),
    (trajectory, "frame", "the frame"),
    (trajectory, "append", "trajectory"),
    (run_facts, "summarise", "facts, once a run"),
]
LOG_SECTIONS = {"Pair": "of it network and wall (Pair)", "Neigh": "of it the neighbour list (Neigh)"}


class Clock:
    """Seconds by the name of a piece, those of pieces inside it taken off; the neighbour list stays in its network."""

    def __init__(self, device: str):
        self.seconds: dict[str, float] = defaultdict(float)
        self._open: list[list] = []  # name, seconds of the pieces inside
        self._on_gpu = device == "cuda"

    def around(self, function: Callable, name: str) -> Callable:
        def timed(*arguments, **options):
            self._open.append([name, 0.0])
            began = time.perf_counter()
            try:
                result = function(*arguments, **options)
                if self._on_gpu and name == NETWORK:
                    import torch

                    torch.cuda.synchronize()
                return result
            finally:
                self._close(time.perf_counter() - began)

        return timed

    def _close(self, elapsed: float) -> None:
        name, inside = self._open.pop()
        parent = self._open[-1] if self._open else [None, 0.0]
        if name != LIST:
            self.seconds[name] += elapsed - inside
            parent[1] += elapsed
        elif parent[0] == NETWORK:
            self.seconds[name] += elapsed


def pieces(case: Case, engine: str, n_systems: int, rounds: int, seconds: float) -> list[dict]:
    """Rows of ms a step and system: medians over so many runs of about so many seconds."""
    module = engines.engine(engine)
    session = module.Session(Path(case.potential), case.device)
    trial = simulate_raw.ours(case, module, session, n_systems, PIECE) / PIECE
    steps = PIECE * max(1, round(seconds / trial / PIECE))
    turns = []
    for _ in range(rounds):
        clock = Clock(case.device)
        with ExitStack() as patches:
            for owner, name, piece in PLACES[engine](session) + FRAMES:
                patches.enter_context(mock.patch.object(owner, name, clock.around(getattr(owner, name), piece)))
            whole = simulate_raw.ours(case, module, session, n_systems, steps, clock.seconds.clear)
        rest = whole - sum(taken for piece, taken in clock.seconds.items() if piece != LIST)
        found = {piece: 1000 * taken / steps / n_systems for piece, taken in clock.seconds.items()}
        if engine == "lammps":
            found |= inside_lammps(case, session, steps)
        turns.append(found | {"the rest": 1000 * rest / steps / n_systems, "all": 1000 * whole / steps / n_systems})
    rows = []
    for piece in sorted(turns[0], key=place):
        ms = float(np.median([found[piece] for found in turns]))
        share = float(np.median([100 * found[piece] / found["all"] for found in turns]))
        row = {"engine": engine, "systems": n_systems, "piece": piece, "ms": ms, "% of a step": share}
        rows.append({**row, "steps": steps, "n": rounds})
    return rows


def place(piece: str) -> tuple[bool, bool, bool]:
    """Where a piece stands in the table: the network with its parts first, sums last."""
    first = piece.startswith((NETWORK, "LAMMPS", "of it"))
    return piece in ("the rest", "all"), not first, piece.startswith("of it")


def of_ase(session) -> list[tuple]:
    from thermoweave.engines import ase

    return [
        (session._calculator.network, "calculate", NETWORK),
        (vesin.NeighborList, "compute", LIST),
        (wall, "pairs", "wall"),
        (wall, "evaluate", "wall"),
        (ase, "run", "integrator, ASE, force limit"),
    ]


def of_lammps(session) -> list[tuple]:
    from thermoweave.engines.lammps_instance import Instance

    return [
        (Instance, "run", "LAMMPS's run"),
        (Instance, "put", "positions into LAMMPS, and out"),
        (Instance, "move", "positions into LAMMPS, and out"),
        (type(session), "_fill", "results out of LAMMPS"),
    ]


def of_torchsim(session) -> list[tuple]:
    from thermoweave.engines import torchsim

    integrator = [(torchsim, name, "integrator, force limit") for name in ("thermostat", "kick", "drift", "_look")]
    return [
        (session._forces._network, "forward", NETWORK),
        (vesin.NeighborList, "compute", LIST),
        (wall, "pairs", "wall"),
        (wall, "evaluate", "wall"),
        (session._forces, "evaluate", "state and results"),
        *integrator,
    ]


PLACES = {"ase": of_ase, "lammps": of_lammps, "torchsim": of_torchsim}


def inside_lammps(case: Case, session, steps: int) -> dict[str, float]:
    """ms a step by LAMMPS's own clocks, of a plain `run`."""
    start = case.starts[0]
    kelvin = simulate_setup.kelvin(start)
    system = simulate_setup.moving(simulate_setup.relaxed(session, start), kelvin)
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "log.lammps"
        simulate_raw.lammps_loop(case, session, [system], kelvin, steps, str(output))
        lines = [line.split("|") for line in output.read_text().splitlines() if line.count("|") == 5]
    sections = {line[0].strip(): float(line[2]) for line in lines if line[0].strip() in LOG_SECTIONS}
    return {name: 1000 * sections[section] / steps for section, name in LOG_SECTIONS.items()}
