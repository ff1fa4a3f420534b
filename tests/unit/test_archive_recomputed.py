"""What is computed again equals the archive within rounding, and what does not is named with its file and variable."""

import csv
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from archive_recomputed import archive_recomputed
from thermoweave import reduced

PATH = Path("results/reduce/nequip/x0.25/T1000/transport.nc")


def dataset() -> xr.Dataset:
    lag = np.arange(1, 6) * 0.1
    return xr.Dataset(
        {
            "D": reduced.variable(("species",), np.array([2e-9, np.nan]), "m2 s-1", "diffusion", "D_std"),
            "D_std": reduced.variable(("species",), np.array([1e-10, np.nan]), "m2 s-1", "its error"),
            "lnD": reduced.variable(("species",), np.array([-20.0, np.nan]), "1", "logarithm", "lnD_var"),
            "lnD_var": reduced.variable(("species",), np.array([0.25, np.nan]), "1", "its variance"),
            "msd": reduced.variable(("species", "lag"), np.array([lag, 2 * lag]), "A2", "displacement"),
            "bound": reduced.variable((), np.array(np.inf), "1", "a bound"),
            "reason": reduced.text(("species",), np.array(["", "too short"]), "why not"),
            "n_atoms": (("species",), np.array([6, 2])),
        },
        coords={"species": ["Li", "K"], "lag": lag},
    )


@pytest.fixture
def compared(tmp_path, monkeypatch):
    """Compares a dataset with that of the archive: the lines of the table, by variable."""
    monkeypatch.chdir(tmp_path)
    for folder in (Path(), Path("archived")):
        (folder / PATH).parent.mkdir(parents=True)
    reduced.save(dataset(), Path("archived") / PATH)

    def compare(new: xr.Dataset) -> dict[str, dict]:
        reduced.save(new, PATH)
        archive_recomputed([PATH], Path("archived"), Path("recomputed.csv"))
        with open("recomputed.csv") as file:
            rows = list(csv.DictReader(file))
        assert {row["file"] for row in rows} == {str(PATH)}
        return {row["variable"]: row for row in rows}

    return compare


def moved(name: str, index: tuple, by: float) -> xr.Dataset:
    new = dataset()
    new[name].values[index] += by
    return new


def test_the_same_dataset_is_the_same_variable_by_variable(compared):
    rows = compared(dataset())
    assert rows.keys() == {*map(str, dataset().variables)}
    assert {rows[name]["largest_difference"] for name in ("D", "D_std", "msd", "lag")} == {"0"}
    assert rows["msd"]["values"] == "10"


@pytest.mark.parametrize(
    ("name", "index", "allowed"),
    [
        ("D", (0,), 1e-3 * 1e-10),  # its error bar
        ("lnD", (0,), 1e-3 * 0.5),  # its error bar, from a variance
        ("D_std", (0,), 1e-6 * 1e-10),  # of the value: it has no bar
        ("msd", (1, 4), 1e-6 * 1.0),
        ("msd", (0, 0), 1e-6 * 0.1),
    ],
)
def test_a_number_may_differ_by_rounding_and_not_more(compared, name, index, allowed):
    rows = compared(moved(name, index, 0.9 * allowed))
    assert float(rows[name]["largest_difference"]) == pytest.approx(0.9 * allowed, rel=1e-2)
    with pytest.raises(RuntimeError, match=rf"x0.25/T1000/transport.nc: {name}: 1 of \d+ values differ by more than"):
        compared(moved(name, index, 1.1 * allowed))


def test_a_value_that_is_nearly_zero_is_measured_by_the_largest(compared):
    old = moved("msd", (0, 0), -0.1)
    reduced.save(old, Path("archived") / PATH)
    compared(moved("msd", (0, 0), -0.1 + 0.9e-9))
    with pytest.raises(RuntimeError, match="msd: 1 of 10 values"):
        compared(moved("msd", (0, 0), -0.1 + 1.1e-9))


def test_the_table_says_how_far_in_parts_of_the_value_and_of_its_error_bar(compared):
    row = compared(moved("D", (0,), 5e-14))["D"]
    assert float(row["relative"]) == pytest.approx(2.5e-5, rel=1e-2)
    assert float(row["error_bars"]) == pytest.approx(5e-4, rel=1e-2)


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("reason", ["", "too long."], "1 of 2 values differ"),
        ("n_atoms", [6, 3], "1 of 2 values differ"),
        ("D", [2e-9, 1e-9], r"other values are missing \(NaN\)"),
        ("D", [np.nan, np.nan], r"other values are missing \(NaN\)"),
    ],
)
def test_texts_whole_numbers_and_gaps_must_be_equal(compared, name, value, fault):
    new = dataset()
    new[name].values[:] = value
    with pytest.raises(RuntimeError, match=f"transport.nc: {name}: {fault}"):
        compared(new)
    assert not Path("recomputed.csv").exists()


def test_an_infinity_must_be_the_same_one(compared):
    new = dataset()
    new["bound"] = -new["bound"]
    with pytest.raises(RuntimeError, match="bound: other values are missing"):
        compared(new)


def test_every_fault_is_named(compared):
    new = moved("msd", (0, 0), 1.0).drop_vars("lnD").assign(extra=0.0).rename({"reason": "why"})
    with pytest.raises(RuntimeError) as raised:
        compared(new)
    found = [line.split(": ", 1)[1] for line in str(raised.value).splitlines()[1:]]
    assert [line[:24] for line in found] == [
        "extra: only in the datas",
        "lnD: only in the archive",
        "msd: 1 of 10 values diff",
        "reason: only in the arch",
        "why: only in the dataset",
    ]


def test_another_shape_is_named(compared):
    with pytest.raises(
        RuntimeError, match=r"msd: \{'species': 2, 'lag': 5\} in the archive, \{'species': 2, 'lag': 4\}"
    ):
        compared(dataset().isel(lag=slice(4)))
