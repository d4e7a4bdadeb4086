"""Positions inside and outside a micrograph; many outside are of another scale or frame."""

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from deepcryopicker.errors import UsageError
from deepcryopicker.frames import Reading
from deepcryopicker.types import Mask, Picks

logger = logging.getLogger(__name__)

MOST_OUTSIDE = 0.2
"""Fraction of the positions in a file that may lie outside the micrograph."""

_SMALLER = (1 / 2, 1 / 3, 1 / 4, 1 / 8)  # scales that are tried for positions outside
_OTHER_FRAME = "are they for another pixel size, or flipped?"


def within(
    path: Path, picks: Picks, shape: tuple[int, int], hint: Callable[[], str] | None = None
) -> Picks:
    """Return the picks whose centres lie inside the image; warn about the others.

    Parameters
    ----------
    path : Path
        File of the picks, named in messages.
    picks : Picks
        In the frame of the image.
    shape : (int, int)
        H and W of the image, pixels.
    hint : callable, optional
        Words what may be wrong if many lie outside.

    Raises
    ------
    UsageError
        More than a fifth lie outside: they belong to another scale or another image.
    """
    height, width = shape
    beyond = outside(picks, shape)
    count = int(np.count_nonzero(beyond))
    if count > MOST_OUTSIDE * len(picks):
        asked = _OTHER_FRAME if hint is None else hint()
        raise UsageError(
            f"{path}: {count} of {len(picks)} positions lie outside the image of "
            f"{width}x{height} pixels\n{asked}"
        )
    if count:
        logger.warning("%s: %d positions outside the image are ignored", path, count)
    return picks[~beyond]


def outside(picks: Picks, shape: tuple[int, int]) -> Mask:
    """Return which centres lie outside an image of `shape` (H, W) pixels, (N,) bool."""
    height, width = shape
    return ~(
        (abs(picks.x - (width - 1) / 2) <= width / 2)
        & (abs(picks.y - (height - 1) / 2) <= height / 2)
    )


def reading_inside(picks: Picks, reading: Reading, shape: tuple[int, int]) -> str:
    """Name a reading of the picks of a file that has all of them inside the image."""
    swapped = replace(reading, swapped=not reading.swapped)
    if not outside(swapped.apply(picks, shape), shape).any():
        return (
            "all lie inside with x and y swapped: "
            f"dataset.coordinates_swapped={str(swapped.swapped).lower()}"
        )
    for factor in _SMALLER:
        smaller = replace(reading, scale=reading.scale * factor)
        if not outside(smaller.apply(picks, shape), shape).any():
            return (
                f"all lie inside if multiplied by {factor:.3g}: "
                f"dataset.coordinates_scale={smaller.scale:.3g}"
            )
    return _OTHER_FRAME
