"""From a training set to a calibrated network on disk, and its scores on test windows."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import lightning
import numpy as np
from scipy.special import softmax

from deepcryopicker.config.schemas import TrainConfig
from deepcryopicker.errors import UsageError
from deepcryopicker.evaluation.classification import confusion, patch_curves, score_patches
from deepcryopicker.io.console import console
from deepcryopicker.labeler.schema import TruthConfig
from deepcryopicker.logger.tracker import Tracker
from deepcryopicker.model.build import build_network
from deepcryopicker.model.network import Network
from deepcryopicker.model.weights import (
    CARD,
    SAME_DIAMETER,
    WEIGHTS,
    Trained,
    load_weights,
    save_weights,
)
from deepcryopicker.pipeline.training.calibrate import calibrate
from deepcryopicker.pipeline.training.training_set import LabelledMicrograph
from deepcryopicker.plots.classified_windows import confusion_figure, patch_sheet
from deepcryopicker.plots.result_figures import training_figure
from deepcryopicker.plots.result_tables import make_table
from deepcryopicker.runs.folder import Run, provenance
from deepcryopicker.trainer.curves import read_curves
from deepcryopicker.trainer.fit import CURVES, fit
from deepcryopicker.trainer.predict import predict
from deepcryopicker.types import TrainingSet

TRAINING = "training"
"""Folder of curves and checkpoints."""


def new_network(config: TrainConfig) -> Network:
    """Build the configured network, with random weights or with those it is to start from.

    Raises
    ------
    UsageError
        If these belong to another network, other classes or another preprocessing.
    """
    lightning.seed_everything(config.seed, workers=True, verbose=False)
    network = build_network(config.model, len(config.class_set.classes))
    if config.start_from is not None:
        earlier = load_weights(config.start_from, "start_from")
        for key, given, stored in (
            ("model", asdict(config.model), asdict(earlier.config)),
            ("class_set.classes", list(config.class_set.classes), list(earlier.classes)),
            ("preprocessing", _chain(asdict(config.preprocessing)), _chain(earlier.preprocessing)),
        ):
            if given != stored:
                raise UsageError(
                    f"start_from={config.start_from}: these weights were trained with another "
                    f"{key}; choose the one in their {CARD}, or leave start_from out"
                )
        network.load_state_dict(earlier.network.state_dict())
    return network


def _chain(preprocessing: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in preprocessing.items() if key != "save_stages"}


def train_network(
    network: Network,
    training_set: TrainingSet,
    sources: Sequence[LabelledMicrograph],
    config: TrainConfig,
    run: Run,
    tracker: Tracker,
    number: int = 1,
) -> tuple[Trained, dict[str, Any] | None]:
    """Fit the network, test it on windows, and write ``model.safetensors`` and its card.

    A training that was interrupted in this run folder goes on. Every round, by its number, has
    its own folder of curves and checkpoints.

    Returns
    -------
    Trained, and the scores on the test windows, None where there are none
    """
    folder = training_folders(run.folder, number)[-1]

    def log_epoch(row: Mapping[str, float]) -> None:
        tracker.log_epoch({**row, "epoch": row["epoch"] + (number - 1) * config.trainer.epochs})

    fit(network, training_set, config.trainer, folder, config.seed, run.resumes, log_epoch)
    training_figure(run.folder / "training.png", read_curves(folder / CURVES))
    scores = _test(network, training_set, run, tracker)
    trained = Trained(
        network=network,
        config=config.model,
        classes=training_set.classes,
        preprocessing=asdict(config.preprocessing),
        diameter=_common_diameter([one.diameter for one in sources]),
        provenance={
            **provenance(),
            "dataset": config.dataset.name,
            "seed": config.seed,
            "samples": dict(Counter(training_set.split.tolist())),
            "class_set": asdict(config.class_set),
            "trainer": asdict(config.trainer),
            "temperature": float(network.temperature),
            "patches": None if scores is None else _headline(scores),
        },
    )
    if config.until == "picks" or count_rounds(config) > 1:
        trained = calibrate(trained, sources, config, run)
    save_weights(run.folder, trained)
    for name in ("training", "patches", "confusion"):
        if (run.folder / f"{name}.png").exists():
            tracker.log_pictures(name, [run.folder / f"{name}.png"])
    tracker.log_pictures("labels", sorted((run.folder / "label_overlays").rglob("*.png")))
    tracker.log_files("model", "model", [run.folder / WEIGHTS, run.folder / CARD])
    return trained, scores


def _common_diameter(diameters: Sequence[float]) -> float | None:
    """Return the diameter of all, original pixels, or None where they have different ones."""
    usual = float(np.median(diameters))
    return usual if np.allclose(diameters, usual, rtol=SAME_DIAMETER) else None


def count_rounds(config: TrainConfig) -> int:
    """How often is trained: as configured, else twice where labels are given."""
    return config.rounds or (2 if isinstance(config.labeler, TruthConfig) else 1)


def training_folders(run_folder: Path, rounds: int) -> list[Path]:
    """Name the folders of curves and checkpoints, one for each round."""
    first = run_folder / TRAINING
    return [first, *(first / f"round_{number}" for number in range(2, rounds + 1))]


def _test(
    network: Network, training_set: TrainingSet, run: Run, tracker: Tracker
) -> dict[str, Any] | None:
    """Score the windows kept for the end, and draw them."""
    chosen = training_set.split == "test"
    if not chosen.any():
        return None
    windows, target = training_set.windows[chosen], training_set.target[chosen]
    logits = predict(network, windows)
    probability = softmax(logits / float(network.temperature), axis=1)
    classes = training_set.classes
    scores = score_patches(
        probability, target, training_set.unit[chosen], training_set.group[chosen], classes
    )
    matrix = confusion(probability, target)
    patch_sheet(run.folder / "patches.png", windows, target, probability, classes)
    confusion_figure(run.folder / "confusion.png", matrix, classes)
    tracker.log_confusion(classes, matrix)
    tracker.log_curves("patches", patch_curves(probability, target, classes))
    parts = scores["classes"] | scores["groups"]
    rows: list[dict[str, Any]] = [{"what": name, **row} for name, row in parts.items()]
    columns = {
        "what": "class or dataset",
        "windows": "windows",
        "accuracy": "accuracy",
        "average_precision": "AP",
    }
    console.print(make_table(rows, columns, "test windows", {"what": "all", **scores}))
    return {**scores, "confusion": matrix.tolist()}


def _headline(scores: Mapping[str, Any]) -> dict[str, Any]:
    return {key: scores[key] for key in ("windows", "accuracy", "average_precision")}
