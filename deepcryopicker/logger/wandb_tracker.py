"""Experiment tracking with Weights & Biases."""

import functools
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec

import numpy as np
import numpy.typing as npt
from rich.markup import escape

from deepcryopicker.errors import OutputError, UsageError
from deepcryopicker.evaluation.metrics import Curve
from deepcryopicker.io.console import console
from deepcryopicker.io.files.atomic import share_as_usual
from deepcryopicker.io.files.tables import flatten
from deepcryopicker.logger.identity import Identity, take_id
from deepcryopicker.logger.rows import (
    CONFUSION_COLUMNS,
    CURVE_COLUMNS,
    confusion_rows,
    curve_rows,
    picture_names,
)
from deepcryopicker.logger.tracker import Tracker

if TYPE_CHECKING:
    from wandb import Table

P = ParamSpec("P")

_UPLOAD_SECONDS = 600.0  # at the end of an online run; the rest stays in the run folder
_CURVES = ("learning_rate", "train_*", "validation_*")  # over the epochs


def _guarded(
    method: Callable[Concatenate["WandbTracker", P], None],
) -> Callable[Concatenate["WandbTracker", P], None]:
    """After the first exception, continue the run without tracking."""

    @functools.wraps(method)
    def guarded(self: "WandbTracker", *args: P.args, **kwargs: P.kwargs) -> None:
        if not self.tracking:
            return
        try:
            with _kept_in(self.folder):
                method(self, *args, **kwargs)
        except Exception as error:
            self.tracking = False
            report_failure(error, "tracking of this run stops here")

    return guarded


class WandbTracker(Tracker):
    """Experiment tracking with W&B, online or in the run folder.

    Attributes
    ----------
    folder : Path
        The run folder.
    tracking : bool
        False after a failure.
    """

    def __init__(
        self,
        folder: Path,
        project: str,
        identity: Identity,
        offline: bool,
    ) -> None:
        import wandb  # takes a second
        from wandb.errors import AuthenticationError
        from wandb.errors import UsageError as WandbUsageError

        try:
            with _kept_in(folder):
                # For the whole process: "silent" stops W&B from printing and from asking for a
                # key, "offline" also stops its usage statistics.
                wandb.setup(wandb.Settings(silent=True, mode="offline" if offline else "online"))
                self._run = wandb.init(
                    project=project,
                    name=identity.name,
                    group=identity.group,
                    job_type=identity.job_type,
                    tags=identity.tags,
                    id=take_id(folder, identity.resumes),
                    resume=None if offline else "allow",
                    dir=folder,
                    mode="offline" if offline else "online",
                    config=dict(identity.settings or {}),
                    settings=wandb.Settings(
                        silent=True, finish_timeout=_UPLOAD_SECONDS, finish_timeout_raises=True
                    ),
                    reinit="finish_previous",
                )
        except (WandbUsageError, AuthenticationError) as error:
            if offline:
                raise
            reason = _first_line(error).partition(". ")[0]
            raise UsageError(
                f"logger.wandb.offline=false: {reason}\n"
                "run `wandb login`, or track in the run folder with logger.wandb.offline=true"
            ) from error
        self._wandb = wandb
        self._closed = False
        self._offline = offline
        self.folder = folder
        self.tracking = True
        self._run.define_metric("epoch", hidden=True)
        for name in _CURVES:
            self._run.define_metric(name, step_metric="epoch")

    @_guarded
    def log_epoch(self, row: Mapping[str, float], number: int = 1) -> None:
        """Add a row to the history, with the round."""
        # No step of W&B's own: it drops rows whose step is not larger than the last.
        self._run.log({**row, "round": number})

    @_guarded
    def log_scores(self, scores: Mapping[str, Any]) -> None:
        """Add the numbers to the summary."""
        self._run.summary.update(flatten(scores))

    @_guarded
    def log_curves(self, key: str, curves: Mapping[str, Curve]) -> None:
        """Log a table of thinned curves and a line chart of it."""
        table = self._table(CURVE_COLUMNS, curve_rows(curves))
        title = "precision and recall"
        chart = self._wandb.plot.line(table, "recall", "precision", stroke="method", title=title)
        self._run.log({key: chart})

    @_guarded
    def log_confusion(self, classes: Sequence[str], matrix: npt.NDArray[np.int64]) -> None:
        """Log a table of counts and W&B's chart for it, ``confusion``."""
        # The chart of wandb.plot.confusion_matrix, which itself requires every prediction.
        table = self._table(CONFUSION_COLUMNS, confusion_rows(classes, matrix))
        fields = ("Actual", "Predicted", "nPredictions")
        chart = self._wandb.plot_table(
            "wandb/confusion_matrix/v1",
            table,
            dict(zip(fields, CONFUSION_COLUMNS, strict=True)),
            {"title": "confusion matrix"},
        )
        self._run.log({"confusion": chart})

    @_guarded
    def log_pictures(self, key: str, paths: Sequence[Path]) -> None:
        """Log images."""
        # One name each: W&B shows all images of a list at the size of the first.
        pictures = {
            f"pictures/{name}": self._wandb.Image(str(path), caption=path.stem)
            for name, path in picture_names(key, paths).items()
        }
        if pictures:
            self._run.log(pictures)

    @_guarded
    def log_table(self, key: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Log a table."""
        cells = [list(row) for row in rows]
        table = self._wandb.Table(columns=list(columns), data=cells, allow_mixed_types=True)
        self._run.log({key: table})

    @_guarded
    def log_files(self, name: str, kind: str, paths: Sequence[Path], used: bool = False) -> None:
        """Log an artifact of the run, or one that it uses."""
        if not paths:
            return
        artifact = self._wandb.Artifact(name, type=kind)
        for path in paths:
            inside = path.relative_to(self.folder).as_posix()
            entry = artifact.add_file(str(path), inside, policy="immutable", skip_cache=True)
            if self._offline:  # so that a folder can be moved, and uploaded from inside
                entry.local_path = inside
        # W&B's use_artifact refuses offline runs, for which its own record is the same.
        self._run._log_artifact(artifact, use_after_commit=used)

    def close(self, failed: bool = False) -> None:
        """End the run; otherwise the next job of a sweep would write into it."""
        if self._closed:
            return
        self._closed = True
        try:
            self._run.finish(exit_code=int(failed))
        except Exception as error:
            if self.tracking:
                report_failure(error, "upload the rest with `wandb sync`")
        # finish() returns before all files are written, and a broken service would also break
        # the run of the next job.
        with suppress(Exception):
            self._wandb.teardown()
        with suppress(OSError, OutputError):  # a file that W&B moves meanwhile keeps its mode
            share_as_usual(self.folder / "wandb")  # W&B makes its tables readable to nobody else
        self.tracking = False

    def _table(self, columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> "Table":
        return self._wandb.Table(columns=list(columns), data=list(rows))


@contextmanager
def _kept_in(folder: Path) -> Iterator[None]:
    """Make W&B keep its logs, and tables for ``wandb sync``, in the run folder."""
    wanted = {"WANDB_CACHE_DIR": str(folder), "WANDB_DATA_DIR": str(folder / "wandb")}
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def report_failure(error: Exception, consequence: str) -> None:
    """Say in one line that W&B failed, and what follows from it."""
    reason = f"{type(error).__name__}: {_first_line(error)}"
    console.print(f"[yellow]W&B[/] {escape(reason)}; {consequence}")


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), "")
