"""Range of contrasts of particles, outside of which detections are contaminants or noise."""

import numpy as np
from scipy.stats import norm

from deepcryopicker.types import Floats

_TAILS = np.arange(1.5, 4.01, 0.1)  # standard deviations from the median
_EXCESS = 1.5
_SURELY = 3.0  # Poisson deviations
_FEWEST = 10
_SMALL = 500  # contrasts; in fewer a tail is often heavy by chance


def usual_range(contrast: Floats) -> tuple[float, float]:
    """Return the range of contrasts outside of which most detections are not particles.

    Contrasts of one kind of particle are nearly log-normal. Contaminants, ice and noise among the
    detections cause heavier tails: if a tail holds 1.5 times as many detections as a normal
    distribution, at least a third of them are not particles, and usually far more, because other
    objects also contribute to the centre (Efron, 2004). Small samples are not evaluated.

    Parameters
    ----------
    contrast : (N,) float64
        Positive, any unit.

    Returns
    -------
    lowest, highest : float
        0 and infinity if the tail is not too heavy.
    """
    if len(contrast) < _SMALL:
        return 0.0, np.inf
    logarithm = np.log(np.maximum(contrast, 1e-12))
    median = np.median(logarithm)
    deviation = np.median(np.abs(logarithm - median)) / norm.ppf(0.75)
    if deviation == 0:
        return 0.0, np.inf
    score = (logarithm - median) / deviation
    low, high = _heavy_from(-score), _heavy_from(score)
    return float(np.exp(median - low * deviation)), float(np.exp(median + high * deviation))


def _heavy_from(score: Floats) -> float:
    """Return the standard score from which the upper tail is too heavy; infinity for none."""
    for tail in _TAILS:
        beyond = np.count_nonzero(score > tail)
        expected = len(score) * norm.sf(tail)
        surely = expected + _SURELY * np.sqrt(expected)
        if beyond >= max(_FEWEST, _EXCESS * expected, surely):
            return float(tail)
    return np.inf
