"""Reduced results: CF-style NetCDF files and flat CSV tables, written whole or not at all."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas
    import xarray

CONVENTIONS = "CF-1.11"


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
    """Write a dataset to a temporary name beside `path`, then rename it."""
    partial = Path(f"{path}.partial")
    dataset.assign_attrs(Conventions=CONVENTIONS).to_netcdf(partial, engine="netcdf4")
    os.replace(partial, path)


def load(path: Path) -> "xarray.Dataset":
    """The whole dataset in memory, its file closed, its encoding forgotten: that would cut longer strings short."""
    import xarray

    return xarray.load_dataset(path, engine="netcdf4").drop_encoding()


def save_csv(table: "pandas.DataFrame", path: Path) -> None:
    """Write a table to a temporary name beside `path`, then rename it; a number that is not there is an empty field."""
    partial = Path(f"{path}.partial")
    table.to_csv(partial, index=False, float_format="%.8g", lineterminator="\n")
    os.replace(partial, path)
