"""Label one batch of structures with pw.x; each label goes to the label store as soon as it is there."""

import logging
from dataclasses import asdict
from pathlib import Path

from ase import Atoms
from thermoweave import environment, logs
from thermoweave.frames import read_frames, write_frames
from thermoweave.label_store import LabelStore, label_id
from thermoweave.labellers import pwscf
from thermoweave.tables import Record

log = logging.getLogger(__name__)


def label_batch(
    structures: Path, out_frames: Path, out_attempts: Path, batch: int, size: int, settings: dict, gate: dict,
    machine: pwscf.Machine, store: LabelStore, failed_dir: Path,
) -> None:  # fmt: skip
    """Label structures `batch * size` to `(batch + 1) * size` of a file.

    Accepted labels go to `out_frames`, every attempt to `out_attempts`, those of a killed job that began the batch
    included. A label that the store already holds costs no attempt and is recorded as STORED, or as refused
    where it does not pass this campaign's gate. A structure that fails the whole ladder is left out and on record.
    """
    chosen = read_frames(structures)[batch * size : (batch + 1) * size]
    level = pwscf.level_of_theory(settings, machine.pseudo_dir, {s for atoms in chosen for s in atoms.symbols})
    frames = []
    with Record(out_attempts, pwscf.COLUMNS) as record:
        for number, atoms in enumerate(chosen, start=1):
            identifier = label_id(atoms, level)
            where = f"{number}/{len(chosen)} {identifier[:8]}"
            frame = store.get(identifier)
            if frame is not None:
                frame = from_store(frame, atoms, identifier, gate, record)
                log.info("%s: %s", where, "refused by the gate" if frame is None else "in the label store")
            elif not record.holds(label_id=identifier, rung=pwscf.LAST_RUNG):
                for attempt, output in pwscf.attempts(atoms, identifier, settings, gate, machine, failed_dir):
                    record.add(asdict(attempt))
                    told = attempt.outcome, attempt.evidence, attempt.rung, attempt.wall_s
                    log.info("%s: %s, %s (%s, %.1f s)", where, *told)
                    if attempt.outcome == "SUCCESS":
                        frame = pwscf.labelled(atoms, identifier, output, level)
                        store.put(identifier, frame)
            if frame is not None:
                frames.append(frame)
    write_frames(out_frames, frames)


def from_store(frame: Atoms, atoms: Atoms, identifier: str, gate: dict, record: Record) -> Atoms | None:
    """A stored label with this campaign's word on where it came from; None if it does not pass this campaign's gate."""
    if not record.holds(label_id=identifier, outcome="SUCCESS"):
        record.add(pwscf.stored_row(atoms, identifier, pwscf.refusal(frame, frame.arrays["REF_forces"], gate)))
    frame.info.update(atoms.info)
    return None if pwscf.refusal(frame, frame.arrays["REF_forces"], gate) else frame


if __name__ == "__main__":
    environment.isolate()
    logs.start(snakemake.log[0])
    label_batch(
        snakemake.input.structures,
        snakemake.output.frames,
        snakemake.output.attempts,
        machine=pwscf.Machine(
            snakemake.resources.pw_command,
            Path(snakemake.resources.pseudo_dir),
            snakemake.threads,
            Path("results/label/scratch"),
        ),
        store=LabelStore(snakemake.resources.label_store),
        failed_dir=Path("results/label/failed"),
        **snakemake.params,
    )
