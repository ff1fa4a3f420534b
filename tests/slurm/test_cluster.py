"""The cluster that the other tests lean on."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
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
@pytest.mark.parametrize("linked", [False, True], ids=["file", "link"])
def test_a_foreign_configuration_is_not_touched(root, linked):
    foreign, place = root / "site.conf", root / "slurm.conf.foreign"
    foreign.write_text("ours")
    place.symlink_to(foreign) if linked else foreign.rename(place)
    done = subprocess.run([*DAEMONS, str(root), str(place)], text=True, capture_output=True)
    assert done.returncode == 1 and "belongs to another cluster" in done.stderr
    assert place.read_text() == "ours" and place.is_symlink() == linked


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


def left(root: Path) -> list[str]:
    """Command lines of the processes that have a cluster's folder in their environment or command line."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command, variables = (process / "cmdline").read_bytes(), (process / "environ").read_bytes()
        except (FileNotFoundError, ProcessLookupError, PermissionError):  # pid 1 shows its environment to nobody
            continue
        if bytes(root) in command + variables and int(process.name) != os.getpid():
            found.append(command.replace(b"\0", b" ").decode())
    return found


def gone(own: Cluster, ports: list[int]) -> bool:
    """Whether nothing is left of a cluster: no process, no port, no folder, and no link to it."""
    link = Path(own.link)
    linked = link.is_symlink() and link.readlink().parent == own.root
    return not (linked or left(own.root) or own.root.exists() or any(is_open(port) for port in ports))


def is_open(port: int) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0


def busy(own: Cluster) -> list[int]:
    """Give a cluster a job that leaves its session and ignores SIGTERM; the ports that the cluster listens on."""
    lasting = (
        "import os, signal, time; os.setsid(); signal.signal(15, signal.SIG_IGN); print(flush=True); time.sleep(600)"
    )
    number = sbatch(own, f"--output={own.root}/job.out", f"--wrap={sys.executable} -c '{lasting}' & wait")
    own.wait(lambda: (own.root / "job.out").exists() and (own.root / "job.out").read_text(), f"job {number}")
    text = (own.root / "slurm.conf").read_text() + (own.root / "slurmdbd.conf").read_text()
    ports = [int(port) for port in re.findall(r"Port=(\d+)", text)]
    assert len(ports) == 6 and all(map(is_open, ports))
    return ports


@pytest.mark.skipif(bool(missing()), reason=missing())
@pytest.mark.parametrize("killed", [False, True], ids=["asked to stop", "killed"])
def test_nothing_is_left_of_a_cluster(root, killed):
    """Nor where what runs the daemons was killed, and they have no parent any more."""
    with Cluster(str(root / "link")) as own:
        ports = busy(own)
        if killed:
            own.process.kill()
    assert gone(own, ports), left(own.root)


@pytest.mark.skipif(bool(missing()), reason=missing())
def test_nothing_is_left_where_the_tests_are_killed(root):
    program = "import sys, time, cluster; own = cluster.Cluster(sys.argv[1]).__enter__(); print(own.root, flush=True)"
    command = [sys.executable, "-c", f"{program}; time.sleep(600)", str(root / "link")]
    tests = subprocess.Popen(command, cwd=Path(__file__).parent, text=True, stdout=subprocess.PIPE)
    own = Cluster(str(root / "link"))
    own.root = Path(tests.stdout.readline().strip())
    tests.kill()
    tests.communicate()
    end = time.monotonic() + 60
    while not gone(own, []):
        assert time.monotonic() < end, left(own.root)
        time.sleep(0.1)


@pytest.mark.skipif(bool(missing()), reason=missing())
def test_a_dead_cluster_does_not_stand_in_the_way(root):
    """Neither the link that it left behind nor its daemons, which nobody has ended."""
    dead = Cluster(str(root / "link")).__enter__()
    try:
        ports = busy(dead)
        dead.process.kill()
        dead.process.wait()
        with Cluster(str(root / "link")) as own:
            assert "UP" in own.tell("scontrol", "ping") and (root / "link").readlink() == own.root / "slurm.conf"
            assert not left(dead.root) and not any(map(is_open, ports))
    finally:
        dead.__exit__()


@pytest.mark.skipif(bool(missing()), reason=missing())
def test_a_cluster_that_lost_a_daemon_says_so(root):
    with Cluster(str(root / "link")) as own:
        os.kill(json.loads((own.root / "pids.json").read_text())["slurmdbd"], signal.SIGKILL)
        with pytest.raises(TimeoutError, match="slurmdbd ended, and with it the cluster"):
            own.wait(lambda: False, "what will not be")
