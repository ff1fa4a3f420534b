"""Reduced results: CF-style NetCDF files and flat CSV tables, written whole or not at all."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas
    import xarray

CONVENTIONS = "CF-1.11"
# No time: the same data are the same bytes. results/audit/lineage.json has when.
TITLE = "Ionic liquid, reduced from molecular dynamics"
HISTORY = "made by Thermoweave from its trajectories"
AXES = {"lag": "lag_ps", "r": "r_A", "q": "q_per_A", "frequency": "frequency_THz"}  # in tables, with their units


def variable(dimensions: tuple[str, ...], values, units: str, long_name: str, error: str = "") -> tuple:
    """What xarray wants for a variable; `error` is the name of the variable that holds its uncertainty."""
    attributes = {"units": units, "long_name": long_name}
    if error:
        attributes["ancillary_variables"] = error
    return dimensions, values, attributes


def text(dimensions: tuple[str, ...], values, long_name: str) -> tuple:
    """A variable of strings: no units."""
    return dimensions, values, {"long_name": long_name}


def save(dataset: "xarray.Dataset", path: Path) -> None:
    """Write a dataset to a temporary name beside `path`, then rename it. Coordinates miss no value (CF 2.5.1)."""
    partial = Path(f"{path}.partial")
    about = {"Conventions": CONVENTIONS, "title": TITLE, "history": HISTORY}
    encoding = {name: {"_FillValue": None} for name in dataset.coords}
    dataset.assign_attrs(about).to_netcdf(partial, engine="netcdf4", encoding=encoding)
    os.replace(partial, path)


def load(path: Path) -> "xarray.Dataset":
    """The whole dataset in memory, its file closed, its encoding forgotten: that would cut longer strings short."""
    import xarray

    return xarray.load_dataset(path, engine="netcdf4").drop_encoding()


def table(dataset: "xarray.Dataset", dimensions: tuple[str, ...], columns: dict[str, str]) -> "pandas.DataFrame":
    """
    A grid as a flat table: one row for each condition, in the user's own words for it, and each point along
    `dimensions`; columns {name in the table: variable of the dataset}.
    """
    variables = dataset[[*columns.values()]].assign_coords(  # bare: no attributes, no other coordinates
        {name: dataset[name] for name in ("concentration_label", "temperature_label")}
    )
    frame = variables.to_dataframe(dim_order=["concentration", "temperature", *dimensions]).reset_index()
    frame["concentration"], frame["temperature"] = frame["concentration_label"], frame["temperature_label"]
    names = AXES | {variable: column for column, variable in columns.items()}
    return frame[["concentration", "temperature", *dimensions, *columns.values()]].rename(columns=names)


def save_csv(table: "pandas.DataFrame", path: Path) -> None:
    """Write a table to a temporary name beside `path`, then rename it; a number that is not there is an empty field."""
    partial = Path(f"{path}.partial")
    table.to_csv(partial, index=False, float_format="%.8g", lineterminator="\n")
    os.replace(partial, path)
