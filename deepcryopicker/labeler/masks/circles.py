"""Circular Hough transform with phase coding: circles in a particle mask (METHOD.md 4).

Every edge pixel votes along its gradient for a centre at each radius. A vote is a complex number
whose phase codes its radius, so that one accumulator serves all radii: where votes of one radius
meet they add up, elsewhere they cancel.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from skimage.filters import threshold_otsu

from deepcryopicker.labeler.masks.particle_mask import prominent_maxima
from deepcryopicker.types import Floats, Image, Mask

Complex = npt.NDArray[np.complex128]

_RADIUS_STEP = 0.5
_RADII_AT_ONCE = 4  # few enough for the processor's cache, many enough to amortise the call


@dataclass(frozen=True)
class Circles:
    """Circles found, strongest first; pixels of the mask, (x, y) = (column, row).

    Attributes
    ----------
    x, y, radius : (N,) float64
    strength : (N,) float64
        Height of the peak of votes, each worth one over its circumference, less
        `1 - sensitivity`.
    """

    x: Floats
    y: Floats
    radius: Floats
    strength: Floats

    def __len__(self) -> int:
        return len(self.x)


def find_circles(mask: Mask, smallest: float, largest: float, sensitivity: float = 0.85) -> Circles:
    """Find bright discs with radii between `smallest` and `largest` pixels.

    Parameters
    ----------
    mask : (H, W) bool
    smallest, largest : float
        Radii in pixels, 0 < smallest < largest.
    sensitivity : float
        0-1. A peak counts if it rises by more than ``1 - sensitivity`` above the pass to any
        higher peak, and if it is at least twice as strong as that.
    """
    accumulator = _vote(mask, smallest, largest)
    depth = 1.0 - sensitivity
    # Votes from outside do not exist: the median filter sees zeros there.
    strength = cv2.medianBlur(np.pad(np.abs(accumulator).astype(np.float32), 2), 5)[2:-2, 2:-2]
    y, x, height = _peaks(strength, prominent_maxima(strength, depth))
    # The phase runs from -pi at the smallest radius to pi at the largest, linearly in log(r).
    phase = np.angle(accumulator[np.rint(y).astype(int), np.rint(x).astype(int)])
    radius = smallest * (largest / smallest) ** ((phase + np.pi) / (2.0 * np.pi))
    order = np.argsort(-height, kind="stable")
    return Circles(x[order], y[order], radius[order], height[order] - depth)


def _peaks(strength: Image, prominent: Mask) -> tuple[Floats, Floats, Floats]:
    """Weighted centroid (y, x) and height of every region of `prominent`; each (N,)."""
    count, regions = cv2.connectedComponents(prominent.astype(np.uint8), connectivity=8)
    row, column = np.nonzero(prominent)
    index, weight = regions[row, column] - 1, strength[row, column].astype(np.float64)
    height = np.zeros(count - 1)
    np.maximum.at(height, index, weight)
    total = np.bincount(index, weight, count - 1)
    y, x = (np.bincount(index, weight * where, count - 1) / total for where in (row, column))
    return y, x, height


def _vote(mask: Mask, smallest: float, largest: float) -> Complex:
    """Complex accumulator (H, W): votes of the edge pixels, phase = logarithm of the radius."""
    row, column, dy, dx = _edges(mask)
    radii = np.arange(smallest, largest + 1e-9, _RADIUS_STEP)
    phase = 2.0 * np.pi * np.log(radii / smallest) / np.log(largest / smallest) - np.pi
    weight = np.exp(1j * phase) / (2.0 * np.pi * radii)
    # A margin as wide as the largest radius takes the votes that fall outside the image.
    margin = int(np.ceil(largest)) + 1
    height, width = (side + 2 * margin for side in mask.shape)
    row, column = row + np.float32(margin), column + np.float32(margin)
    real, imaginary = np.zeros((2, height * width))
    for start in range(0, len(radii), _RADII_AT_ONCE):
        some = slice(start, start + _RADII_AT_ONCE)
        radius = radii[some, np.newaxis].astype(np.float32)
        place = np.rint(row + radius * dy).astype(np.int64) * width
        place += np.rint(column + radius * dx).astype(np.int64)
        votes = np.repeat(weight[some], len(row))
        real += np.bincount(place.ravel(), votes.real, height * width)
        imaginary += np.bincount(place.ravel(), votes.imag, height * width)
    whole = (real + 1j * imaginary).reshape(height, width)
    return whole[margin:-margin, margin:-margin]


def _edges(mask: Mask) -> tuple[Image, Image, Image, Image]:
    """Row and column of the edge pixels, and their unit gradient (dy, dx); each (N,)."""
    border = cv2.BORDER_REPLICATE
    smooth = cv2.GaussianBlur(mask.astype(np.float32), (5, 5), 1.5, borderType=border)
    dx = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, borderType=border)
    dy = cv2.Sobel(smooth, cv2.CV_32F, 0, 1, borderType=border)
    slope = cv2.magnitude(dx, dy)
    # Without any slope the threshold is 0 as well, and nothing exceeds it.
    row, column = np.nonzero(slope > threshold_otsu(slope))
    steep = slope[row, column]
    return (
        row.astype(np.float32),
        column.astype(np.float32),
        dy[row, column] / steep,
        dx[row, column] / steep,
    )
