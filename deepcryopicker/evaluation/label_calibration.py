"""Calibrate the scores of any picker on labelled micrographs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from deepcryopicker.evaluation.matching import HIT, IGNORED
from deepcryopicker.evaluation.metrics import best_f1
from deepcryopicker.picker.calibration import fit_calibration
from deepcryopicker.types import UNCALIBRATED, Calibration, Floats

CALIBRATE_ON = 16
"""Maximum number of micrographs for the calibration of scores."""
CALIBRATE_ON_GIVEN = 64
"""The same with given labels: their micrographs may be of many kinds, some without particles."""


@dataclass(frozen=True)
class MatchedPicks:
    """Picks of one micrograph matched with its labels.

    Attributes
    ----------
    score : (N,) float64
    outcome : (N,) int8
        As :func:`deepcryopicker.evaluation.matching.match` returns it.
    labels : int
        Number of labels.
    """

    score: Floats
    outcome: npt.NDArray[np.int8]
    labels: int


def calibration_of(matched: Sequence[MatchedPicks], given: bool) -> Calibration:
    """Fit a calibration that makes 0.5 a sensible threshold: see :func:`calibrate.calibrate`.

    Parameters
    ----------
    matched : sequence of MatchedPicks
        One for each micrograph.
    given : bool
        Whether the labels are given coordinates, rather than found by a labeler.
    """
    if not matched:
        return UNCALIBRATED
    counted = [one.outcome != IGNORED for one in matched]
    scores = [one.score[counts] for one, counts in zip(matched, counted, strict=True)]
    found = [one.outcome[counts] == HIT for one, counts in zip(matched, counted, strict=True)]
    level = 0.5
    if given:
        hits = np.concatenate(found).astype(np.int8)
        level = best_f1(np.concatenate(scores), hits, sum(one.labels for one in matched))[0] / 2.0
    return fit_calibration(scores, found, level or 0.5)
