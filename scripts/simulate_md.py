"""Molecular dynamics of one condition and replica: equilibrate, produce; continue where a killed run stopped."""

import hashlib
import json
import logging
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.io import read
from thermoweave import environment, health, logs, potentials, trajectory
from thermoweave.engines import ase as engine
from thermoweave.potentials.manifest import sha256
from thermoweave.seeds import generator_for

log = logging.getLogger(__name__)

SAVE_EVERY_S = 20.0  # seconds of work that a killed run can lose


@dataclass
class Protocol:
    """Lengths and time constants of a run, from the config's section `simulate`."""

    timestep_fs: float
    equilibration_ps: float
    production_ps: float
    frame_interval: int  # steps
    equilibration_thermostat_ps: float
    production_thermostat_ps: float

    @property
    def equilibration_steps(self) -> int:
        return round(self.equilibration_ps * 1000 / self.timestep_fs)

    @property
    def n_frames(self) -> int:
        return round(self.production_ps * 1000 / self.timestep_fs / self.frame_interval)


@dataclass
class Progress:
    """Where a run stands: enough, with positions and momenta, to go on as if nothing had happened."""

    steps: int = 0  # done in all, equilibration included
    frames: int = 0  # in the trajectory
    wall_s: float = 0.0
    sick: str | None = None


class Run:
    """The files of one run: the trajectory and state in progress lie beside the output and survive a killed job."""

    def __init__(self, output: Path, fingerprint: str):
        self.fingerprint = fingerprint
        self.partial = output.with_suffix(".partial.nc")
        self.state = output.with_suffix(".state.npz")

    def can_continue(self) -> bool:
        """Whether there is a saved state of this very run; that of another (a new potential, say) is thrown away."""
        if self.state.exists() and self.partial.exists():
            with np.load(self.state, allow_pickle=False) as saved:
                if str(saved["fingerprint"]) == self.fingerprint:
                    return True
            log.warning("what an earlier job left here is of another start, potential or protocol: starting afresh")
        self.state.unlink(missing_ok=True)
        return False

    def save(self, atoms: Atoms, rng: np.random.Generator, progress: Progress) -> None:
        temporary = self.state.with_suffix(".tmp.npz")
        text = json.dumps({"rng": rng.bit_generator.state, "progress": asdict(progress)})
        np.savez(
            temporary,
            positions=atoms.positions,
            momenta=atoms.get_momenta(),
            cell=atoms.cell.array,
            text=text,
            fingerprint=self.fingerprint,
        )
        os.replace(temporary, self.state)

    def resume(self, atoms: Atoms, rng: np.random.Generator) -> Progress:
        """Put atoms and random numbers back to the saved state and cut the trajectory to it."""
        with np.load(self.state, allow_pickle=False) as saved:
            atoms.set_cell(saved["cell"])
            atoms.positions[:] = saved["positions"]
            atoms.set_momenta(saved["momenta"], apply_constraint=False)
            text = json.loads(str(saved["text"]))
        rng.bit_generator.state = text["rng"]
        progress = Progress(**text["progress"])
        trajectory.cut(self.partial, progress.frames)
        return progress

    def finish(self, output: Path) -> None:
        os.replace(self.partial, output)
        self.state.unlink(missing_ok=True)


def simulate(
    start: Path, potential: Path, output: Path, facts: Path, concentration: str, temperature: str, replica: str,
    protocol: Protocol, limits: health.Limits, seed: int,
) -> None:  # fmt: skip
    """Run to the end or to the first sick frame; write the trajectory and the facts of the run (JSON)."""
    from netCDF4 import Dataset

    run = Run(output, fingerprint_of(start, potential, protocol, limits, seed))
    if output.exists() and facts.exists() and json.loads(facts.read_text())["run_sha256"] == run.fingerprint:
        log.info("a job that outlived its Snakemake has finished this run meanwhile")
        return
    atoms = read(start)
    atoms.info.clear()
    rng = generator_for(seed, "simulate", concentration, temperature, replica)
    kelvin = float(temperature)
    calculator = potentials.load(potential)
    if run.can_continue():
        atoms.calc = calculator
        atoms.set_constraint(engine.FixCom())
        progress = run.resume(atoms, rng)
        log.info("continuing after %d steps and %d frames", progress.steps, progress.frames)
    else:
        progress = Progress()
        engine.prepare(atoms, calculator, kelvin, rng)
        attributes = {
            "concentration": concentration,
            "temperature": temperature,
            "replica": replica,
            "potential_sha256": sha256(potential),
            "integrator": "velocity Verlet, stochastic velocity rescaling (Bussi 2007)",
            "seed": str(seed),
            **{key: float(value) for key, value in asdict(protocol).items()},
        }
        trajectory.create(run.partial, atoms, attributes)
    with Dataset(run.partial, "a") as file:
        propagate(atoms, kelvin, protocol, limits, rng, progress, run, file)
        file.sync()
        report = summarise(file, atoms, protocol, progress)
    report.update(concentration=concentration, temperature=temperature, replica=replica, run_sha256=run.fingerprint)
    partial = Path(f"{facts}.partial")
    partial.write_text(json.dumps(report, indent=1))
    os.replace(partial, facts)
    run.finish(output)


