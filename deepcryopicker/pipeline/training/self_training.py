"""Self-training: the picks of a network improve the labels for the next training.

Before the first one, the general weights do so: they have not learned from these labels.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from deepcryopicker.config.schemas import TrainConfig
from deepcryopicker.io.console import console
from deepcryopicker.io.coordinates.corrections import in_regions
from deepcryopicker.labeler.agreement import agreed, corrected, heeded
from deepcryopicker.labeler.schema import TruthConfig
from deepcryopicker.labeler.truth import as_candidates
from deepcryopicker.model.cards import chain_on
from deepcryopicker.model.network import Network
from deepcryopicker.model.weights import GENERAL, Trained, load_weights
from deepcryopicker.picker.folder.curve import FolderCurve, apply_curve, fit_curve
from deepcryopicker.picker.folder.noise_image import find_in_noise
from deepcryopicker.picker.folder.score_counts import count_scores, no_counts
from deepcryopicker.picker.schema import DenseConfig
from deepcryopicker.picker.search import build_search
from deepcryopicker.pipeline.inputs.open_dataset import spread
from deepcryopicker.pipeline.training.calibrate import pick_sources
from deepcryopicker.pipeline.training.fitting.fit_network import count_rounds, new_network
from deepcryopicker.pipeline.training.labelled_windows import LabelledMicrograph, sites_of
from deepcryopicker.runs.attempts import Attempts
from deepcryopicker.types import UNCERTAIN, TrainingSet

Sources = Sequence[LabelledMicrograph]
_SAMPLE = 4  # micrographs on which the scores of the general weights are calibrated
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


def heed_general_weights(
    sources: Sequence[LabelledMicrograph], size: int, config: TrainConfig, attempts: Attempts
) -> list[LabelledMicrograph]:
    """Spare what the general weights find from the background; see :func:`heeded`.

    Their scores are calibrated on these micrographs, by what they find in noise like them.

    Parameters
    ----------
    sources : sequence of LabelledMicrograph
        Labelled without supervision.
    size : int
        Side of the windows, working pixels.
    config : TrainConfig
    attempts : Attempts
    """
    general = load_weights(GENERAL)
    chain = chain_on(general.preprocessing, "the general weights")
    own = replace(config, preprocessing=chain, picker=DenseConfig(device=config.trainer.device))
    curve = _calibrate_on_noise(general, spread(list(sources), _SAMPLE), own, attempts)
    heeded_by_name: dict[str, LabelledMicrograph] = {}
    description = "comparing labels with the general weights on"
    for source, seen, picks in pick_sources(general, sources, own, attempts, description):
        likely = replace(picks, score=apply_curve(picks.score, curve))
        labels, reason = heeded(likely, source.picks, source.reason, source.diameter)
        preprocessed = replace(seen, config=config.preprocessing)
        candidates = as_candidates(preprocessed, labels, reason)
        rng = np.random.default_rng([config.seed, len(heeded_by_name)])
        sites = sites_of(preprocessed, candidates, size, config, rng)
        heeded_by_name[source.entry.name] = replace(
            source, sites=sites, picks=labels, reason=reason
        )
    return [heeded_by_name.get(source.entry.name, source) for source in sources]


def _calibrate_on_noise(
    general: Trained, sample: Sequence[LabelledMicrograph], config: TrainConfig, attempts: Attempts
) -> FolderCurve:
    """Fit the curve of a few micrographs, for weights whose scores are not those of this folder."""
    search = build_search(general, replace(config.picker, floor=0.0))
    counts, in_noise = no_counts(), no_counts()
    description = "calibrating the general weights on"
    for _, preprocessed, picks in pick_sources(general, sample, config, attempts, description):
        if not preprocessed.is_blank:
            counts += count_scores(picks.score)
            _, noise = find_in_noise(lambda image: search(image).picks, preprocessed, picks)
            in_noise += count_scores(noise.score)
    return fit_curve(counts, in_noise)
