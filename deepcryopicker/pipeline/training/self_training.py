"""Self-training: the picks of a network improve the labels for the next training."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from deepcryopicker.config.schemas import TrainConfig
from deepcryopicker.io.console import console
from deepcryopicker.io.coordinates.corrections import in_regions
from deepcryopicker.labeler.agreement import agreed, corrected
from deepcryopicker.labeler.schema import TruthConfig
from deepcryopicker.labeler.truth import as_candidates
from deepcryopicker.model.network import Network
from deepcryopicker.model.weights import Trained
from deepcryopicker.pipeline.training.calibrate import pick_sources
from deepcryopicker.pipeline.training.fit_network import count_rounds, new_network
from deepcryopicker.pipeline.training.labelled_windows import LabelledMicrograph, sites_of
from deepcryopicker.runs.attempts import Attempts
from deepcryopicker.types import UNCERTAIN, TrainingSet

Sources = Sequence[LabelledMicrograph]
Scored = tuple[Trained, dict[str, Any] | None]
"""A network, and its scores on the test windows (None without test windows)."""


def train_in_rounds(
    network: Network,
    sources: Sources,
    config: TrainConfig,
    attempts: Attempts,
    cut: Callable[[Sources], TrainingSet],
    train: Callable[[Network, TrainingSet, Sources, int], Scored],
    training_set: TrainingSet | None = None,
) -> Scored:
    """Train a network; in further rounds, improve the labels with it and train again.

    Every round starts from fresh weights and the original candidates of the labeler, so that
    errors of one round are not passed on to the next.

    Parameters
    ----------
    network : Network
        Network of the first round.
    sources : sequence of LabelledMicrograph
    config : TrainConfig
    attempts : Attempts
    cut : callable
        Makes the training set from labelled micrographs.
    train : callable
        Trains a network, given training set, labelled micrographs and number of the round, from 1.
    training_set : TrainingSet, optional
        Training set of the first round, if it already exists.
    """
    trained, scores = train(network, training_set or cut(sources), sources, 1)
    rounds = count_rounds(config)
    for number in range(2, rounds + 1):
        console.print(f"training round {number} of {rounds}")
        # What was simulated like the given micrographs has served its purpose in the first round.
        given = [one for one in sources if not one.imitation]
        better = relabel(trained, given, network.window, config, attempts)
        training_set = cut(better)
        trained, scores = train(new_network(config), training_set, better, number)
    return trained, scores


def relabel(
    trained: Trained,
    sources: Sequence[LabelledMicrograph],
    size: int,
    config: TrainConfig,
    attempts: Attempts,
) -> list[LabelledMicrograph]:
    """Improve labels with a network; see :mod:`deepcryopicker.labeler.agreement`.

    A micrograph that cannot be picked keeps its labels, so that the split of the others does not
    change.

    Parameters
    ----------
    trained : Trained
    sources : sequence of LabelledMicrograph
    size : int
        Side of the windows, working pixels.
    config : TrainConfig
    attempts : Attempts
    """
    better: dict[str, LabelledMicrograph] = {}
    improve = corrected if isinstance(config.labeler, TruthConfig) else agreed
    picked = pick_sources(trained, sources, config, attempts, "improving the labels of")
    for source, preprocessed, picks in picked:
        labels, reason = improve(picks, source.picks, source.reason, source.diameter)
        correction = source.entry.load_correction()
        seen = None if correction is None else correction.seen
        reason = np.where(in_regions(labels.positions, seen), reason, UNCERTAIN)
        candidates = as_candidates(preprocessed, labels, reason, seen)
        rng = np.random.default_rng([config.seed, len(better)])
        sites = sites_of(preprocessed, candidates, size, config, rng)
        better[source.entry.name] = replace(source, sites=sites)
    attempts.require(len(better), "labelling")
    return [better.get(source.entry.name, source) for source in sources]
