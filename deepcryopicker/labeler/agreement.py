"""Better labels for another round: where the labeler and the network that it trained agree."""

import numpy as np
import numpy.typing as npt
from scipy.spatial import KDTree

from deepcryopicker.types import CONTAMINANT, UNCERTAIN, Picks, Strings

_NEAR = 0.3  # diameters within which two picks mean one place
_SURE = 0.9
_LIKELY = 0.5
_FALSE = 0.3  # a pick of at least this score teaches something where it is wrong
_LEAST = 0.1  # weaker picks are background like any other


def agreed(
    picks: Picks, labels: Picks, contaminants: Picks, diameter: float
) -> tuple[Picks, Strings]:
    """Keep as particles what both found, and what the network is sure of by itself.

    Parameters
    ----------
    picks : Picks
        The network's; scores are probabilities.
    labels : Picks
        The labeler's particles, good or not.
    contaminants : Picks
        What the labeler found to be none.
    diameter : float
        Original pixels.

    Returns
    -------
    Picks
        Of the network, without the weakest.
    (N,) str
        Empty for particles, else why they are none.
    """
    picks = picks[picks.score >= _LEAST]
    labelled = _is_near(picks, labels, _NEAR * diameter)
    contaminant = _is_near(picks, contaminants, _NEAR * diameter)
    particle = (picks.score >= _SURE) | (labelled & (picks.score >= _LIKELY))
    wrong = contaminant & (picks.score < _LIKELY)
    reason = np.full(len(picks), UNCERTAIN, dtype="<U24")
    reason[particle & ~contaminant] = ""
    reason[wrong] = CONTAMINANT
    return picks, reason


def corrected(
    picks: Picks, labels: Picks, uncertain: Picks, diameter: float
) -> tuple[Picks, Strings]:
    """Keep given labels, and take the network's false picks for contaminants.

    This is how DeepEM trains: its own false picks become negatives.

    Parameters
    ----------
    picks : Picks
        The network's; scores are probabilities.
    labels, uncertain : Picks
        Particles, and places that may hold one.
    diameter : float
        Original pixels.

    Returns
    -------
    Picks
        Labels, then uncertain places, then false picks.
    (N,) str
        Empty for the labels, else why they are no particles.
    """
    known = labels.joined(uncertain)
    false = (picks.score >= _FALSE) & ~_is_near(picks, known, diameter / 2.0)
    kinds = (("", len(labels)), (UNCERTAIN, len(uncertain)), (CONTAMINANT, int(false.sum())))
    reason = np.concatenate([np.full(count, name, dtype="<U24") for name, count in kinds])
    return known.joined(picks[false]), reason


def _is_near(picks: Picks, others: Picks, distance: float) -> npt.NDArray[np.bool_]:
    """Tell which picks have one of the others within a distance, (N,) bool."""
    if not len(picks) or not len(others):
        return np.zeros(len(picks), bool)
    places = np.column_stack([picks.x, picks.y])
    tree = KDTree(np.column_stack([others.x, others.y]))
    return tree.query(places)[0] <= distance
