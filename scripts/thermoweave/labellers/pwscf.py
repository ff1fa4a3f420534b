"""Labels from Quantum ESPRESSO's pw.x, attempt after attempt along a ladder, every attempt on record."""

import os
import shlex
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from ase import Atoms

from thermoweave import espresso
from thermoweave.frames import closest_distance
from thermoweave.label_store import file_hash, settings_hash

# What changes from one attempt to the next; nothing here changes the physics.
LADDER = [
    ("first", {}),
    # one structure in about eighty fails once and converges when simply repeated
    ("repeat", {}),
    ("gentle mixing", {"mixing_beta": 0.3, "electron_maxstep": 200}),
]


LAST_RUNG = LADDER[-1][0]


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
    refused = refusal(atoms, None, gate)
    if refused:
        yield _record(atoms, identifier, LAST_RUNG, refused, None, 0.0, machine), None
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
    """Start pw.x in a scratch folder of its own and return what it printed.

    Raises FileNotFoundError if there is no such program, RuntimeError if it did not get to its own heading or was
    killed by a signal.
    """
    command = [*shlex.split(machine.pw_command), "-in", "pw.in"]
    files = espresso.pseudopotential_files(machine.pseudo_dir, sorted(set(atoms.symbols)))
    machine.scratch.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=machine.scratch))
    try:
        text = espresso.input_text(atoms, settings, electrons, files, str(machine.pseudo_dir.resolve()))
        (folder / "pw.in").write_text(text)
        environment = {**os.environ, "OMP_NUM_THREADS": str(machine.threads)}
        with open(folder / "pw.out", "w") as out:
            done = subprocess.run(
                command, cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, env=environment
            )
        printed = (folder / "pw.out").read_text(errors="replace")
        if done.returncode and "Program PWSCF" not in printed or done.returncode < 0:
            # the machine's fault and not the structure's: nothing is rejected for it, and the next run tries again
            how = f"was killed by signal {-done.returncode}" if done.returncode < 0 else "did not start"
            raise RuntimeError(f"pw.x {how} (out of memory, a full disk, a broken launcher?): {printed[-500:]}")
        return printed
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"pw.x could not be started: {command[0]} not found. Set the resource pw_command of rule label_pwscf in "
            "your profile (profiles/default/config.yaml shows how), or see `make doctor`."
        ) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def refusal(atoms: Atoms, forces: np.ndarray | None, gate: dict) -> espresso.Verdict | None:
    """What the gate has against a structure, or against a label's forces (eV/A), or None."""
    distance = closest_distance(atoms)
    if distance < gate["min_distance"]:
        evidence = f"two atoms {distance:.2f} A apart, allowed {gate['min_distance']:g}"
        return espresso.Verdict("TOO_CLOSE", evidence)
    return None if forces is None else espresso.net_force_fault(forces, gate["max_net_force"])


def level_of_theory(settings: dict, pseudo_dir: Path, species: set[str]) -> dict[str, str]:
    """Hashes of what labels must share to be trained together: the settings that change the physics, and for each
    species its pseudopotential.
    """
    files = espresso.pseudopotential_files(pseudo_dir, sorted(species))
    return {"settings": settings_hash(settings), **{s: file_hash(pseudo_dir / name) for s, name in files.items()}}


def labelled(atoms: Atoms, identifier: str, output: espresso.PwOutput, level: dict[str, str]) -> Atoms:
    """The structure with its REF_ keys and the level of theory of each of its species."""
    frame = Atoms(atoms.symbols, atoms.positions, cell=atoms.cell, pbc=atoms.pbc, info=dict(atoms.info))
    frame.info.update(REF_energy=output.energy, label_id=identifier, labeller=f"pw.x {output.version}")
    shared = ("settings", *sorted(set(atoms.symbols)))
    frame.info["level"] = " ".join(f"{key}:{level[key][:12]}" for key in shared)
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


def stored_row(atoms: Atoms, identifier: str, refused: espresso.Verdict | None) -> dict:
    """The record of a label that another job had computed before."""
    condition = {key: str(atoms.info.get(key, "")) for key in ("concentration", "temperature")}
    verdict = refused or espresso.Verdict("STORED", "")
    cost = {"scf_steps": 0, "wall_s": 0.0, "core_s": 0.0}
    empty = dict.fromkeys(COLUMNS, "")
    return {**empty, **condition, **cost, "label_id": identifier, **asdict(verdict)}
