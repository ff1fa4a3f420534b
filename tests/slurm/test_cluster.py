"""The cluster that the other tests lean on."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from cluster import DAEMONS, LINK, Cluster, missing
from daemons import NODES


def sbatch(cluster, *arguments: str) -> str:
    return cluster.tell("sbatch", "--parsable", "--output=/dev/null", *arguments).strip()


def state(cluster, number: str) -> str:
    return next(job.state for job in cluster.jobs() if job.number == number)


def test_jobs_run_on_both_nodes(cluster):
    numbers = [sbatch(cluster, f"--nodelist={node}", "--wrap=true") for node in NODES]
    cluster.wait(lambda: all(state(cluster, number) == "COMPLETED" for number in numbers), "two jobs")


def test_accounting_knows_them(cluster):
    number = sbatch(cluster, "--comment=hello", "--wrap=true")
    cluster.wait(lambda: "COMPLETED|hello" in cluster.tell("sacct", "-XPno", "state,comment", "-j", number), "sacct")


def test_memory_is_kept_to(cluster):
    hog = f"--wrap={sys.executable} -c 'x = bytearray(10**9); import time; time.sleep(60)'"
    number = sbatch(cluster, "--mem=200", hog)
    cluster.wait(lambda: state(cluster, number) in ("FAILED", "OUT_OF_MEMORY"), "the end of a job that takes too much")


def test_what_can_never_run_is_refused(cluster):
    with pytest.raises(subprocess.CalledProcessError):
        sbatch(cluster, "--mem=100000", "--wrap=true")


def test_a_node_can_die_and_come_back(cluster):
    number = sbatch(cluster, "--nodelist=n1", "--no-requeue", "--wrap=sleep 600")
    cluster.wait(lambda: state(cluster, number) == "RUNNING", "a job")
    cluster.kill_node("n1")
    cluster.wait(lambda: state(cluster, number) == "NODE_FAIL", "the loss of a job")
    cluster.revive_node("n1")
    other = sbatch(cluster, "--nodelist=n1", "--wrap=true")
    cluster.wait(lambda: state(cluster, other) == "COMPLETED", "a job on the node that came back")


def test_a_second_cluster_is_refused_and_leaves_the_first_alone(cluster):
    with pytest.raises(AssertionError, match="belongs to another cluster"), Cluster():
        pass
    assert Path(LINK).readlink() == cluster.root / "slurm.conf"
    assert "UP" in cluster.tell("scontrol", "ping")


@pytest.fixture
def root():
    """A folder that all may enter, which those of pytest are not."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.skipif(bool(missing()), reason=missing())
def test_a_foreign_configuration_is_not_touched(root):
    (root / "slurm.conf.foreign").write_text("ours")
    done = subprocess.run([*DAEMONS, str(root), str(root / "slurm.conf.foreign")], text=True, capture_output=True)
    assert done.returncode == 1 and "belongs to another cluster" in done.stderr
    assert (root / "slurm.conf.foreign").read_text() == "ours"


@pytest.mark.skipif(bool(missing()), reason=missing())
def test_nothing_is_left_of_a_start_that_failed(root):
    """A controller that ends at once, when munge, MariaDB and slurmdbd are up."""
    (root / "bin").mkdir()
    (root / "bin/slurmctld").write_text("#!/bin/sh\necho no\nexit 1\n")
    (root / "bin/slurmctld").chmod(0o755)
    environment = {**os.environ, "PATH": f"{root}/bin:{os.environ['PATH']}"}
    done = subprocess.run([*DAEMONS, str(root), str(root / "link")], text=True, capture_output=True, env=environment)
    assert done.returncode == 1 and "slurmctld did not start" in done.stderr
    assert not (root / "link").is_symlink()
    titles = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    assert not [title for title in titles if f"{root}/sql".encode() in title or f"{root}/munge".encode() in title]
