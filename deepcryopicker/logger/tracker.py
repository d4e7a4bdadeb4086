"""Experiment tracking: a copy of the run folder in Weights & Biases.

A run does not depend on tracking: if W&B fails, one line reports it and the run continues.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from deepcryopicker.errors import UsageError
from deepcryopicker.evaluation.metrics import Curve
from deepcryopicker.logger.identity import Identity
from deepcryopicker.logger.schema import LoggerConfig


class Tracker:
    """Interface of experiment tracking; this base class records nothing.

    As a context manager it is closed on exit, and an exception marks the run as failed.
    """

    def log_epoch(self, row: Mapping[str, float], number: int = 1) -> None:
        """Record one row of ``training/metrics.csv``, of a round of training (from 1)."""

    def log_scores(self, scores: Mapping[str, Any]) -> None:
        """Record the numbers of ``metrics.json`` under dotted names, such as ``groups.klh.f1``."""

    def log_curves(self, key: str, curves: Mapping[str, Curve]) -> None:
        """Record precision-recall curves, of pickers by method or of windows by class."""

    def log_confusion(self, classes: Sequence[str], matrix: npt.NDArray[np.int64]) -> None:
        """Record a confusion matrix, (C, C) counts: rows are the truth, columns the prediction."""

    def log_pictures(self, key: str, paths: Sequence[Path]) -> None:
        """Record PNG files: ``pictures/key``, or several by name in their common folder."""

    def log_table(self, key: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Record a table."""

    def log_files(self, name: str, kind: str, paths: Sequence[Path], used: bool = False) -> None:
        """Record files that belong together, such as weights and their card; none if empty.

        Parameters
        ----------
        name : str
            Letters, digits, dots, dashes and underscores.
        kind : str
            Type of the artifact, such as ``model``.
        paths : sequence of Path
            Files of the run folder, referenced, not copied: they must not change afterwards.
        used : bool
            Whether the run was made from them, rather than made them.
        """

    def close(self, failed: bool = False) -> None:
        """End the run; further calls do nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close(failed=kind is not None)


def open_tracker(config: LoggerConfig, folder: Path, identity: Identity) -> Tracker:
    """Open the tracker of one run; with ``WANDB_MODE=disabled`` it records nothing.

    Parameters
    ----------
    config : LoggerConfig
    folder : Path
        Run folder; W&B writes to ``wandb/`` in it.
    identity : Identity

    Raises
    ------
    UsageError
        If tracking is online and W&B has no valid API key.
    """
    if not config.wandb.enabled or os.environ.get("WANDB_MODE") == "disabled":
        return Tracker()
    # Imported on demand: without W&B nothing of it is needed.
    from deepcryopicker.logger.wandb_tracker import WandbTracker, report_failure

    if not config.wandb.offline:
        try:
            return WandbTracker(folder, config.wandb.project, identity, offline=False)
        except UsageError:
            raise
        except Exception as error:
            report_failure(error, "this run is tracked offline")
    try:
        return WandbTracker(folder, config.wandb.project, identity, offline=True)
    except Exception as error:
        report_failure(error, "this run is not tracked")
        return Tracker()
