"""The one meaning of "no score" in coordinate files: the position counts as a pick."""

import numpy as np

from deepcryopicker.types import Floats

_STAND_INS = (-99.0, -999.0, -9999.0, -99999.0)
"""Numbers that stand for no score; RELION writes -999 for picks made by hand."""


def known_scores(score: Floats | float) -> Floats:
    """Return scores with NaN in place of the numbers that stand for no score.

    Examples
    --------
    >>> known_scores(np.array([0.5, -999.0, -9.0])).tolist()
    [0.5, nan, -9.0]
    """
    score = np.asarray(score, np.float64)
    return np.where(np.isin(score, _STAND_INS), np.nan, score)


def complete_scores(score: Floats) -> Floats:
    """Return scores in which NaN, no score, has become the score of a certain pick.

    That is 1, or the highest other score if this is above 1, as where scores are log-odds.

    Examples
    --------
    >>> complete_scores(np.array([0.5, np.nan])).tolist()
    [0.5, 1.0]
    >>> complete_scores(np.array([-4.0, 7.5, np.nan])).tolist()
    [-4.0, 7.5, 7.5]
    """
    missing = np.isnan(score)
    highest = np.max(score[~missing], initial=1.0)
    return np.where(missing, highest, score)


def are_probabilities(score: Floats) -> bool:
    """Return whether all scores lie in [0, 1], NaN aside; True without any.

    Examples
    --------
    >>> are_probabilities(np.array([0.0, 1.0, np.nan])), are_probabilities(np.array([-2.0, 0.5]))
    (True, False)
    """
    return bool((np.isnan(score) | ((score >= 0) & (score <= 1))).all())
