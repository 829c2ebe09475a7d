"""A throw-away Slurm of one node with make-believe GPUs; needs its daemons installed, but neither root nor munge.

Everything of it (configuration, ports, state, logs) is private to a folder.
"""

import getpass
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import psutil

# Slurm takes only a device file for a GPU, but any will do.
DEVICES = ("/dev/null", "/dev/zero", "/dev/full")
# Daemons lie where only root looks for programs.
PATH = os.pathsep.join([os.environ["PATH"], "/usr/sbin", "/usr/local/sbin"])
# Daemons end with the process that started them, even if it is killed.
DAEMON = ("setpriv", "--pdeathsig", "TERM")
CONFIGURATION = """\
ClusterName=throwaway
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={slurmctld_port}
SlurmdPort={slurmd_port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/none
CredType=cred/none
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
ReturnToService=2
SlurmdParameters=config_overrides
SchedulerParameters=sched_interval=1,sched_min_interval=1,bf_interval=1
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
GresTypes=gpu
AccountingStorageType=accounting_storage/none
# Ended jobs stay on record for an hour; the time limit is kept to the minute.
MinJobAge=3600
OverTimeLimit=0
KillWait=20
NodeName={host} NodeAddr=127.0.0.1 CPUs=16 RealMemory=64000 Gres=gpu:fake:{gpus}
# Whoever asks for the partition `urgent` has the others' resources half a minute later.
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
PartitionName=gpu Nodes={host} Default=YES MaxTime=INFINITE PriorityTier=1 GraceTime=30
PartitionName=urgent Nodes={host} MaxTime=INFINITE PriorityTier=2 PreemptMode=OFF
"""


class SlurmCluster:
    """One node with some GPUs, from `start` to `stop`."""

    def __init__(self, folder: Path, gpus: int) -> None:
        self.folder, self.gpus = folder, gpus
        self.host = socket.gethostname().split(".")[0]
        self.environment: dict[str, str] = {}
        self._daemons: list[subprocess.Popen[bytes]] = []

    @staticmethod
    def missing() -> list[str]:
        """Programs that are needed and not there."""
        programs = (DAEMON[0], "slurmctld", "slurmd", "sbatch", "scancel", "scontrol", "sinfo", "squeue", "srun")
        return [name for name in programs if not shutil.which(name, path=PATH)]

    def start(self) -> None:
        """Start the daemons and wait until the node takes jobs; `environment` then leads commands to this Slurm."""
        for name in ("state", "spool", "bin"):
            (self.folder / name).mkdir(parents=True)
        configuration = self.folder / "slurm.conf"
        host = self.host
        slurmctld_port, slurmd_port = _free_ports(2)
        configuration.write_text(
            CONFIGURATION.format(
                folder=self.folder,
                host=host,
                user=getpass.getuser(),
                gpus=self.gpus,
                slurmctld_port=slurmctld_port,
                slurmd_port=slurmd_port,
            )
        )
        devices = [f"NodeName={host} Name=gpu Type=fake File={device}\n" for device in DEVICES[: self.gpus]]
        (self.folder / "gres.conf").write_text("".join(devices))
        # Inside a job, Snakemake drops every SLURM_ variable, this Slurm's configuration too, before it calls srun.
        wrapper = self.folder / "bin/srun"
        wrapper.write_text(f'#!/bin/sh\nSLURM_CONF={configuration} exec {shutil.which("srun", path=PATH)} "$@"\n')
        wrapper.chmod(0o755)
        self.environment = {
            "SLURM_CONF": str(configuration),
            "PATH": os.pathsep.join([str(wrapper.parent), PATH]),
        }

        self._start("slurmctld", "-D", "-c")
        self._wait("slurmctld", lambda: "UP" in self.ask("scontrol", "ping", check=False))
        self.start_node()

    def stop(self) -> None:
        """End all jobs and daemons, by force where they do not follow."""
        if self._daemons:
            self.ask("scancel", f"--user={getpass.getuser()}", "--full", check=False)
            self._wait("jobs to end", lambda: not self.ask("squeue", "--noheader", check=False), fail=False)
        for daemon in reversed(self._daemons):
            daemon.terminate()
            try:
                daemon.wait(timeout=30)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        self._daemons = []

    def ask(self, *command: str, check: bool = True) -> str:
        """The output of a command of this Slurm."""
        done = subprocess.run(
            command, env=os.environ | self.environment, capture_output=True, text=True, check=False, timeout=60
        )
        if check and done.returncode:
            raise AssertionError(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}{self._logs()}")
        return done.stdout

    def jobs(self, folder: Path) -> list["SlurmJob"]:
        """Slurm's records of all jobs that were submitted in a folder, in order."""
        lines = self.ask("scontrol", "show", "job", "--details", "--oneliner").splitlines()
        jobs = [SlurmJob(dict(field.split("=", 1) for field in line.split() if "=" in field)) for line in lines]
        return sorted((job for job in jobs if job.record.get("WorkDir") == str(folder)), key=lambda job: job.number)

    def fail_node(self) -> None:
        """Let the node fail: its daemon and all processes of its jobs are killed at once."""
        node = self._daemons.pop()
        node.kill()
        node.wait()
        for process in self._processes_of_jobs():
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self.ask("scontrol", "update", f"nodename={self.host}", "state=down", "reason=test")

    def start_node(self) -> None:
        """Start the node's daemon, and wait until it takes jobs."""
        self._start("slurmd", "-D")
        state = ("sinfo", "--noheader", "--format=%T")
        self._wait("an idle node", lambda: self.ask(*state, check=False).strip() == "idle")

    def _processes_of_jobs(self) -> list[psutil.Process]:
        """The processes in which this Slurm's node runs jobs, each before those that it started."""
        log, found = str(self.folder / "slurmd.log"), []
        for process in psutil.process_iter(["name"]):
            with suppress(psutil.Error):
                if process.name() == "slurmstepd" and log in (file.path for file in process.open_files()):
                    found += [process, *process.children(recursive=True)]
        return found

    def _start(self, *command: str) -> None:
        environment = os.environ | self.environment
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self._daemons.append(subprocess.Popen([*DAEMON, *command], env=environment, **quiet))

    def _wait(self, what: str, reached: Callable[[], bool], seconds: int = 60, fail: bool = True) -> None:
        deadline = time.monotonic() + seconds
        while not reached():
            if time.monotonic() > deadline:
                if fail:
                    raise AssertionError(f"no {what} after {seconds} s{self._logs()}")
                return
            time.sleep(0.1)

    def _logs(self) -> str:
        return "".join(f"\n{log.name}:\n{log.read_text()[-2000:]}" for log in sorted(self.folder.glob("*.log")))


