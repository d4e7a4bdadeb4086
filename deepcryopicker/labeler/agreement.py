"""Better labels for another round: what labeler and network, between them, can be sure of."""

import numpy as np
from scipy.spatial import KDTree

from deepcryopicker.types import CONTAMINANT, UNCERTAIN, WEAK, Floats, Mask, Picks, Strings

_NEAR = 0.3  # diameters within which two picks mean one place
_SURE = 0.9
_LIKELY = 0.5
_FALSE = 0.3  # a pick of at least this score teaches something where it is wrong
_PROMOTED = (WEAK, "touching")
"""Reasons of the labeler that a sure network overrules. Contrasts it cannot judge: it has learnt
only from particles of the usual one."""


def agreed(picks: Picks, labels: Picks, reason: Strings, diameter: float) -> tuple[Picks, Strings]:
    """Judge a labeler's candidates again, by a network trained on the good ones.

    Parameters
    ----------
    picks : Picks
        The network's; scores are probabilities.
    labels : Picks
        The labeler's N candidates.
    reason : (N,) str
        Why they may not train the network; empty where they may.
    diameter : float
        Original pixels.

    Returns
    -------
    Picks
        The labeler's, then what the network alone found.
    (M,) str
        As `reason`: good ones that the network doubts and finds of its own are uncertain, weak or
        touching ones that it is sure of are good, and contaminants remain what they are.
    """
    score = _score_at(labels, picks, _NEAR * diameter)
    doubted = (reason == "") & (score < _LIKELY)
    promoted = np.isin(reason, _PROMOTED) & (score >= _SURE)
    judged = np.where(doubted, UNCERTAIN, np.where(promoted, "", reason))
    own = picks[(picks.score >= _LIKELY) & ~_has_near(picks, labels, _NEAR * diameter)]
    return labels.joined(own), np.concatenate([judged, np.full(len(own), UNCERTAIN)])


def corrected(
    picks: Picks, labels: Picks, reason: Strings, diameter: float
) -> tuple[Picks, Strings]:
    """Keep given labels, and take the network's false picks for contaminants.

    This is how DeepEM trains: its own false picks become negatives. Parameters and returns as of
    :func:`agreed`.
    """
    false = picks[(picks.score >= _FALSE) & ~_has_near(picks, labels, diameter / 2.0)]
    return labels.joined(false), np.concatenate([reason, np.full(len(false), CONTAMINANT)])


def _score_at(places: Picks, picks: Picks, distance: float) -> Floats:
    """Score of the nearest pick within a distance of each place, 0 where there is none, (N,)."""
    if not len(places) or not len(picks):
        return np.zeros(len(places))
    away, nearest = KDTree(picks.positions).query(places.positions)
    return np.where(away <= distance, picks.score[nearest], 0.0)


def _has_near(picks: Picks, others: Picks, distance: float) -> Mask:
    """Tell which picks have one of the others within a distance, (N,) bool."""
    if not len(picks) or not len(others):
        return np.zeros(len(picks), bool)
    return KDTree(others.positions).query(picks.positions)[0] <= distance
