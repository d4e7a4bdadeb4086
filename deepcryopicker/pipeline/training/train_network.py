"""Train a network in a run: its weights, curves, figures and scores on test windows."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from deepcryopicker.config.schemas import TrainConfig
from deepcryopicker.evaluation.classification import patch_curves
from deepcryopicker.io.console import console
from deepcryopicker.labeler.schema import TruthConfig
from deepcryopicker.logger.tracker import Tracker
from deepcryopicker.model.network import Network
from deepcryopicker.model.weights import Trained, save_weights
from deepcryopicker.pipeline.training.fitting.fit_network import (
    TestedWindows,
    as_trained,
    count_rounds,
    fit_and_test,
)
from deepcryopicker.pipeline.training.labelled_windows import LabelledMicrograph
from deepcryopicker.plots.classified_windows import confusion_figure, patch_sheet
from deepcryopicker.plots.result_figures import training_figure
from deepcryopicker.plots.result_tables import make_table
from deepcryopicker.runs.folder import Run
from deepcryopicker.search.pruning import watch_epochs
from deepcryopicker.trainer.curves import read_curves
from deepcryopicker.trainer.fit import CURVES
from deepcryopicker.types import TrainingSet

TRAINING = "training"
"""Folder of curves and checkpoints."""


def train_network(
    network: Network,
    training_set: TrainingSet,
    sources: Sequence[LabelledMicrograph],
    number: int,
    config: TrainConfig,
    run: Run,
    tracker: Tracker,
) -> tuple[Trained, dict[str, Any] | None]:
    """Train the network, test it on windows, and write ``model.safetensors`` and its card.

    An interrupted training in the same run folder is continued. Every round has its own folder of
    curves and checkpoints.

    Parameters
    ----------
    network : Network
        Trained in place.
    training_set : TrainingSet
    sources : sequence of LabelledMicrograph
        Micrographs of the training set.
    number : int
        Number of the round, from 1.
    config : TrainConfig
    run : Run
    tracker : Tracker

    Returns
    -------
    trained : Trained
    scores : dict or None
        Scores on the test windows, None if there are none.
    """
    folder = training_folders(run.folder, number)[-1]

    prune = watch_epochs(run.folder) if number == count_rounds(config) else None

    def log_epoch(row: Mapping[str, float]) -> None:
        if prune is not None:
            prune(row)
        epoch = row["epoch"] + (number - 1) * config.trainer.epochs
        tracker.log_epoch({**row, "epoch": epoch}, number)

    tested = fit_and_test(
        network, training_set, sources, config, folder, run, run.resumes, log_epoch, number
    )
    if config.trainer.epochs:
        training_figure(run.folder / "training.png", read_curves(folder / CURVES))
    if tested is not None:
        given = isinstance(config.labeler, TruthConfig)
        title = "test windows" if given else "test windows, against labels of the program's own"
        _show(tested, training_set.classes, run, tracker, title)
    trained = as_trained(network, training_set, sources, config, tested, run)
    save_weights(run.folder, trained)
    for name in ("training", "patches", "confusion"):
        if (run.folder / f"{name}.png").exists():
            tracker.log_pictures(name, [run.folder / f"{name}.png"])
    tracker.log_pictures("labels", sorted((run.folder / "label_overlays").rglob("*.png")))
    if tested is None:
        return trained, None
    return trained, {**tested.scores, "confusion": tested.confusion.tolist()}


def training_folders(run_folder: Path, rounds: int) -> list[Path]:
    """List the folders of curves and checkpoints, one for each round."""
    first = run_folder / TRAINING
    return [first, *(first / f"round_{number}" for number in range(2, rounds + 1))]


def _show(
    tested: TestedWindows, classes: tuple[str, ...], run: Run, tracker: Tracker, title: str
) -> None:
    """Draw the test windows, record their scores and print a table."""
    scores, probability, target = tested.scores, tested.probability, tested.target
    patch_sheet(run.folder / "patches.png", tested.windows, target, probability, classes)
    confusion_figure(run.folder / "confusion.png", tested.confusion, classes)
    tracker.log_confusion(classes, tested.confusion)
    tracker.log_curves("patches", patch_curves(probability, target, classes))
    parts = scores["classes"] | scores["groups"]
    rows: list[dict[str, Any]] = [{"what": name, **row} for name, row in parts.items()]
    columns = {
        "what": "class or dataset",
        "windows": "windows",
        "accuracy": "accuracy",
        "average_precision": "AP",
    }
    console.print(make_table(rows, columns, title, {"what": "all", **scores}))
