"""The verdict on a run: was it a healthy run of the system that the labels describe?"""

import json
import logging
import os
import shutil
from pathlib import Path

from thermoweave import environment, logs, run_checks
from thermoweave.potentials.manifest import write_json

log = logging.getLogger(__name__)

MAX_DENSITY_RATIO = 1.3  # of the density that a liquid's pressure gives, to that of its start: more is another phase


def fault(facts: dict, max_wall_contacts: float, liquid: dict | None) -> str:
    """What is wrong with a run, in a sentence, or nothing.

    max_wall_contacts: ion pairs inside the wall, mean over the frames. liquid: None for what is none, else
    {"min_displacement": A, rms of the slowest species in each half of the run, "max_cavity": A, radius of the largest
    empty sphere}.
    """
    if facts["sick"]:
        return facts["sick"]
    if facts["wall_contacts_per_frame"] > max_wall_contacts:
        return (
            f"{facts['wall_contacts_per_frame']:.2f} wall contacts a frame, allowed {max_wall_contacts:g}: "
            "the run lives where no label is; more labels or another round are needed"
        )
    if not liquid:
        return ""
    flow = {species: run_checks.Flow(**moved) for species, moved in facts["flow_A"].items()}
    volumes = [1.0, facts.get("volume_ratio", 1.0)]
    return run_checks.liquid_fault(
        flow, facts["largest_cavity_A"], volumes, **liquid, max_density_ratio=MAX_DENSITY_RATIO
    )


def facts_of(folder: Path, record: Path) -> dict:
    """The facts of the run in a folder. Raises ValueError where it is not the one that its job recorded."""
    facts = json.loads((folder / "facts.json").read_text())
    recorded = json.loads(record.read_text())["runs"].values()
    if facts["run_sha256"] not in recorded:
        raise ValueError(
            f"{folder} holds a run of another protocol, potential or start than {record} says: the config was changed "
            f"and changed back in between; delete {record}, and what is missing runs again"
        )
    return facts


def deliver(trajectory: Path, output: Path, n_bytes: int) -> None:
    """A hard link to the run's trajectory, which Snakemake may delete without the run being lost; a copy where the
    filesystem has no such links. Raises ValueError where the file is not the one that the run wrote.
    """
    size = trajectory.stat().st_size
    if size != n_bytes:
        raise ValueError(
            f"{trajectory} has {size} bytes, the run wrote {n_bytes}: delete its folder {trajectory.parent} and the "
            "record of its batch (*.run.json), and it runs again"
        )
    output.unlink(missing_ok=True)
    try:
        os.link(trajectory, output)
    except OSError as error:
        log.warning("no hard link (%s): copying", error)
        shutil.copyfile(trajectory, output)


def simulate_judge(
    folder: Path, record: Path, out_trajectory: Path, out_verdict: Path, max_wall_contacts: float, liquid: dict | None
) -> None:  # fmt: skip
    """Take a run out of its folder: its trajectory, and its facts with `passed` and `reason` (JSON)."""
    found = facts_of(folder, record)
    reason = fault(found, max_wall_contacts, liquid)
    log.info("%s", f"FAILED: {reason}" if reason else "passed")
    deliver(folder / "trajectory.nc", out_trajectory, found["trajectory_bytes"])
    write_json(out_verdict, {**found, "passed": not reason, "reason": reason})


if __name__ == "__main__":
    environment.isolate()
    logs.start(snakemake.log[0])
    simulate_judge(
        Path(snakemake.params.folder),
        Path(snakemake.input.record),
        Path(snakemake.output.trajectory),
        Path(snakemake.output.verdict),
        snakemake.params.max_wall_contacts,
        snakemake.params.liquid,
    )
