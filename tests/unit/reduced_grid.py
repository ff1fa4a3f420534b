"""A small grid of synthetic melts through every script of the reduce stage."""

import csv
from pathlib import Path

import reduce_arrhenius
import reduce_grid
import reduce_plot_activation
import reduce_plot_arrhenius
import reduce_plot_conductivity
import reduce_plot_conductivity_spectrum
import reduce_plot_msd
import reduce_plot_rdf
import reduce_plot_solvation
import reduce_plot_vdos
import reduce_spectra
import reduce_structure
import reduce_transport
import synthetic

STAGES = ("transport", "structure", "spectra")
SPECIES = ["Li", "K", "Cl"]
CHARGES = {"Li": 1.0, "K": 1.0, "Cl": -1.0}
CONCENTRATIONS = ("0.00", "0.50")
TEMPERATURES = ("800", "1e3", "1300")
EMPTY = ("0.50", "1e3")  # no replica passed


def reduce_one(
    folder: Path, concentration: str, temperature: str, files: tuple[list[Path], list[Path]]
) -> dict[str, Path]:
    outputs = {stage: folder / f"{stage}.nc" for stage in STAGES}
    common = dict(concentration=concentration, temperature=temperature, species=SPECIES, memory_MB=100)
    reduce_transport.reduce_transport(
        *files, outputs["transport"], **common, charges=CHARGES, onset_floor_ps=0.4, n_lags=40, stress_trained=False
    )
    shell = {"centre": "Li", "tolerance_ps": 0.1}
    reduce_structure.reduce_structure(
        *files, outputs["structure"], **common, rdf_bin_A=0.1, rdf_max_A=12.0, solvation=shell
    )
    reduce_spectra.reduce_spectra(
        *files, outputs["spectra"], **common, charges=CHARGES, resolution_THz=1.0, born_charges="none",
        quantum_correction="none", structure_factor="none",
    )  # fmt: skip
    return outputs


def make_grid(folder: Path) -> Path:
    """The reduced grid in a folder: one condition without a trajectory, one with a replica that failed."""
    conditions = {stage: [] for stage in STAGES}
    for concentration in CONCENTRATIONS:
        for temperature in TEMPERATURES:
            where = folder / f"x{concentration}" / f"T{temperature}"
            failed = (0, 1) if (concentration, temperature) == EMPTY else (1,) if temperature == "800" else ()
            files = synthetic.write_condition(where, concentration, temperature, 2, 400, failed)
            for stage, path in reduce_one(where, concentration, temperature, files).items():
                conditions[stage].append(path)
    datasets = {stage: folder / f"{stage}.nc" for stage in STAGES}
    tables = {stage: folder / f"{stage}.csv" for stage in STAGES}
    for stage, paths in conditions.items():
        reduce_grid.reduce_grid(paths[::-1], stage, datasets[stage], tables[stage])
    fit(folder)
    return folder


def fit(folder: Path) -> None:
    """The fits of a folder's transport.nc."""
    paths = [folder / name for name in ("transport.nc", "arrhenius.nc", "arrhenius.csv", "predictions.csv")]
    reduce_arrhenius.reduce_arrhenius(*paths, predict=["298", "1100"])


PLOTS = {
    "arrhenius": (reduce_plot_arrhenius.plot_arrhenius, ("transport", "arrhenius")),
    "activation": (reduce_plot_activation.plot_activation, ("arrhenius",)),
    "conductivity": (reduce_plot_conductivity.plot_conductivity, ("transport",)),
    "msd": (reduce_plot_msd.plot_msd, ("transport",)),
    "rdf": (reduce_plot_rdf.plot_rdf, ("structure",)),
    "solvation": (reduce_plot_solvation.plot_solvation, ("structure",)),
    "vdos": (reduce_plot_vdos.plot_vdos, ("spectra",)),
    "conductivity_spectrum": (reduce_plot_conductivity_spectrum.plot_conductivity_spectrum, ("spectra",)),
}


def draw(folder: Path) -> dict[str, Path]:
    """Every figure of a folder's datasets."""
    paths = {name: folder / "figures" / f"{name}.svg" for name in PLOTS}
    (folder / "figures").mkdir()
    for name, (plot, inputs) in PLOTS.items():
        plot(*(folder / f"{part}.nc" for part in inputs), paths[name])
    return paths


def rows(path: Path) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
