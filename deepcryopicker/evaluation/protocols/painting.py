"""Particles painted as discs, for the rules that compare pixels instead of positions."""

from collections.abc import Iterator

import cv2
import numpy as np

from deepcryopicker.errors import UsageError
from deepcryopicker.io.files.checks import MAX_PIXELS
from deepcryopicker.types import Floats, Mask

Area = tuple[slice, slice]
"""Rows and columns of a canvas."""


def paint(shape: tuple[int, int], x: Floats, y: Floats, radius: Floats | float) -> Mask:
    """Paint discs: every pixel whose centre lies within the radius of any position.

    Parameters
    ----------
    shape : tuple of int
        Height and width; what lies outside is cut off.
    x, y : (N,) float64
        Centres, pixels.
    radius : float or (N,) float64
        Pixels, inclusive.

    Returns
    -------
    (H, W) bool
    """
    mask = np.zeros(shape, np.bool_)
    for area, inside in discs(shape, x, y, radius):
        part = mask[area]
        part |= inside
    return mask


def discs(
    shape: tuple[int, int], x: Floats, y: Floats, radius: Floats | float
) -> Iterator[tuple[Area, Mask]]:
    """Yield, for each position, the area around its disc, and which pixels of it are in the disc.

    The area is cut at the edges, and empty where the disc is off the canvas. Parameters as of
    :func:`paint`.
    """
    height, width = shape
    for column, row, reach in zip(x, y, np.broadcast_to(radius, x.shape), strict=True):
        top, left = max(int(row - reach), 0), max(int(column - reach), 0)
        bottom = max(min(int(row + reach) + 1, height), top)
        right = max(min(int(column + reach) + 1, width), left)
        rows, columns = np.arange(top, bottom) - row, np.arange(left, right) - column
        inside = columns**2 <= reach**2 - rows[:, None] ** 2
        yield (slice(top, bottom), slice(left, right)), inside


def canvas_shape(name: str, x: Floats, y: Floats, radius: Floats) -> tuple[int, int]:
    """Return the height and width that hold all discs, from the first pixel of the micrograph on.

    Parameters
    ----------
    name : str
        Of the micrograph, for the message.
    x, y, radius : (N,) float64
        Pixels.

    Raises
    ------
    UsageError
        A canvas that no micrograph needs: a coordinate must be wrong.
    """
    right = max(float(np.max(x + radius, initial=0.0)), 0.0)
    bottom = max(float(np.max(y + radius, initial=0.0)), 0.0)
    if (right + 1.0) * (bottom + 1.0) > MAX_PIXELS:
        raise UsageError(
            f"{name}: positions reach to x = {right:.7g}, y = {bottom:.7g}, where no micrograph "
            f"does (at most {MAX_PIXELS} pixels)\ncorrect or remove those that are too far"
        )
    return int(bottom) + 1, int(right) + 1


def count_blobs(mask: Mask) -> int:
    """Count the 8-connected components of a mask.

    Examples
    --------
    >>> count_blobs(np.array([[1, 0, 0, 1], [0, 1, 0, 1]], np.bool_))
    2
    """
    labels, _ = cv2.connectedComponents(mask.view(np.uint8), connectivity=8)
    return labels - 1


def painted_at(mask: Mask, x: Floats, y: Floats) -> Mask:
    """Tell which positions, rounded to the nearest pixel, lie on a painted pixel.

    Halves round up, as they do in the authors' MATLAB. Off the canvas nothing is painted.
    """
    column, row = np.floor(x + 0.5), np.floor(y + 0.5)
    height, width = mask.shape
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    painted = np.zeros(len(x), np.bool_)
    painted[inside] = mask[row[inside].astype(np.int64), column[inside].astype(np.int64)]
    return painted
