"""A sweep on a SLURM cluster: before it is sent, while it runs, and when jobs were lost.

submitit, through its Hydra plugin, submits the jobs and collects what they return.
"""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from deepcryopicker.errors import DeepCryoPickerError, UsageError
from deepcryopicker.runs.status import WRONG_USAGE

_SECONDS_BETWEEN_QUESTIONS = 10.0
_SBATCH = "sbatch: error: "


class SlurmSweep(Callback):
    """Hydra's callback of ``hydra/launcher=slurm``: refuses what cannot work before it is sent."""

    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Refuse a single run: Hydra would ignore the launcher and run it here."""
        _refuse("hydra/launcher=slurm sends sweeps: add -m, such as -m seed=1,2")

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Refuse a sweep without SLURM or that still runs, and watch the queue otherwise."""
        if not shutil.which("sbatch") or not shutil.which("srun"):
            _refuse(
                "hydra/launcher=slurm needs SLURM, but there is no sbatch or srun on the PATH\n"
                "type it on a login node of your cluster, or leave out hydra/launcher=slurm"
            )
        folder = Path(config.hydra.sweep.dir)
        running = still_running(folder)
        if running:
            _refuse(
                f"the sweep in {folder} still runs as SLURM jobs {', '.join(running)}\n"
                f"wait for them, or stop them first: scancel {' '.join(running)}"
            )
        import submitit

        submitit.SlurmJob.watcher = Queue()  # type: ignore[assignment]


class Queue:
    """Tells submitit which jobs have ended, in place of its own watcher.

    That one asks ``sacct``. Where a cluster keeps no accounts it waits for a killed job for ever;
    elsewhere it gives up at the first killed job while the others still run. ``squeue`` works on
    every cluster, and here no job counts as ended before all of them have left the queue.
    """

    def __init__(self) -> None:
        self._jobs: set[str] = set()
        self._asked = time.monotonic()
        self._ended = False

    def register_job(self, job_id: str) -> None:
        """Watch a job, named ``<array>_<index>`` or, alone, by its number."""
        self._jobs.add(job_id)

    def is_done(self, job_id: str, mode: str = "standard") -> bool:
        """Whether every job has left the queue."""
        if not self._ended and time.monotonic() - self._asked >= _SECONDS_BETWEEN_QUESTIONS:
            self._asked = time.monotonic()
            queued = _queued()
            self._ended = queued is not None and not queued & self._jobs
        return self._ended

    def get_state(self, job_id: str, mode: str = "standard") -> str:
        """Name the state for submitit's messages."""
        return "ENDED" if self._ended else "RUNNING"


def still_running(folder: Path) -> list[str]:
    """Name the SLURM jobs of a sweep that run or wait, from an earlier command or this one.

    Parameters
    ----------
    folder : Path
        Of the sweep.
    """
    sent = {path.name for path in (folder / ".submitit").glob("*")}
    return sorted(sent & (_queued() or set()))


def explain(error: Exception, folder: Path) -> DeepCryoPickerError | None:
    """Word what submitit raised: SLURM refused the jobs, or ended some before they were done.

    Parameters
    ----------
    error : Exception
    folder : Path
        Of the sweep.

    Returns
    -------
    UsageError, DeepCryoPickerError or None
        The first if no job was sent, the second if jobs were lost, None if it is not submitit's.
    """
    if not type(error).__module__.startswith("submitit."):
        return None
    reasons = [line for line in str(error).splitlines() if line.startswith(_SBATCH)]
    if reasons:
        reason = reasons[0].removeprefix(_SBATCH)
        return UsageError(
            f"SLURM refused the jobs: {reason}\n"
            "change hydra.launcher.partition, .mem_gb, .cpus_per_task or .gpus_per_node, see sinfo"
        )
    return DeepCryoPickerError(
        f"SLURM ended jobs before they were done, see {folder}/.submitit/*/*.err\n"
        f"to finish them, type the same command again with hydra.sweep.dir={folder}"
    )


def _queued() -> set[str] | None:
    """Name the user's jobs that run or wait; None if SLURM does not answer."""
    if not shutil.which("squeue"):
        return None
    user = str(os.getuid())
    command = ["squeue", f"--user={user}", "--array", "--noheader", "--format=%i"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    return set(answer.stdout.split()) if answer.returncode == 0 else None


def _refuse(message: str) -> NoReturn:
    # Of a callback, Hydra turns every Exception into a warning and goes on.
    print(f"error: {message}", file=sys.stderr)  # noqa: T201
    raise SystemExit(WRONG_USAGE)
