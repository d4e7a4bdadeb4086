"""From a training set to a calibrated network, and its scores on test windows."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import numpy.typing as npt
from scipy.special import softmax

from deepcryopicker.class_set.window_store import selected
from deepcryopicker.config.schemas import TrainConfig
from deepcryopicker.errors import UsageError
from deepcryopicker.evaluation.classification import confusion, score_patches
from deepcryopicker.labeler.schema import TruthConfig
from deepcryopicker.model.build import build_network, start_pretrained
from deepcryopicker.model.cards import chain_on
from deepcryopicker.model.network import Network
from deepcryopicker.model.trained_diameter import SAME_DIAMETER, common_angstrom
from deepcryopicker.model.weights import CARD, Trained, load_weights, name_of
from deepcryopicker.picker.schema import NetworkPickerConfig
from deepcryopicker.pipeline.training.calibrate import calibrate
from deepcryopicker.pipeline.training.fitting.further_training import (
    require_crop_training,
    train_further,
)
from deepcryopicker.pipeline.training.labelled_windows import LabelledMicrograph
from deepcryopicker.preprocessing.schema import PreprocessingConfig
from deepcryopicker.runs.attempts import Attempts
from deepcryopicker.runs.made_with import provenance
from deepcryopicker.trainer.curves import OnEpoch
from deepcryopicker.trainer.fit import device_of, fit, set_temperature
from deepcryopicker.trainer.predict import predict
from deepcryopicker.types import Image, TrainingSet


@dataclass(frozen=True)
class TestedWindows:
    """N test windows of C classes with their predicted classes.

    Attributes
    ----------
    windows : (N, S, S) float32
    target : (N,) int64
        Index of the class.
    probability : (N, C) float32
    confusion : (C, C) int64
        Counts: rows are the truth, columns the prediction.
    scores : dict
        See :func:`deepcryopicker.evaluation.classification.score_patches`.
    """

    __test__ = False  # not a pytest class

    windows: Image
    target: npt.NDArray[np.int64]
    probability: Image
    confusion: npt.NDArray[np.int64]
    scores: dict[str, Any]


def new_network(config: TrainConfig) -> Network:
    """Build the configured network, with random weights or those of ``start_from``.

    A backbone of timm may also begin with weights that were trained on pictures.

    Raises
    ------
    UsageError
        If these belong to another network, other classes or another preprocessing, or if the
        network cannot be trained on crops as configured.
    """
    lightning.seed_everything(config.seed, workers=True, verbose=False)
    network = build_network(config.model, len(config.class_set.classes))
    require_crop_training(network, config)
    if config.start_from is None:
        start_pretrained(network, config.model)
    else:
        earlier = load_weights(config.start_from, "start_from")
        # With the defaults of keys that cards of earlier versions do not have.
        stored_chain = chain_on(earlier.preprocessing, "the weights")
        for key, given, stored in (
            ("model", asdict(config.model), asdict(earlier.config)),
            ("class_set.classes", list(config.class_set.classes), list(earlier.classes)),
            ("preprocessing", _deciding(config.preprocessing), _deciding(stored_chain)),
        ):
            if given != stored:
                same = key != "model" or isinstance(config.model, type(earlier.config))
                theirs = f"the one in their {CARD}" if same else f"model={name_of(earlier.config)}"
                raise UsageError(
                    f"start_from={config.start_from}: these weights were trained with another "
                    f"{key}; use {theirs}, or start_from=null"
                )
        network.load_state_dict(earlier.network.state_dict())
    return network


def _deciding(preprocessing: PreprocessingConfig) -> dict[str, Any]:
    return {key: value for key, value in asdict(preprocessing).items() if key != "save_stages"}


def count_rounds(config: TrainConfig) -> int:
    """Return the number of trainings: as configured, else two if labels are given.

    Training on crops alone sees every place of the micrographs, so that false picks need not be
    searched for: it has one round.
    """
    if config.trainer.epochs == 0:
        return 1
    return config.rounds or (2 if isinstance(config.labeler, TruthConfig) else 1)


def fit_and_test(
    network: Network,
    training_set: TrainingSet,
    sources: Sequence[LabelledMicrograph],
    config: TrainConfig,
    folder: Path,
    attempts: Attempts,
    resume: bool = False,
    on_epoch: OnEpoch | None = None,
    number: int = 1,
) -> TestedWindows | None:
    """Train the network in place, and score it on the test windows.

    Parameters
    ----------
    network : Network
    training_set : TrainingSet
    sources : sequence of LabelledMicrograph
        Micrographs of the training set.
    config : TrainConfig
    folder : Path
        Folder for curves and checkpoints.
    attempts : Attempts
    resume : bool
        Continue from the last checkpoint in `folder`, if any.
    on_epoch : callable, optional
        Called with the row of every epoch.
    number : int
        Of the round, from 1.

    Returns
    -------
    TestedWindows or None
        None without test windows.
    """
    if config.trainer.epochs:
        fit(network, training_set, config.trainer, folder, config.seed, resume, on_epoch)
    else:
        network.to(device_of(config.trainer))
    learned = int((training_set.split == "train").sum())
    last = number == count_rounds(config)
    if last and train_further(network, sources, learned, config, attempts):
        set_temperature(network, training_set)
    chosen = np.flatnonzero(training_set.split == "test")
    if not len(chosen):
        return None
    windows = selected(training_set.windows, chosen, attempts.folder)
    target = training_set.target[chosen]
    logits = predict(network, windows)
    probability = softmax(logits / float(network.temperature), axis=1)
    scores = score_patches(
        probability,
        target,
        training_set.unit[chosen],
        training_set.group[chosen],
        training_set.classes,
    )
    return TestedWindows(windows, target, probability, confusion(probability, target), scores)


def as_trained(
    network: Network,
    training_set: TrainingSet,
    sources: Sequence[LabelledMicrograph],
    config: TrainConfig,
    tested: TestedWindows | None,
    attempts: Attempts,
) -> Trained:
    """Combine a trained network with everything that is needed to pick.

    Its scores are calibrated if the run goes as far as picking, unless the picker keeps them.

    Parameters
    ----------
    network : Network
    training_set : TrainingSet
        Its training set.
    sources : sequence of LabelledMicrograph
        Micrographs of the training set.
    config : TrainConfig
    tested : TestedWindows or None
    attempts : Attempts
    """
    given = [one for one in sources if not one.imitation]
    trained = Trained(
        network=network,
        config=config.model,
        classes=training_set.classes,
        preprocessing=asdict(config.preprocessing),
        diameter=_common_diameter([one.diameter for one in given]),
        provenance={
            **provenance(),
            "dataset": config.dataset.name,
            "seed": config.seed,
            "samples": dict(Counter(training_set.split.tolist())),
            "class_set": asdict(config.class_set),
            "trainer": asdict(config.trainer),
            "temperature": float(network.temperature),
            "patches": None if tested is None else _headline(tested.scores),
        },
        diameter_angstrom=common_angstrom(
            [one.diameter for one in given], [one.pixel_size for one in given]
        ),
    )
    keeps = isinstance(config.picker, NetworkPickerConfig) and config.picker.recalibrate is False
    if not keeps and (config.until == "picks" or count_rounds(config) > 1):
        return calibrate(trained, sources, config, attempts)
    return trained


def _common_diameter(diameters: Sequence[float]) -> float | None:
    """Return the common diameter, original pixels, or None if diameters differ."""
    usual = float(np.median(diameters))
    return usual if np.allclose(diameters, usual, rtol=SAME_DIAMETER) else None


def _headline(scores: Mapping[str, Any]) -> dict[str, Any]:
    return {key: scores[key] for key in ("windows", "accuracy", "average_precision")}
