"""Which environment runs which tests: a plain `pytest tests` runs those of the workflow's own, .venv."""

import pytest

# By the name of envs/NAME.yaml; whatever is not named here runs in .venv. A file given by its path runs anywhere.
ENVIRONMENTS = {
    "pwscf": ["unit/test_pw_wheel.py"],
    "analysis": [
        "unit/test_arrhenius.py",
        "unit/test_reduce*.py",
        "unit/test_spectra.py",
        "unit/test_statistics.py",
        "unit/test_structure.py",
        "unit/test_trajectory.py",
        "unit/test_transport.py",
    ],
    "nequip": [
        "conformance/*",
        "unit/test_datasets.py",
        "unit/test_engine*.py",
        "unit/test_potentials.py",
        "unit/test_train_scripts.py",
        "unit/test_wall.py",
    ],
}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--environment", default="workflow", choices=["workflow", *ENVIRONMENTS], help="run its tests")


def pytest_ignore_collect(collection_path, config: pytest.Config) -> bool | None:
    """Leave the tests of the other environments alone (None: no opinion, other plugins decide)."""
    homes = [name for name, tests in ENVIRONMENTS.items() if any(collection_path.match(test) for test in tests)]
    home = homes[0] if homes else "workflow"
    foreign = collection_path.name.startswith("test_") and home != config.getoption("--environment")
    return True if foreign else None
