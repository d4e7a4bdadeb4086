"""Pick the training micrographs of a network, to calibrate its scores or to improve labels."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from scipy.special import expit

from deepcryopicker.class_set.split import assign_splits
from deepcryopicker.config.schemas import TrainConfig
from deepcryopicker.evaluation.label_calibration import (
    CALIBRATE_ON,
    CALIBRATE_ON_GIVEN,
    MatchedPicks,
    calibration_of,
)
from deepcryopicker.evaluation.matching import match
from deepcryopicker.io.console import counted
from deepcryopicker.labeler.schema import TruthConfig
from deepcryopicker.model.weights import Trained
from deepcryopicker.picker import dense
from deepcryopicker.picker.scanning.scan import build_scan
from deepcryopicker.picker.schema import DenseConfig, SlidingConfig
from deepcryopicker.pipeline.inputs.open_dataset import spread
from deepcryopicker.pipeline.inputs.prefetch import track_ahead
from deepcryopicker.pipeline.training.labelled_windows import LabelledMicrograph
from deepcryopicker.preprocessing.preprocessed import Preprocessed
from deepcryopicker.runs.attempts import Attempts
from deepcryopicker.types import CONTAMINANT, UNCERTAIN, WEAK, Picks


def calibrate(
    trained: Trained, sources: Sequence[LabelledMicrograph], config: TrainConfig, attempts: Attempts
) -> Trained:
    """Calibrate scores: map them to the probability that a pick is a labelled particle.

    A calibrated score of 0.5 should be the threshold of the best F1. Picks at that threshold are
    particles with a probability of half this F1 (Lipton et al., 2014), which is used for given
    labels, without the test micrographs. Labels found without supervision include false ones, for
    which a probability of one half is closer (docs/picking.md).

    Parameters
    ----------
    trained : Trained
    sources : sequence of LabelledMicrograph
    config : TrainConfig
    attempts : Attempts

    Returns
    -------
    Trained
        `trained` with its calibration.
    """
    given = isinstance(config.labeler, TruthConfig)
    if given:
        sources = not_tested(sources, config)
    matched = []
    chosen = spread(list(sources), CALIBRATE_ON_GIVEN if given else CALIBRATE_ON)
    for source, _, picks in pick_sources(
        trained, chosen, config, attempts, "calibrating scores on"
    ):
        unknown = np.isin(source.reason, (UNCERTAIN, WEAK))
        labels = source.picks[~unknown & (source.reason != CONTAMINANT)]
        outcome = match(picks, labels, source.picks[unknown], source.diameter / 2.0)
        matched.append(MatchedPicks(picks.score, outcome, len(labels)))
    calibration = calibration_of(matched, given)
    threshold = float(expit(calibration.even))
    kind = "given labels" if given else "labels of the program's own"
    why = f"a calibrated score of 0.5, from {kind} in {counted(len(matched), 'micrograph')}"
    attempts.decide("score of the network at the threshold", round(threshold, 6), why)
    return replace(trained, calibration=calibration)


def pick_sources(
    trained: Trained,
    sources: Sequence[LabelledMicrograph],
    config: TrainConfig,
    attempts: Attempts,
    description: str,
) -> Iterator[tuple[LabelledMicrograph, Preprocessed, Picks]]:
    """Pick labelled micrographs; several at the same time, in their order.

    Parameters
    ----------
    trained : Trained
    sources : sequence of LabelledMicrograph
    config : TrainConfig
    attempts : Attempts
    description : str
        Text of the progress bar.

    Yields
    ------
    LabelledMicrograph, Preprocessed, Picks
        Picks in original pixels.
    """
    uses_network = isinstance(config.picker, DenseConfig | SlidingConfig)
    settings = config.picker if uses_network else DenseConfig()
    settings = replace(settings, floor=0.0)
    scan = build_scan(trained, settings)

    def pick(source: LabelledMicrograph) -> tuple[Preprocessed, Picks]:
        preprocessed = Preprocessed(source.entry.load(), source.diameter, config.preprocessing)
        return preprocessed, dense.pick(
            preprocessed.flat, scan, preprocessed.working_diameter, settings
        )[0]

    for source, take in track_ahead(sources, pick, description):
        done = attempts.attempt(description, source.entry.name, source.entry.path, take)
        if done is not None:
            yield source, *done


def not_tested(
    sources: Sequence[LabelledMicrograph], config: TrainConfig
) -> list[LabelledMicrograph]:
    """Exclude the test micrographs; keep all if only blocks or windows of them are tested."""
    splits = assign_splits([one.entry.group for one in sources], config.class_set, config.seed)
    by_copy = config.class_set.split_by == "copy"
    return [
        source
        for source, blocks in zip(sources, splits, strict=True)
        if by_copy or not (blocks == "test").all()
    ]
