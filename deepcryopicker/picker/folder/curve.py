"""The curve of a folder: from the scores of a picker to probabilities on these micrographs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from deepcryopicker.model.weights import Trained
from deepcryopicker.picker.folder.mixture import Mixture, fit_mixture, noise_scores
from deepcryopicker.picker.folder.score_counts import BINS, Counts, count_scores, logits, no_counts
from deepcryopicker.picker.schema import NetworkPickerConfig
from deepcryopicker.types import Calibration, Floats, Mask

_SLOPES = (0.3, 3.0)
"""Least and largest slope."""
LEAST_GAIN = 12.0
"""Gain in the logarithm of the likelihood from which particles are more than chance: half the
logarithm of a thousand candidates for each of three parameters, rounded up."""
_HIGHEST_FLOOR = 0.001
_SAME = 0.1  # logits
_CERTAIN, _BEYOND = 4.0, 0.3
"""Logit of 0.98, and the slope beyond, where a steeper curve would round different scores to equal
ones, six decimals being written."""


@dataclass(frozen=True)
class FolderCurve:
    """What scores mean on a folder.

    Attributes
    ----------
    calibration : Calibration
        From scores to probabilities; 0.5 is as likely a particle as not.
    mixture : Mixture
        From which it was derived.
    gain : float
        Logarithm of the likelihood of the candidates with particles over that without.
    """

    calibration: Calibration
    mixture: Mixture
    gain: float


def calibrates(config: NetworkPickerConfig, trained: Trained) -> bool:
    """Whether scores are calibrated on the micrographs that are picked.

    By default only those of weights for any diameter; weights of one dataset are calibrated on the
    labels of their training.
    """
    if not shows_all(config):
        return False
    return trained.diameter is None if config.recalibrate is None else config.recalibrate


def shows_all(config: NetworkPickerConfig) -> bool:
    """Whether the candidates of a picker are all there are: else they cannot be compared."""
    return config.max_picks is None and config.floor <= _HIGHEST_FLOOR


def fit_curve(counts: Counts, in_noise: Counts) -> FolderCurve:
    """Estimate the probability of a particle from the candidates of a folder.

    The logarithm of the odds of the mixture is replaced by a straight line that crosses 0 where
    they do, so that the order of the candidates stays the same; its slope fits the odds of the
    candidates near that point.

    Parameters
    ----------
    counts : (B,) int64
        Candidates of all micrographs by logit, see :func:`count_scores`.
    in_noise : (B,) int64
        Candidates in noise like some of these micrographs.

    Returns
    -------
    FolderCurve
        Without a particle among all possible scores, if noise explains the candidates as well.
    """
    noise = noise_scores(in_noise, int(counts.sum()))
    mixture, without = (fit_mixture(counts, noise, particles) for particles in (True, False))
    gain = mixture.log_likelihood(counts) - without.log_likelihood(counts)
    if gain < LEAST_GAIN:
        above_all = float(BINS[-1]) + 1.0
        return FolderCurve(Calibration(1.0, -above_all), without, gain)
    odds = mixture.log_odds()
    threshold = _crossing(odds)
    slope = float(np.clip(_slope_at(odds, counts, threshold), *_SLOPES))
    return FolderCurve(Calibration(slope, -slope * threshold), mixture, gain)


def nearly_equal(one: FolderCurve, other: FolderCurve) -> bool:
    """Whether two curves of a growing folder are as good as equal, until it is complete."""
    slopes = one.calibration.slope, other.calibration.slope
    apart = one.calibration.even - other.calibration.even
    return abs(np.log(slopes[0] / slopes[1])) < _SAME and abs(apart) < _SAME


def calibrate_scores(scores: Sequence[Floats], in_noise: Sequence[Floats]) -> list[Floats]:
    """Calibrate the scores of micrographs on themselves.

    Parameters
    ----------
    scores : sequence of (N,) float64
        Of the candidates of each micrograph, in [0, 1].
    in_noise : sequence of (M,) float64
        Of the candidates in noise like some of them.

    Returns
    -------
    list of (N,) float64
    """
    counts, noise = (sum(map(count_scores, each), no_counts()) for each in (scores, in_noise))
    curve = fit_curve(counts, noise)
    return [apply_curve(score, curve) for score in scores]


def apply_curve(score: Floats, curve: FolderCurve) -> Floats:
    """Turn scores, (N,) float64 in [0, 1], into probabilities of a particle; 0 stays 0."""
    sureness = curve.calibration.slope * logits(score) + curve.calibration.intercept
    beyond = np.maximum(np.abs(sureness) - _CERTAIN, 0.0)
    probability = expit(sureness - np.sign(sureness) * (1.0 - _BEYOND) * beyond)
    return np.where(score > 0, probability, 0.0)


def bins_picked(threshold: float, curve: FolderCurve | None) -> Mask:
    """Return whether scores of each bin count as picks, (B,) bool.

    Parameters
    ----------
    threshold : float
        Least score of a pick.
    curve : FolderCurve or None
        None if scores are those of the picker.
    """
    score = expit(BINS)
    return np.asarray((score if curve is None else apply_curve(score, curve)) >= threshold)


def _crossing(odds: Floats) -> float:
    """Return the logit from which particles are more likely than everything else."""
    below = np.flatnonzero(odds < 0)
    return float(BINS[min(below[-1] + 1, len(BINS) - 1)]) if len(below) else float(BINS[0])


def _slope_at(odds: Floats, counts: Counts, threshold: float) -> float:
    """Fit a line through the threshold to the odds of the candidates that are in doubt."""
    doubt = expit(odds) * expit(-odds)
    weight, shift = (counts + 1e-3) * doubt, BINS - threshold
    return float((weight * shift * odds).sum() / (weight * shift**2).sum())
