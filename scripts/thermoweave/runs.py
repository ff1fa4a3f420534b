"""One condition and replica: its folder, its system, and where it stands.

The folder is the run's own and no job's output, so that Snakemake, which removes the outputs of a job before it runs it
again, leaves it alone: a killed run goes on from its state, a finished one is never computed twice.

    trajectory.nc       the frames until now
    state.npz           positions, momenta, cell, random numbers, progress: enough to go on as if nothing had happened
    progress.json       the same in a few words, for `make progress`
    facts.json          what the whole run was; there when it has ended, well or not
    bad_frame.extxyz    the frame that ended it, if one did
"""

import json
import logging
import os
import time
import zipfile
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.geometry import cellpar_to_cell
from ase.io import read, write

from thermoweave import locks, run_checks, run_facts, trajectory
from thermoweave.engines import System
from thermoweave.health import temperature
from thermoweave.potentials.manifest import write_json
from thermoweave.protocol import Protocol
from thermoweave.seeds import generator_for

log = logging.getLogger(__name__)


@dataclass
class Progress:
    """Where a run stands."""

    steps: int = 0  # done in all, those before the production included
    frames: int = 0  # in the trajectory
    wall_s: float = 0.0  # its share of the job's time, over all attempts
    half_step: bool = False  # in its second life, with half the time step
    first_fault: str = ""  # what ended the first
    volumes: list[float] = field(default_factory=list)  # A^3, while the density is looked for
    deviations: list[float] = field(default_factory=list)  # eV/A, of the committee, of the frames it judged
    sick: str = ""


@dataclass
class Condition:
    """Which run it is, as the user wrote it, and the structure that it starts from."""

    concentration: str
    temperature: str
    replica: str
    start: Path
    folder: Path

    @property
    def name(self) -> str:
        return f"x{self.concentration} T{self.temperature} replica {self.replica}"


