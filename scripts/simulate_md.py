"""Molecular dynamics of a batch of conditions and replicas with one potential; what a killed job left goes on."""

import logging
import signal
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from thermoweave import engines, environment, health, logs, potentials
from thermoweave.batch import Batch, Checks
from thermoweave.fingerprint import fingerprint, identity
from thermoweave.potentials import manifest as manifests
from thermoweave.protocol import Protocol
from thermoweave.runs import Condition, Run

log = logging.getLogger(__name__)


def simulate(
    conditions: Sequence[Condition], potential: Path, committee: Sequence[Path], code: str, record: Path,
    engine: str, device: str, protocol: Protocol, limits: health.Limits, checks: Checks, seed: int,
) -> None:  # fmt: skip
    """Run every condition to its end or to its first sick frame; `record` (JSON) says which runs the job had.

    `committee`: potentials of all seeds, where `checks.committee` wants them; `code`: what the code does that they
    depend on. What is done already is not done again.
    """
    manifest = manifests.read(potential)
    name, reason = engines.choose(engine, manifest["backend"], device)
    log.info("engine %s: %s", name, reason)
    judges = [identity(manifests.read(path)) for path in committee]
    common = [identity(manifest), judges, code, name, device, seed]
    runs = [Run(c, protocol, fingerprint(c.start, protocol, limits, asdict(checks), *common), seed) for c in conditions]
    todo = [run for run in runs if not run.has_ended]
    if len(todo) < len(runs):
        log.info("%d of %d runs had ended before", len(runs) - len(todo), len(runs))
    if todo:
        attributes = {
            "potential_sha256": manifests.sha256(potential),
            "engine": name,
            "integrator": "velocity Verlet, stochastic velocity rescaling (Bussi 2007) where it has a thermostat",
        }
        members = [potentials.load(path, device) for path in committee] if checks.committee else []
        module = engines.engine(name)
        batch = Batch(todo, module.Session(potential, device), module.TOGETHER, members, limits, checks, attributes)
        signal.signal(signal.SIGTERM, lambda *_: setattr(batch, "stop", True))
        for run in todo:
            batch.start(run)
        batch.propagate()
    content = {run.condition.name: run.fingerprint for run in runs}
    manifests.write_json(record, {"engine": name, "reason": reason, "runs": content})


if __name__ == "__main__":
    environment.isolate()
    logs.start(snakemake.log[0])
    options = dict(snakemake.params)
    simulate(
        [
            Condition(*names, Path(start), Path(folder))
            for names, start, folder in zip(options["runs"], snakemake.input.starts, options["folders"], strict=True)
        ],
        Path(snakemake.input.potential),
        [Path(path) for path in snakemake.input.committee],
        snakemake.params[0],
        Path(snakemake.output[0]),
        options["engine"],
        options["device"],
        Protocol(**options["protocol"]),
        health.Limits(**options["limits"]),
        Checks(**options["checks"]),
        options["seed"],
    )
