"""Calibrate scores by which picks were labelled, whoever picked."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from deepcryopicker.evaluation.matching import HIT, IGNORED
from deepcryopicker.evaluation.metrics import best_f1
from deepcryopicker.picker.calibration import fit_calibration
from deepcryopicker.types import UNCALIBRATED, Calibration, Floats

CALIBRATE_ON = 16
"""Micrographs at the most that scores are calibrated on."""


@dataclass(frozen=True)
class ComparedPicks:
    """How the picks of one micrograph compare with its labels.

    Attributes
    ----------
    score : (N,) float64
    outcome : (N,) int8
        As :func:`deepcryopicker.evaluation.matching.match` returns it.
    labels : int
        How many there are.
    """

    score: Floats
    outcome: npt.NDArray[np.int8]
    labels: int


def calibration_of(compared: Sequence[ComparedPicks], given: bool) -> Calibration:
    """Fit a calibration by which 0.5 is a sensible threshold: see :func:`calibrating.calibrate`.

    Parameters
    ----------
    compared : sequence of ComparedPicks
        One for each micrograph.
    given : bool
        Whether the labels are true.
    """
    if not compared:
        return UNCALIBRATED
    counted = [one.outcome != IGNORED for one in compared]
    scores = [one.score[counts] for one, counts in zip(compared, counted, strict=True)]
    found = [one.outcome[counts] == HIT for one, counts in zip(compared, counted, strict=True)]
    level = 0.5
    if given:
        hits = np.concatenate(found).astype(np.int8)
        level = best_f1(np.concatenate(scores), hits, sum(one.labels for one in compared))[0] / 2.0
    return fit_calibration(scores, found, level or 0.5)
