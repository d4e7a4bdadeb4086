"""Keep a trained network only where it stands out from noise at least as well as general weights.

A network that was trained on its own program's labels can have learned anything, and its accuracy
on such labels says nothing. What it finds in noise like the micrographs does; so does whether
it finds what the general weights find, which have never seen these labels.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from rich.markup import escape

from deepcryopicker.config.schemas import TrainConfig
from deepcryopicker.dataset.catalogue import Catalogue, Entry
from deepcryopicker.errors import NothingUsableError
from deepcryopicker.evaluation.shared_picks import agreement_beyond_chance
from deepcryopicker.io.console import console
from deepcryopicker.logger.tracker import Tracker
from deepcryopicker.model.cards import chain_on
from deepcryopicker.model.network import Network
from deepcryopicker.model.weights import GENERAL, Trained, load_weights, save_weights
from deepcryopicker.picker.folder.assessment import (
    DOUBTFUL,
    FOUND,
    NOTHING,
    Assessment,
    assess,
    expected_by_mixture,
    gain_each,
)
from deepcryopicker.picker.folder.curve import apply_curve, bins_picked, calibrates, fit_curve
from deepcryopicker.picker.folder.score_counts import count_scores, no_counts
from deepcryopicker.picker.function import in_order_of_mrc
from deepcryopicker.picker.pick_counts import disc_share
from deepcryopicker.picker.schema import DenseConfig, SlidingConfig
from deepcryopicker.picker.search import build_search, search_beside_noise
from deepcryopicker.pipeline.inputs.open_dataset import spread
from deepcryopicker.pipeline.inputs.prefetch import track_ahead
from deepcryopicker.pipeline.inputs.training_input import TrainingInput
from deepcryopicker.pipeline.training.label_and_train import label_and_train
from deepcryopicker.preprocessing.preprocessed import Preprocessed
from deepcryopicker.runs.folder import Run
from deepcryopicker.types import Floats, Picks

_SAMPLE = 4  # micrographs that both networks pick
_AGREE = 0.85  # of the general picks, beyond chance
_MOST_PICKS = 2.0  # times as many as those of the general weights
_BETTER_FIRST = (FOUND, DOUBTFUL, NOTHING)


@dataclass(frozen=True)
class AssessedNetwork:
    """What a network finds in a sample of micrographs.

    Attributes
    ----------
    assessment : Assessment
    picks : list of Picks
        Of each micrograph, original pixels.
    diameters : list of float
        Of the particles, original pixels.
    shapes : list of (H, W)
        Of the micrographs, original pixels.
    """

    assessment: Assessment
    picks: list[Picks]
    diameters: list[float]
    shapes: list[tuple[int, int]]


def train_or_fall_back(
    network: Network,
    given: TrainingInput,
    config: TrainConfig,
    run: Run,
    tracker: Tracker,
) -> tuple[Trained | None, Catalogue, dict[str, Any]]:
    """Label and train as :func:`label_and_train` does, and return the better of two networks.

    Where nothing can be learned, or general weights stand out more clearly from noise and the
    trained network does not find what they find, these take its place, in the run folder too.

    Returns
    -------
    Trained or None
    Catalogue
    dict
        As of :func:`label_and_train`; ``network`` is ``trained`` or ``general``, and why.
    """
    general = load_weights(GENERAL)
    try:
        trained, scored, metrics = label_and_train(network, given, config, run, tracker)
    except NothingUsableError as error:
        if len({row["path"] for row in run.failures}) >= len(given.catalogue.entries):
            raise  # no micrograph can be read
        reason = " ".join(str(error).splitlines()[:1])
        return (
            _general(general, reason, run),
            given.scored,
            _chosen("general", reason, run),
        )
    if trained is None:
        return trained, scored, metrics
    sample = spread(list(given.catalogue.entries), _SAMPLE)
    ours, theirs = (
        assess_network(one, sample, what, config, run)
        for one, what in ((trained, "the trained network"), (general, "the general weights"))
    )
    mine, share = ours.assessment, _agreement(ours, theirs)
    metrics["agreement_with_general"] = share
    run.vouched = share >= _AGREE
    order = [_BETTER_FIRST.index(each.assessment.verdict) for each in (ours, theirs)]
    if order[0] <= order[1]:
        return trained, scored, metrics | _chosen("trained", mine.reason, run)
    if run.vouched:
        reason = f"{mine.reason}, but the network finds what the general weights find"
        console.print(f"the trained network is kept: {escape(reason)}")
        return trained, scored, metrics | _chosen("trained", reason, run)
    reason = f"of the trained network: {mine.verdict}: {mine.reason}"
    general = _general(general, reason, run)
    metrics.pop("patches", None)  # of the other network
    return general, scored, metrics | _chosen("general", reason, run)


def _chosen(network: str, reason: str, run: Run) -> dict[str, Any]:
    """Note which network picks, and return it with the reason for the metrics."""
    run.decide("network that picks", network, reason)
    return {"network": network, "reason": reason}


def _agreement(ours: AssessedNetwork, theirs: AssessedNetwork) -> float:
    """Return how far a network finds what certain picks of another are; 0 if it picks too much."""
    counts = [sum(map(len, each.picks)) for each in (ours, theirs)]
    if theirs.assessment.verdict != FOUND or counts[0] > _MOST_PICKS * counts[1]:
        return 0.0
    areas = [float(height * width) for height, width in ours.shapes]
    return agreement_beyond_chance(ours.picks, theirs.picks, ours.diameters, areas)


def assess_network(
    trained: Trained, sample: Sequence[Entry], what: str, config: TrainConfig, run: Run
) -> AssessedNetwork:
    """Pick a sample of micrographs and noise like them, and assess the picks.

    Parameters
    ----------
    trained : Trained
    sample : sequence of Entry
    what : str
        Name of the network, for the progress.
    config : TrainConfig
    run : Run
    """
    chain = chain_on(trained.preprocessing, what)
    uses_network = isinstance(config.picker, DenseConfig | SlidingConfig)
    settings = config.picker if uses_network else DenseConfig(device=config.trainer.device)
    settings = replace(settings, max_picks=None, floor=DenseConfig().floor)
    search = build_search(trained, settings)
    counts, in_noise = no_counts(), no_counts()
    candidates: list[Picks] = []
    diameters: list[float] = []
    shapes: list[tuple[int, int]] = []

    def pick(entry: Entry) -> tuple[float, tuple[int, int], Picks, Floats]:
        micrograph = entry.load()
        preprocessed = Preprocessed(micrograph, entry.particle_diameter(micrograph), chain)
        preprocessed = in_order_of_mrc(entry, preprocessed)
        found, noise = Picks.empty(), np.zeros(0)
        if not preprocessed.is_blank:
            found, noise = search_beside_noise(search, entry, preprocessed, settings.mask)
        return float(preprocessed.diameter), micrograph.image.shape, found, noise

    for entry, take in track_ahead(sample, pick, f"assessing {what}"):
        done = run.attempt("assessing", entry.name, entry.path, take)
        if done is not None:
            diameter, shape, found, noise = done
            diameters.append(diameter)
            shapes.append(shape)
            candidates.append(found)
            counts += count_scores(found.score)
            in_noise += count_scores(noise)
    curve = fit_curve(counts, in_noise)
    used = curve if calibrates(settings, trained) else None
    expected = expected_by_mixture(counts, curve, bins_picked(settings.threshold, used))
    discs = [disc_share(1, each, shape) for each, shape in zip(diameters, shapes, strict=True)]
    covered = float(np.mean(discs or [0.0])) / max(len(discs), 1)
    picks = []
    for one in candidates:
        score = one.score if used is None else apply_curve(one.score, used)
        picks.append(one[score >= settings.threshold])
    assessment = assess(expected, gain_each(counts, curve), covered)
    return AssessedNetwork(assessment, picks, diameters, shapes)


def _general(general: Trained, reason: str, run: Run) -> Trained:
    """Put general weights in the place of those of the run, and say why."""
    console.print(f"[yellow]picking with the general weights: {escape(reason)}[/]")
    save_weights(run.folder, general)
    return general
