"""Conditions on the picks of one micrograph, each a mask of those that meet it."""

import numpy as np

from deepcryopicker.detection.suppression import suppress_by_distance
from deepcryopicker.io.coordinates.corrections import Correction
from deepcryopicker.types import Floats, Image, Mask, Picks


def is_best(picks: Picks, count: int) -> Mask:
    """Return which picks are the `count` of highest score; of equal scores the first, (N,) bool."""
    chosen = np.zeros(len(picks), np.bool_)
    chosen[np.argsort(-picks.score, kind="stable")[:count]] = True
    return chosen


def is_apart(picks: Picks, distance: float) -> Mask:
    """Return which picks have no better one that is kept nearer than `distance` pixels, (N,)."""
    chosen = np.zeros(len(picks), np.bool_)
    chosen[suppress_by_distance(picks.x, picks.y, picks.score, distance)] = True
    return chosen


def is_sized(picks: Picks, smallest: float | None, largest: float | None) -> Mask:
    """Return which sizes lie in a range, both ends included, original pixels; (N,) bool.

    The size is the measured one, else the diameter; an unknown one lies in no range.
    """
    low = -np.inf if smallest is None else smallest
    high = np.inf if largest is None else largest
    size = np.where(np.isnan(picks.size), picks.diameter, picks.size)
    return np.asarray((size >= low) & (size <= high))


def is_contrasted(picks: Picks, low: float, high: float) -> Mask:
    """Return which contrasts lie in a range, both ends included; (N,) bool.

    An unknown contrast lies in no range.
    """
    return (picks.contrast >= low) & (picks.contrast <= high)


def is_inside(picks: Picks, region: tuple[float, float, float, float]) -> Mask:
    """Return which centres lie in a rectangle ``left, top, right, bottom``, (N,) bool."""
    left, top, right, bottom = region
    return (picks.x >= left) & (picks.x <= right) & (picks.y >= top) & (picks.y <= bottom)


def is_unmasked(picks: Picks, mask: Image, shape: tuple[int, int]) -> Mask:
    """Return which centres a mask leaves free, (N,) bool.

    Parameters
    ----------
    picks : Picks
        Original pixels.
    mask : (h, w) float32
        Of any size, for the whole micrograph; above half of its largest value nothing is kept.
    shape : (H, W)
        Of the micrograph, original pixels.
    """
    row, column = (
        np.clip(np.floor((at + 0.5) * side / whole), 0, side - 1).astype(np.intp)
        for at, side, whole in zip((picks.y, picks.x), mask.shape, shape, strict=True)
    )
    return np.asarray(mask[row, column] <= mask.max() / 2.0)


def nearest_within(places: Floats, others: Floats, distance: float) -> np.ndarray:
    """Return the index of the nearest of `others` to each place; -1 where none is that near.

    Parameters
    ----------
    places : (N, 2) float64
    others : (M, 2) float64
    distance : float
        In the unit of the positions.

    Returns
    -------
    (N,) int64
    """
    if not len(places) or not len(others):
        return np.full(len(places), -1, np.int64)
    from scipy.spatial import KDTree  # on demand: most rules need no neighbours

    away, nearest = KDTree(others).query(places)
    return np.where(away <= distance, nearest, -1)


def false_picks(correction: Correction, diameter: float) -> Picks:
    """Return the removed picks without a particle within half a diameter, original pixels.

    A pick that was moved is removed in one place and added in another.
    """
    near = nearest_within(
        correction.removed.positions, correction.particles.positions, diameter / 2.0
    )
    return correction.removed[near < 0]
