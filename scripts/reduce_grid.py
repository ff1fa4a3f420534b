"""The conditions of the grid put together: one dataset and one table of transport, of structure or of spectra."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from thermoweave import environment, logs, reduced
from thermoweave.reduced import text

if TYPE_CHECKING:
    import xarray

log = logging.getLogger(__name__)

# column of the CSV: variable of the dataset
TRANSPORT = {
    "D_m2_s": "D", "D_std_m2_s": "D_std", "lnD": "lnD", "lnD_var": "lnD_var", "D_upper_bound_m2_s": "D_upper_bound",
    "D_corrected_m2_s": "D_corrected", "D_corrected_std_m2_s": "D_corrected_std", "regime": "regime",
    "onset_ps": "onset", "fit_end_ps": "fit_end", "chi2": "chi2", "dof": "dof", "p_value": "p_value",
    "birge_ratio": "birge_ratio", "n_atoms": "n_atoms", "n_independent": "n_independent", "n_replicas": "n_replicas",
    "temperature_mean_K": "temperature_mean", "temperature_mean_std_K": "temperature_mean_std",
    "wall_contacts": "wall_contacts", "transference": "transference", "transference_std": "transference_std",
    "reason": "reason",
}  # fmt: skip
STRUCTURE = {
    "first_peak_A": "first_peak", "first_peak_std_A": "first_peak_std", "first_minimum_A": "first_minimum",
    "first_minimum_std_A": "first_minimum_std", "coordination": "coordination", "coordination_std": "coordination_std",
    "coordination_reverse": "coordination_reverse", "coordination_reverse_std": "coordination_reverse_std",
    "block_correlation": "block_correlation", "density_g_cm3": "density", "density_std_g_cm3": "density_std",
    "density_note": "density_note", "reason": "reason",
}  # fmt: skip
SPECTRA = {
    "vdos_per_THz": "vdos", "vdos_std_per_THz": "vdos_std", "modes": "modes", "modes_std": "modes_std",
    "modes_expected": "modes_expected", "n_atoms": "n_atoms", "n_segments": "n_segments", "n_replicas": "n_replicas",
    "resolution_THz": "resolution", "nyquist_THz": "nyquist", "reason": "reason", "note": "note",
}  # fmt: skip
TABLES = {
    "transport": (("species",), TRANSPORT),
    "structure": (("pair",), STRUCTURE),
    "spectra": (("species", "frequency"), SPECTRA),
}


def combine(paths: Sequence[Path]) -> "xarray.Dataset":
    """
    Condition files with dimensions temperature and concentration in front, in ascending order.

    Axes that differ between conditions (lag, r, frequency, replica) become their union, with NaN where one does not
    reach. Raises ValueError where two files hold the same condition or the grid has a hole.
    """
    import xarray

    where = {}
    for path in paths:
        dataset = reduced.load(path)
        key = float(dataset["concentration"]), float(dataset["temperature"])
        if key in where:
            raise ValueError(f"{path}: concentration {key[0]:g}, temperature {key[1]:g} is there already; name it once")
        where[key] = dataset
    concentrations, temperatures = (sorted(set(values)) for values in zip(*where, strict=True))
    holes = [(x, T) for x in concentrations for T in temperatures if (x, T) not in where]
    if holes:
        raise ValueError(f"no file for the conditions (concentration, temperature) {holes}")
    options = dict(join="outer", coords="minimal", compat="override", data_vars="all", combine_attrs="override")
    columns = [xarray.concat([where[x, T] for T in temperatures], "temperature", **options) for x in concentrations]
    grid = xarray.concat(columns, "concentration", **options)
    first = concentrations[0], temperatures[0]
    labels = {  # "minimal" keeps the first label only
        "concentration": [where[x, first[1]]["concentration_label"].item() for x in concentrations],
        "temperature": [where[first[0], T]["temperature_label"].item() for T in temperatures],
    }
    for name, words in labels.items():
        grid[f"{name}_label"] = text((name,), words, f"{name} as written in the config")
    grid = grid.set_coords(["concentration_label", "temperature_label"])
    return grid.transpose("temperature", "concentration", ...)


def reduce_grid(conditions: Sequence[Path], reduction: str, dataset: Path, table: Path) -> None:
    """Write the dataset and the table of a reduction (transport, structure or spectra) from those of all conditions."""
    grid = combine(conditions)
    reduced.save(grid, dataset)
    reduced.save_csv(reduced.table(grid, *TABLES[reduction]), table)
    log.info("%s: %s", reduction, dict(grid.sizes))


if __name__ == "__main__":
    environment.isolate()
    logs.start(snakemake.log[0])
    reduce_grid(
        snakemake.input.conditions,
        snakemake.wildcards.reduction,
        Path(snakemake.output.dataset),
        Path(snakemake.output.table),
    )