def fingerprint_of(start: Path, potential: Path, protocol: Protocol, limits: health.Limits, seed: int) -> str:
    """sha256 of all that decides a run; the manifest holds the hashes of the weights."""
    content = [sha256(start), sha256(potential), asdict(protocol), asdict(limits), seed]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def propagate(atoms, kelvin, protocol, limits, rng, progress, run, file) -> None:
    """Advance in pieces of one frame interval; write frames, look after the health, save the state, report."""
    began, told = time.monotonic(), time.monotonic()
    before = progress.wall_s
    first_step = progress.steps
    total = protocol.equilibration_steps + protocol.n_frames * protocol.frame_interval
    saved = began
    while progress.steps < total and progress.sick is None:
        producing = progress.steps >= protocol.equilibration_steps
        left = (total if producing else protocol.equilibration_steps) - progress.steps
        steps = min(protocol.frame_interval, left)
        constant = protocol.production_thermostat_ps if producing else protocol.equilibration_thermostat_ps
        dynamics = engine.thermostatted(atoms, kelvin, protocol.timestep_fs, constant, rng)
        progress.steps += engine.advance(dynamics, steps, limits.max_force)
        progress.sick = health.sick_frame(atoms, kelvin, limits)
        now = time.monotonic()
        progress.wall_s = before + now - began
        if producing:
            trajectory.append(file, producing_time(progress, protocol), atoms, atoms.calc.results["wall_contacts"])
            progress.frames += 1
        if now - saved > SAVE_EVERY_S or progress.steps == protocol.equilibration_steps:
            file.sync()
            run.save(atoms, rng, progress)
            saved = now
        if now - told > 10 or progress.steps == total:
            rate = (progress.steps - first_step) / (now - began)
            log.info(
                "step %d of %d, %.0f K, %.2f ns/day, %.0f s to go",
                progress.steps, total, atoms.get_temperature(), rate * protocol.timestep_fs * 86400e-6,
                (total - progress.steps) / rate,
            )  # fmt: skip
            told = now


def producing_time(progress: Progress, protocol: Protocol) -> float:
    """Time in ps since the production began."""
    return (progress.steps - protocol.equilibration_steps) * protocol.timestep_fs / 1000


def summarise(file, atoms: Atoms, protocol: Protocol, progress: Progress) -> dict:
    """The facts of a run that `simulate_judge` judges; `sick` says what ended it early, if anything did."""
    report = {
        "sick": progress.sick or "",
        "frames": progress.frames,
        "frames_planned": protocol.n_frames,
        "steps": progress.steps,
        "wall_s": round(progress.wall_s, 1),
        "ns_per_day": round(progress.steps * protocol.timestep_fs * 86400e-6 / max(progress.wall_s, 1e-9), 3),
        "atoms": len(atoms),
        "cell_A": [round(float(length), 4) for length in atoms.cell.lengths()],
    }
    if progress.frames:
        contacts = float(np.mean(file["wall_contacts"][:]))
        moved = file["coordinates"][progress.frames - 1] - file["coordinates"][0]
        squared = np.sum(np.asarray(moved) ** 2, axis=1)
        displacement = {s: float(np.sqrt(squared[atoms.symbols == s].mean())) for s in sorted(set(atoms.symbols))}
        kinetic = np.asarray(file["temperature"][:])
        report.update(
            wall_contacts_per_frame=round(contacts, 4),
            rms_displacement_A={s: round(value, 3) for s, value in displacement.items()},
            mean_temperature_K=round(float(kinetic.mean()), 2),
            temperature_std_K=round(float(kinetic.std()), 2),
        )
    log.info("%s", f"stopped: {progress.sick}" if progress.sick else "ran to its end")
    return report


if __name__ == "__main__":
    environment.isolate()
    logs.start(snakemake.log[0])
    options = dict(snakemake.params)
    simulate(
        Path(snakemake.input.start),
        Path(snakemake.input.potential),
        Path(snakemake.output.trajectory),
        Path(snakemake.output.facts),
        snakemake.wildcards.concentration,
        snakemake.wildcards.temperature,
        snakemake.wildcards.replica,
        Protocol(**options["protocol"]),
        health.Limits(**options["limits"]),
        options["seed"],
    )
