"""A SLURM cluster of one node, on 127.0.0.1, for as long as the tests run.

It runs without systemd, cgroups and a database: what a bare machine with root has.
"""

import os
import secrets
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

CONF = """\
ClusterName=tests
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthInfo=socket={folder}/munge.socket
SlurmctldPort={controller_port}
SlurmdPort={node_port}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
MpiDefault=none
ReturnToService=2
KillWait=5
SlurmdParameters=config_overrides
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 RealMemory=4000 State=UNKNOWN
PartitionName=tests Nodes=ALL Default=YES State=UP
"""
PROGRAMS = ("munged", "slurmctld", "slurmd", "sinfo", "squeue", "sbatch", "srun", "scancel")
LOGS = ("munged.log", "slurmctld.log", "slurmd.log")


def wait_until(happened, seconds, what):
    """Poll until something has happened, and give it back; fail at the deadline."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = happened()
        if answer:
            return answer
        time.sleep(0.1)
    raise AssertionError(f"waited {seconds} s in vain: {what}")


def tail(path, lines=25):
    """Return the last lines of a text file, empty if there is none."""
    text = path.read_text(errors="replace") if path.exists() else ""
    return "\n".join(text.splitlines()[-lines:])


@dataclass
class Cluster:
    """Its daemons, and the environment in which commands find it."""

    folder: Path
    environment: dict[str, str]
    daemons: list[subprocess.Popen] = field(default_factory=list)

    def start(self):
        """Start the daemons, and wait until the node takes jobs."""
        munge = [f"--{name}={self.folder}/munge.{name}" for name in ("socket", "pid-file")]
        munge += [f"--key-file={self.folder}/munge.key", f"--seed-file={self.folder}/munge.seed"]
        self._daemon("munged", "--foreground", f"--log-file={self.folder}/munged.log", *munge)
        socket_file = self.folder / "munge.socket"
        wait_until(socket_file.exists, 20, "munged makes its socket")
        self._daemon("slurmctld", "-D", "-i")
        self._daemon("slurmd", "-D")
        state = ("sinfo", "--noheader", "--format=%T")
        wait_until(lambda: self.ask(*state) == "idle", 60, "the node takes jobs")

    def stop(self):
        """Cancel what runs, and stop the daemons that were started here."""
        if len(self.daemons) == 3:
            self.ask("scancel", "--user=root")
            deadline = time.monotonic() + 20
            while self.ask("squeue", "--noheader") and time.monotonic() < deadline:
                time.sleep(0.2)
        for daemon in reversed(self.daemons):
            daemon.terminate()
            try:
                daemon.wait(10)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait(10)

    def ask(self, *command):
        """Run one of SLURM's commands; its output, empty if it failed."""
        answer = subprocess.run(
            command,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return answer.stdout.strip() if answer.returncode == 0 else ""

    def logs(self):
        """Return the tail of every log, by file name."""
        return {name: tail(self.folder / name) for name in LOGS}

    def _daemon(self, *command):
        log = (self.folder / f"{command[0]}.out").open("wb")
        with log:
            process = subprocess.Popen(
                command,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.daemons.append(process)


def configure(folder):
    """Write the cluster's configuration and its key."""
    folder.chmod(0o755)
    for name in ("state", "spool"):
        (folder / name).mkdir()
    key = folder / "munge.key"
    key.touch(mode=0o600)
    key.write_bytes(secrets.token_bytes(1024))
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        ports = one.getsockname()[1], other.getsockname()[1]
    text = CONF.format(
        host=socket.gethostname().partition(".")[0],
        folder=folder,
        controller_port=ports[0],
        node_port=ports[1],
    )
    (folder / "slurm.conf").write_text(text)


def clean_environment():
    """Return the environment, without what another cluster, Hydra or W&B have put there."""
    foreign = ("SLURM", "SBATCH", "SRUN", "SUBMITIT", "HYDRA", "WANDB")
    return {key: value for key, value in os.environ.items() if not key.startswith(foreign)}
