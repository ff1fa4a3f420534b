"""Activation energies: an Arrhenius fit for each species and concentration, with its band."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from thermoweave import arrhenius, environment, logs, reduced
from thermoweave.reduced import text, variable

if TYPE_CHECKING:
    import pandas
    import xarray

log = logging.getLogger(__name__)

COLUMNS = [
    "concentration", "species", "Ea_eV", "Ea_std_eV", "lnD0", "lnD0_std", "cov", "n_temperatures", "chi2", "dof",
    "p_value", "Ea_kJ_mol", "note", "temperatures_used", "gaps",
]  # fmt: skip
BAND_POINTS = 50


def fit_all(transport: "xarray.Dataset") -> list[list[arrhenius.Arrhenius]]:
    """The fit of each concentration and species, in the order of the dataset. Replicas of the grid are independent."""
    temperature = transport["temperature"].values
    lnD, variance = (transport[key].transpose("concentration", "species", "temperature") for key in ("lnD", "lnD_var"))
    return [
        [arrhenius.fit(temperature, points, variances) for points, variances in zip(*pair, strict=True)]
        for pair in zip(lnD.values, variance.values, strict=True)
    ]


def table(fits: list[list[arrhenius.Arrhenius]], transport: "xarray.Dataset") -> "pandas.DataFrame":
    """One row for each concentration and species; temperatures as the user wrote them."""
    import pandas

    written = dict(zip(transport["temperature"].values, transport["temperature_label"].values, strict=True))
    rows = []
    for concentration, row in zip(transport["concentration_label"].values, fits, strict=True):
        for species, fit in zip(transport["species"].values, row, strict=True):
            values = {name: getattr(fit, name) for name in COLUMNS[2:]}
            values["temperatures_used"] = " ".join(written[T] for T in fit.temperatures_used)
            values["gaps"] = " ".join(written[T] for T in fit.gaps)
            rows.append({"concentration": concentration, "species": species, **values})
            log.info("x = %s, %s: Ea = %.3f +- %.3f eV %s", concentration, species, fit.Ea_eV, fit.Ea_std_eV, fit.note)
    return pandas.DataFrame(rows, columns=COLUMNS)


def dataset(fits: list[list[arrhenius.Arrhenius]], transport: "xarray.Dataset") -> "xarray.Dataset":
    """Parameters of the fits, and ln D with its standard error along each line, within the temperatures of the grid."""
    import xarray

    def each(name: str) -> np.ndarray:
        return np.array([[getattr(fit, name) for fit in row] for row in fits])

    cs = ("concentration", "species")
    temperature = transport["temperature"].values
    along = 1 / np.linspace(1 / temperature.max(), 1 / temperature.min(), BAND_POINTS)
    line = np.array([[fit.predict(along) for fit in row] for row in fits])  # concentration, species, 2, temperature
    data = {
        "Ea": variable(cs, each("Ea_eV"), "eV", "activation energy of self-diffusion", "Ea_std"),
        "Ea_std": variable(cs, each("Ea_std_eV"), "eV", "standard error of the activation energy"),
        "lnD0": variable(cs, each("lnD0"), "1", "ln(D0 / (m2 s-1))", "lnD0_std"),
        "lnD0_std": variable(cs, each("lnD0_std"), "1", "standard error of ln D0"),
        "cov": variable(cs, each("cov"), "eV", "covariance of Ea and ln D0"),
        "n_temperatures": variable(cs, each("n_temperatures").astype(np.int32), "1", "temperatures in the fit"),
        "chi2": variable(cs, each("chi2"), "1", "chi squared of the fit"),
        "dof": variable(cs, each("dof").astype(np.int32), "1", "degrees of freedom of the fit"),
        "p_value": variable(cs, each("p_value"), "1", "probability of a larger chi squared"),
        "note": text(cs, each("note").astype(object), "what is wrong with the fit"),
        "lnD_fit": variable((*cs, "temperature_fit"), line[:, :, 0], "1", "ln D of the fit", "lnD_fit_std"),
        "lnD_fit_std": variable((*cs, "temperature_fit"), line[:, :, 1], "1", "standard error of ln D of the fit"),
    }
    coordinates = {
        "concentration": transport["concentration"],
        "concentration_label": transport["concentration_label"],
        "species": transport["species"],
        "temperature_fit": variable(("temperature_fit",), along, "K", "temperature along the fit"),
    }
    attributes = {"model": "ln D = ln D0 - Ea / (kB T)", "method": "generalised least squares, bars not inflated"}
    return xarray.Dataset(data, coordinates, attributes)


def reduce_arrhenius(transport: Path, out_dataset: Path, out_table: Path) -> None:
    """Fit every concentration and species of the grid's transport.nc; write arrhenius.nc and arrhenius.csv."""
    grid = reduced.load(transport)
    fits = fit_all(grid)
    reduced.save(dataset(fits, grid), out_dataset)
    reduced.save_csv(table(fits, grid), out_table)


if __name__ == "__main__":
    environment.isolate()
    logs.start(snakemake.log[0])
    reduce_arrhenius(Path(snakemake.input.transport), Path(snakemake.output.dataset), Path(snakemake.output.table))
