"""One condition, all its replicas: diffusion coefficients, radial distribution functions and spectra, with errors."""

import json
import logging
import re
from pathlib import Path

import numpy as np
from ase.geometry import cellpar_to_cell
from thermoweave import conditions, environment, logs, reduced, statistics
from thermoweave.conditions import Trajectory
from thermoweave.reduced import text, variable

log = logging.getLogger(__name__)


def read_trajectory(path: Path) -> Trajectory:
    """Read an AMBER NetCDF trajectory. Raises ValueError where its frames are too few or not equidistant in time."""
    from netCDF4 import Dataset

    with Dataset(path) as file:
        file.set_auto_mask(False)
        time = file["time"][:]
        if len(time) < 2 or not np.allclose(np.diff(time), time[1] - time[0], rtol=1e-3):
            raise ValueError(f"{path}: {len(time)} frames, not equidistant in time; a reduction needs an even spacing")
        cellpars = np.concatenate([file["cell_lengths"][:], file["cell_angles"][:]], axis=1)
        unique, inverse = np.unique(cellpars, axis=0, return_inverse=True)
        return Trajectory(
            step=float((time[-1] - time[0]) / (len(time) - 1)),
            coordinates=file["coordinates"][:].astype(float),
            velocities=file["velocities"][:].astype(float),
            cells=np.array([cellpar_to_cell(cellpar) for cellpar in unique])[inverse.ravel()],
            numbers=file["atomic_numbers"][:],
            masses=file["masses"][:].astype(float),
            temperature=file["temperature"][:].astype(float),
            wall_contacts=file["wall_contacts"][:].astype(float),
        )


def read_passed(trajectories: list[Path], verdicts: list[Path]) -> tuple[list[Trajectory | None], list[str]]:
    """
    For every replica its trajectory, None where it did not pass the simulate gate, and why it did not, "" where it did.

    A trajectory that did not pass is not even opened. Raises ValueError where those that passed do not match.
    """
    judged = [json.loads(Path(path).read_text(encoding="utf-8")) for path in verdicts]
    reasons = ["" if verdict["passed"] else verdict["reason"] or "no reason given" for verdict in judged]
    replicas = [None if reason else read_trajectory(path) for path, reason in zip(trajectories, reasons, strict=True)]
    passed = [t for t in replicas if t is not None]
    if len({(len(t.coordinates), round(t.step, 6), tuple(t.numbers)) for t in passed}) > 1:
        found = [f"{len(t.coordinates)} frames every {t.step:g} ps, {len(t.numbers)} atoms" for t in passed]
        raise ValueError(f"replicas differ: {'; '.join(found)} ({trajectories[0].parent}); run them with one protocol")
    return replicas, reasons


def provenance(replicas: list[Trajectory | None], reasons: list[str]) -> dict:
    """Which replicas were used and why not the others; temperature and wall contacts of those that were."""
    passed = [t for t in replicas if t is not None]
    temperature = combine([t.temperature for t in passed])
    contacts = combine([t.wall_contacts for t in passed])
    name = "mean kinetic temperature"
    wall = "ion pairs inside the wall, per frame"
    return {
        "n_replicas": variable((), np.int32(len(passed)), "1", "replicas that passed the simulate gate"),
        "rejection": text(("replica",), np.array(reasons, object), "why a replica was not read"),
        "temperature_mean": variable((), temperature[0], "K", name, "temperature_mean_std"),
        "temperature_mean_std": variable((), temperature[1], "K", f"standard error of the {name}"),
        "wall_contacts": variable((), contacts[0], "1", wall, "wall_contacts_std"),
        "wall_contacts_std": variable((), contacts[1], "1", f"standard error: {wall}"),
    }


def combine(series: list[np.ndarray]) -> tuple[float, float]:
    """Mean over replicas of a correlated series, with its standard error; NaN for none."""
    if not series:
        return np.nan, np.nan
    means, errors = zip(*map(statistics.correlated_mean, series), strict=True)
    return float(np.mean(means)), float(np.linalg.norm(errors) / len(errors))


def reduce_condition(
    trajectories: list[Path], verdicts: list[Path], outputs: dict[str, Path], concentration: str, temperature: str,
    species: list[str], charges: dict[str, float], onset_floor_ps: float, n_lags: int, rdf_bin_A: float,
    vdos_resolution_THz: float,
) -> None:  # fmt: skip
    """
    Reduce the replicas of one condition to three NetCDF files: `outputs` has the keys transport, structure and spectra.

    Where no replica passed, the files hold NaN and the reason. Raises ValueError for trajectories that do not match
    each other or are too short for the wanted resolution.
    """
    replicas, reasons = read_passed(trajectories, verdicts)
    numbers = [int(re.search(r"(\d+)$", Path(path).stem)[1]) for path in trajectories]
    passed = [t for t in replicas if t is not None]
    rejected = [f"replica {k}: {reason}" for k, reason in zip(numbers, reasons, strict=True) if reason]
    gap = "" if passed else "; ".join(rejected)
    for line in rejected:
        log.warning("not read: %s", line)
    where = {
        "concentration": variable((), float(concentration), "1", "concentration (mole fraction)"),
        "temperature": variable((), float(temperature), "K", "temperature"),
        "concentration_label": text((), concentration, "concentration as written in the config"),
        "temperature_label": text((), temperature, "temperature as written in the config"),
    }
    present = [k for k, t in zip(numbers, replicas, strict=True) if t is not None]
    transport = conditions.transport_dataset(passed, species, charges, onset_floor_ps, n_lags, gap)
    transport = transport.assign_coords(replica=variable(("replica",), present, "1", "number of the replica"))
    transport = transport.reindex(replica=numbers)  # rejected replicas keep their place, as NaN
    datasets = {
        "transport": transport.assign(provenance(replicas, reasons)),
        "structure": conditions.structure_dataset(passed, species, rdf_bin_A, gap),
        "spectra": conditions.spectra_dataset(passed, species, vdos_resolution_THz, gap),
    }
    for stage, dataset in datasets.items():
        reduced.save(dataset.assign_coords(where), outputs[stage])


if __name__ == "__main__":
    environment.isolate()
    logs.start(snakemake.log[0])
    reduce_condition(
        [Path(path) for path in snakemake.input.trajectories],
        [Path(path) for path in snakemake.input.verdicts],
        {stage: Path(snakemake.output[stage]) for stage in ("transport", "structure", "spectra")},
        snakemake.wildcards.concentration,
        snakemake.wildcards.temperature,
        **dict(snakemake.params),
    )
