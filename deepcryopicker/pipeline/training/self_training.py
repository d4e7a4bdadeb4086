"""From micrographs to a trained network, and self-training: its picks label for the next one."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from deepcryopicker.config.schemas import TrainConfig
from deepcryopicker.dataset.catalogue import Catalogue
from deepcryopicker.io.console import console
from deepcryopicker.labeler.agreement import agreed, corrected
from deepcryopicker.labeler.schema import TruthConfig
from deepcryopicker.labeler.truth import as_candidates
from deepcryopicker.logger.tracker import Tracker
from deepcryopicker.model.network import Network
from deepcryopicker.model.weights import Trained
from deepcryopicker.pipeline.training.calibrate import pick_sources
from deepcryopicker.pipeline.training.train_network import count_rounds, new_network, train_network
from deepcryopicker.pipeline.training.training_set import (
    LabelledMicrograph,
    collect_labels,
    keep_out,
    make_training_set,
    sites_of,
)
from deepcryopicker.runs.folder import Run
from deepcryopicker.runs.timings import timed
from deepcryopicker.types import TrainingSet


def label_and_train(
    network: Network,
    catalogue: Catalogue,
    known: Catalogue,
    scored: Catalogue,
    config: TrainConfig,
    run: Run,
    tracker: Tracker,
) -> tuple[Trained | None, Catalogue, dict[str, Any]]:
    """Label micrographs, make the training set, and train, as far as `until` says.

    Parameters
    ----------
    network : Network
    catalogue, known, scored : Catalogue
        All micrographs that may be looked at; those whose truth may be known; those that are to be
        scored, which is `catalogue` itself where nothing is held out.
    config : TrainConfig
    run : Run
    tracker : Tracker

    Returns
    -------
    Trained or None
        None if `until` is ``samples``.
    Catalogue
        What may be scored: without the truth that was trained on.
    dict
        Scores of the labels, and of the test windows.
    """
    learnt_from = known if isinstance(config.labeler, TruthConfig) else catalogue
    with timed(run, "labelling"):
        sources, labels = collect_labels(learnt_from, network.window, config, run)
        training_set = make_training_set(sources, network.window, config, run)
    metrics: dict[str, Any] = {"labels": labels}
    tracker.log_pictures("samples", [run.folder / "samples.png"])
    if config.until == "samples":
        return None, scored, metrics
    with timed(run, "training"):
        trained, metrics["patches"] = train_in_rounds(
            network, training_set, sources, config, run, tracker
        )
    if scored is catalogue:
        scored = keep_out(scored, sources, config)
    return trained, scored, metrics


def train_in_rounds(
    network: Network,
    training_set: TrainingSet,
    sources: Sequence[LabelledMicrograph],
    config: TrainConfig,
    run: Run,
    tracker: Tracker,
) -> tuple[Trained, dict[str, Any] | None]:
    """Train, and as often as configured label anew by what was learnt and train again.

    Every round starts from fresh weights and from the labeler's own finds, so that errors of one
    round are not handed down.

    Returns
    -------
    Trained, and the scores on the test windows, None where there are none
    """
    trained, scores = train_network(network, training_set, sources, config, run, tracker)
    rounds = count_rounds(config)
    for number in range(2, rounds + 1):
        console.print(f"round {number} of {rounds}")
        better = relabel(trained, sources, network.window, config, run)
        training_set = make_training_set(better, network.window, config, run)
        trained, scores = train_network(
            new_network(config), training_set, sources, config, run, tracker, number
        )
    return trained, scores


def relabel(
    trained: Trained,
    sources: Sequence[LabelledMicrograph],
    size: int,
    config: TrainConfig,
    run: Run,
) -> list[LabelledMicrograph]:
    """Find better labels with a network: see :mod:`deepcryopicker.labeler.agreement`.

    A micrograph that it cannot pick keeps its labels: without it the others would be split anew.
    """
    better: dict[str, LabelledMicrograph] = {}
    judge = corrected if isinstance(config.labeler, TruthConfig) else agreed
    for source, preprocessed, picks in pick_sources(trained, sources, config, run, "labelling"):
        judged, reason = judge(picks, source.picks, source.reason, source.diameter)
        candidates = as_candidates(preprocessed, judged, reason)
        rng = np.random.default_rng([config.seed, len(better)])
        sites = sites_of(preprocessed, candidates, size, config, rng)
        better[source.entry.name] = replace(source, sites=sites)
    run.require(len(better), "labelling")
    return [better.get(source.entry.name, source) for source in sources]
