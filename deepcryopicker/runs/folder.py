"""A run: its folder, its failures and its metrics."""

import json
import logging
import math
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from rich.markup import escape

from deepcryopicker.errors import DeepCryoPickerError, MicrographError, NothingUsableError
from deepcryopicker.io.console import console
from deepcryopicker.io.files.atomic import write_text
from deepcryopicker.io.files.tables import write_rows
from deepcryopicker.runs.made_with import provenance

if TYPE_CHECKING:
    from deepcryopicker.evaluation.metrics import Curve
    from deepcryopicker.logger.identity import Identity

T = TypeVar("T")
logger = logging.getLogger(__name__)

TIMINGS = "timings.json"
"""Seconds per stage of a run; not in metrics.json, which is reproducible."""

PLAN = "plan.json"
"""What the data decided in a run, and why."""

_FAILURE_COLUMNS = ("micrograph", "path", "stage", "reason")


@dataclass
class Run:
    """A run folder and the micrographs that could not be used in it.

    Attributes
    ----------
    folder : Path
    group : str or None
        Sweep of the run.
    name : str
        For tracking: what was chosen.
    settings : dict
        Complete resolved configuration.
    resumes : bool
        Whether the folder holds an interrupted or failed attempt at the same run, whose files may
        be used.
    failures : list of dict
    notes : dict
        Remarks on the origin of the numbers, for ``metrics.json``.
    choices : dict
        From a configuration group to the option chosen for it, such as ``picker`` to ``log``.
    given : tuple of str
        Keys and values typed on the command line, such as ``dataset.diameter=60``.
    warned : set of str
        Subjects of the warnings and notes printed so far.
    verdicts : dict
        By group of micrographs: whether its picks are particles, and the numbers that say so.
    vouched : bool
        Whether the trained network was found to find what the general weights find.
    in_doubt : bool
        Whether the run ends with the exit code for doubtful results.
    decisions : dict
        What the data decided, and why.
    command : str
    tracked : bool
        Whether the run has been recorded by its tracker.
    curves : dict
        Precision-recall curves by method, for tracking.
    """

    folder: Path
    group: str | None
    name: str
    settings: dict[str, Any]
    resumes: bool = False
    failures: list[dict[str, str]] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)
    choices: dict[str, str | None] = field(default_factory=dict)
    given: tuple[str, ...] = ()
    warned: set[str] = field(default_factory=set)
    verdicts: dict[str, dict[str, Any]] = field(default_factory=dict)
    vouched: bool = False
    in_doubt: bool = False
    decisions: dict[str, dict[str, Any]] = field(default_factory=dict)
    command: str = "train"
    tracked: bool = False
    curves: "dict[str, Curve]" = field(default_factory=dict)

    @property
    def identity(self) -> "Identity":
        """Return under what name, group and tags the run is tracked."""
        from deepcryopicker.logger.identity import identify  # only where a run is tracked

        return identify(
            self.name, self.group, self.command, self.choices, self.settings, self.resumes
        )

    def warn(self, subject: str, text: str | None) -> None:
        """Print a warning in one line and log it, once a run for each subject.

        Parameters
        ----------
        subject : str
            What the warning is about; later warnings about it, with other numbers, are dropped.
        text : str or None
            None if there is nothing to say.
        """
        if text is not None and subject not in self.warned:
            self.warned.add(subject)
            console.print(f"[yellow]warning: {escape(text)}[/]")
            logger.warning(text)

    def note(self, subject: str, text: str | None) -> None:
        """Print a remark that is not a warning, once a run for each subject."""
        if text is not None and subject not in self.warned:
            self.warned.add(subject)
            console.print(escape(text))

    def attempt(self, stage: str, name: str, path: Path, work: Callable[[], T]) -> T | None:
        """Process one micrograph; record a failure in one line and continue.

        A micrograph that fails for the same reason at every stage is reported only once.

        Parameters
        ----------
        stage : str
            Name of the stage, for ``failures.csv``.
        name : str
            Name of the micrograph.
        path : Path
            File of the micrograph.
        work : callable
            Processes the micrograph.

        Returns
        -------
        T or None
            Result of `work`, None if it failed.

        Raises
        ------
        DeepCryoPickerError
            An error that is not specific to this micrograph.
        """
        try:
            return work()
        except DeepCryoPickerError as error:
            if not isinstance(error, MicrographError):
                raise
            reason = str(error)
        except Exception as error:  # a bug, ours or a library's, must not stop the batch
            reason = f"{type(error).__name__}: {error}".splitlines()[0]
            self._log(traceback.format_exc())
        if any(row["path"] == str(path) and row["reason"] == reason for row in self.failures):
            return None
        console.print(f"[yellow]SKIP[/] {escape(str(path))}: {escape(reason)}")
        row = {"micrograph": name, "path": str(path), "stage": stage, "reason": reason}
        self.failures.append(row)
        self._write_failures()
        return None

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Add the duration of a stage to ``timings.json``, also if it ends in an exception.

        Resumed runs add to the durations of earlier attempts; for a killed run only the stages that
        had ended are counted.
        """
        start = time.monotonic()
        try:
            yield
        finally:
            path = self.folder / TIMINGS
            seconds = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
            seconds[stage] = round(seconds.get(stage, 0.0) + time.monotonic() - start, 2)
            write_text(path, json.dumps(seconds, indent=2) + "\n")

    def clear_failure(self, path: Path, stage: str) -> None:
        """Remove the failure record of a micrograph at a stage, after a successful retry."""
        kept = [row for row in self.failures if (row["path"], row["stage"]) != (str(path), stage)]
        if len(kept) < len(self.failures):
            self.failures = kept
            self._write_failures()

    def require(self, done: int, stage: str) -> None:
        """Stop the run if all micrographs failed.

        Raises
        ------
        NothingUsableError
            If `done` is 0.
        """
        if done == 0:
            failures = self.folder / "failures.csv"
            raise NothingUsableError(f"{stage}: no micrograph could be used; see {failures}")

    def decide(self, what: str, value: object, why: str) -> None:
        """Note what the data decided, for ``plan.json``.

        Parameters
        ----------
        what : str
            Such as ``diameter of klh``; a later decision about it replaces an earlier one.
        value : object
            JSON-compatible.
        why : str
        """
        self.decisions[what] = {"value": value, "why": why}

    def write_metrics(self, metrics: dict[str, Any]) -> None:
        """Write ``metrics.json``, the numbers for reports and sweeps, and ``plan.json``."""
        if self.decisions:
            plan = json.dumps(_finite(self.decisions), indent=2, allow_nan=False)
            write_text(self.folder / PLAN, plan + "\n")
        source = {**provenance(), "seed": self.settings.get("seed")}
        counted = {"failures": len(self.failures), "provenance": source}
        assessed = {"verdicts": self.verdicts} if self.verdicts else {}
        document = {**self.notes, **metrics, **assessed, **counted}
        text = json.dumps(_finite(document), indent=2, allow_nan=False)
        write_text(self.folder / "metrics.json", text + "\n")

    def _write_failures(self) -> None:
        rows = sorted(self.failures, key=lambda row: row["micrograph"])
        write_rows(self.folder / "failures.csv", rows, _FAILURE_COLUMNS)

    def _log(self, text: str) -> None:
        with (self.folder / "errors.log").open("a", encoding="utf-8") as stream:
            stream.write(text + "\n")


def _finite(value: Any) -> Any:
    """Replace NaN and infinity, which JSON lacks, by null."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
