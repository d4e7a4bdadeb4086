"""Which picks found a particle: greedy one-to-one matching with the truth."""

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from deepcryopicker.types import Picks

HIT: Final = 1
FALSE: Final = 0
IGNORED: Final = -1

RULE = (
    "greedy by descending score, one to one: each pick takes the nearest free true particle "
    "within the radius; a pick left without one but within the radius of an uncertain place "
    "is not counted"
)
"""The matching rule in words, for whoever reads the numbers."""


def match(picks: Picks, truth: Picks, uncertain: Picks, radius: float) -> npt.NDArray[np.int8]:
    """Tell for each pick whether it found a particle.

    Because picks choose by descending score, the outcome of a pick does not depend on the picks
    below it: a threshold may be applied before or after, with the same result.

    Parameters
    ----------
    picks : Picks
        N picks; the order of equal scores decides between them.
    truth : Picks
        True particles; only their positions are used.
    uncertain : Picks
        Places where a pick is neither right nor wrong; any number of picks may fall on one.
    radius : float
        Largest distance of a match, original pixels, inclusive.

    Returns
    -------
    (N,) int8
        1 hit, 0 false, -1 don't care; in the order of `picks`.

    Examples
    --------
    >>> truth = Picks.create([10.0], [10.0])
    >>> picks = Picks.create([11.0, 9.5, 50.0], [10.0, 10.0, 50.0], score=[0.9, 0.8, 0.7])
    >>> match(picks, truth, Picks.empty(), radius=5.0).tolist()
    [1, 0, 0]
    """
    return outcome_of(picks, assign(picks, truth, radius), uncertain, radius)


def assign(picks: Picks, truth: Picks, radius: float) -> npt.NDArray[np.int64]:
    """Give each pick the true particle that it found.

    Parameters
    ----------
    picks, truth : Picks
        N picks and the true particles.
    radius : float
        Largest distance of a match, original pixels, inclusive.

    Returns
    -------
    (N,) int64
        Index into `truth`, -1 for a pick that found none. No index occurs twice.
    """
    found = np.full(len(picks), -1, np.int64)
    if not len(picks) or not len(truth):
        return found
    places, targets = picks.positions, truth.positions
    tree = cKDTree(targets)
    free = np.ones(len(truth), np.bool_)
    for index in np.argsort(-picks.score, kind="stable"):
        near = np.array(tree.query_ball_point(places[index], radius, return_sorted=True), int)
        near = near[free[near]]
        if len(near):
            distance = np.hypot(*(targets[near] - places[index]).T)
            found[index] = near[np.argmin(distance)]
            free[found[index]] = False
    return found


def outcome_of(
    picks: Picks, found: npt.NDArray[np.int64], uncertain: Picks, radius: float
) -> npt.NDArray[np.int8]:
    """Turn the result of :func:`assign` into hits, false picks and don't cares.

    Parameters
    ----------
    picks : Picks
        N picks.
    found : (N,) int64
        Index of the true particle of each pick, -1 for none.
    uncertain : Picks
        Places where a pick is neither right nor wrong.
    radius : float
        Original pixels, inclusive.

    Returns
    -------
    (N,) int8
        1 hit, 0 false, -1 don't care.
    """
    outcome = np.where(found >= 0, HIT, FALSE).astype(np.int8)
    if len(picks) and len(uncertain):
        tree = cKDTree(uncertain.positions)
        near = tree.query_ball_point(picks.positions, radius, return_length=True) > 0
        outcome[near & (outcome == FALSE)] = IGNORED
    return outcome
