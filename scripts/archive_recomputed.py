"""Compare datasets that were computed again with those of the archive: the same, but for rounding."""

import csv
import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from thermoweave import environment, logs, reduced

if TYPE_CHECKING:
    import xarray

log = logging.getLogger(__name__)

# A number is the same within the largest of these. Sums of another order and other processors' functions are at 1e-12,
# what an iteration stops at is up to 1e-7; a thousandth of an error bar is nothing that anyone can tell.
OF_VALUE, OF_LARGEST, OF_BAR = 1e-6, 1e-9, 1e-3  # of the number, of the variable's largest one, of its error bar
COLUMNS = ("file", "variable", "values", "largest_difference", "relative", "error_bars")


def archive_recomputed(recomputed: Sequence[Path], archived: Path, out: Path) -> None:
    """Compare each file with the one of the same path below the folder `archived`; write a line for each variable.

    Raises RuntimeError, naming file and variable, where names, shapes, texts, whole numbers or gaps (NaN) differ, or a
    number by more than OF_VALUE, OF_LARGEST and OF_BAR allow.
    """
    rows, faults = [], []
    for path in map(Path, recomputed):
        new, old = reduced.load(path), reduced.load(archived / path)
        for name in sorted(set(map(str, new.variables)) | set(map(str, old.variables))):
            row, fault = compare(name, old, new)
            rows.append({"file": str(path), "variable": name, **row})
            faults += [f"{path}: {name}: {fault}"] if fault else []
        log.info("%s: %d variables", path, len(new.variables))
    if faults:
        raise RuntimeError("computed again, these are not what the archive has:\n" + "\n".join(faults))
    partial = Path(f"{out}.partial")
    with open(partial, "w", newline="") as file:
        table = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
    os.replace(partial, out)


def compare(name: str, old: "xarray.Dataset", new: "xarray.Dataset") -> tuple[dict, str]:
    """How far a variable of two datasets differs: a row of the table, and what is wrong ("" for nothing)."""
    if name not in old.variables or name not in new.variables:
        return {}, f"only in the {'archive' if name in old.variables else 'dataset computed again'}"
    a, b = old[name], new[name]
    if a.dims != b.dims or a.shape != b.shape:
        return {}, f"{dict(a.sizes)} in the archive, {dict(b.sizes)} computed again"
    row = {"values": a.size}
    if a.dtype.kind != "f" or b.dtype.kind != "f":
        n = int(np.sum(a.values != b.values))
        return row, f"{n} of {a.size} values differ, which are no measured numbers" if n else ""
    # infinities must be the same ones, and cannot be subtracted
    finite = np.isfinite(a.values) & np.isfinite(b.values)
    if not np.array_equal(a.values[~finite], b.values[~finite], equal_nan=True):
        return row, "other values are missing (NaN) or infinite"
    return measured(row, a.values[finite], b.values[finite], error_bar(old, name)[finite])


def measured(row: dict, old: np.ndarray, new: np.ndarray, bar: np.ndarray) -> tuple[dict, str]:
    """The row and the fault of finite numbers (value,) with error bars, NaN where there is none."""
    difference = np.abs(new - old)
    changed = difference > 0
    if not changed.any():
        return row | {"largest_difference": 0, "relative": 0, "error_bars": 0}, ""
    known = changed & (bar > 0)
    row |= {
        "largest_difference": f"{difference.max():.3g}",
        "relative": f"{np.max(difference[changed] / np.maximum(np.abs(old), np.abs(new))[changed]):.3g}",
        "error_bars": f"{np.max(difference[known] / bar[known]):.3g}" if known.any() else "",
    }
    allowed = np.fmax.reduce([OF_VALUE * np.abs(old), np.full(old.shape, OF_LARGEST * np.abs(old).max()), OF_BAR * bar])
    wrong = difference > allowed
    if not wrong.any():
        return row, ""
    worst = np.argmax(difference - allowed)
    return row, (
        f"{wrong.sum()} of {old.size} values differ by more than {OF_VALUE:g} of themselves, {OF_LARGEST:g} of the "
        f"largest and {OF_BAR:g} of their error bars, such as {new[worst]:.8g} in place of {old[worst]:.8g}"
    )


def error_bar(dataset: "xarray.Dataset", name: str) -> np.ndarray:
    """The uncertainty that a dataset states of each value of a variable (its shape); NaN where there is none."""
    values = dataset[name]
    bar = values.attrs.get("ancillary_variables", "")
    if bar not in dataset.variables or not set(dataset[bar].dims) <= set(values.dims):
        return np.full(values.shape, np.nan)
    found = dataset[bar].broadcast_like(values).transpose(*values.dims).values
    return np.sqrt(found) if bar.endswith("_var") else found


if __name__ == "__main__":
    environment.isolate()
    logs.start(snakemake.log[0])
    archive_recomputed(list(snakemake.input), Path(snakemake.params.archived), Path(snakemake.output[0]))