class Run:
    """The files of one run and its state in memory."""

    def __init__(self, condition: Condition, protocol: Protocol, fingerprint: str, seed: int):
        self.condition, self.fingerprint, self.seed = condition, fingerprint, seed
        self.kelvin = float(condition.temperature)
        self.folder = condition.folder
        self.folder.mkdir(parents=True, exist_ok=True)
        locks.hold(self.folder / "run")
        self.trajectory, self.state = self.folder / "trajectory.nc", self.folder / "state.npz"
        self.facts, self.bad_frame = self.folder / "facts.json", self.folder / "bad_frame.extxyz"
        self._protocol = protocol
        self.progress = Progress()
        self.frames: list[dict] = []  # not yet in the trajectory
        self.times: list[float] = []  # ps, of all frames, with the energies that ought to stay
        self.conserved: list[float] = []  # eV
        self.file = None
        self.is_final = False  # whatever ended it would end it again
        self.system: System = None

    @property
    def protocol(self) -> Protocol:
        return self._protocol.halved() if self.progress.half_step else self._protocol

    @property
    def has_ended(self) -> bool:
        """Whether the run is over, well or not, with all its files."""
        if not (self.facts.exists() and self.trajectory.exists()):
            return False
        facts = json.loads(self.facts.read_text())
        if facts["run_sha256"] != self.fingerprint:
            return False
        whole = facts["trajectory_bytes"] == self.trajectory.stat().st_size
        if not whole:
            log.warning("%s is not what the run wrote: it runs again", self.trajectory)
        return whole

    def can_continue(self) -> bool:
        """Whether there is a saved state of this very run, and not of another (a new potential, say)."""
        if not (self.state.exists() and self.trajectory.exists()):
            return False
        try:
            with np.load(self.state, allow_pickle=False) as saved:
                if str(saved["fingerprint"]) == self.fingerprint:
                    return True
        except (zipfile.BadZipFile, EOFError, KeyError, ValueError) as error:
            log.warning("%s is damaged (%s): its run begins afresh", self.state, error)
            return False
        log.warning(
            "%s: what is left here is of another start, potential, protocol or code: it begins afresh",
            self.condition.name,
        )
        return False

    def begin(self, attributes: dict) -> None:
        """A system at the start, without velocities, and an empty trajectory; what was here is removed.

        The cell is turned to where lengths and angles, which the trajectory holds, say that it is.
        """
        if self.file is not None:
            self.file.close()
        # the state first: what a kill leaves must not go together; and never write into a file with a second link
        for path in (self.state, self.facts, self.bad_frame, self.trajectory, self.folder / "progress.json"):
            path.unlink(missing_ok=True)
        c = self.condition
        attempt = ["half step"] if self.progress.half_step else []
        rng = generator_for(self.seed, "simulate", c.concentration, c.temperature, c.replica, *attempt)
        start = read(c.start)
        start.set_cell(cellpar_to_cell(start.cell.cellpar()), scale_atoms=True)
        self.system = System(Atoms(start.numbers, start.positions, cell=start.cell, pbc=True), rng)
        self.frames, self.times, self.conserved = [], [], []
        self._since = 0, self.progress.wall_s
        trajectory.create(self.trajectory, self.system.atoms, attributes)
        self._open()

    def resume(self) -> None:
        """The system of the saved state, and the trajectory cut to it."""
        with np.load(self.state, allow_pickle=False) as saved:
            atoms = Atoms(saved["numbers"], saved["positions"], cell=saved["cell"], pbc=True)
            atoms.set_momenta(saved["momenta"])
            text = json.loads(str(saved["text"]))
        rng = np.random.default_rng()
        rng.bit_generator.state = text["rng"]
        self.progress = Progress(**text["progress"])
        self._since = self.progress.steps, self.progress.wall_s
        work = text["thermostat_work"]
        self.system = System(atoms, rng, thermostat_work=work, steps=self.progress.steps)
        trajectory.cut(self.trajectory, self.progress.frames, text["bytes"])
        self._open()
        self.times = self.file["time"][:].tolist()
        self.conserved = self.file["conserved_energy"][:].tolist()
        log.info(
            "%s: goes on after %d steps, %d frames", self.condition.name, self.progress.steps, self.progress.frames
        )

    def _open(self) -> None:
        from netCDF4 import Dataset

        self.file = Dataset(self.trajectory, "a")
        self.file.set_auto_mask(False)

    def keep(self, frame: dict) -> None:
        """One more frame of the production; `flush` writes it."""
        self.frames.append(frame)
        self.times.append(float(frame["time"]))
        self.conserved.append(float(frame["conserved_energy"]))

    def flush(self) -> None:
        """Write what has been kept."""
        trajectory.append(self.file, self.frames)
        self.progress.frames += len(self.frames)
        self.frames = []

    def save(self) -> None:
        """Make what is done until now safe from a kill: first the frames, then the state that counts on them."""
        self.flush()
        self.file.sync()
        atoms, temporary = self.system.atoms, self.state.with_suffix(".tmp.npz")
        text = {
            "rng": self.system.rng.bit_generator.state,
            "progress": asdict(self.progress),
            "thermostat_work": self.system.thermostat_work,
            "bytes": self.trajectory.stat().st_size,
        }
        np.savez(
            temporary, numbers=atoms.numbers, positions=atoms.positions, momenta=atoms.get_momenta(),
            cell=atoms.cell.array, text=json.dumps(text), fingerprint=self.fingerprint,
        )  # fmt: skip
        os.replace(temporary, self.state)

    def tell(self) -> float:
        """Write progress.json; returns the seconds that are left."""
        done, protocol = self.progress.steps, self.protocol
        ended = done >= protocol.n_steps or self.progress.sick
        rate = (done - self._since[0]) / max(self.progress.wall_s - self._since[1], 1e-9)  # steps a second
        seconds_left = 0.0 if ended else (protocol.n_steps - done) / max(rate, 1e-9)
        report = {
            "steps": done,
            "steps_planned": protocol.n_steps,
            "stage": "ended" if ended else protocol.next_piece(done).stage,
            "half_step": self.progress.half_step,
            "temperature_K": round(temperature(self.system), 1),
            "drift_eV_atom_ns": self.drift(),
            "ns_per_day": round(rate * protocol.timestep_fs * 86400e-6, 3),
            "seconds_left": round(seconds_left),
            "written": round(time.time()),
            "sick": self.progress.sick,
        }
        write_json(self.folder / "progress.json", plain(report))
        return seconds_left

    def drift(self) -> float | None:
        """Of the energy that ought to be conserved, in eV an atom and ns; None before there are enough frames."""
        if len(self.times) < run_checks.MIN_SAMPLES:
            return None
        return round(run_checks.drift(self.times, self.conserved, len(self.system.atoms))[0], 4)

    def keep_bad_frame(self) -> None:
        """The frame that ended the run, with its momenta and forces, beside the good ones."""
        bad = self.system.atoms.copy()
        if self.system.forces is not None:
            bad.arrays["REF_forces"] = self.system.forces
        bad.info |= {"fault": self.progress.sick, "steps": self.progress.steps}
        write(self.bad_frame, bad, format="extxyz", write_results=False)

    def finish(self, attributes: dict) -> None:
        """Close the trajectory and write the facts, which end the run."""
        facts = {**attributes, **run_facts.summarise(self)}
        self.file.close()
        content = {**facts, "run_sha256": self.fingerprint, "trajectory_bytes": self.trajectory.stat().st_size}
        write_json(self.facts, plain(content))
        self.tell()
        self.state.unlink(missing_ok=True)


def plain(value: object) -> object:
    """A value for JSON, which knows no infinite number and none that is no number: null in their place."""
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    return None if isinstance(value, float) and not np.isfinite(value) else value
