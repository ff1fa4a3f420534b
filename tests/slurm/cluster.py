"""The test's side of the cluster that daemons.py runs."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from daemons import NAMES
from processes import descendants, end_orphans, kill

PROGRAMS = {  # and the Debian packages that have them
    "munged": "munge",
    "slurmctld": "slurm-wlm",
    "slurmd": "slurm-wlm",
    "slurmdbd": "slurmdbd",
    "mariadbd": "mariadb-server",
    "mariadb-install-db": "mariadb-server",
}
DAEMONS = [sys.executable, str(Path(__file__).with_name("daemons.py"))]
LINK = "/etc/slurm/slurm.conf"
FORMAT = "%i|%T|%k|%P|%l|%m|%C|%b|%N|%D|%M"


@dataclass
class Job:
    """A job as squeue shows it, also after its end."""

    number: str
    state: str
    comment: str  # rule_NAME_wildcards_...
    partition: str
    time_limit: str
    memory: str
    cpus: str
    gres: str
    node: str
    n_nodes: str
    run_time: str

    @property
    def rule(self) -> str:
        return self.comment.removeprefix("rule_").partition("_wildcards")[0]


def missing() -> str:
    """What stands in the way of a cluster, in a sentence; nothing where one can be had."""
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        return "a SLURM cluster of its own needs root on Linux"
    packages = sorted({package for program, package in PROGRAMS.items() if shutil.which(program) is None})
    return f"Debian packages are missing: {' '.join(packages)} (tests/packages)" if packages else ""


class Cluster:
    """Two nodes, n1 and n2, the second with a GPU on paper; partitions main and gpu. A context manager."""

    def __init__(self, link: str = LINK):
        self.link = link

    def __enter__(self) -> "Cluster":
        self.root = Path(tempfile.mkdtemp(prefix="thermoweave-slurm-"))
        self.root.chmod(0o755)
        self.log = self.root / "daemons.log"
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(
                [*DAEMONS, str(self.root), self.link], stdout=log, stderr=log, start_new_session=True
            )
        try:
            self.wait(lambda: (self.root / "pids.json").exists() or self.process.poll() is not None, "the cluster", 120)
            assert self.process.poll() is None, self.log.read_text()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_) -> None:
        self.process.terminate()
        self.process.wait()
        if (self.root / "slurm.conf").exists():  # of a process that was killed; else there are none
            end_orphans(self.root, NAMES)
        if os.path.islink(self.link) and os.readlink(self.link) == str(self.root / "slurm.conf"):
            os.unlink(self.link)
        shutil.rmtree(self.root)

    def environment(self) -> dict[str, str]:
        """What a program of SLURM needs in its environment."""
        return {"SLURM_CONF": str(self.root / "slurm.conf")}

    def tell(self, *command: str) -> str:
        """Run a program of SLURM; what it prints."""
        environment = {**os.environ, **self.environment()}
        return subprocess.run(command, env=environment, text=True, check=True, stdout=subprocess.PIPE).stdout

    def jobs(self, rule: str = "") -> list[Job]:
        """All jobs, or those of a rule, by number, ended ones included."""
        text = self.tell("squeue", "--noheader", "--states=all", f"--format={FORMAT}")
        jobs = sorted((Job(*line.split("|")) for line in text.splitlines()), key=lambda job: int(job.number))
        return [job for job in jobs if not rule or job.rule == rule]

    def wait(self, condition: Callable[[], object], what: str, seconds: float = 120) -> None:
        """Until a condition holds; after so many seconds, fail with what the cluster has to say."""
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end or self.process.poll() is not None:
                logs = "\n".join(f"== {path.name}\n{path.read_text()[-2000:]}" for path in self.root.glob("*.log"))
                raise TimeoutError(f"waited for {what}, {seconds} s at most, or the end of the cluster\n{logs}")
            time.sleep(0.2)

    def kill_node(self, name: str) -> None:
        """As if its power had failed: slurmd and all that it ran, at once; it stays down."""
        (self.root / "down").touch()
        running = [job.number for job in self.jobs() if job.state == "RUNNING" and job.node == name]
        kill(json.loads((self.root / "pids.json").read_text())[name])
        while pids := [pid for pid in descendants(self.process.pid) if runs_on(pid, name, running)]:
            for pid in pids:
                kill(pid)
        self.tell("scontrol", "update", f"nodename={name}", "state=down", "reason=dead")

    def revive_node(self, name: str) -> None:
        (self.root / "down").unlink()
        self.tell("scontrol", "update", f"nodename={name}", "state=resume")
        self.wait(lambda: "idle" in self.tell("sinfo", "--noheader", f"--nodes={name}", "--format=%T"), f"node {name}")


def runs_on(pid: int, node: str, jobs: list[str]) -> bool:
    """Whether a process is of one of these jobs on a node: its slurmstepd, or what that started."""
    try:
        variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        title = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0].decode()
    except (FileNotFoundError, ProcessLookupError):  # it has just ended
        return False
    step = title.startswith("slurmstepd: [") and title[13:].partition(".")[0] in jobs
    return step or f"SLURMD_NODENAME={node}".encode() in variables
