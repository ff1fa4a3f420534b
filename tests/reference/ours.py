"""The one place where the calibration touches Thermoweave's functions; D in A^2/ps, lengths in A, times in ps."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from ase import Atoms
from netCDF4 import Dataset

# The folders that Snakemake and pytest would add.
sys.path[:0] = [str(Path(__file__).parents[2] / "scripts"), str(Path(__file__).parents[1] / "unit")]
import synthetic  # noqa: E402, I001
from thermoweave import arrhenius, arrhenius_points, censored, conditions, extrapolation  # noqa: E402
from thermoweave import msd, onsager, spectra, statistics, transport, transport_variables, vtf, welch  # noqa: E402
from thermoweave.replica import Replica  # noqa: E402
from thermoweave.transport_dataset import transport_dataset  # noqa: E402

if TYPE_CHECKING:
    import xarray

NAME = "thermoweave"
AMU_A2_PS2 = synthetic.AMU_A2_PS2
N_LAGS = 40  # the default of the config
MEMORY_MB = 200.0
E2, LN_UNIT = onsager.E2, float(np.log(transport.ANGSTROM2_PER_PS))


class Diffusion(NamedTuple):
    """
    ln(D / (A^2/ps)) and its variance, NaN where D is not to be used, a one-sided 95 % bound, and all that was found in
    SI units.
    """

    lnD: float
    lnD_var: float
    D_upper_bound: float
    found: transport.Diffusion


def lags(n_frames: int) -> np.ndarray:
    """The lags (frames) of the MSD."""
    return msd.log_lags(n_frames, N_LAGS)


def diffusion(replicas: list[np.ndarray], step: float, floor: float) -> Diffusion:
    """From positions (frame, atom, 3) of each replica; step and earliest onset (floor) in ps."""
    n_frames = len(replicas[0])
    squared = [msd.displacements([x], lags(n_frames)) for x in replicas]
    found = transport.diffusion(squared, lags(n_frames), step, n_frames, floor)
    return Diffusion(found.lnD - LN_UNIT, found.lnD_var, found.D_upper_bound / transport.ANGSTROM2_PER_PS, found)


def mean(series: list[np.ndarray]) -> tuple[float, float]:
    """Mean over replicas of a correlated series and its standard error."""
    return statistics.mean_of_series(series)


def onsager_unit(volume: float, kelvin: float) -> float:
    """An Onsager coefficient (1/(J m s)) of a diffusion matrix of 1 A^2/ps; volume in A^3."""
    return onsager.JOULE / (volume * kelvin)


def write(
    folder: Path, atoms: Atoms, runs: list[tuple[np.ndarray, np.ndarray]], step: float, kelvin: float | None = None
) -> tuple[list[Path], list[Path]]:
    """
    Files of the workflow, trajectories and verdicts, from positions (A) and velocities (A/ps) of each replica.

    kelvin: temperature to write down, where it is not that of the velocities with 3 N - 3 degrees of freedom.
    """
    paths, verdicts = [], []
    for number, (x, v) in enumerate(runs, start=1):
        path = folder / f"replica{number}.nc"
        synthetic.write_trajectory(path, atoms, step * np.arange(1, len(x) + 1), x, v)
        with Dataset(path, "a") as file:
            file["temperature"][:] *= len(atoms) / (len(atoms) - 1)
            if kelvin is not None:
                file["temperature"][:] = np.full(len(x), kelvin)
        paths.append(path)
        verdicts.append(path.with_suffix(".json"))
        verdicts[-1].write_text('{"passed": true, "reason": ""}')
    return paths, verdicts


def transport_of(
    folder: Path, atoms: Atoms, replicas: list[np.ndarray], step: float, charges: dict[str, float], kelvin: float,
    floor: float, stresses: list[tuple[np.ndarray, np.ndarray]] | None = None,
) -> "xarray.Dataset":  # fmt: skip
    """
    The transport coefficients of one condition, from its files, with the names and units of the dataset.

    stresses: velocities (frame, atom, 3) in A/ps and potential stress (frame, 6) in eV/A^3 of each replica.
    """
    velocities = [v for v, _ in stresses] if stresses else [np.zeros_like(x) for x in replicas]
    files = write(folder, atoms, list(zip(replicas, velocities, strict=True)), step, kelvin)
    for path, (_, stress) in zip(files[0], stresses or (), strict=False):
        with Dataset(path, "a") as file:
            file["stress"][:] = stress
    condition = conditions.read(*files, "0", f"{kelvin:g}", MEMORY_MB)
    return transport_dataset(condition, list(charges), charges, floor, N_LAGS, stress_trained=False)


def vdos(
    folder: Path, atoms: Atoms, runs: list[tuple[np.ndarray, np.ndarray]], step: float, resolution: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Frequencies (THz), VDOS of all atoms and its error (modes per THz), and the number of segments, from files."""
    paths, _ = write(folder, atoms, runs, step)
    replicas = [Replica(path, MEMORY_MB) for path in paths]
    plan = welch.plan(len(runs[0][0]), step, resolution)
    motions = [spectra.motion(replica, [np.arange(len(atoms))], plan) for replica in replicas]
    found = spectra.vdos(motions, [replica.temperature for replica in replicas], plan)
    return plan.frequency, found.vdos[0], found.vdos_std[0], plan.n_segments


