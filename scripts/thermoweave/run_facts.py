"""What a run was, in numbers: what `simulate_judge` judges and the tables show."""

from typing import TYPE_CHECKING

import numpy as np
from ase import units

from thermoweave import barostat, run_checks, statistics

if TYPE_CHECKING:
    from thermoweave.runs import Run

CAVITY_FRAMES = 8  # of the second half, whose largest empty spheres have a median
GRAMS_PER_CM3 = 1e24 / units._Nav  # of amu/A^3


def summarise(run: "Run") -> dict:
    """The facts of a run that has ended, its trajectory still open; `sick` says what ended it early, if anything."""
    progress, protocol, atoms = run.progress, run.protocol, run.system.atoms
    volume = atoms.get_volume()
    facts = {
        "concentration": run.condition.concentration,
        "temperature": run.condition.temperature,
        "replica": run.condition.replica,
        "sick": progress.sick,
        "half_step": progress.half_step,
        "first_fault": progress.first_fault,
        "timestep_fs": protocol.timestep_fs,
        "frames": progress.frames,
        "frames_planned": protocol.n_frames,
        "steps": progress.steps,
        "wall_s": round(progress.wall_s, 1),
        "ms_per_step": round(1000 * progress.wall_s / max(progress.steps, 1), 3),
        "ns_per_day": round(progress.steps * protocol.timestep_fs * 86400e-6 / max(progress.wall_s, 1e-9), 3),
        "atoms": len(atoms),
        "cell_A": [round(float(length), 4) for length in atoms.cell.lengths()],
        "density_g_cm3": round(float(atoms.get_masses().sum()) / volume * GRAMS_PER_CM3, 5),
    }
    if progress.volumes:
        mean, error = barostat.found(progress.volumes)
        facts["volume_ratio"] = round(volume / progress.volumes[0], 4)
        facts["density_std_g_cm3"] = round(facts["density_g_cm3"] * error / mean, 5)
    if progress.deviations:
        facts["force_deviation_eV_A"] = round(float(np.mean(progress.deviations)), 4)
    return facts | (of_frames(run) if progress.frames > 1 else {})


def of_frames(run: "Run") -> dict:
    """The facts that need frames; only a few are read whole."""
    file, n, atoms = run.file, run.progress.frames, run.system.atoms
    ends = np.array([file["coordinates"][k] for k in (0, n // 2, n - 1)])
    flow = run_checks.flow(ends, atoms.get_masses(), list(atoms.symbols))
    slope, error = run_checks.drift(run.times, run.conserved, len(atoms))
    cavities = [
        run_checks.largest_cavity(file["coordinates"][k], atoms.cell.array).radius
        for k in np.unique(np.linspace(n // 2, n - 1, CAVITY_FRAMES).astype(int))
    ]
    kinetic = np.asarray(file["temperature"][:])
    pressure, pressure_error = statistics.correlated_mean(np.asarray(file["pressure"][:]))
    facts = {
        "wall_contacts_per_frame": round(float(np.mean(file["wall_contacts"][:])), 4),
        "flow_A": {species: moved._asdict() for species, moved in flow.items()},
        "largest_cavity_A": round(float(np.median(cavities)), 2),
        "mean_temperature_K": round(float(kinetic.mean()), 2),
        "temperature_std_K": round(float(kinetic.std()), 2),
    }
    figures = {
        "drift_eV_atom_ns": slope, "drift_std_eV_atom_ns": error, "pressure_GPa": pressure,
        "pressure_std_GPa": pressure_error,
    }  # fmt: skip
    return facts | {key: round(float(value), 6) for key, value in figures.items() if np.isfinite(value)}
