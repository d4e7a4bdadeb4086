"""Sweeps: their jobs, the outcomes of these, and the final table.

A sweep is described by its files only, because its jobs may have run in other processes.
"""

import json
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from deepcryopicker.errors import UsageError
from deepcryopicker.io.console import console
from deepcryopicker.io.files.tables import flatten, write_rows
from deepcryopicker.io.files.yaml_files import read_yaml
from deepcryopicker.runs.saved_config import read_settings
from deepcryopicker.runs.status import (
    DONE,
    REFUSED,
    SOME_FAILED,
    STATUS,
    WRONG_USAGE,
    Outcome,
    combine,
    read_outcome,
)

TABLE, MEANS, PICTURE = "sweep.csv", "seeds.csv", "sweep.png"
_STATUS_WORDS = {DONE: "done", SOME_FAILED: "some failed or doubtful"}


@dataclass(frozen=True)
class Sweep:
    """A sweep that this process has launched.

    Attributes
    ----------
    folder : Path
    planned : list of list of str or None
        Overrides of each job; None if the sweeper chooses them while it runs.
    typed : str or None
        The folder as it was typed, the group of its jobs in W&B.
    ended_before : dict
        From the status files of jobs that ended before the sweep began to the times of writing.
    """

    folder: Path
    planned: list[list[str]] | None
    ended_before: dict[Path, int]
    typed: str | None = None


@dataclass(frozen=True)
class Job:
    """One job of a sweep.

    Attributes
    ----------
    number : int
    folder : Path
    overrides : list of str
    outcome : Outcome or None
        None if it has not ended.
    """

    number: int
    folder: Path
    overrides: list[str]
    outcome: Outcome | None

    @property
    def status(self) -> str:
        """Return how the job ended, in words of `_STATUS_WORDS` or such as ``not finished``."""
        if self.outcome is None:
            return "not finished"
        if self.outcome.missing:
            # A missing program is a failure of the run, a missing dataset one of its usage.
            return "not there" if self.outcome.exit_code == WRONG_USAGE else "not installed"
        if self.outcome.pruned:
            return "pruned"
        return _STATUS_WORDS.get(self.outcome.exit_code, "failed")


launched: list[Sweep] = []
"""The sweep of this process, if any."""


class Watch(Callback):
    """Hydra callback that records the start of a sweep, in the process that launches its jobs."""

    def on_multirun_start(self, config: DictConfig, **_: Any) -> None:
        """Record the planned jobs, and the jobs that have already ended."""
        folder = Path(config.hydra.sweep.dir).absolute()
        ended = {path: path.stat().st_mtime_ns for path in folder.glob(f"*/{STATUS}")}
        launched.append(Sweep(folder, _planned(config), ended, str(config.hydra.sweep.dir)))


def finish(sweep: Sweep) -> int:
    """Write ``sweep.csv`` and ``sweep.png``, print the table and return the exit code.

    Where the seed varies, the table has means over seeds, which are also in ``seeds.csv``.
    If a job was refused because the folder holds another sweep, the files are left unchanged.
    """
    # Imported here: a typo is reported without waiting for Matplotlib.
    from deepcryopicker.plots.seed_means import SEED, means_over_seeds
    from deepcryopicker.plots.sweep_figure import sweep_figure
    from deepcryopicker.plots.sweep_table import headlines, of_datasets, sweep_table

    jobs = list_jobs(sweep)
    rows, varied = tabulate(jobs)
    means = means_over_seeds(rows, varied)
    shown, chosen = (means, [key for key in varied if key != SEED]) if means else (rows, varied)
    if not any((job.folder / REFUSED).exists() for job in jobs):
        write_rows(sweep.folder / TABLE, rows, _columns(rows))
        if means:
            write_rows(sweep.folder / MEANS, means, _columns(means))
        sweep_figure(sweep.folder / PICTURE, shown, chosen)
        _track(sweep, jobs, rows, _columns(rows))
    title = f"{sweep.folder.name}, means over seeds" if means else sweep.folder.name
    console.print(sweep_table(shown, chosen, headlines(shown), title=title))
    if by_dataset := of_datasets(shown):
        console.print(sweep_table(shown, chosen, by_dataset, title="patch accuracy by dataset"))
    if jobs and all(_was_skipped(job, sweep) for job in jobs):
        console.print("all jobs had already finished; to start anew, delete the folder of the")
        console.print("sweep or choose another one: hydra.sweep.dir=OTHER")
    console.print(f"sweep folder: {sweep.folder}", soft_wrap=True)
    return combine([job.outcome for job in jobs])


def _columns(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(key for row in rows for key in row))


def _track(
    sweep: Sweep, jobs: Sequence[Job], rows: Sequence[Mapping[str, Any]], columns: Sequence[str]
) -> None:
    """Record table and picture of a sweep as a run of their own, if its jobs are tracked."""
    settings = next((read for job in jobs if (read := read_settings(job.folder))), {})
    section = settings.get("logger", {}).get("wandb", {})
    if not section.get("enabled"):
        return
    # Imported on demand: it loads W&B.
    from deepcryopicker.logger.identity import Identity
    from deepcryopicker.logger.schema import LoggerConfig, WandbConfig
    from deepcryopicker.logger.tracker import open_tracker

    group = str(sweep.folder) if sweep.typed is None else sweep.typed
    identity = Identity(f"sweep: {sweep.folder.name}", group, "sweep", resumes=True)
    try:
        tracker = open_tracker(LoggerConfig(WandbConfig(**section)), sweep.folder, identity)
    except UsageError:  # no key, which every job has said
        return
    with tracker:
        cells = [[row.get(column) for column in columns] for row in rows]
        tracker.log_table("sweep", columns, cells)
        if (sweep.folder / PICTURE).is_file():
            tracker.log_pictures("sweep", [sweep.folder / PICTURE])


