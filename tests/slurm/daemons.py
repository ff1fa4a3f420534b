"""A SLURM cluster of two nodes on one machine: python daemons.py ROOT LINK, as root, stays until SIGTERM.

munged, MariaDB, slurmdbd, slurmctld and two slurmd listen on the loopback alone and keep everything below ROOT, which
must be a folder that all users may enter (munge insists). No systemd and no cgroups. They are children of this process,
which also adopts what jobs leave behind (PR_SET_CHILD_SUBREAPER), so that at its end, and nowhere else, all of it ends.
LINK is /etc/slurm/slurm.conf, which points to ours meanwhile: what a job starts has SLURM_CONF removed from its
environment (snakemake-executor-plugin-slurm-jobstep) and looks there.
"""

import ctypes
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

NODES = ("n1", "n2")
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
SQL = """CREATE DATABASE slurm_acct_db; CREATE USER 'slurm'@'127.0.0.1' IDENTIFIED BY 'slurm';
GRANT ALL ON slurm_acct_db.* TO 'slurm'@'127.0.0.1';"""

SLURM_CONF = """ClusterName={cluster}
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ctld}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={root}/munge.sock
CredType=cred/munge
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
StateSaveLocation={root}/state
SlurmdSpoolDir={root}/spool.%n
SlurmctldPidFile={root}/slurmctld.pid
SlurmdPidFile={root}/slurmd.%n.pid
MailProg=/bin/true
MpiDefault=none
SwitchType=switch/none
TaskPlugin=task/none
# linuxproc never kills a process whose parent shell died first
ProctrackType=proctrack/pgid
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
# memory is kept to without cgroups, by looking once a second
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort={dbd}
# no password: the munge socket towards slurmdbd, which ignores AuthInfo
AccountingStoragePass={root}/munge.sock
AccountingStoreFlags=job_comment
SchedulerParameters=bf_interval=1,sched_interval=1,batch_sched_delay=0
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
# more CPUs than the machine has
SlurmdParameters=config_overrides
# what can never run is refused at once
EnforcePartLimits=ALL
# a finished job stays in squeue for an hour
MinJobAge=3600
KillWait=2
SlurmdTimeout=30
DefMemPerCPU=100
GresTypes=gpu
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={n1} CPUs=8 RealMemory=24000
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port={n2} CPUs=8 RealMemory=24000 Gres=gpu:1
PartitionName=main Nodes=n1,n2 Default=YES MaxTime=7-0
PartitionName=gpu Nodes=n2 MaxTime=7-0
"""
SLURMDBD_CONF = """AuthType=auth/munge
AuthInfo=socket={root}/munge.sock
DbdHost=localhost
DbdAddr=127.0.0.1
DbdPort={dbd}
CommunicationParameters=NoInAddrAny
SlurmUser=root
PidFile={root}/slurmdbd.pid
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort={sql}
StorageUser=slurm
StoragePass=slurm
StorageLoc=slurm_acct_db
"""


def free_ports(n: int) -> list[int]:
    """Ports of the loopback that nobody listens on now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(n)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def descendants(pid: int) -> list[int]:
    """Processes below `pid`, nearest first."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):  # it has just ended
            continue
        children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found = list(children.get(pid, []))
    for child in found:
        found += children.get(child, [])
    return found


