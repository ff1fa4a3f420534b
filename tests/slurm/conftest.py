"""One cluster for all tests of this folder; THERMOWEAVE_SLURM=require makes a missing one a failure and no skip."""

import os

import pytest
from cluster import Cluster, missing
from on_slurm import PROFILE, checkout, edit, run, site, start


@pytest.fixture(scope="session")
def cluster():
    reason = missing()
    if reason and os.environ.get("THERMOWEAVE_SLURM") != "require":
        pytest.skip(reason)
    assert not reason, reason
    with Cluster() as running:
        yield running


@pytest.fixture(scope="session")
def campaigns(cluster, tmp_path_factory):
    """The finished campaigns, computed side by side: on SLURM, on one machine, and the jobs that the first one sent."""
    local, folder = (checkout(tmp_path_factory.mktemp(name)) for name in ("local", "slurm"))
    site(folder, account="tests", partition="main", gpu_partition="gpu", gpu="gpu:1")
    edit(folder / PROFILE, ("device: cuda", "device: cpu"))  # the test cluster's GPU is one on paper
    beside = start(local, cluster, "--cores", "1", profile="profiles/local")
    try:
        status, text = run(folder, cluster)
        assert status == 0, text[-20000:]
        assert beside.wait(timeout=900) == 0, (local / "run.log").read_text()[-20000:]
    finally:
        beside.kill()
    return folder, local, cluster.jobs()
