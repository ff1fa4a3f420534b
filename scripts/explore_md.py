"""Let the potential of a round walk at the conditions that will be simulated, and keep what it visits."""

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ase import Atoms
from thermoweave import environment, health, logs, potentials
from thermoweave.composition import cell_volume, unit_counts
from thermoweave.engines import Drive, System
from thermoweave.engines.ase import Session
from thermoweave.frames import read_frames, write_frames
from thermoweave.potentials.committee import deviation
from thermoweave.potentials.wall import Walled
from thermoweave.preparation import relax, thermalise
from thermoweave.seeds import generator_for
from thermoweave.tables import write_csv

log = logging.getLogger(__name__)

THERMOSTAT_PS = 0.1


def at_density(atoms: Atoms, volume: float) -> Atoms:
    """A copy of a cell scaled to `volume` (A^3): the first structures were strained, the conditions are not."""
    copy = Atoms(atoms.symbols, atoms.positions, cell=atoms.cell, pbc=True)
    copy.set_cell(copy.cell * (volume / copy.get_volume()) ** (1 / 3), scale_atoms=True)
    return copy


def walk(
    session: Session,
    system: System,
    kelvin: float,
    timestep_fs: float,
    n_frames: int,
    interval: int,
    limits: health.Limits,
    committee: Sequence[Walled] = (),
) -> tuple[list[Atoms], str]:
    """Frames of one walk up to its end or its first sick frame, and what was wrong with that one.

    With a `committee` a frame knows how far its members disagree: `force_deviation` (eV/A, of the worst atom) and
    `energy_deviation` (eV an atom).
    """
    frames = []
    drive = Drive(timestep_fs, (kelvin, kelvin), THERMOSTAT_PS)
    for _ in session.advance([system], [drive], n_frames * interval, interval, limits.max_force):
        sick = health.sick_frame(system, kelvin, limits)
        if sick:
            return frames, sick
        atoms = system.atoms
        frame = Atoms(atoms.symbols, atoms.get_positions(wrap=True), cell=atoms.cell, pbc=True)
        frame.info.update(time_ps=system.steps * timestep_fs / 1000, wall_contacts=system.wall_contacts)
        if committee:
            forces, energy = deviation(committee, frame)
            frame.info.update(force_deviation=float(forces.max()), energy_deviation=energy)
        frames.append(frame)
    return frames, ""


def explore(
    structures: Path, potential_files: Sequence[Path], out_candidates: Path, out_walks: Path, concentration: str,
    round: int, composition: dict, density: dict, n_units: int, temperatures: list[str], timestep_fs: float,
    length_ps: float, interval_ps: float, limits: health.Limits, seed: int,
) -> None:  # fmt: skip
    """One walk a temperature, in a cell of the labels' size at the condition's density; candidates and a line a
    walk. The first potential walks; where there are more, all of them are the committee.
    """
    interval = max(1, int(interval_ps * 1000 / timestep_fs + 0.5))
    n_frames = int(length_ps / interval_ps + 0.5)
    units = unit_counts(composition, concentration, n_units)
    first = read_frames(structures)
    session = Session(potential_files[0])
    committee = [potentials.load(path) for path in potential_files] if len(potential_files) > 1 else []
    candidates, rows = [], []
    for walker, temperature in enumerate(temperatures):
        kelvin = float(temperature)
        atoms = at_density(first[walker % len(first)], cell_volume(units, concentration, temperature, density))
        system = System(atoms, generator_for(seed, "explore", round, concentration, temperature))
        relax(session, system)
        thermalise(system, kelvin)
        frames, sick = walk(session, system, kelvin, timestep_fs, n_frames, interval, limits, committee)
        for frame in frames:
            frame.info.update(concentration=f"x{concentration}", temperature=f"T{temperature}", round=round + 1)
        contacts = [frame.info["wall_contacts"] for frame in frames]
        deviations = [frame.info["force_deviation"] for frame in frames if committee]
        rows.append(
            {
                "concentration": f"x{concentration}",
                "temperature": f"T{temperature}",
                "frames": len(frames),
                "frames_planned": n_frames,
                "wall_contacts_per_frame": f"{np.mean(contacts):.4g}" if contacts else "",
                "force_deviation_eV_A": f"{np.mean(deviations):.4g}" if deviations else "",
                "stopped": sick,
            }
        )
        log.info("T%s: %s", temperature, rows[-1])
        candidates += frames
    write_frames(out_candidates, candidates)
    write_csv(out_walks, rows, list(rows[0]))


if __name__ == "__main__":
    environment.isolate()
    logs.start(snakemake.log[0])
    options = dict(snakemake.params)
    limits = health.Limits(**options.pop("health"))
    explore(
        Path(snakemake.input.structures),
        [Path(path) for path in snakemake.input.potentials],
        Path(snakemake.output.candidates),
        Path(snakemake.output.walks),
        snakemake.wildcards.concentration,
        int(snakemake.wildcards.round),
        limits=limits,
        **options,
    )
