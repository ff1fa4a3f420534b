"""Attempt after attempt along the ladder until a structure has its label, every attempt on record."""

import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from ase import Atoms

from thermoweave import gate, ladder
from thermoweave.gate import Calculation, Verdict
from thermoweave.labellers import Machine
from thermoweave.ladder import Rung
from thermoweave.tables import read_csv


@dataclass
class Attempt:
    """One line of the record."""

    label_id: str
    concentration: str
    temperature: str
    rung: str
    outcome: str
    evidence: str
    scf_steps: int
    wall_s: float
    core_s: float
    program: str


# After these the ladder begins anew: the label is gone from the store, or the gate has just let the structure pass.
AFRESH = {*gate.ACCEPTED, "TOO_CLOSE", "BAD_STRUCTURE"}
COLUMNS = list(Attempt.__annotations__)


class MachineFault(RuntimeError):
    """The job cannot go on, and no structure is to blame: nothing is rejected, the next run tries again."""


@dataclass
class Batch:
    """What all structures of a job share."""

    labeller: ModuleType
    settings: dict  # the labeller's section of the config
    rungs: list[Rung]
    limits: dict  # of the gate: min_distance (A), max_net_force (eV/A an atom)
    needs_stress: bool
    machine: Machine
    scratch: Path  # this job's own folder
    failed: Path  # where the outputs of failed attempts are kept


def climb(
    atoms: Atoms, identifier: str, batch: Batch, last: dict | None = None
) -> Iterator[tuple[Attempt, Calculation | None, Rung]]:
    """Run a structure from rung to rung until it succeeds or the ladder ends, yielding each attempt as it is over.

    `last` is the attempt (a row of the record) that an earlier, killed job came to: the ladder goes on behind it.
    Raises MachineFault where a fault of the machine has no rung.
    """
    rungs = batch.rungs
    if refused := gate.structure_fault(atoms, batch.limits["min_distance"]):
        if not last or last["outcome"] != refused.outcome:
            yield record(atoms, identifier, rungs[0].name, refused), None, rungs[0]
        return
    rung = _resumed(batch, last)
    folder = batch.scratch / identifier[:16]
    if folder.exists() and not (last and last["outcome"] == "OUT_OF_TIME"):
        shutil.rmtree(folder)  # of a killed job: what it left may be half written
    chosen: dict | None = None
    while rung:
        if batch.machine.seconds_left <= 0:
            raise MachineFault("the job's runtime is over; run it again, or raise `runtime` of rule label_structures")
        folder.mkdir(parents=True, exist_ok=True)
        start = time.monotonic()
        calculation = batch.labeller.calculate(
            atoms, rung.applied(batch.settings, chosen or {}), batch.machine, folder, batch.needs_stress
        )
        wall = time.monotonic() - start
        verdict = gate.judge(calculation, len(atoms), batch.limits["max_net_force"], batch.needs_stress)
        if verdict.outcome != "OUT_OF_TIME":
            shutil.rmtree(folder)
        if not verdict.accepted:
            _keep(batch.failed / f"{identifier}-{rungs.index(rung)}.out", calculation.printed)
        yield record(atoms, identifier, rung.name, verdict, calculation, wall, batch.machine.cores), calculation, rung
        if verdict.accepted:
            return
        chosen = calculation.chosen
        rung = ladder.following(rungs, rung.name, verdict.outcome, batch.settings, chosen)
        if rung is None and verdict.outcome in gate.MACHINE_FAULTS:
            raise MachineFault(f"{verdict.outcome} ({gate.MACHINE_FAULTS[verdict.outcome]}): {verdict.evidence}")


def _resumed(batch: Batch, last: dict | None) -> Rung | None:
    """The rung to begin with: the one behind the last attempt, or that one again after a fault of the machine; the
    first where that is not known, or where the rung multiplies what only an attempt tells.
    """
    named = {rung.name: rung for rung in batch.rungs}
    if not last or last["rung"] not in named or last["outcome"] in AFRESH:
        return batch.rungs[0]
    if last["outcome"] in gate.MACHINE_FAULTS:
        rung = named[last["rung"]]
    else:
        rung = ladder.following(batch.rungs, last["rung"], last["outcome"], batch.settings, None)
    return batch.rungs[0] if rung and rung.needs_chosen(batch.settings) else rung


def _keep(path: Path, printed: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(printed)


def record(
    atoms: Atoms, identifier: str, rung: str, verdict: Verdict, calculation: Calculation | None = None,
    wall: float = 0.0, cores: int = 1,
) -> Attempt:  # fmt: skip
    """The line of an attempt, or of a structure that needed none; `wall` in s."""
    return Attempt(
        label_id=identifier,
        concentration=str(atoms.info.get("concentration", "")),
        temperature=str(atoms.info.get("temperature", "")),
        rung=rung,
        outcome=verdict.outcome,
        evidence=verdict.evidence,
        scf_steps=calculation.scf_steps if calculation else 0,
        wall_s=round(wall, 2),
        core_s=round(wall * cores, 2),
        program=calculation.program if calculation else "",
    )


def last_attempts(summaries: Sequence[Path]) -> list[dict]:
    """The last attempt of each structure: what became of it."""
    last = {}
    for path in summaries:
        last.update({row["label_id"]: row for row in read_csv(path)})
    return list(last.values())
