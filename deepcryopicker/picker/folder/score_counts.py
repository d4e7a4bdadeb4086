"""Counts of scores on the logit scale: all that the calibration of a folder needs of its picks."""

import numpy as np
import numpy.typing as npt
from scipy.special import logit

from deepcryopicker.types import Floats

Counts = npt.NDArray[np.int64]
"""Candidates in each bin of `BINS`, (B,). Counts of micrographs add up, in any order."""

_LARGEST = 14.0  # the logit of 0.999999, the largest score in a file
_WIDTH = 0.1
_EDGES = np.arange(-_LARGEST, _LARGEST + _WIDTH / 2, _WIDTH)

BINS: Floats = (_EDGES[:-1] + _EDGES[1:]) / 2
"""Centres of the bins, logits, (B,) float64."""


def count_scores(score: Floats) -> Counts:
    """Count scores in bins of their logits.

    Parameters
    ----------
    score : (N,) float64
        In [0, 1]; 0, the score of masked candidates, is not counted.

    Returns
    -------
    (B,) int64
    """
    return np.histogram(logits(score[score > 0]), _EDGES)[0].astype(np.int64)


def logits(score: Floats) -> Floats:
    """Return the logits of scores, (N,) float64, limited to those of the bins."""
    return np.asarray(np.clip(logit(score), BINS[0], BINS[-1]))


def no_counts() -> Counts:
    """Return the counts of no scores, (B,) int64."""
    return np.zeros(len(BINS), np.int64)
