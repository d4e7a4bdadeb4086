"""Sweeps on a SLURM cluster: checks before submission, waiting, and lost jobs.

submitit, through its Hydra plugin, submits the jobs and collects their results.
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
    """Hydra callback of ``hydra/launcher=slurm``: refuses impossible sweeps before submission."""

    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Refuse a single run: Hydra would ignore the launcher and run it locally."""
        _refuse("hydra/launcher=slurm submits sweeps: add -m, such as -m seed=1,2")

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Refuse a sweep without SLURM or one that is still running; otherwise watch the queue."""
        if not shutil.which("sbatch") or not shutil.which("srun"):
            _refuse(
                "hydra/launcher=slurm needs SLURM, but there is no sbatch or srun on the PATH\n"
                "run this on a login node of your cluster, or leave out hydra/launcher=slurm"
            )
        folder = Path(config.hydra.sweep.dir)
        running = still_running(folder)
        if running:
            _refuse(
                f"the sweep in {folder} is still running as SLURM jobs {', '.join(running)}\n"
                f"wait for them, or stop them first: scancel {' '.join(running)}"
            )
        import submitit

        submitit.SlurmJob.watcher = Queue()  # type: ignore[assignment]


class Queue:
    """Reports to submitit which jobs have ended, instead of submitit's own watcher.

    That watcher queries ``sacct``. On clusters without accounting it waits for a killed job
    forever; on others it stops at the first killed job while other jobs still run. ``squeue``
    works on every cluster, and here all jobs end together, when the last has left the queue.
    """

    def __init__(self) -> None:
        self._jobs: set[str] = set()
        self._asked = time.monotonic()
        self._ended = False

    def register_job(self, job_id: str) -> None:
        """Watch a job, named ``<array>_<index>`` or, outside of an array, by its number."""
        self._jobs.add(job_id)
        self._ended = False  # a search sends jobs after others have ended

    def is_done(self, job_id: str, mode: str = "standard") -> bool:
        """Whether all jobs have left the queue."""
        if not self._ended and time.monotonic() - self._asked >= _SECONDS_BETWEEN_QUESTIONS:
            self._asked = time.monotonic()
            queued = _queued()
            self._ended = queued is not None and not queued & self._jobs
        return self._ended

    def get_state(self, job_id: str, mode: str = "standard") -> str:
        """Return the state for submitit's messages."""
        return "ENDED" if self._ended else "RUNNING"


def still_running(folder: Path) -> list[str]:
    """List the running or queued SLURM jobs of a sweep, from this or an earlier command.

    Parameters
    ----------
    folder : Path
        Sweep folder.
    """
    sent = {path.name for path in (folder / ".submitit").glob("*")}
    return sorted(sent & (_queued() or set()))


def explain(error: Exception, folder: Path) -> DeepCryoPickerError | None:
    """Translate an exception of submitit: SLURM rejected the jobs, or killed some of them.

    Parameters
    ----------
    error : Exception
    folder : Path
        Sweep folder.

    Returns
    -------
    UsageError, DeepCryoPickerError or None
        UsageError if no job was submitted, DeepCryoPickerError if jobs were lost, None for any
        other exception.
    """
    if not type(error).__module__.startswith("submitit."):
        return None
    reasons = [line for line in str(error).splitlines() if line.startswith(_SBATCH)]
    if reasons:
        reason = reasons[0].removeprefix(_SBATCH)
        return UsageError(
            f"SLURM rejected the jobs: {reason}\n"
            "change hydra.launcher.partition, .mem_gb, .cpus_per_task or .gpus_per_node, see sinfo"
        )
    return DeepCryoPickerError(
        f"SLURM killed jobs before they finished, see {folder}/.submitit/*/*.err\n"
        f"to finish them, run the same command again with hydra.sweep.dir={folder}"
    )


def _queued() -> set[str] | None:
    """List the running or queued jobs of the user; None if SLURM does not respond."""
    if not shutil.which("squeue"):
        return None
    user = str(os.getuid())
    command = ["squeue", f"--user={user}", "--array", "--noheader", "--format=%i"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    return set(answer.stdout.split()) if answer.returncode == 0 else None


def _refuse(message: str) -> NoReturn:
    # Hydra turns every Exception of a callback into a warning and continues.
    print(f"error: {message}", file=sys.stderr)  # noqa: T201
    raise SystemExit(WRONG_USAGE)
