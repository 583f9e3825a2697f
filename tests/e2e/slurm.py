"""A real Slurm of a test's own on this machine: one controller and two nodes, without systemd, as root or not."""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

PROGRAMS = ("slurmctld", "slurmd", "sbatch", "squeue", "scancel", "sinfo", "munged", "mungekey")
NODES = ("n1", "n2")

CONFIGURATION = """\
ClusterName=qnettest
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
SlurmctldPort={port}
AuthType=auth/munge
AuthInfo=socket={root}/munge/run/munge.socket.2
CryptoType=crypto/munge
StateSaveLocation={root}/spool/ctld
SlurmdSpoolDir={root}/spool/%n
SlurmctldPidFile={root}/run/slurmctld.pid
SlurmdPidFile={root}/run/slurmd.%n.pid
SlurmctldLogFile={root}/log/slurmctld.log
SlurmdLogFile={root}/log/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,bf_interval=1,sched_interval=1
SlurmdParameters=config_overrides
ReturnToService=2
MailProg=/bin/true
KillWait=2
MinJobAge=60
PropagateResourceLimits=NONE
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={port1} CPUs=4 RealMemory=8000 State=UNKNOWN
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port={port2} CPUs=4 RealMemory=8000 State=UNKNOWN
PartitionName=debug Nodes=ALL Default=YES MaxTime=60 LLN=YES State=UP
"""


def missing() -> str:
    """Which of Slurm's programs are not here; empty when all are."""
    return ", ".join(name for name in PROGRAMS if _path(name) is None)


class Slurm:
    """A running Slurm; ``environment`` makes its commands, and qnet, speak to it."""

    def __init__(self) -> None:
        # Not below pytest's own folder, which only its owner may enter: munged has an account of its own.
        self.root = Path(tempfile.mkdtemp(prefix="qnet-slurm-"))
        self.root.chmod(0o755)
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("SLURM_", "SLURMD_", "SBATCH_"))},
            "SLURM_CONF": str(self.root / "slurm.conf"),
        }
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def _start(self) -> None:
        for name in ("run", "log", "spool/ctld", *(f"spool/{n}" for n in NODES)):
            (self.root / name).mkdir(parents=True)
        self._start_munge()
        port, port1, port2 = _free_ports(3)
        text = CONFIGURATION.format(
            host=socket.gethostname().split(".")[0], user=getpass.getuser(), root=self.root, port=port, port1=port1,
            port2=port2,
        )  # fmt: skip
        (self.root / "slurm.conf").write_text(text)
        self._daemon("slurmctld", "-f", str(self.root / "slurm.conf"))
        for node in NODES:
            self._daemon("slurmd", "-f", str(self.root / "slurm.conf"), "-N", node)
        deadline = time.monotonic() + 30
        while self.say("sinfo", "-h", "-N", "-o", "%N %T").count(" idle") < len(NODES):
            assert time.monotonic() < deadline, self.say("sinfo", "-N")
            time.sleep(0.05)

    def _start_munge(self) -> None:
        folder = self.root / "munge"
        root = os.geteuid() == 0
        for name in ("run", "etc", "log", "lib"):
            (folder / name).mkdir(parents=True, mode=0o755 if name == "run" else 0o700)
        folder.chmod(0o755)
        before: tuple[str, ...] = ()
        if root:
            for path in (folder, *folder.iterdir()):
                shutil.chown(path, "munge", "munge")
            before = ("runuser", "-u", "munge", "--")
        subprocess.run(
            [*before, _path("mungekey") or "", "--create", f"--keyfile={folder}/etc/munge.key"], check=True, timeout=30
        )
        subprocess.run(
            [
                *before, _path("munged") or "", f"--socket={folder}/run/munge.socket.2",
                f"--key-file={folder}/etc/munge.key", f"--pid-file={folder}/run/munged.pid",
                f"--log-file={folder}/log/munged.log", f"--seed-file={folder}/lib/munge.seed", "--num-threads=2",
            ],
            check=True, timeout=30, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def _daemon(self, name: str, *arguments: str) -> None:
        subprocess.run(
            [_path(name) or "", *arguments], check=True, timeout=30, env=self.environment, stderr=subprocess.DEVNULL
        )

    def say(self, *command: str) -> str:
        """What one of Slurm's commands says; an empty text when it fails."""
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=20, env=self.environment, check=False
            )
        except subprocess.TimeoutExpired:
            return ""
        return done.stdout

    def jobs(self, state: str = "") -> list[str]:
        """Ids of the jobs in the queue, those in one state when it is given."""
        wanted = ("-t", state) if state else ()
        return self.say("squeue", "-h", "-o", "%i", *wanted).split()

    def stop(self) -> None:
        """End everything that was started, by the processes' own files."""
        self.say("scancel", f"--user={getpass.getuser()}")
        deadline = time.monotonic() + 5
        while self.jobs() and time.monotonic() < deadline:
            time.sleep(0.1)
        pids = [
            int(path.read_text())
            for path in (*sorted(self.root.glob("run/*.pid")), self.root / "munge/run/munged.pid")
            if path.exists()
        ]
        # A node that has lost its controller does not hear SIGTERM for a while.
        for sign, patience in ((signal.SIGTERM, 2.0), (signal.SIGKILL, 2.0)):
            for pid in pids:
                try:
                    os.kill(pid, sign)
                except ProcessLookupError:
                    continue
            end = time.monotonic() + patience
            while time.monotonic() < end and any(_alive(pid) for pid in pids):
                time.sleep(0.05)
        shutil.rmtree(self.root, ignore_errors=True)


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def _path(name: str) -> str | None:
    # The daemons are for administrators, and not on everybody's path.
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def _free_ports(n: int) -> list[int]:
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(n)]
    ports = [one.getsockname()[1] for one in listeners]
    for one in listeners:
        one.close()
    return ports
