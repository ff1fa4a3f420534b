"""Runs that share a loaded potential: advanced piece by piece, watched, saved and ended each by itself."""

import logging
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from thermoweave import barostat, health, run_checks, trajectory
from thermoweave.potentials.committee import deviation
from thermoweave.preparation import relax, thermalise
from thermoweave.protocol import HEAT_FROM, Piece
from thermoweave.runs import Progress, Run

log = logging.getLogger(__name__)

SAVE_EVERY_S = 60.0  # what a killed run can lose
TELL_EVERY_S = 10.0
SURE = 3.0  # standard errors of a drift that ends a run on its way; at its end 2 do
FIRST_DRIFT = 2  # tenths of the production, after which, and every tenth, the drift of the energy is looked at

# What an engine raises where a run is at fault (lost atoms, no neighbours), unless it says one of these words.
RUN_FAULTS = (RuntimeError, ValueError, ArithmeticError)
MACHINE_FAULTS = ("CUDA", "cuda", "memory", "allocate", "No space", "cuDNN", "HIP")


@dataclass
class Checks:
    """What is asked of a run as a whole while it runs, from the config's section `simulate.health`."""

    max_drift: float  # eV an atom and ns, of the energy that ought to be conserved
    retry_half_step: bool  # once, afresh, with half the time step, where a run breaks a limit
    committee: dict | None  # {"every": frames, "max_force_deviation": eV/A}


