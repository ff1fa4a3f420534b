"""Label one batch of structures with pw.x; each label goes to the label store as soon as it is there."""

import logging
from pathlib import Path

from thermoweave import environment, locks, logs
from thermoweave.frames import read_frames, write_frames
from thermoweave.label_store import LabelStore, file_hash, label_id
from thermoweave.labellers import pwscf
from thermoweave.tables import write_csv

log = logging.getLogger(__name__)


def label_batch(
    structures: Path, out_frames: Path, out_attempts: Path, batch: int, size: int, settings: dict, gate: dict,
    machine: pwscf.Machine, store: LabelStore, failed_dir: Path,
) -> None:  # fmt: skip
    """Label structures `batch * size` to `(batch + 1) * size` of a file.

    Accepted labels go to `out_frames`, every attempt made now to `out_attempts`; a label that the store already holds
    costs no attempt and is recorded as STORED. A structure that fails the whole ladder is left out and stays in the
    record.
    """
    lock = locks.hold(out_frames)
    chosen = read_frames(structures)[batch * size : (batch + 1) * size]
    frames, rows = [], []
    hashes = {
        symbol: file_hash(machine.pseudo_dir / name)
        for symbol, name in pwscf.espresso.pseudopotential_files(
            machine.pseudo_dir, sorted({s for atoms in chosen for s in atoms.symbols})
        ).items()
    }
    for number, atoms in enumerate(chosen, start=1):
        identifier = label_id(atoms, settings, {s: hashes[s] for s in sorted(set(atoms.symbols))})
        frame = store.get(identifier)
        if frame is not None:
            # the store may serve several campaigns: where the structure came from is this campaign's word
            frame.info.update(atoms.info)
            rows.append(pwscf.stored_row(atoms, identifier))
            log.info("%d/%d %s: in the label store", number, len(chosen), identifier[:8])
        for attempt, output in (
            () if frame is not None else pwscf.attempts(atoms, identifier, settings, gate, machine, failed_dir)
        ):
            rows.append(pwscf.as_row(attempt))
            log.info(
                "%d/%d %s: %s, %s (%s, %.1f s)",
                number,
                len(chosen),
                identifier[:8],
                attempt.outcome,
                attempt.evidence,
                attempt.rung,
                attempt.wall_s,
            )
            if attempt.outcome == "SUCCESS":
                frame = pwscf.labelled(atoms, identifier, output)
                store.put(identifier, frame)
        if frame is not None:
            frames.append(frame)
    write_csv(out_attempts, rows, pwscf.COLUMNS)
    write_frames(out_frames, frames)
    lock.close()


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