class SlurmJob:
    """Slurm's record of a job."""

    def __init__(self, record: dict[str, str]) -> None:
        self.record = record

    def __repr__(self) -> str:
        return f"job {self.number} ({self.record['Comment']}, {self.state})"

    @property
    def number(self) -> int:
        return int(self.record["JobId"])

    @property
    def rule(self) -> str:
        """The rule that it ran: the comment is rule_NAME or rule_NAME_wildcards_..."""
        return self.record["Comment"].removeprefix("rule_").split("_wildcards_")[0]

    @property
    def state(self) -> str:
        return self.record["JobState"]

    @property
    def gpus(self) -> int:
        """How many were reserved for it alone: gpu:TYPE:COUNT, or (null)."""
        reserved = self.record["JOB_GRES"]
        return 0 if reserved == "(null)" else int(reserved.split(":")[-1])

    @property
    def megabytes(self) -> int:
        """Memory that was reserved for it."""
        number, unit = re.fullmatch(r"([\d.]+)([MG])", self.record["MinMemoryNode"]).groups()
        return round(float(number) * (1024 if unit == "G" else 1))

    @property
    def minutes(self) -> int:
        """Its time limit."""
        days, _, clock = self.record["TimeLimit"].rpartition("-")
        hours, minutes, _ = map(int, clock.split(":"))
        return (int(days or 0) * 24 + hours) * 60 + minutes

    @property
    def span(self) -> tuple[datetime, datetime]:
        """When it started and ended."""
        return datetime.fromisoformat(self.record["StartTime"]), datetime.fromisoformat(self.record["EndTime"])


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [opened.getsockname()[1] for opened in sockets]
    for opened in sockets:
        opened.close()
    return ports
