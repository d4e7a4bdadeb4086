"""Find the runs in given folders, and read the configuration and results of each."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deepcryopicker.config.registry import COMMANDS
from deepcryopicker.config.renamed import up_to_date
from deepcryopicker.errors import UsageError
from deepcryopicker.io.files.tables import is_number
from deepcryopicker.io.files.yaml_files import part
from deepcryopicker.reporting.reading.run_files import (
    UnreadableError,
    read_json,
    read_rows,
    read_settings,
)
from deepcryopicker.runs.folder import TIMINGS
from deepcryopicker.runs.saved_config import CONFIG
from deepcryopicker.runs.status import Outcome, read_outcome
from deepcryopicker.runs.sweep import choices_of, published

_GENERATIONS = 8  # of runs that filter each other


@dataclass(frozen=True)
class RunFolder:
    """A run, as read from its folder.

    Attributes
    ----------
    path : Path
    sweep : str or None
        Name of the sweep of this job.
    choices : dict
        Choices in which this job differs from the others of its sweep.
    command : str or None
        ``train``, ``label``, ``pick`` or ``evaluate``; None if the folder is not a run.
    settings : dict
        Configuration of the run.
    schemas : dict
        From a section of the configuration, such as ``dataset``, to its schema.
    overrides : list of str
        Overrides typed on the command line.
    seconds : float or None
    problem : str or None
        Reason why results are missing or incomplete.
    metrics, timings : dict
    failures : int
        Number of skipped micrographs.
    """

    path: Path
    sweep: str | None = None
    choices: dict[str, str] = field(default_factory=dict)
    command: str | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    schemas: dict[str, str] = field(default_factory=dict)
    overrides: list[str] = field(default_factory=list)
    seconds: float | None = None
    problem: str | None = None
    metrics: dict[str, Any] = field(default_factory=dict)
    timings: dict[str, Any] = field(default_factory=dict)
    failures: int = 0

    @property
    def published(self) -> dict[str, float]:
        """Published numbers for its choices, by name of the metric."""
        reference = self.section("reference")
        numbers = {metric: part(reference, metric) for metric in reference}
        found = published(numbers, self.overrides)
        return {metric: number for metric, number in found.items() if is_number(number)}

    @property
    def name(self) -> str:
        """Distinguishing name of the run: its choices within a sweep, else its folder."""
        if self.sweep is None:
            return self.path.name
        chosen = [
            # For an experiment such as experiment/rival@_global_=eman2 the value is enough.
            value if key.startswith("experiment/") else f"{key.rpartition('@')[0] or key}={value}"
            for key, value in self.choices.items()
        ]
        return ", ".join(chosen) or self.place

    @property
    def place(self) -> str:
        """Location of the run: its sweep and number, or its folder."""
        return str(self.path) if self.sweep is None else f"{self.sweep}/{self.path.name}"

    def section(self, *keys: str) -> dict[str, Any]:
        """Return a section of the settings, empty if it is missing."""
        return part(self.settings, *keys)


def find_runs(given: Sequence[str]) -> list[RunFolder]:
    """Read the given run folders, and all jobs of given sweep folders in order of their number.

    Raises
    ------
    UsageError
        If a folder is missing, or none holds a run. Problems with the files of one run among
        others never raise an error.
    """
    runs: list[RunFolder] = []
    for name in given:
        folder = Path(name)
        if not folder.is_dir():
            raise UsageError(f"report.runs: folder {name} does not exist")
        jobs = [] if (folder / CONFIG).is_file() else _jobs(folder)
        runs += _read_sweep(folder, jobs) if jobs else [read_run(folder)]
    if runs and all(run.command is None for run in runs):
        problem = runs[0].problem
        raise UsageError(
            f"report.runs: {runs[0].path}: {problem}\n"
            "give the folder of a run, which holds config.yaml, or of a sweep"
        )
    return list({run.path.resolve(): run for run in runs}.values())


def read_run(folder: Path, sweep: str | None = None) -> RunFolder:
    """Read one run folder; a problem is recorded and not raised."""
    try:
        content = read_settings(folder / CONFIG)
        if content is None:
            return RunFolder(folder, sweep, problem=f"not a run folder: {CONFIG} is missing")
        defaults = content.get("defaults") if isinstance(content, dict) else None
        defaults = defaults if isinstance(defaults, list) else []
        command = _command(defaults)
        if command is None:
            return RunFolder(folder, sweep, problem=f"{CONFIG} is not the configuration of a run")
        typed = read_settings(folder / ".hydra" / "overrides.yaml") or []
        run = RunFolder(
            folder,
            sweep,
            command=command,
            settings=up_to_date(
                {key: v for key, v in content.items() if key not in ("defaults", "hydra")}
            ),
            schemas=_schemas(defaults),
            overrides=[str(each) for each in typed] if isinstance(typed, list) else [],
        )
    except UnreadableError as error:
        return RunFolder(folder, sweep, problem=str(error))
    return _with_results(run)


def original_run(run: RunFolder) -> RunFolder:
    """Return the run that a run of ``filter`` has filtered; other runs as they are."""
    for _ in range(_GENERATIONS):
        if run.command != "filter":
            break
        run = read_run(Path(str(run.section("filter").get("picks", ""))).expanduser())
    return run


def _with_results(run: RunFolder) -> RunFolder:
    """Add the results of a run; after a failed attempt they would be those of an earlier one."""
    try:
        outcome = read_outcome(run.path)
    except (OSError, ValueError, TypeError):
        return _replace(run, problem="status.json is damaged")
    if outcome is None:
        return _replace(run, problem="not finished: running or interrupted")
    run = _replace(run, seconds=outcome.seconds)
    if not outcome.finished:
        return _replace(run, problem=_reason(outcome))
    try:
        return _replace(
            run,
            metrics=read_json(run.path / "metrics.json"),
            timings=read_json(run.path / TIMINGS),
            failures=len(read_rows(run.path / "failures.csv")),
        )
    except UnreadableError as error:
        return _replace(run, problem=str(error))


def _replace(run: RunFolder, **changes: Any) -> RunFolder:
    return RunFolder(**{**vars(run), **changes})


def _reason(outcome: Outcome) -> str:
    return f"failed: {outcome.error or f'exit code {outcome.exit_code}'}"


def _command(defaults: list[Any]) -> str | None:
    """Return the command whose schema comes first in the defaults list of a run."""
    name = str(defaults[0] if defaults else "").removeprefix("_")
    return name if name in COMMANDS and name != "report" else None


def _schemas(defaults: list[Any]) -> dict[str, str]:
    """Map sections to schemas, from entries such as ``dataset@dataset: _folder``."""
    pairs = [pair for each in defaults if isinstance(each, dict) for pair in each.items()]
    return {
        str(key).partition("@")[2]: str(schema).removeprefix("_")
        for key, schema in pairs
        if "@" in str(key)
    }


def _jobs(folder: Path) -> list[Path]:
    jobs = [path for path in folder.iterdir() if path.is_dir() and path.name.isdecimal()]
    return sorted(jobs, key=lambda path: int(path.name))


def _read_sweep(folder: Path, jobs: Sequence[Path]) -> list[RunFolder]:
    runs = [read_run(job, folder.name) for job in jobs]
    chosen = [choices_of(run.overrides) for run in runs]
    keys = dict.fromkeys(key for each in chosen for key in each)
    varied = [key for key in keys if len({each.get(key) for each in chosen}) > 1]
    return [
        _replace(run, choices={key: each[key] for key in varied if key in each})
        for run, each in zip(runs, chosen, strict=True)
    ]