class Fit(NamedTuple):
    """
    Estimate and standard error of Ea (eV, also of the curve, at `reference` K), ln(D0 / (A^2/ps)), B (K) of the curve,
    and ln D at the temperature asked for, with its band as in `scoring.Answer`; T0 (K): median and band.
    """

    Ea: tuple[float, float]
    lnD0: tuple[float, float]
    reference: float
    curve_Ea: tuple[float, float]
    B: tuple[float, float]
    T0: tuple[float, ...]
    far: tuple[float, float]
    band: tuple[float, ...]


def fit_campaign(temperatures: np.ndarray, points: list[Diffusion], n_atoms: int, far: float) -> Fit:
    """Arrhenius and VTF from D of the same atoms at each temperature, resolved or not, as from the grid's dataset."""
    import xarray

    each = []
    for T, point in zip(temperatures, points, strict=True):
        data = transport_variables.diffusion(conditions.columns([point.found]), np.array([n_atoms]))
        data["n_replicas"] = ((), len(point.found.replicas))
        one = xarray.Dataset(data, {"species": ["Ar"]}).drop_dims("replica").expand_dims(temperature=[T])
        each.append(one.assign_coords(temperature_label=("temperature", [f"{T:g}"])))
    grid = xarray.concat(each, "temperature", coords="minimal", compat="equals", join="exact")
    return fit_points(arrhenius_points.quantity(grid, "D Ar").points, far, LN_UNIT)


def fit_logarithms(temperatures: np.ndarray, lnD: np.ndarray, variance: np.ndarray, far: float) -> Fit:
    """The same from ln D with known variances."""
    return fit_points(censored.logarithms(temperatures, lnD, variance), far)


def fit_points(points: censored.Points, far: float, ln_unit: float = 0.0) -> Fit:
    """ln_unit: what to take off from ln D to have it for A^2/ps."""
    line = arrhenius.fit_points(points)
    curves = vtf.refused() if np.isnan(line.Ea_eV) else vtf.fit(points)
    ahead = extrapolation.predict(curves, np.array([far]))
    band = tuple(float(end[0]) - ln_unit for end in (ahead.lower_68, ahead.upper_68, ahead.lower_95, ahead.upper_95))
    return Fit(
        (line.Ea_eV, line.Ea_std_eV), (line.lnX0 - ln_unit, line.lnX0_std), curves.reference, curves.Ea, curves.B,
        tuple(curves.T0_quantile(p) for p in (0.5, 0.1587, 0.8413, 0.025, 0.975)),
        (float(ahead.lnX[0]) - ln_unit, float(ahead.std[0])), band,
    )  # fmt: skip
