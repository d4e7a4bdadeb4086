"""Self-training: the picks of one network give better labels for the next one."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from deepcryopicker.config.schemas import TrainConfig
from deepcryopicker.io.console import console
from deepcryopicker.labeler.agreement import agreed, corrected
from deepcryopicker.labeler.schema import TruthConfig
from deepcryopicker.labeler.truth import as_candidates
from deepcryopicker.model.network import Network
from deepcryopicker.model.weights import Trained
from deepcryopicker.pipeline.training.calibrate import pick_sources
from deepcryopicker.pipeline.training.fit_network import count_rounds, new_network
from deepcryopicker.pipeline.training.labelled_windows import LabelledMicrograph, sites_of
from deepcryopicker.runs.attempts import Attempts
from deepcryopicker.types import TrainingSet

Sources = Sequence[LabelledMicrograph]
Scored = tuple[Trained, dict[str, Any] | None]
"""A network, and its scores on the test windows, None where there are none."""


def train_in_rounds(
    network: Network,
    sources: Sources,
    config: TrainConfig,
    attempts: Attempts,
    cut: Callable[[Sources], TrainingSet],
    train: Callable[[Network, TrainingSet, Sources, int], Scored],
    training_set: TrainingSet | None = None,
) -> Scored:
    """Train, and as often as configured label anew by what was learnt and train again.

    Every round starts from fresh weights and from the labeler's own finds, so that errors of one
    round are not handed down.

    Parameters
    ----------
    network : Network
        That of the first round.
    sources : sequence of LabelledMicrograph
    config : TrainConfig
    attempts : Attempts
    cut : callable
        Makes the training set of labelled micrographs.
    train : callable
        Fits a network to a training set of labelled micrographs; it is also given the number of
        the round, from 1.
    training_set : TrainingSet, optional
        That of the first round, if it has been made already.
    """
    trained, scores = train(network, training_set or cut(sources), sources, 1)
    rounds = count_rounds(config)
    for number in range(2, rounds + 1):
        console.print(f"round {number} of {rounds}")
        better = relabel(trained, sources, network.window, config, attempts)
        training_set = cut(better)
        trained, scores = train(new_network(config), training_set, sources, number)
    return trained, scores


def relabel(
    trained: Trained,
    sources: Sequence[LabelledMicrograph],
    size: int,
    config: TrainConfig,
    attempts: Attempts,
) -> list[LabelledMicrograph]:
    """Find better labels with a network: see :mod:`deepcryopicker.labeler.agreement`.

    A micrograph that it cannot pick keeps its labels: without it the others would be split anew.
    """
    better: dict[str, LabelledMicrograph] = {}
    judge = corrected if isinstance(config.labeler, TruthConfig) else agreed
    picked = pick_sources(trained, sources, config, attempts, "labelling")
    for source, preprocessed, picks in picked:
        judged, reason = judge(picks, source.picks, source.reason, source.diameter)
        candidates = as_candidates(preprocessed, judged, reason)
        rng = np.random.default_rng([config.seed, len(better)])
        sites = sites_of(preprocessed, candidates, size, config, rng)
        better[source.entry.name] = replace(source, sites=sites)
    attempts.require(len(better), "labelling")
    return [better.get(source.entry.name, source) for source in sources]