class Batch:
    """Runs of one potential that share a loaded model."""

    def __init__(
        self, runs: Sequence[Run], session, together: bool, committee: Sequence, limits: health.Limits, checks: Checks,
        attributes: dict,
    ):  # fmt: skip
        self.runs, self.session, self.together, self.committee = runs, session, together, committee
        self.limits, self.checks, self.attributes = limits, checks, attributes
        self.alone: set[Run] = set()  # members that are advanced by themselves, since their group failed
        self.stop = False
        # in the middle of a piece when told to stop: not saved there, they go on from their last state
        self.midway: list[Run] = []

    def start(self, run: Run) -> None:
        """Go on from the saved state, or begin."""
        if run.can_continue():
            try:
                run.resume()
                return
            except ValueError as error:
                log.warning("%s; %s begins afresh", error, run.condition.name)
                run.progress = Progress()
        self.begin(run)

    def begin(self, run: Run) -> None:
        """Relax the start, draw velocities, save."""
        c = run.condition
        names = {"concentration": c.concentration, "temperature": c.temperature, "replica": c.replica}
        protocol = {key: str(value) for key, value in asdict(run.protocol).items()}
        run.begin({**names, **self.attributes, "seed": str(run.seed), **protocol})
        try:
            relax(self.session, run.system)
        except RUN_FAULTS as error:
            self.engine_failed(run, error)
            return
        thermalise(run.system, run.kelvin * (HEAT_FROM if run.protocol.steps("heat") else 1.0))
        run.save()

    def propagate(self) -> None:
        """Advance all runs, piece by piece, to their ends."""
        saved = told = time.monotonic()
        while running := [run for run in self.runs if not self.is_over(run)]:
            pieces = {run: run.protocol.next_piece(run.progress.steps) for run in running}
            for group in self.groups(pieces):
                if not self.stop:
                    self.advance({run: pieces[run] for run in group})
            now = time.monotonic()
            if now - saved > SAVE_EVERY_S or self.stop:
                for run in running:
                    if not (self.is_over(run) or run in self.midway):
                        run.save()
                saved = now
            if self.stop:
                raise SystemExit("told to stop (SIGTERM): the runs are saved, and go on when the job runs again")
            if now - told > TELL_EVERY_S:
                self.tell()
                told = now

    def groups(self, pieces: dict[Run, Piece]) -> list[list[Run]]:
        """Runs that the engine is to move together: those with pieces of one shape, where it can."""
        if not self.together:
            return [[run] for run in pieces]
        shared: dict[tuple, list[Run]] = {}
        for run, piece in pieces.items():
            shared.setdefault((piece[1:], id(run) if run in self.alone else 0), []).append(run)
        return list(shared.values())

    def is_over(self, run: Run) -> bool:
        return bool(run.progress.sick) or run.progress.steps >= run.protocol.n_steps

    def advance(self, pieces: dict[Run, Piece]) -> None:
        """One piece of every run of a group. Where the engine fails with several, each goes on by itself from its last
        saved state; where it fails with one, that one is over.
        """
        began = time.monotonic()
        first = {run: run.progress.steps for run in pieces}
        drives = [run.protocol.drive(run.kelvin, piece, run.progress.steps) for run, piece in pieces.items()]
        (steps, interval), systems = next(iter(pieces.values()))[1:], [run.system for run in pieces]
        frames = self.session.advance(systems, drives, steps, interval, self.limits.max_force)
        while True:
            try:
                next(frames)
            except StopIteration:
                break
            except RUN_FAULTS as error:
                self.isolate(list(pieces), error)
                return
            if self.stop:
                self.midway = list(pieces)
                frames.close()
                return
            for run, piece in pieces.items():
                if not run.progress.sick and (run.system.stopped or run.system.steps > run.progress.steps):
                    self.look_at(run, piece)
        for run, piece in pieces.items():
            run.progress.wall_s += (time.monotonic() - began) / len(pieces)
            if not run.progress.sick:
                self.end_piece(run, piece, first[run])
            run.flush()
            if run.progress.sick:
                self.end_badly(run)
            elif self.is_over(run):
                run.finish(self.attributes)

    def isolate(self, group: list[Run], error: Exception) -> None:
        """What becomes of runs that the engine failed with."""
        if len(group) == 1:
            self.engine_failed(group[0], error)
            return
        log.warning("the engine failed (%s: %s): each run goes on by itself", type(error).__name__, error)
        for run in group:
            run.file.close()
            run.frames = []
            run.resume()
            self.alone.add(run)

    def engine_failed(self, run: Run, error: Exception) -> None:
        """End a run that the engine cannot move. Raises the error again where it is the machine's and not the run's."""
        if any(word in str(error) for word in MACHINE_FAULTS):
            raise error
        run.progress.sick, run.is_final = f"the engine failed: {type(error).__name__}: {error}", True
        run.flush()
        self.end_badly(run)

    def look_at(self, run: Run, piece: Piece) -> None:
        """The health of the present frame, and in the production the frame itself."""
        run.progress.steps = run.system.steps
        fault = health.sick_frame(run.system, run.kelvin, self.limits)
        if run.system.stopped and not fault:
            fault = "the engine had to stop it between two frames, by a force that was too large or no number"
        producing = piece.stage == "produce"
        if producing and not fault and self.committee:
            fault = self.disagreement(run)
        if fault:
            run.progress.sick, run.system.stopped = fault, True
        elif producing:
            run.keep(trajectory.frame(run.system, run.protocol.time_ps(run.progress.steps), run.kelvin))

    def disagreement(self, run: Run) -> str:
        """How far the committee scatters on every so many frames, where that is too far."""
        if (len(run.times) + 1) % self.checks.committee["every"]:
            return ""
        largest = float(deviation(self.committee, run.system.atoms).forces.max())
        allowed = self.checks.committee["max_force_deviation"]
        run.progress.deviations.append(largest)
        if largest <= allowed:
            return ""
        run.is_final = True  # no time step cures that
        return f"committee deviation of {largest:.2f} eV/A, allowed {allowed:g}"

    def end_piece(self, run: Run, piece: Piece, first: int) -> None:
        """What is due when a piece is over: the barostat, the drift of the energy."""
        protocol, done = run.protocol, run.progress.steps
        if piece.stage == "npt":
            density = protocol.density
            elapsed = piece.steps * protocol.timestep_fs / 1000
            try:
                barostat.rescale(run.system, run.kelvin, density["pressure_GPa"], density["barostat_ps"], elapsed)
            except ValueError as error:  # a pressure that is far off, or none
                run.progress.sick, run.is_final = str(error), True
                return
            run.progress.volumes.append(run.system.atoms.get_volume())
            run.progress.sick = barostat.runaway(run.progress.volumes)
            if done == protocol.begin("equilibrate") and not run.progress.sick:
                barostat.settle(run.system, run.progress.volumes)
        before, now = (10 * (steps - protocol.begin("produce")) // protocol.steps("produce") for steps in (first, done))
        if now > before and now >= FIRST_DRIFT:
            slope, error = run_checks.drift(run.times, run.conserved, len(run.system.atoms))
            run.progress.sick = run_checks.drift_fault(slope, error, self.checks.max_drift, SURE if now < 10 else 2.0)

    def end_badly(self, run: Run) -> None:
        """Keep the frame that ended a run; where the config allows it, once begin afresh with half the time step."""
        fault = run.progress.sick
        log.warning("%s: stopped after %d steps: %s", run.condition.name, run.progress.steps, fault)
        run.keep_bad_frame()
        if self.checks.retry_half_step and not (run.progress.half_step or run.is_final):
            log.warning("%s: once more, with half the time step", run.condition.name)
            run.progress = Progress(half_step=True, first_fault=fault, wall_s=run.progress.wall_s)
            self.begin(run)
        else:
            run.finish(self.attributes)

    def tell(self) -> None:
        """Progress in the log, one line for the batch, and in each run's progress.json."""
        running = [run for run in self.runs if not self.is_over(run)]
        left = sum(run.tell() for run in running)
        share = sum(run.progress.steps for run in self.runs) / sum(run.protocol.n_steps for run in self.runs)
        told = [f"{health.temperature(run.system):.0f}/{run.kelvin:.0f} K, drift {run.drift()}" for run in running[:4]]
        log.info(
            "%d of %d runs under way, %.0f %% of all steps, %.0f s to go; temperature/target, drift (eV/atom/ns): %s%s",
            len(running), len(self.runs), 100 * share, left, "; ".join(told), " ..." if len(running) > 4 else "",
        )  # fmt: skip
