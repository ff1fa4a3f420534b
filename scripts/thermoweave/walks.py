"""Walks of a committee: short molecular dynamics at a condition, each frame with how far the members disagree on it."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from ase import Atoms

from thermoweave import calibration as calibrations
from thermoweave import health
from thermoweave.calibration import Calibration
from thermoweave.engines import Drive, System
from thermoweave.engines.ase import Session
from thermoweave.frames import read_frames, write_frames
from thermoweave.potentials.committee import deviation, frame_deviation
from thermoweave.potentials.manifest import write_json
from thermoweave.potentials.wall import Walled
from thermoweave.potentials.wall import forces as wall_forces

THERMOSTAT_PS = 0.1


@dataclass(frozen=True)
class Walk:
    """One walk, as the user wrote its condition; `margin`: "", or in which way it lies beyond the grid."""

    concentration: str
    temperature: str
    margin: str = ""

    @property
    def name(self) -> str:
        return f"x{self.concentration} T{self.temperature}{' ' if self.margin else ''}{self.margin}"


@dataclass(frozen=True)
class Pace:
    """How walks are walked: time step (fs), length, time between frames (ps), expected error that ends one (meV/A)."""

    timestep_fs: float
    length_ps: float
    interval_ps: float
    leave: float

    @property
    def interval(self) -> int:
        return max(1, int(self.interval_ps * 1000 / self.timestep_fs + 0.5))

    @property
    def n_frames(self) -> int:
        return int(self.length_ps / self.interval_ps + 0.5)


def walk(
    session: Session, system: System, which: Walk, pace: Pace, limits: health.Limits, committee: Sequence[Walled],
    calibration: Calibration,
) -> tuple[list[Atoms], str]:  # fmt: skip
    """Frames of one walk up to its end, its first sick frame, or the first that is expected to be worse than
    `pace.leave`, and why it ended before its time.

    The sick frame is left out, the one that leaves is the last: there the potential begins not to know. A frame has the
    arrays `deviation` and `committee_forces` (eV/A; the mean of the networks, without the wall), and in `info` time_ps,
    wall_contacts, energy_deviation (eV an atom) and, root mean squares of a component in meV/A, deviation, wall_force
    and expected_error with its 95 % bound expected_error_high.
    """
    frames, kelvin = [], float(which.temperature)
    drive = Drive(pace.timestep_fs, (kelvin, kelvin), THERMOSTAT_PS)
    for _ in session.advance([system], [drive], pace.n_frames * pace.interval, pace.interval, limits.max_force):
        sick = health.sick_frame(system, kelvin, limits)
        if sick:
            return frames, sick
        atoms = system.atoms
        frame = Atoms(atoms.symbols, atoms.get_positions(wrap=True), cell=atoms.cell, pbc=True)
        found = deviation(committee, frame)
        if not (np.isfinite(found.forces).all() and np.isfinite(found.energy)):
            return frames, "a member of the committee predicts a force or an energy that is no number"
        wall = wall_forces(committee[0].wall, frame)  # that of all: they were trained on the same frames
        frame.arrays["deviation"], frame.arrays["committee_forces"] = found.forces, found.mean_forces - wall
        spread, push = frame_deviation(found.forces), frame_deviation(np.linalg.norm(wall, axis=1))
        expected, high = calibrations.expected(calibration, which.name, np.array(spread), np.array(push))
        frame.info.update(time_ps=system.steps * pace.timestep_fs / 1000, wall_contacts=system.wall_contacts)
        frame.info.update(deviation=spread, wall_force=push, energy_deviation=found.energy)
        frame.info.update(expected_error=float(expected), expected_error_high=float(high))
        frames.append(frame)
        if not expected <= pace.leave:
            return frames, f"expected force error of {expected:.0f} meV/A, explore.leave is {pace.leave:g}"
    return frames, ""


def decides(which: Walk, start: Atoms, pace: Pace, limits: health.Limits, *others: object) -> str:
    """sha256 of all that decides a walk: one that a killed job had ended is kept where nothing of it has changed."""
    content = [which.name, start.cell.array.tolist(), start.positions.tolist(), asdict(pace), asdict(limits), others]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def kept(folder: Path, which: Walk, hash_: str) -> tuple[list[Atoms], str] | None:
    """What an earlier job, which was killed, left of this walk; None where it did not end it, or it was another."""
    facts = folder / f"{which.name.replace(' ', '_')}.json"
    if not facts.exists() or json.loads(facts.read_text())["hash"] != hash_:
        return None
    return read_frames(facts.with_suffix(".extxyz")), json.loads(facts.read_text())["stopped"]


def keep(folder: Path, which: Walk, hash_: str, frames: list[Atoms], stopped: str) -> None:
    """Write a walk that has ended; the facts last."""
    folder.mkdir(parents=True, exist_ok=True)
    facts = folder / f"{which.name.replace(' ', '_')}.json"
    facts.unlink(missing_ok=True)
    write_frames(facts.with_suffix(".extxyz"), frames)
    write_json(facts, {"hash": hash_, "stopped": stopped})