def launch_failure(sweep: Sweep, error: Exception) -> str:
    """Describe a failure of the launcher in one line; the traceback goes to ``errors.log``.

    Jobs handle their own errors, so that the error is the launcher's, such as a lost node.
    """
    sweep.folder.mkdir(parents=True, exist_ok=True)
    with (sweep.folder / "errors.log").open("a", encoding="utf-8") as stream:
        stream.write("".join(traceback.format_exception(error)) + "\n")
    first = (str(error).splitlines() or [""])[0]
    return f"launching the jobs failed: {type(error).__name__}: {first}, see errors.log"


def list_jobs(sweep: Sweep) -> list[Job]:
    """List the jobs of a sweep by number, with their outcomes."""
    if sweep.planned is not None:
        every = dict(enumerate(sweep.planned))
    else:
        numbers = sorted(int(path.name) for path in sweep.folder.iterdir() if path.name.isdigit())
        every = {number: _overrides_in(sweep.folder / str(number)) for number in numbers}
    return [
        Job(number, folder, overrides, read_outcome(folder))
        for number, overrides in every.items()
        for folder in [sweep.folder / str(number)]
    ]


def tabulate(jobs: Sequence[Job]) -> tuple[list[dict[str, Any]], list[str]]:
    """Make one row of ``sweep.csv`` for each job.

    Returns
    -------
    rows : list of dict
        ``job``, ``status``, the choices that vary, the run's notes on how it picks,
        ``paper.<metric>`` for published numbers, every number of ``metrics.json`` and
        ``timings.json``, and ``error``.
    varied : list of str
        Keys of the choices that vary between the jobs.
    """
    from deepcryopicker.plots.sweep_table import NOTES

    choices = [choices_of(job.overrides) for job in jobs]
    keys = dict.fromkeys(key for each in choices for key in each)
    varied = [key for key in keys if len({each.get(key) for each in choices}) > 1]
    numbers = [_published(job) | _numbers(job) for job in jobs]
    names = dict.fromkeys(name for each in numbers for name in each)
    rows = []
    for job, chosen, found in zip(jobs, choices, numbers, strict=True):
        row = {"job": job.number, "status": job.status}
        row |= {key: chosen.get(key) for key in varied}
        row |= {key: text for key in NOTES if (text := _metrics(job).get(key)) is not None}
        row |= {name: found.get(name) for name in names}
        rows.append(row | {"error": None if job.outcome is None else job.outcome.error})
    return rows, varied


def _numbers(job: Job) -> dict[str, float]:
    """Return all numbers of a finished job."""
    metrics = _metrics(job)
    metrics.pop("provenance", None)
    timings = _read_json(job.folder / "timings.json") if metrics else {}
    return flatten(metrics) | flatten(timings, "seconds")


def _metrics(job: Job) -> dict[str, Any]:
    """Read the metrics of a finished job; those of other jobs are from an earlier attempt."""
    if job.outcome is None or not job.outcome.finished:
        return {}
    return _read_json(job.folder / "metrics.json")


def _published(job: Job) -> dict[str, float]:
    """Find the published numbers for the choices of a job, in ``reference``."""
    from deepcryopicker.plots.sweep_table import PAPER

    reference: Mapping[str, Any] = (read_settings(job.folder) or {}).get("reference", {})
    found = published(reference, job.overrides)
    return {f"{PAPER}{metric}": number for metric, number in found.items()}


def published(
    reference: Mapping[str, Mapping[str, float]], overrides: Sequence[str]
) -> dict[str, float]:
    """Find the published numbers for the choices of a job, by name of the metric.

    Parameters
    ----------
    reference : mapping
        See :class:`deepcryopicker.config.schemas.RunConfig`.
    overrides : sequence of str
        As typed on the command line.
    """
    return {
        metric: numbers[choice]
        for metric, numbers in reference.items()
        for choice in overrides
        if choice in numbers
    }


def _was_skipped(job: Job, sweep: Sweep) -> bool:
    path = job.folder / STATUS
    ended = path.stat().st_mtime_ns if path.is_file() else None
    finished = job.outcome is not None and job.outcome.finished
    return finished and sweep.ended_before.get(path) == ended


def _planned(config: DictConfig) -> list[list[str]] | None:
    """List the overrides of each job, for Hydra's own sweeper; None for any other."""
    sweeper = config.hydra.sweeper
    if not str(sweeper._target_).endswith(f".{BasicSweeper.__name__}"):
        return None
    typed = [f"{key}={value}" for key, value in (sweeper.params or {}).items()]
    typed += config.hydra.overrides.task
    parser = OverridesParser.create(GlobalHydra.instance().config_loader())
    (jobs,) = BasicSweeper.split_arguments(parser.parse_overrides(typed), None)
    return jobs


def _overrides_in(folder: Path) -> list[str]:
    path = folder / ".hydra" / "overrides.yaml"
    return [str(each) for each in read_yaml(path)] if path.is_file() else []


def choices_of(overrides: Sequence[str]) -> dict[str, str]:
    """Split overrides into keys and values."""
    pairs = (each.removeprefix("+").partition("=") for each in overrides)
    return {key: value for key, _, value in pairs}


def _read_json(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
