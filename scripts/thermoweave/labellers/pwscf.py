"""Labels from Quantum ESPRESSO's pw.x, attempt after attempt along a ladder, every attempt on record."""

import os
import shlex
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from ase import Atoms

from thermoweave import espresso
from thermoweave.frames import closest_distance

# What changes from one attempt to the next; nothing here changes the physics.
LADDER = [
    ("first", {}),
    # one structure in about eighty fails once and converges when simply repeated
    ("repeat", {}),
    ("gentle mixing", {"mixing_beta": 0.3, "electron_maxstep": 200}),
]


@dataclass
class Attempt:
    """One line of summary.csv."""

    label_id: str
    concentration: str
    temperature: str
    rung: str
    outcome: str
    evidence: str
    scf_steps: int
    wall_s: float
    core_s: float
    host: str
    version: str


COLUMNS = list(Attempt.__annotations__)


@dataclass
class Machine:
    """What belongs to the machine and not to the physics."""

    pw_command: str
    pseudo_dir: Path
    threads: int
    scratch: Path


def attempts(
    atoms: Atoms, identifier: str, settings: dict, gate: dict, machine: Machine, failed_dir: Path
) -> Iterator[tuple[Attempt, espresso.PwOutput | None]]:
    """Run pw.x on one structure until it succeeds or the ladder ends, yielding each attempt as soon as it is over.

    `gate` holds `min_distance` (A) and `max_net_force` (eV/A an atom). The outputs of failed attempts are kept.
    """
    distance = closest_distance(atoms)
    if distance < gate["min_distance"]:
        evidence = f"two atoms {distance:.2f} A apart, allowed {gate['min_distance']:g}"
        yield _record(atoms, identifier, "none", espresso.Verdict("TOO_CLOSE", evidence), None, 0.0, machine), None
        return
    for index, (rung, electrons) in enumerate(LADDER):
        start = time.monotonic()
        text = run_pw(atoms, settings, electrons, machine, f"{identifier[:16]}-{index}")
        wall = time.monotonic() - start
        output = espresso.parse_output(text)
        verdict = espresso.judge(output, len(atoms), settings, gate["max_net_force"])
        if not verdict.accepted:
            failed_dir.mkdir(parents=True, exist_ok=True)
            (failed_dir / f"{identifier}-{index}.out").write_text(text)
        yield _record(atoms, identifier, rung, verdict, output, wall, machine), output
        if verdict.accepted:
            return


def run_pw(atoms: Atoms, settings: dict, electrons: dict, machine: Machine, name: str) -> str:
    """Start pw.x in a scratch folder of its own and return what it printed. Raises FileNotFoundError if it cannot
    start.
    """
    command = [*shlex.split(machine.pw_command), "-in", "pw.in"]
    files = espresso.pseudopotential_files(machine.pseudo_dir, sorted(set(atoms.symbols)))
    folder = machine.scratch / f"{name}-{os.getpid()}"
    folder.mkdir(parents=True)
    try:
        text = espresso.input_text(atoms, settings, electrons, files, str(machine.pseudo_dir.resolve()))
        (folder / "pw.in").write_text(text)
        environment = {**os.environ, "OMP_NUM_THREADS": str(machine.threads)}
        with open(folder / "pw.out", "w") as out:
            subprocess.run(command, cwd=folder, stdout=out, stderr=subprocess.STDOUT, env=environment, check=False)
        return (folder / "pw.out").read_text(errors="replace")
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"pw.x could not be started: {command[0]} not found. Set the resource pw_command of rule "
            f"label_pwscf in your "
            "profile (profiles/default/config.yaml shows how), or see `make doctor`."
        ) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def labelled(atoms: Atoms, identifier: str, output: espresso.PwOutput) -> Atoms:
    """The structure with its REF_ keys."""
    frame = Atoms(atoms.symbols, atoms.positions, cell=atoms.cell, pbc=atoms.pbc, info=dict(atoms.info))
    frame.info.update(REF_energy=output.energy, label_id=identifier, labeller=f"pw.x {output.version}")
    frame.arrays["REF_forces"] = output.forces
    return frame


def _record(atoms, identifier, rung, verdict, output, wall, machine) -> Attempt:
    return Attempt(
        label_id=identifier,
        concentration=str(atoms.info.get("concentration", "")),
        temperature=str(atoms.info.get("temperature", "")),
        rung=rung,
        outcome=verdict.outcome,
        evidence=verdict.evidence,
        scf_steps=len(output.accuracies) if output else 0,
        wall_s=round(wall, 2),
        core_s=round(wall * machine.threads, 2),
        host=socket.gethostname(),
        version=(output.version or "") if output else "",
    )


def as_row(attempt: Attempt) -> dict:
    return asdict(attempt)


def stored_row(atoms: Atoms, identifier: str) -> dict:
    """The record of a label that another job had computed before."""
    condition = {key: str(atoms.info.get(key, "")) for key in ("concentration", "temperature")}
    empty = dict.fromkeys(COLUMNS, "")
    return {
        **empty,
        **condition,
        "label_id": identifier,
        "outcome": "STORED",
        "scf_steps": 0,
        "wall_s": 0.0,
        "core_s": 0.0,
    }
