"""Contrasts that are not those of particles: what is too faint or too dense for one."""

import numpy as np
from scipy.stats import norm

from deepcryopicker.types import Floats

_TAILS = np.arange(1.5, 4.01, 0.1)  # standard deviations from the median
_EXCESS = 1.5
_SURELY = 3.0  # Poisson deviations
_FEWEST = 10
_SMALL = 500  # contrasts; in fewer a tail is often heavy by chance


def usual_range(contrast: Floats) -> tuple[float, float]:
    """Find the range of contrasts outside of which most of what was found is no particle.

    Contrasts of one kind of particle are close to log-normal. Contaminants, ice and noise that a
    filter takes for particles show as heavier tails: where a tail holds half as many again as a
    normal distribution would have there, at least a third of it is something else, and mostly
    far more, since part of the middle is as well (Efron, 2004). Small samples prove nothing.

    Parameters
    ----------
    contrast : (N,) float64
        Positive, any unit.

    Returns
    -------
    lowest, highest : float
        0 and infinity where that tail is not too heavy.
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
    """Find where the upper tail of standard scores becomes too heavy; infinity for nowhere."""
    for tail in _TAILS:
        beyond = np.count_nonzero(score > tail)
        expected = len(score) * norm.sf(tail)
        surely = expected + _SURELY * np.sqrt(expected)
        if beyond >= max(_FEWEST, _EXCESS * expected, surely):
            return float(tail)
    return np.inf
