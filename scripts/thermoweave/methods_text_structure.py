"""Methods text: structure, spectra, and the checks on frames of the runs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from thermoweave import reduced
from thermoweave.methods_text import between, counted, listed, method, number, numbers, share
from thermoweave.tables import read_csv

if TYPE_CHECKING:
    import xarray


def structure(path: Path, config: Mapping) -> list[str]:
    """From structure.nc of one backend."""
    data = reduced.load(path)
    there = np.isfinite(data["rdf"]).any("r")
    n, total = int(there.sum()), there.size
    shells = np.isfinite(data["first_minimum"])
    sentences = [
        f"Radial distribution functions were averaged over blocks of each run, with errors of autocorrelated "
        f"blocks{method('blocks')}, for {share(n, total)} pairs of species and conditions; first shells, from the "
        f"jackknife{method('shell')}, could be told in {int(shells.sum())} of them."
    ]
    if "residence_time" in data:
        solvation = config["reduce"]["solvation"]
        times = np.isfinite(data["residence_time"].values)
        bounds = int((np.isfinite(data["residence_time_bound"].values) & ~times).sum())
        more = f", of {bounds} more a lower bound is" if bounds else ""
        sentences.append(
            f"Residence times in the first shell of {solvation['centre']} (absences up to "
            f"{number(solvation['tolerance_ps'])} ps do not count{method('residence')}) are known in "
            f"{int(times.sum())} of {counted(times.size, 'case')}{more}."
        )
    return sentences


def spectra(path: Path, config: Mapping) -> list[str]:
    """From spectra.nc of one backend."""
    data = reduced.load(path)
    settings = config["reduce"]["spectra"]
    vdos = np.isfinite(data["vdos"]).any("frequency")
    resolution = data["resolution"].values[np.isfinite(data["resolution"].values)]
    sentences = [
        f"Spectra are means over half-overlapping Hann segments{method('welch')}"
        + (f", with a resolution of {between(resolution.tolist(), 3)} THz" if resolution.size else "")
        + f": vibrational densities of states from mass-weighted velocities{method('vdos')} "
        f"({share(int(vdos.sum()), vdos.size)} species and conditions)" + conductivities(data) + "."
    ]
    if "ir_absorption" in data:
        charges = listed(f"{species} {number(charge)}" for species, charge in settings["born_charges"].items())
        sentences.append(f"Infrared absorption{method('infrared')} is that of Born charges {charges} (e).")
    if "structure_factor" in data:
        q_max = number(settings["structure_factor"]["q_max_per_A"])
        sentences.append(
            f"Partial static structure factors{method('structure_factor')} were computed on the wave vectors of the "
            f"cell, up to {q_max} Å⁻¹."
        )
    if "dynamic_structure_factor_number" in data:
        q = numbers(settings["structure_factor"]["dynamic_q_per_A"])
        sentences.append(f"Dynamic structure factors{method('dynamic_structure_factor')} were computed at {q} Å⁻¹.")
    corrected = settings["quantum_correction"] != "none" and "dynamic_structure_factor_number" in data
    how = f"; dynamic structure factors have the harmonic quantum correction{method('quantum_correction')}"
    sentences.append(f"Nuclei are classical{how if corrected else ', and no quantum correction was made'}.")
    return sentences


def conductivities(data: "xarray.Dataset") -> str:
    there = np.isfinite(data["conductivity"]).any("frequency")
    n = int(there.sum())
    return f", and conductivities{method('conductivity_spectrum')} ({share(n, there.size)} conditions)" if n else ""


def spot_checks(tables: Sequence[Path]) -> list[str]:
    """From spot_checks.csv of one backend, if frames of the runs were labelled."""
    sentences = []
    for path in tables:
        rows = read_csv(path)
        total = rows[-1]
        sentences.append(
            f"As a check, {counted(int(total['asked']), 'frame')} of the production runs, spread evenly in time"
            f"{method('spot_frames')}, were sent to label: {total['labelled']} labels, {total['rejected']} rejected."
        )
        if total["force_ratio"]:
            found = {key: f"{float(value):.3g}" for key, value in total.items() if key.startswith("force_r") and value}
            ends = " (68 % interval {force_ratio_low} to {force_ratio_high})" if "force_ratio_low" in found else ""
            sentences.append(
                f"The force error there is {found['force_rmse_meV_A']} meV/Å rms, {found['force_ratio']} times that on "
                f"the labels held out{ends.format(**found)}{method('spot_ratio')}."
            )
    return sentences
