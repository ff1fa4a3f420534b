"""One cluster for all tests of this folder; THERMOWEAVE_SLURM=require makes a missing one a failure and no skip."""

import os

import pytest
from cluster import Cluster, missing


@pytest.fixture(scope="session")
def cluster():
    reason = missing()
    if reason and os.environ.get("THERMOWEAVE_SLURM") != "require":
        pytest.skip(reason)
    assert not reason, reason
    with Cluster() as running:
        yield running
