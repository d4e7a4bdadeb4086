"""Local maxima of a map, with sub-pixel positions."""

import cv2
import numpy as np
import numpy.typing as npt

from deepcryopicker.detection.suppression import suppress_by_distance
from deepcryopicker.types import Floats, Image, Mask


def find_peaks(response: Image, distance: float, floor: float) -> tuple[Floats, Floats, Floats]:
    """Find local maxima with a minimum distance from each other, strongest first.

    Parameters
    ----------
    response : (h, w) float32
    distance : float
        Minimum distance between two maxima, map pixels.
    floor : float
        Minimum response of a maximum.

    Returns
    -------
    (N,) x, (N,) y, (N,) response
    """
    row, column = local_maxima(response, 0.5 * distance, floor)
    x, y = refine(response, row, column)
    strength = response[row, column].astype(np.float64)
    kept = suppress_by_distance(x, y, strength, distance)
    return x[kept], y[kept], strength[kept]


def local_maxima(
    score: Image, distance: float, floor: float
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return row and column of every position that is the maximum of its neighbourhood.

    For a plateau, the position nearest to its centre is returned. The outermost rows and columns
    have no maxima, because the score may still rise beyond them.

    Parameters
    ----------
    score : (h, w) float32
    distance : float
        Radius of the neighbourhood, map pixels.
    floor : float
        Minimum score of a maximum.
    """
    size = 2 * max(1, round(distance)) + 1
    element = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    # All eight neighbours are included, so that only maxima of equal height can touch.
    element[size // 2 - 1 : size // 2 + 2, size // 2 - 1 : size // 2 + 2] = 1
    maxima = (score == cv2.dilate(score, element)) & (score >= floor)
    maxima[[0, -1]] = maxima[:, [0, -1]] = False
    return _one_of_each_plateau(maxima)


def _one_of_each_plateau(
    maxima: Mask,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the pixel nearest to the centre of each 8-connected group of maxima."""
    row, column = np.nonzero(maxima)
    count, labels, _, centroids = cv2.connectedComponentsWithStats(
        maxima.astype(np.uint8), connectivity=8
    )
    if count - 1 == len(row):
        return row, column
    group = labels[row, column]
    from_middle = np.hypot(column - centroids[group, 0], row - centroids[group, 1])
    order = np.lexsort((from_middle, group))
    first = order[np.unique(group[order], return_index=True)[1]]
    return row[first], column[first]


def refine(
    score: Image, row: npt.NDArray[np.int64], column: npt.NDArray[np.int64]
) -> tuple[Floats, Floats]:
    """Move maxima to the vertices of parabolas through their neighbours along each axis.

    Parameters
    ----------
    score : (h, w) float32
    row, column : (N,) int64
        Positions of maxima.

    Returns
    -------
    (N,) x and (N,) y
        Map pixels, within half a pixel of the maximum.
    """
    padded = np.pad(score.astype(np.float64), 1, mode="edge")
    row, column = row + 1, column + 1
    x = column + _vertex(padded[row, column - 1], padded[row, column], padded[row, column + 1])
    y = row + _vertex(padded[row - 1, column], padded[row, column], padded[row + 1, column])
    return x - 1.0, y - 1.0


def _vertex(before: Floats, middle: Floats, after: Floats) -> Floats:
    """Return the offset of the vertex of the parabola through three equidistant values."""
    curvature = before - 2.0 * middle + after
    with np.errstate(divide="ignore", invalid="ignore"):
        offset = 0.5 * (before - after) / curvature
    return np.where(curvature < 0.0, np.clip(offset, -0.5, 0.5), 0.0)
