"""What decides a run, as one hash: a run is that of a config, or it is another one."""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

from thermoweave.health import Limits
from thermoweave.potentials.manifest import sha256
from thermoweave.protocol import Protocol


def fingerprint(start: Path, protocol: Protocol, limits: Limits, checks: dict, *others: object) -> str:
    """sha256 of all that decides a run; `others`: what the runs of a job have in common, as plain values."""
    content = [sha256(start), asdict(protocol), asdict(limits), checks, others]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def identity(manifest: dict) -> list:
    """What of a potential's manifest decides a run: not how fast it is."""
    weights = [manifest["files"][name] for name in manifest["weights"]]
    facts = [manifest[key] for key in ("backend", "dtype", "wall", "energy_shifts_eV")]
    return [*weights, *facts, manifest["compiled"] is not None]
