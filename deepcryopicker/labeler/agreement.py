"""Labels for another training round, on which labeler and network agree."""

import numpy as np

from deepcryopicker.detection.pick_rules import nearest_within
from deepcryopicker.types import CONTAMINANT, UNCERTAIN, WEAK, Floats, Mask, Picks, Strings

_NEAR = 0.3  # diameters within which two picks are of the same particle
_SURE = 0.9
_LIKELY = 0.5
_FALSE = 0.3  # minimum score of a false pick that is worth training on
_CONFIRMED = "weak but confirmed"
_PROMOTED = (WEAK, "touching")
"""Reasons of the labeler that a confident network overrules. Contrasts are not among them, because
the network was trained on particles of typical contrast only."""


def agreed(picks: Picks, labels: Picks, reason: Strings, diameter: float) -> tuple[Picks, Strings]:
    """Update the candidates of a labeler by a network trained on the good ones.

    Parameters
    ----------
    picks : Picks
        Of the network; scores are probabilities.
    labels : Picks
        N candidates of the labeler.
    reason : (N,) str
        Why they may not train the network; empty for good candidates.
    diameter : float
        Original pixels.

    Returns
    -------
    Picks
        Candidates of the labeler, followed by those found by the network alone.
    (M,) str
        As `reason`. Good candidates of low score and those found by the network alone become
        uncertain; weak or touching candidates of high score become good; contaminants stay.
    """
    score = _score_at(labels, picks, _NEAR * diameter)
    doubted = (reason == "") & (score < _LIKELY)
    promoted = np.isin(reason, _PROMOTED) & (score >= _SURE)
    updated = np.where(doubted, UNCERTAIN, np.where(promoted, "", reason))
    own = picks[(picks.score >= _LIKELY) & ~has_near(picks, labels, _NEAR * diameter)]
    return labels.joined(own), np.concatenate([updated, np.full(len(own), UNCERTAIN)])


def corrected(
    picks: Picks, labels: Picks, reason: Strings, diameter: float
) -> tuple[Picks, Strings]:
    """Keep given labels, and add false picks of the network as contaminants.

    DeepEM is trained like this: its own false picks become negatives. But a person does not mark
    every particle: a false pick that the network is as sure of as of the better half of the labels
    is left uncertain.

    Parameters
    ----------
    picks : Picks
        Of the network; scores are probabilities.
    labels : Picks
        N given labels.
    reason : (N,) str
        Why they may not train the network; empty for good labels.
    diameter : float
        Original pixels.

    Returns
    -------
    Picks
        The labels, followed by the false picks.
    (M,) str
        As `reason`.
    """
    false = picks[(picks.score >= _FALSE) & ~has_near(picks, labels, diameter / 2.0)]
    of_labels = _score_at(labels[reason == ""], picks, diameter / 2.0)
    sure = false.score >= np.median(of_labels) if len(of_labels) else np.zeros(len(false), bool)
    kind = np.where(sure, UNCERTAIN, CONTAMINANT)
    return labels.joined(false), np.concatenate([reason, kind])


def _score_at(places: Picks, picks: Picks, distance: float) -> Floats:
    """Return the score of the nearest pick within a distance of each position, (N,); else 0."""
    nearest = nearest_within(places.positions, picks.positions, distance)
    found = nearest >= 0
    score = np.zeros(len(places))
    score[found] = picks.score[nearest[found]]
    return score


def has_near(picks: Picks, others: Picks, distance: float) -> Mask:
    """Return which picks have one of the others within a distance, (N,) bool."""
    return nearest_within(picks.positions, others.positions, distance) >= 0


def heeded(picks: Picks, labels: Picks, reason: Strings, diameter: float) -> tuple[Picks, Strings]:
    """Update the candidates of a labeler by a witness that has not learned from them.

    The labeler misses particles, and takes views of unusual contrast for contaminants. Where the
    witness finds a particle, neither is learned as background. Weak candidates that it finds are
    not trained on either, but scores are calibrated on them, as on those of unusual contrast:
    without them the faint particles would be missing from the calibration, and its threshold would
    be too high.

    Parameters
    ----------
    picks : Picks
        Of the witness; scores are probabilities on these micrographs.
    labels : Picks
        N candidates of the labeler.
    reason : (N,) str
        Why they may not train the network; empty for good candidates.
    diameter : float
        Original pixels.

    Returns
    -------
    Picks
        Candidates of the labeler, followed by those found by the witness alone.
    (M,) str
        As `reason`. Contaminants that the witness finds, and what it finds alone, are uncertain;
        weak candidates that it finds are confirmed.
    """
    likely = picks[picks.score >= _LIKELY]
    seen = has_near(labels, likely, diameter / 2.0)
    updated = np.where((reason == CONTAMINANT) & seen, UNCERTAIN, reason)
    updated = np.where((reason == WEAK) & seen, _CONFIRMED, updated)
    own = likely[~has_near(likely, labels, diameter / 2.0)]
    return labels.joined(own), np.concatenate([updated, np.full(len(own), UNCERTAIN)])
