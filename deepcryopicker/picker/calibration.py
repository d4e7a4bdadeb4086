"""Calibration: from the score of a pick to the probability that it is a particle."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy  # loads its parts, each a large library, where they are first used

from deepcryopicker.types import UNCALIBRATED, Calibration, Floats, Image

_LEAST = 1e-6  # probabilities are clipped here, because 0 and 1 have no finite logit


def calibrated(score: Image, calibration: Calibration) -> Image:
    """Turn scores into probabilities; the order of the scores and their maxima stay the same.

    Parameters
    ----------
    score : float32 array of any shape, in [0, 1]
    calibration : Calibration

    Returns
    -------
    float32 array of that shape
    """
    if calibration == UNCALIBRATED:
        return score
    sureness = _logit(score)
    shifted = calibration.slope * sureness + calibration.intercept
    return scipy.special.expit(shifted).astype(np.float32)


def fit_calibration(
    scores: Sequence[Floats], found: Sequence[npt.NDArray[np.bool_]], level: float = 0.5
) -> Calibration:
    """Fit a logistic curve to the scores of picks whose outcome is known (Platt, 1999).

    The curve is shifted so that a calibrated score of 0.5 corresponds to the probability `level`
    of a particle. The shift is the median over micrographs, each fitted separately, so that one
    badly labelled micrograph has little influence.

    Parameters
    ----------
    scores : sequence of (N,) float64
        Scores of the picks of each micrograph, in [0, 1].
    found : sequence of (N,) bool
        Whether each pick is a particle, as far as is known.
    level : float
        Probability that is moved to a score of 0.5, in (0, 1).

    Returns
    -------
    Calibration
        The identity if there are only particles or only other picks, or if particles do not
        score higher.
    """
    every = _fit(np.concatenate(scores), np.concatenate(found))
    if every == UNCALIBRATED:
        return every
    single = [_fit(*one) for one in zip(scores, found, strict=True)]
    wanted = scipy.special.logit(level)
    middle = [(wanted - one.intercept) / one.slope for one in single if one != UNCALIBRATED]
    return replace(every, intercept=-every.slope * float(np.median(middle))) if middle else every


def _logit(score: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return scipy.special.logit(np.clip(score, _LEAST, 1.0 - _LEAST))


def _fit(score: Floats, found: npt.NDArray[np.bool_]) -> Calibration:
    right, wrong = int(found.sum()), int((~found).sum())
    if not right or not wrong:
        return UNCALIBRATED
    # Platt's targets: a finite sample cannot prove a probability of 0 or 1.
    target = np.where(found, (right + 1) / (right + 2), 1 / (wrong + 2))
    sureness = _logit(score)

    def loss(curve: Floats) -> float:
        z = curve[0] * sureness + curve[1]
        return float(np.mean(np.logaddexp(0.0, z) - target * z))

    slope, intercept = scipy.optimize.minimize(loss, np.array([1.0, 0.0]), method="BFGS").x
    if not slope > 0 or not np.isfinite(intercept):
        return UNCALIBRATED
    return Calibration(float(slope), float(intercept))
