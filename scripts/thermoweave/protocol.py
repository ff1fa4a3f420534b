"""What a run does, stage by stage: heat, find the density (npt), equilibrate, produce."""

from dataclasses import dataclass, replace
from typing import NamedTuple

from thermoweave.engines import Drive

HEAT_FROM = 0.3  # of the target temperature, where heating begins
PIECE = 200  # steps at least between two states that can be saved: to begin anew costs an engine up to one step more
BAROSTAT_INTERVAL = 10  # steps between two rescalings of the cell
STAGES = ("heat", "npt", "equilibrate", "produce")


class Piece(NamedTuple):
    """The next steps of a run, all of one stage: how many, and how many between two looks at them."""

    stage: str
    steps: int
    interval: int


@dataclass(frozen=True)
class Protocol:
    """Lengths and time constants of a run, from the config's section `simulate.protocol`; times in ps.

    `production_thermostat_ps` is "nve", or the time constant of the velocity rescaling; `density` is "fixed", or
    {"pressure_GPa", "npt_ps", "barostat_ps"}.
    """

    timestep_fs: float
    heating_ps: float
    equilibration_ps: float
    production_ps: float
    frame_interval: int  # steps
    equilibration_thermostat_ps: float
    production_thermostat_ps: float | str
    density: dict | str

    def halved(self) -> "Protocol":
        """The same run with half the time step, its frames at the same times."""
        return replace(self, timestep_fs=self.timestep_fs / 2, frame_interval=2 * self.frame_interval)

    def steps(self, stage: str) -> int:
        """Steps of a stage. Those of the production are a whole number of frames."""
        if stage == "produce":
            return self.n_frames * self.frame_interval
        npt = 0.0 if self.density == "fixed" else self.density["npt_ps"]
        length = {"heat": self.heating_ps, "npt": npt, "equilibrate": self.equilibration_ps}[stage]
        return round(length * 1000 / self.timestep_fs)

    @property
    def n_frames(self) -> int:
        return round(self.production_ps * 1000 / self.timestep_fs / self.frame_interval)

    @property
    def n_steps(self) -> int:
        return sum(map(self.steps, STAGES))

    def begin(self, stage: str) -> int:
        """Steps done when a stage begins."""
        return sum(map(self.steps, STAGES[: STAGES.index(stage)]))

    def next_piece(self, done: int) -> Piece:
        """The next steps of a run that has done `done` of its `n_steps`."""
        stage = next(stage for stage in STAGES if done < self.begin(stage) + self.steps(stage))
        interval = BAROSTAT_INTERVAL if stage == "npt" else self.frame_interval
        longest = interval if stage == "npt" else -(-PIECE // interval) * interval
        return Piece(stage, min(longest, self.begin(stage) + self.steps(stage) - done), interval)

    def drive(self, kelvin: float, piece: Piece, done: int) -> Drive:
        """What a run at `kelvin` is under in its next piece."""
        targets = kelvin, kelvin
        if piece.stage == "heat":
            share = [step / self.steps("heat") for step in (done, done + piece.steps)]
            targets = tuple(kelvin * (HEAT_FROM + (1 - HEAT_FROM) * x) for x in share)
        if piece.stage != "produce":
            return Drive(self.timestep_fs, targets, self.equilibration_thermostat_ps)
        constant = self.production_thermostat_ps
        return Drive(self.timestep_fs, targets, None if constant == "nve" else constant)

    def time_ps(self, done: int) -> float:
        """Time since the production began."""
        return (done - self.begin("produce")) * self.timestep_fs / 1000
