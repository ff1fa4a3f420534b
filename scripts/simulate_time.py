"""Time the molecular dynamics of one concentration: what the forecast of the sweep rests on."""

import logging
import time
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.io import read
from thermoweave import engines, environment, logs, statistics, trajectory
from thermoweave.engines import System
from thermoweave.potentials import manifest as manifests
from thermoweave.preparation import relax, thermalise
from thermoweave.protocol import Piece, Protocol
from thermoweave.seeds import generator_for

log = logging.getLogger(__name__)

WARM_UP, STEPS, BLOCKS = 20, 20, 6


def simulate_time(
    start: Path, potential: Path, output: Path, engine: str, device: str, protocol: Protocol, kelvin: float, batch: int,
    max_force: float, seed: int,
) -> None:  # fmt: skip
    """Write what a run like the campaign's takes (JSON): atoms, load_s, ms_per_step and its error, frame_bytes.

    An engine that gains by moving many systems at once is timed with `batch` of them.
    """
    name, reason = engines.choose(engine, manifests.read(potential)["backend"], device)
    log.info("engine %s: %s", name, reason)
    began = time.perf_counter()
    module = engines.engine(name)
    session = module.Session(potential, device)
    first = read(start)
    systems = []
    for k in range(batch if module.TOGETHER else 1):
        atoms = Atoms(first.numbers, first.positions, cell=first.cell, pbc=True)
        systems.append(System(atoms, generator_for(seed, "time", str(k))))
        relax(session, systems[-1])
        thermalise(systems[-1], kelvin)
    load_s = time.perf_counter() - began
    blocks = []
    for steps in (WARM_UP, *[STEPS] * BLOCKS):
        began = time.perf_counter()
        drive = protocol.drive(kelvin, Piece("equilibrate", steps, steps), 0)
        for _ in session.advance(systems, [drive] * len(systems), steps, protocol.frame_interval, max_force):
            pass
        blocks.append(1000 * (time.perf_counter() - began) / steps / len(systems))
    ms, error = statistics.mean_of_blocks(np.array(blocks[1:]))
    if any(system.stopped for system in systems):
        raise ValueError(
            f"{start} cannot be timed: after {systems[0].steps} steps at {kelvin:g} K a force is above {max_force:g} "
            "eV/A; look at the potential's errors, or shorten the time step"
        )
    result = {
        "engine": name,
        "reason": reason,
        "atoms": len(first),
        "load_s": round(load_s, 2),
        "ms_per_step": round(float(ms), 4),
        "ms_per_step_std": round(float(error), 4),
        "frame_bytes": trajectory.frame_bytes(len(first)),
    }
    log.info("%s", result)
    manifests.write_json(output, result)


if __name__ == "__main__":
    environment.isolate()
    logs.start(snakemake.log[0])
    options = dict(snakemake.params)
    simulate_time(
        Path(snakemake.input.start),
        Path(snakemake.input.potential),
        Path(snakemake.output[0]),
        protocol=Protocol(**options.pop("protocol")),
        **options,
    )
