"""The verdict on a run: was it a healthy run of the system that the labels describe?"""

import json
import logging
import os
from pathlib import Path

from thermoweave import environment, logs

log = logging.getLogger(__name__)


def fault(facts: dict, max_wall_contacts: float, min_displacement: float) -> str:
    """What is wrong with a run, in a sentence, or nothing.

    max_wall_contacts: ion pairs inside the wall, mean over the frames. min_displacement: A, rms of the slowest species
    over the run; 0 for a solid.
    """
    if facts["sick"]:
        return facts["sick"]
    if facts["wall_contacts_per_frame"] > max_wall_contacts:
        return (
            f"{facts['wall_contacts_per_frame']:.2f} wall contacts a frame, allowed {max_wall_contacts:g}: "
            "the run lives where no label is; more labels or another round are needed"
        )
    displacement = facts["rms_displacement_A"]
    slowest = min(displacement, key=displacement.get)
    if displacement[slowest] < min_displacement:
        return (
            f"{slowest} moved {displacement[slowest]:.2f} A (rms) in the whole run, a liquid at least "
            f"{min_displacement:g}: crystallised, glassy or too short"
        )
    return ""


def simulate_judge(facts: Path, output: Path, max_wall_contacts: float, min_displacement: float) -> None:
    """Write the facts with `passed` and `reason` (JSON)."""
    found = json.loads(facts.read_text())
    reason = fault(found, max_wall_contacts, min_displacement)
    log.info("%s", f"FAILED: {reason}" if reason else "passed")
    partial = Path(f"{output}.partial")
    partial.write_text(json.dumps({**found, "passed": not reason, "reason": reason}, indent=1))
    os.replace(partial, output)


if __name__ == "__main__":
    environment.isolate()
    logs.start(snakemake.log[0])
    simulate_judge(Path(snakemake.input.facts), Path(snakemake.output.verdict), **snakemake.params)
