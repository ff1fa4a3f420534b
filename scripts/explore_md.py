"""Let the committee of a round walk at the conditions that will be simulated, and keep what it visits."""

import logging
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ase import Atoms
from thermoweave import calibration as calibrations
from thermoweave import environment, health, logs, potentials, walks
from thermoweave.composition import cell_volume, unit_counts
from thermoweave.engines import System
from thermoweave.engines.ase import Session
from thermoweave.fingerprint import identity
from thermoweave.frames import read_frames, write_frames
from thermoweave.potentials.manifest import read as read_manifest
from thermoweave.preparation import relax, thermalise
from thermoweave.seeds import generator_for
from thermoweave.tables import write_csv

log = logging.getLogger(__name__)

COLUMNS = (
    "concentration", "temperature", "margin", "frames", "frames_planned", "wall_contacts_per_frame",
    "deviation_meV_A", "expected_error_meV_A", "stopped",
)  # fmt: skip


def at_density(atoms: Atoms, volume: float) -> Atoms:
    """A copy of a cell scaled to `volume` (A^3): the first structures were strained, the conditions are not."""
    copy = Atoms(atoms.symbols, atoms.positions, cell=atoms.cell, pbc=True)
    copy.set_cell(copy.cell * (volume / copy.get_volume()) ** (1 / 3), scale_atoms=True)
    return copy


def plan(temperatures: Sequence[str], margins: dict, concentration: str) -> list[walks.Walk]:
    """One walk a temperature, then those beyond the grid: hotter, and denser at the highest temperature, where ions
    come closest.
    """
    highest = max(temperatures, key=float)
    planned = [walks.Walk(concentration, temperature) for temperature in temperatures]
    if margins["hotter_K"]:
        planned.append(walks.Walk(concentration, f"{float(highest) + margins['hotter_K']:g}", "hotter"))
    if margins["denser"]:
        planned.append(walks.Walk(concentration, highest, "denser"))
    return planned


def explore(
    structures: Path, potential_files: Sequence[Path], calibration: Path, out_candidates: Path, out_walks: Path,
    folder: Path, concentration: str, round: int, composition: dict, density: dict, n_units: int,
    temperatures: list[str], margins: dict, pace: walks.Pace, limits: health.Limits, seed: int, device: str = "cpu",
) -> None:  # fmt: skip
    """Walks in cells of the labels' size at the conditions' densities, each by one member in turn and judged by all;
    candidates (extended XYZ) and a line a walk. A walk that ended stays in `folder` until all have.
    """
    units, first = unit_counts(composition, concentration, n_units), read_frames(structures)
    known = calibrations.read(calibration)
    committee = [potentials.load(path, device) for path in potential_files]
    members = [identity(read_manifest(path)) for path in potential_files]
    candidates, rows = [], []
    for number, which in enumerate(plan(temperatures, margins, concentration)):
        volume = cell_volume(units, concentration, which.temperature, density)
        if which.margin == "denser":
            volume /= 1 + margins["denser"]
        start = at_density(first[(number + round) % len(first)], volume)
        turn = (number + round) % len(committee)
        hash_ = walks.decides(which, start, pace, limits, members, turn, calibrations.as_json(known), seed, round)
        ended = walks.kept(folder, which, hash_)
        if ended is None:
            session = Session(committee[turn])
            system = System(start, generator_for(seed, "explore", round, *which.name.split()))
            relax(session, system)
            thermalise(system, float(which.temperature))
            ended = walks.walk(session, system, which, pace, limits, committee, known)
            walks.keep(folder, which, hash_, *ended)
        candidates += told(which, round, ended[0])
        rows.append(row(which, pace, *ended))
        log.info("%s: %s", which.name, rows[-1])
    write_frames(out_candidates, candidates)
    write_csv(out_walks, rows, list(COLUMNS))
    shutil.rmtree(folder, ignore_errors=True)


def told(which: walks.Walk, round: int, frames: list[Atoms]) -> list[Atoms]:
    """The frames with where they are from; `round` is that of their labels."""
    for frame in frames:
        frame.info.update(concentration=f"x{which.concentration}", temperature=f"T{which.temperature}")
        frame.info.update(walk=which.name, round=round + 1)
    return frames


def row(which: walks.Walk, pace: walks.Pace, frames: list[Atoms], stopped: str) -> dict:
    """A line of walks.csv; of a walk without a frame, without numbers."""

    def mean(key: str, power: int = 1) -> str:
        values = [frame.info[key] ** power for frame in frames]
        return f"{np.mean(values) ** (1 / power):.4g}" if values else ""

    return {
        "concentration": f"x{which.concentration}",
        "temperature": f"T{which.temperature}",
        "margin": which.margin,
        "frames": len(frames),
        "frames_planned": pace.n_frames,
        "wall_contacts_per_frame": mean("wall_contacts"),
        "deviation_meV_A": mean("deviation", 2),
        "expected_error_meV_A": mean("expected_error", 2),
        "stopped": stopped,
    }


if __name__ == "__main__":
    environment.isolate()
    logs.start(snakemake.log[0])
    options = dict(snakemake.params)
    limits, pace = health.Limits(**options.pop("health")), walks.Pace(**options.pop("pace"))
    explore(
        Path(snakemake.input.structures),
        [Path(path) for path in snakemake.input.potentials],
        Path(snakemake.input.calibration),
        Path(snakemake.output.candidates),
        Path(snakemake.output.walks),
        Path(snakemake.output.walks).parent / "walks",
        snakemake.wildcards.concentration,
        int(snakemake.wildcards.round),
        pace=pace,
        limits=limits,
        **options,
    )
