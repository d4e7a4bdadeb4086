"""Greedy one-to-one matching of picks with true particles.

SciPy's ``linear_sum_assignment`` minimises the total distance and ignores scores; here a pick with
a higher score is matched first.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
import scipy  # loads its parts, each a large library, where they are first used

from deepcryopicker.types import Floats, Picks

Index = npt.NDArray[np.int64]

HIT: Final = 1
FALSE: Final = 0
IGNORED: Final = -1

RULE = (
    "greedy by descending score, one to one: each pick is matched with the nearest unmatched true "
    "particle within the radius; an unmatched pick within the radius of an uncertain position is "
    "not counted"
)
"""The matching rule in words, recorded beside the scores."""


def match(picks: Picks, truth: Picks, uncertain: Picks, radius: float) -> npt.NDArray[np.int8]:
    """Classify each pick as a hit, a false pick or neither.

    Picks are matched by descending score, so that the outcome of a pick does not depend on picks
    with lower scores: a threshold may be applied before or after, with the same result.

    Parameters
    ----------
    picks : Picks
        N picks; of equal scores the earlier pick is matched first.
    truth : Picks
        True particles; only their positions are used.
    uncertain : Picks
        Positions where a pick is neither right nor wrong, any number of picks for each.
    radius : float
        Largest distance of a match, original pixels, inclusive.

    Returns
    -------
    (N,) int8
        1 hit, 0 false, -1 ignored; in the order of `picks`.

    Examples
    --------
    >>> truth = Picks.create([10.0], [10.0])
    >>> picks = Picks.create([11.0, 9.5, 50.0], [10.0, 10.0, 50.0], score=[0.9, 0.8, 0.7])
    >>> match(picks, truth, Picks.empty(), radius=5.0).tolist()
    [1, 0, 0]
    """
    return outcome_of(picks, assign(picks, truth, radius), uncertain, radius)


def assign(picks: Picks, truth: Picks, radius: float) -> Index:
    """Match each pick, by descending score, with the nearest unmatched true particle.

    Parameters
    ----------
    picks, truth : Picks
        N picks and the true particles.
    radius : float
        Largest distance of a match, original pixels, inclusive.

    Returns
    -------
    (N,) int64
        Index into `truth`, -1 for an unmatched pick. Each index occurs at most once.
    """
    pick, particle, distance = _pairs(picks, truth, radius)
    return _greedy(picks.score, pick, particle, distance)


def assign_by_overlap(picks: Picks, truth: Picks, side: Floats, overlap: float) -> Index:
    """Match each pick, by descending score, with the unmatched particle of largest box overlap.

    Boxes are square. The box of a pick is as large as that of the particle, so that only the
    positions matter.

    Parameters
    ----------
    picks, truth : Picks
        N picks and M true particles.
    side : (M,) float64
        Side of the box of each true particle, original pixels.
    overlap : float
        Minimum intersection over union of a match, inclusive, in (0, 1].

    Returns
    -------
    (N,) int64
        As :func:`assign`.
    """
    # Boxes with this overlap are shifted by at most this much along either axis.
    farthest = float(side.max(initial=0.0)) * (1.0 - overlap) / (1.0 + overlap)
    pick, particle, _ = _pairs(picks, truth, 2.0**0.5 * farthest)
    box = side[particle]
    shift = np.abs(picks.positions[pick] - truth.positions[particle])
    shared = np.maximum(box[:, None] - shift, 0.0).prod(axis=1)
    share = shared / (2.0 * box**2 - shared)
    enough = share >= overlap
    return _greedy(picks.score, pick[enough], particle[enough], -share[enough])


def assign_by_distance(picks: Picks, truth: Picks, radius: float) -> Index:
    """Match picks with true particles one to one, the closest pair first, whatever their scores.

    Parameters
    ----------
    picks, truth : Picks
        N picks and the true particles.
    radius : float
        Largest distance of a match, original pixels, inclusive.

    Returns
    -------
    (N,) int64
        As :func:`assign`.
    """
    pick, particle, distance = _pairs(picks, truth, radius)
    order = np.lexsort((particle, pick, distance))
    return _in_order(len(picks), pick[order], particle[order])


def outcome_of(picks: Picks, found: Index, uncertain: Picks, radius: float) -> npt.NDArray[np.int8]:
    """Turn the result of :func:`assign` into hits, false and ignored picks.

    Parameters
    ----------
    picks : Picks
        N picks.
    found : (N,) int64
        Index of the true particle of each pick, -1 for none.
    uncertain : Picks
        Positions where a pick is neither right nor wrong.
    radius : float
        Original pixels, inclusive.

    Returns
    -------
    (N,) int8
        1 hit, 0 false, -1 ignored.
    """
    outcome = np.where(found >= 0, HIT, FALSE).astype(np.int8)
    if len(picks) and len(uncertain):
        tree = scipy.spatial.cKDTree(uncertain.positions)
        near = tree.query_ball_point(picks.positions, radius, return_length=True) > 0
        outcome[near & (outcome == FALSE)] = IGNORED
    return outcome


def bounded(positions: Floats) -> Floats:
    """Limit coordinates to what a tree takes: squares of larger ones overflow."""
    return np.clip(positions, -1e150, 1e150)


def _pairs(picks: Picks, truth: Picks, radius: float) -> tuple[Index, Index, Floats]:
    """List every pick and particle within `radius` of each other, and their distance."""
    places, targets = (bounded(one.positions) for one in (picks, truth))
    tree, other = scipy.spatial.cKDTree(places), scipy.spatial.cKDTree(targets)
    near = tree.sparse_distance_matrix(other, radius, output_type="ndarray")
    return near["i"], near["j"], near["v"]


def _greedy(score: Floats, pick: Index, particle: Index, cost: Floats) -> Index:
    """Match picks by descending score, each at the lowest cost, then with the earlier particle."""
    rank = np.empty(len(score), np.int64)
    rank[np.argsort(-score, kind="stable")] = np.arange(len(score))
    order = np.lexsort((particle, cost, rank[pick]))
    return _in_order(len(score), pick[order], particle[order])


def _in_order(count: int, pick: Index, particle: Index) -> Index:
    """Match pairs in their order, unless one of the two is matched already."""
    found = np.full(count, -1, np.int64)
    taken: set[int] = set()
    for one, wanted in zip(pick.tolist(), particle.tolist(), strict=True):
        if found[one] < 0 and wanted not in taken:
            found[one] = wanted
            taken.add(wanted)
    return found
