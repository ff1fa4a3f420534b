"""Reduced data before the checker of the CF conventions."""

import pytest
import xarray
from compliance_checker.runner import CheckSuite
from reduced_grid import make_grid

# The checker subtracts coordinates to see that they grow, names of species included, and says so.
TEXTS = "check_coordinate_variables_strict_monotonicity"


@pytest.fixture(scope="module")
def grid(tmp_path_factory):
    return make_grid(tmp_path_factory.mktemp("grid"))


def kept(value) -> bool:
    """Whether a rule is kept: a bool, or how many of how many times it is."""
    return value[0] == value[1] if isinstance(value, tuple) else bool(value)


def faults(path) -> list[str]:
    suite = CheckSuite()
    suite.load_all_available_checkers()
    results, errors = suite.run_all(suite.load_dataset(str(path)), ["cf:1.11"], skip_checks=[])["cf:1.11"]
    assert len(results) > 20 and set(errors) <= {TEXTS}
    return [message for result in results if not kept(result.value) for message in result.msgs]


@pytest.mark.parametrize("name", ["transport", "structure", "spectra", "arrhenius"])
def test_reduced_data_keep_to_the_conventions(grid, name):
    assert faults(grid / f"{name}.nc") == []


def test_the_checker_sees_what_is_wrong(grid, tmp_path):
    broken = xarray.load_dataset(grid / "transport.nc")
    broken["D"].attrs["units"] = "bananas"
    broken.to_netcdf(tmp_path / "broken.nc")
    assert any("bananas" in message for message in faults(tmp_path / "broken.nc"))
