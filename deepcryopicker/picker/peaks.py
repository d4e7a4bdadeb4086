"""From a score map to candidate positions: cleaning, local maxima, sub-pixel centres."""

import cv2
import numpy as np
import numpy.typing as npt
from scipy import ndimage

from deepcryopicker.types import Floats, Image


def local_maxima(
    score: Image, distance: float, floor: float
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return row and column of every map position that tops its neighbourhood.

    Parameters
    ----------
    score : (h, w) float32
    distance : float
        Radius of the neighbourhood, map pixels.
    floor : float
        Lower scores are no maxima.
    """
    size = 2 * max(1, round(distance)) + 1
    element = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    row, column = np.nonzero((score == cv2.dilate(score, element)) & (score >= floor))
    return row, column


def refine(
    score: Image, row: npt.NDArray[np.int64], column: npt.NDArray[np.int64]
) -> tuple[Floats, Floats]:
    """Move maxima to the tops of parabolas through their neighbours along each axis.

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


def oversized(
    score: Image,
    row: npt.NDArray[np.int64],
    column: npt.NDArray[np.int64],
    threshold: float,
    largest: float,
) -> npt.NDArray[np.bool_]:
    """Find maxima that lie in areas too large to be particles (the paper's cleaning step).

    Map pixels at or above the threshold are joined into 8-connected areas. The paper drops an
    area above a cutoff; here the cutoff is per maximum, because crowded particles join as well.

    Parameters
    ----------
    score : (h, w) float32
    row, column : (N,) int
        The maxima.
    threshold : float
    largest : float
        Map pixels per maximum.

    Returns
    -------
    (N,) bool
    """
    areas, count = ndimage.label(score >= threshold, np.ones((3, 3)))
    size = np.bincount(areas.ravel(), minlength=count + 1)
    inside = areas[row, column]
    peaks = np.bincount(inside, minlength=count + 1)
    return (inside > 0) & (size[inside] > largest * np.maximum(peaks[inside], 1))


def _vertex(before: Floats, middle: Floats, after: Floats) -> Floats:
    """Offset of the top of the parabola through three equidistant values."""
    curvature = before - 2.0 * middle + after
    with np.errstate(divide="ignore", invalid="ignore"):
        offset = 0.5 * (before - after) / curvature
    return np.where(curvature < 0.0, np.clip(offset, -0.5, 0.5), 0.0)