class Daemons:
    """The programs, by name, in the order of their start."""

    def __init__(self, root: Path, link: Path):
        self.root, self.link, self.processes = root, link, {}
        ports = dict(zip(("ctld", "dbd", "sql", "n1", "n2"), free_ports(5), strict=True))
        self.values = ports | {
            "root": root,
            "host": socket.gethostname().partition(".")[0],
            "cluster": f"tw{os.getpid()}",
        }
        os.environ["SLURM_CONF"] = str(root / "slurm.conf")

    def write(self) -> None:
        """Files of the cluster, and the link to them."""
        for folder in ("state", "sql", *(f"spool.{node}" for node in NODES)):
            (self.root / folder).mkdir()
        key = self.root / "munge.key"
        key.touch(0o400)
        key.write_bytes(secrets.token_bytes(1024))
        (self.root / "slurm.conf").write_text(SLURM_CONF.format(**self.values))
        (self.root / "slurmdbd.conf").touch(0o600)
        (self.root / "slurmdbd.conf").write_text(SLURMDBD_CONF.format(**self.values))
        (self.root / "gres.conf").write_text("AutoDetect=off\nNodeName=n2 Name=gpu File=/dev/zero\n")
        if self.link.is_symlink() and not self.link.exists():
            self.link.unlink()  # of a cluster that is no more
        if self.link.exists():
            sys.exit(f"{self.link} belongs to another cluster: end that, or remove the file")
        self.link.parent.mkdir(exist_ok=True)
        self.link.symlink_to(self.root / "slurm.conf")

    def start(self, name: str, *command: str) -> None:
        with open(self.root / f"{name}.log", "a") as log:
            self.processes[name] = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

    def wait(self, name: str, *command: str) -> None:
        """Until a command succeeds, which it does once the program is up."""
        end = time.monotonic() + 60
        while subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True).returncode:
            if self.processes[name].poll() is not None or time.monotonic() > end:
                sys.exit(f"{name} did not start:\n{(self.root / f'{name}.log').read_text()[-3000:]}")
            time.sleep(0.1)

    def start_all(self) -> None:
        root, sql = self.root, ["--no-defaults", f"--socket={self.root}/sql.sock"]
        munge = [f"--{name}={root}/munge.{name.partition('-')[0]}" for name in ("key-file", "pid-file", "seed-file")]
        self.start("munged", "munged", "--foreground", f"--socket={root}/munge.sock", *munge)
        self.wait("munged", "munge", "--no-input", f"--socket={root}/munge.sock")
        data = [f"--datadir={root}/sql", "--user=root"]
        install = [
            "mariadb-install-db",
            "--no-defaults",
            *data,
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
        ]
        subprocess.run(install, check=True, stdout=subprocess.DEVNULL)
        options = ["--skip-log-bin", "--innodb-flush-log-at-trx-commit=2", "--innodb-lock-wait-timeout=900"]
        place = ["--bind-address=127.0.0.1", f"--port={self.values['sql']}"]
        self.start("mariadbd", "mariadbd", *sql, *data, *place, *options)
        self.wait("mariadbd", "mariadb-admin", *sql, "--user=root", "ping")
        subprocess.run(["mariadb", *sql, "--user=root", f"--execute={SQL}"], check=True)
        self.start("slurmdbd", "slurmdbd", "-D")
        self.wait("slurmdbd", "sacctmgr", "--noheader", "show", "cluster")
        entities = (
            ("cluster", str(self.values["cluster"])),
            ("account", "tests", "description=tests"),
            ("user", "root", "account=tests"),
        )
        for entity in entities:
            subprocess.run(["sacctmgr", "--quiet", "--immediate", "add", *entity], check=True)
        self.start("slurmctld", "slurmctld", "-D")
        self.wait("slurmctld", "sh", "-c", "scontrol ping | grep -q 'is UP'")
        for node in NODES:
            self.start(node, "slurmd", "-D", "-N", node)
            self.wait(node, "sh", "-c", f"sinfo --noheader --nodes={node} --format=%T | grep -q idle")

    def stop_all(self) -> None:
        """Everything below this process; then the link. Nothing interrupts it."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        for name in reversed(self.processes):
            self.processes[name].terminate()
        for wait_s, final in ((5, signal.SIGKILL), (5, signal.SIGKILL)):
            end = time.monotonic() + wait_s
            while descendants(os.getpid()) and time.monotonic() < end:
                reap()
                time.sleep(0.05)
            for pid in descendants(os.getpid()):
                os.kill(pid, final)
        if self.link.is_symlink() and self.link.readlink() == self.root / "slurm.conf":
            self.link.unlink()


def reap() -> None:
    """Take the exit status of all children that have ended, of those, too, that others left behind."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def main() -> None:
    root, link = map(Path, sys.argv[1:])
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)  # also where the tests are killed
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    daemons = Daemons(root, link)
    try:
        daemons.write()
        daemons.start_all()
        while True:
            pids = {name: process.pid for name, process in daemons.processes.items()}
            (root / "pids.part").write_text(json.dumps(pids))
            (root / "pids.part").replace(root / "pids.json")
            while all(Path(f"/proc/{pid}/exe").exists() for pid in pids.values()) or (root / "down").exists():
                reap()
                time.sleep(0.1)
            for node in NODES:  # that was killed, and may come back
                if not Path(f"/proc/{pids[node]}/exe").exists():
                    daemons.start(node, "slurmd", "-D", "-N", node)
    finally:
        daemons.stop_all()


if __name__ == "__main__":
    main()
