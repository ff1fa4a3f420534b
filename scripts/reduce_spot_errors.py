"""How wrong a potential is on the frames of its own production runs that DFT has labelled."""

import json
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ase import Atoms
from thermoweave import environment, logs, potentials, prediction
from thermoweave.frames import read_frames
from thermoweave.gate import ACCEPTED
from thermoweave.potentials.manifest import write_json
from thermoweave.tables import read_csv

log = logging.getLogger(__name__)

MAX_ENERGY_DIFFERENCE = 1.0  # meV an atom, between the run and now: float32 and compiling make a thousandth of it


def reduce_spot_errors(
    structures: Path, labels: Path, attempts: Path, verdicts: Sequence[Path], potential_files: Sequence[Path],
    test_errors: Sequence[Path], output: Path, concentration: str, temperature: str, n: int,
) -> None:  # fmt: skip
    """Write the errors of each labelled frame, what was rejected and why, and the held-out errors beside them (JSON).

    `structures` that were drawn (`n` asked for), `labels` and all `attempts` that came of them; `potential_files` and
    `test_errors`: potential.json and errors.json of the trained seeds, in folders seed{seed}. Raises ValueError where a
    potential is not the one that ran: its energy of a frame differs from the run's.
    """
    drawn, labelled = read_frames(structures), read_frames(labels)
    calculators = {Path(path).parent.name: path for path in potential_files}
    calculators = {seed: potentials.load(calculators[seed]) for seed in sorted({a.info["potential"] for a in labelled})}
    found = {atoms.info["index"] for atoms in labelled}
    last = {row["label_id"]: row for row in read_csv(attempts)}
    result = {
        "concentration": concentration,
        "temperature": temperature,
        "asked": n,
        "gap": "" if drawn else failed_replicas(verdicts),
        "rejected": [name(atoms) for atoms in drawn if atoms.info["index"] not in found],
        "reasons": [f"{r['outcome']}: {r['evidence']}" for r in last.values() if r["outcome"] not in ACCEPTED],
        "frames": [errors(atoms, calculators[atoms.info["potential"]]) for atoms in labelled],
        "held_out": {Path(path).parent.name: held_out(path, concentration) for path in test_errors},
        "units": {"force_rmse": "meV/A, per component", "energy_error": "meV/atom, predicted less DFT", "time": "ps"},
    }
    log.info("%s", json.dumps(result))
    for atoms in result["rejected"]:
        log.warning("no label: %s", atoms)
    write_json(output, result)


def name(atoms: Atoms) -> str:
    """Where a frame comes from."""
    return f"replica {atoms.info['replica']} at {atoms.info['time_ps']:g} ps"


def failed_replicas(verdicts: Sequence[Path]) -> str:
    """Why no replica passed."""
    judged = {Path(path).stem.replace("replica", "replica "): json.loads(Path(path).read_text()) for path in verdicts}
    return "; ".join(f"{which}: {verdict['reason']}" for which, verdict in judged.items() if not verdict["passed"])


def errors(atoms: Atoms, calculator: object) -> dict:
    """Force RMSE of all atoms and of each species, and the error of the energy an atom."""
    (predicted,) = prediction.predict(calculator, [atoms])
    difference = 1000 * (predicted.energy - atoms.info["md_energy"]) / len(atoms)
    if not abs(difference) <= MAX_ENERGY_DIFFERENCE:
        raise ValueError(
            f"{name(atoms)} of {atoms.info['concentration']}, {atoms.info['temperature']}: the energy of "
            f"{atoms.info['potential']} is {difference:.3g} meV an atom off that of the run (allowed: "
            f"{MAX_ENERGY_DIFFERENCE:g}): another potential ran it; delete its trajectory, and it runs again"
        )
    force = 1000 * (predicted.forces - atoms.arrays["REF_forces"])
    groups = {"all": np.full(len(atoms), True), **{s: atoms.symbols == s for s in sorted(set(atoms.symbols))}}
    return {
        **{key: int(atoms.info[key]) for key in ("replica", "frame")},
        "time_ps": float(atoms.info["time_ps"]),
        **{key: atoms.info[key] for key in ("potential", "label_id")},
        "changed": atoms.info.get("changed", ""),
        "n_atoms": {key: int(chosen.sum()) for key, chosen in groups.items()},
        "force_rmse": {key: float(np.sqrt(np.mean(force[chosen] ** 2))) for key, chosen in groups.items()},
        "energy_error": 1000 * float(predicted.energy - atoms.info["REF_energy"]) / len(atoms),
    }


def held_out(path: Path, concentration: str) -> dict | None:
    """The force error of a potential on held-out labels of a concentration; None where there is no such label."""
    rows = json.loads(Path(path).read_text())["test"]["concentrations"]
    row = next((row for row in rows if row["concentration"] == concentration), None)
    return row and {
        "n_frames": row["n_frames"], "force_rmse": row["force_rmse_meV_A"], "std": row["force_rmse_std_meV_A"]
    }  # fmt: skip


if __name__ == "__main__":
    environment.isolate()
    logs.start(snakemake.log[0])
    reduce_spot_errors(
        *(snakemake.input[key] for key in ("structures", "labels", "attempts", "verdicts", "potentials", "errors")),
        Path(snakemake.output[0]),
        snakemake.wildcards.concentration,
        snakemake.wildcards.temperature,
        snakemake.params.n,
    )
