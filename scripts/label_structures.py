"""Label one batch of structures; each label goes to the label store as soon as it is there."""

import contextlib
import errno
import logging
import shutil
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from ase import Atoms
from thermoweave import environment, gate, labellers, ladder, logs
from thermoweave.attempts import COLUMNS, Batch, MachineFault, climb, record
from thermoweave.frames import read_frames, write_frames
from thermoweave.gate import Calculation, Verdict
from thermoweave.label_store import LabelStore, label_id
from thermoweave.ladder import Rung
from thermoweave.tables import Record

log = logging.getLogger(__name__)


def label_structures(
    structures: list[Atoms], out_frames: Path, out_attempts: Path, batch: Batch, store: LabelStore
) -> None:
    """Label structures along the ladder.

    Accepted labels go to `out_frames`, every attempt to `out_attempts`, those of a killed job that began the batch
    included. A label that the store already holds costs no attempt and is recorded as STORED, or as refused where it
    does not pass this campaign's gate. A structure that fails the whole ladder is left out and on record.

    Raises attempts.MachineFault where the machine, and not a structure, is to blame.
    """
    store.prepare()
    frames = []
    levels = levels_of(batch, {symbol for atoms in structures for symbol in atoms.symbols})
    with _room_on_disk(), Record(out_attempts, COLUMNS) as attempts:
        for number, atoms in enumerate(structures, start=1):
            where = f"{number}/{len(structures)} {label_id(atoms, levels[None])[:8]}"
            found, frame = _stored(atoms, levels, batch, store, attempts)
            if found:
                log.info("%s: %s", where, "refused by the gate" if frame is None else "in the label store")
            else:
                frame = _computed(atoms, levels, batch, store, attempts, where)
            if frame is not None:
                frames.append(frame)
        write_frames(out_frames, frames)
    shutil.rmtree(batch.scratch, ignore_errors=True)


def levels_of(batch: Batch, species: set[str]) -> dict[str | None, dict[str, str]]:
    """The level of theory as asked for, under None, and that of each rung that changes the physics, under its name."""
    levels = {None: batch.labeller.level(batch.settings, batch.machine, species)}
    for rung in batch.rungs:
        if rung.changes_physics:
            levels[rung.name] = batch.labeller.level(rung.applied(batch.settings, {}), batch.machine, species)
    return levels


def _stored(atoms: Atoms, levels: dict, batch: Batch, store: LabelStore, attempts: Record) -> tuple[bool, Atoms | None]:
    """Whether the store has this structure's label, and the label if it passes this campaign's gate."""
    asked_for = label_id(atoms, levels[None])
    rungs = {rung.name: rung for rung in batch.rungs}
    for name, level in levels.items():
        frame = store.get(label_id(atoms, level))
        if frame is None:
            continue
        fault = gate.stored_fault(frame, batch.limits, batch.needs_stress)
        if fault and fault.outcome == "NO_STRESS":
            continue  # computed for a campaign that did not ask for it
        verdict = fault or Verdict("STORED", "in the label store")
        told = _last(attempts, asked_for).get("outcome")
        if told != verdict.outcome and (fault or told != "SUCCESS"):
            attempts.add(asdict(record(atoms, asked_for, name or "", verdict)))
        return True, None if fault else _labelled(atoms, frame, levels[None], rungs.get(name), batch)
    return False, None


def _computed(
    atoms: Atoms, levels: dict, batch: Batch, store: LabelStore, attempts: Record, where: str
) -> Atoms | None:
    """Climb the ladder from where a killed job stood; the label, or None at the ladder's end."""
    asked_for = label_id(atoms, levels[None])
    label, attempt = None, None
    for attempt, calculation, rung in climb(atoms, asked_for, batch, _last(attempts, asked_for)):
        told = attempt.outcome, attempt.evidence, attempt.rung, attempt.wall_s
        log.info("%s: %s, %s (%s, %.1f s)", where, *told)
        if attempt.outcome == "SUCCESS":
            if levels_of(batch, levels[None].keys() - {"settings"}) != levels:
                raise MachineFault("the pseudopotentials were exchanged while the job ran: run it again")
            changed = rung if rung.changes_physics else None
            frame = _frame(atoms, calculation, label_id(atoms, levels[changed.name if changed else None]))
            store.put(frame)  # before the record: what the record calls a success is in the store
            label = _labelled(atoms, frame, levels[None], changed, batch)
        attempts.add(asdict(attempt))
    if attempt is None:
        log.info("%s: rejected, a killed job had come to the end of its ladder", where)
    return label


def _last(attempts: Record, identifier: str) -> dict:
    """The last line that the record has of a structure; {} where it has none."""
    return next((row for row in reversed(attempts.rows) if row["label_id"] == identifier), {})


def _frame(atoms: Atoms, calculation: Calculation, identifier: str) -> Atoms:
    """What the store keeps: the numbers, and nothing of the campaign that they were computed for."""
    frame = Atoms(atoms.symbols, atoms.positions, cell=atoms.cell, pbc=atoms.pbc)
    frame.info.update(REF_energy=calculation.energy, label_id=identifier, labeller=calculation.program)
    frame.arrays["REF_forces"] = calculation.forces
    if calculation.stress is not None:
        frame.info["REF_stress"] = calculation.stress
    return frame


def _labelled(atoms: Atoms, frame: Atoms, level: dict[str, str], changed: Rung | None, batch: Batch) -> Atoms:
    """A label as this campaign has it: with its condition, the level of theory, and what a rung changed."""
    label = frame.copy()
    label.info = {**atoms.info, **frame.info}
    shared = ("settings", *sorted(level.keys() & set(atoms.symbols)))
    label.info["level"] = " ".join(f"{key}:{level[key][:12]}" for key in shared)
    if changed:
        physics = changed.physics(batch.settings, batch.labeller.NUMERICS)
        label.info["changed"] = f"{changed.name}: " + ", ".join(f"{key} {value}" for key, value in physics.items())
    return label


@contextlib.contextmanager
def _room_on_disk() -> Iterator[None]:
    """Say what a full disk means; the labels that were finished are in the store."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise MachineFault(
            f"DISK_FULL: {error.filename or 'results'}: {error.strerror}. Make room and run again: "
            "the labels that were finished are in the label store"
        ) from error


if __name__ == "__main__":
    environment.isolate()
    logs.start(snakemake.log[0])
    given, machine = snakemake.params, snakemake.resources
    labeller = labellers.adapter(given.labeller)
    begin = given.batch * given.size
    label_structures(
        read_frames(snakemake.input.structures)[begin : begin + given.size],
        snakemake.output.frames,
        snakemake.output.attempts,
        Batch(
            labeller,
            given.settings,
            ladder.read(Path(given.ladder), given.labeller, labeller.NUMERICS, given.allowed_rungs),
            given.limits,
            given.needs_stress,
            labellers.Machine(
                threads=snakemake.threads,
                tasks=machine.tasks,
                mem_mb=machine.mem_mb,
                deadline=time.monotonic() + 60 * machine.runtime,
                pw_command=machine.pw_command,
                pseudo_dir=Path(machine.pseudo_dir),
                npool=machine.npool,
            ),
            scratch=labellers.scratch(machine.scratch, snakemake.output.frames),
            failed=Path("results/label/failed"),
        ),
        LabelStore(machine.label_store),
    )
