"""A SLURM cluster of two nodes on one machine: python daemons.py ROOT LINK, as root, stays until SIGTERM.

munged, MariaDB, slurmdbd, slurmctld and two slurmd listen on the loopback alone and keep everything below ROOT, which
must be a folder that all users may enter (munge insists). No systemd and no cgroups. They are children of this process,
which also adopts what jobs leave behind (PR_SET_CHILD_SUBREAPER), so that at its end, and nowhere else, all of it ends.
LINK is /etc/slurm/slurm.conf, which points to ours meanwhile: what a job starts has SLURM_CONF removed from its
environment (snakemake-executor-plugin-slurm-jobstep) and looks there. A link of a cluster whose daemons.py was killed
is replaced, after what it left running was ended; any other link or file is left alone.
"""

import contextlib
import ctypes
import fcntl
import json
import os
import random
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from processes import descendants, end_orphans, hold, kill, orphaned, reap

NODES = ("n1", "n2")
NAMES = {"munged", "mariadbd", "slurmdbd", "slurmctld", "slurmscriptd", "slurmd", "slurmstepd"}
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
    """Ports of the loopback that nobody listens on now, below those that Linux gives to outgoing connections."""
    sockets = []
    while len(sockets) < n:
        with contextlib.suppress(OSError):
            sockets.append(socket.create_server(("127.0.0.1", random.randrange(20000, 32000))))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


class Daemons:
    """The programs, by name, in the order of their start."""

    def __init__(self, root: Path, link: Path):
        self.root, self.link, self.processes = root, link, {}
        ports = dict(zip(("ctld", "dbd", "sql", "n1", "n2"), free_ports(5), strict=True))
        self.values = ports | {
            "root": root,
            "host": socket.gethostname().partition(".")[0],
            "cluster": f"tw{secrets.token_hex(6)}",
        }
        os.environ["SLURM_CONF"] = str(root / "slurm.conf")

    def write(self) -> None:
        """Files of the cluster."""
        for folder in ("state", "sql", *(f"spool.{node}" for node in NODES)):
            (self.root / folder).mkdir()
        key = self.root / "munge.key"
        key.touch(0o400)
        key.write_bytes(secrets.token_bytes(1024))
        (self.root / "slurm.conf").write_text(SLURM_CONF.format(**self.values))
        (self.root / "slurmdbd.conf").touch(0o600)
        (self.root / "slurmdbd.conf").write_text(SLURMDBD_CONF.format(**self.values))
        (self.root / "gres.conf").write_text("AutoDetect=off\nNodeName=n2 Name=gpu File=/dev/zero\n")

    def take_link(self) -> None:
        """Have the link point to ours; one cluster at a time looks at it and changes it."""
        self.link.parent.mkdir(exist_ok=True)
        folder = os.open(self.link.parent, os.O_RDONLY)
        fcntl.flock(folder, fcntl.LOCK_EX)
        try:
            if self.link.is_symlink() and not self.link.exists():
                self.link.unlink()  # of a cluster that is no more
            elif self.link.is_symlink() and orphaned(self.link.readlink().parent):
                end_orphans(self.link.readlink().parent, NAMES)
                self.link.unlink()
            self.link.symlink_to(self.root / "slurm.conf")
        except FileExistsError:
            sys.exit(f"{self.link} belongs to another cluster: end that, or remove the file")
        finally:
            os.close(folder)

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
        login = ["--auth-root-authentication-method=normal", "--skip-test-db"]
        install = ["mariadb-install-db", "--no-defaults", *data, *login]
        subprocess.run(install, check=True, stdout=subprocess.DEVNULL)
        options = ["--skip-log-bin", "--innodb-flush-log-at-trx-commit=2", "--innodb-lock-wait-timeout=900"]
        place = ["--bind-address=127.0.0.1", f"--port={self.values['sql']}"]
        self.start("mariadbd", "mariadbd", *sql, *data, *place, *options)
        self.wait("mariadbd", "mariadb-admin", *sql, "--user=root", "ping")
        subprocess.run(["mariadb", *sql, "--user=root", f"--execute={SQL}"], check=True)
        self.start("slurmdbd", "slurmdbd", "-D")
        self.wait("slurmdbd", "sacctmgr", "--noheader", "show", "cluster")
        account = ("account", "tests", "description=tests")
        for entity in (("cluster", self.values["cluster"]), account, ("user", "root", "account=tests")):
            subprocess.run(["sacctmgr", "--quiet", "--immediate", "add", *entity], check=True)
        self.start("slurmctld", "slurmctld", "-D")
        self.wait("slurmctld", "sh", "-c", "scontrol ping | grep -q 'is UP'")
        for node in NODES:
            self.start(node, "slurmd", "-D", "-N", node)
            self.wait(node, "sh", "-c", f"sinfo --noheader --nodes={node} --format=%T | grep -q idle")

    def watch(self) -> None:
        """Until a program ends: nodes come back once they may, without anything else there is no cluster."""
        pids = {name: process.pid for name, process in self.processes.items()}
        (self.root / "pids.part").write_text(json.dumps(pids))
        (self.root / "pids.part").replace(self.root / "pids.json")
        while not (ended := [name for name, process in self.processes.items() if process.poll() is not None]):
            reap()
            time.sleep(0.1)
        lost = set(ended) - set(NODES)
        if lost:
            sys.exit(f"{', '.join(sorted(lost))} ended, and with it the cluster")
        while (self.root / "down").exists():
            reap()
            time.sleep(0.1)
        for node in ended:
            self.start(node, "slurmd", "-D", "-N", node)

    def stop_all(self) -> None:
        """Everything below this process; then the link. Nothing interrupts it."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        for name in reversed(self.processes):
            self.processes[name].terminate()
        asked = time.monotonic()
        while (pids := descendants(os.getpid())) and time.monotonic() < asked + 30:
            if time.monotonic() > asked + 5:
                for pid in pids:
                    kill(pid)
            time.sleep(0.05)
            reap()
        if pids:
            print(f"these processes do not end: {pids}", file=sys.stderr)
        if self.link.is_symlink() and self.link.readlink() == self.root / "slurm.conf":
            self.link.unlink()


def main() -> None:
    root, link = map(Path, sys.argv[1:])
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)  # also where the tests are killed
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    parent, _lock = os.getppid(), hold(root)
    daemons = Daemons(root, link)
    try:
        daemons.write()
        daemons.take_link()
        daemons.start_all()
        while True:
            daemons.watch()
    finally:
        daemons.stop_all()
        if os.getppid() != parent:  # the tests were killed: nobody else removes it
            shutil.rmtree(root)


if __name__ == "__main__":
    main()
