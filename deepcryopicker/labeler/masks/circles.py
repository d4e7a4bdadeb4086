"""Circular Hough transform with phase coding: circles in a particle mask (METHOD.md 4).

Every edge pixel votes along its gradient for a centre at each radius. A vote is a complex number
whose phase encodes the radius, so that one accumulator serves all radii: votes of the same radius
add up at a centre and cancel elsewhere. This is MATLAB's phase coding, which the authors used;
neither OpenCV nor scikit-image has it.
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
_RADII_AT_ONCE = 4  # fits the processor cache at little overhead


@dataclass(frozen=True)
class Circles:
    """Detected circles, strongest first; pixels of the mask, (x, y) = (column, row).

    Attributes
    ----------
    x, y, radius : (N,) float64
    strength : (N,) float64
        Peak height minus `1 - sensitivity`; a vote has the weight of one over its circumference.
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
        0-1. A peak is accepted if its prominence exceeds ``1 - sensitivity`` and its height is at
        least twice that value.
    """
    accumulator = _vote(mask, smallest, largest)
    depth = 1.0 - sensitivity
    # There are no votes outside the image: the median filter is padded with zeros.
    strength = cv2.medianBlur(np.pad(np.abs(accumulator).astype(np.float32), 2), 5)[2:-2, 2:-2]
    y, x, height = _peaks(strength, prominent_maxima(strength, depth))
    # The phase runs from -pi at the smallest radius to pi at the largest, linearly in log(r).
    phase = np.angle(accumulator[np.rint(y).astype(int), np.rint(x).astype(int)])
    radius = smallest * (largest / smallest) ** ((phase + np.pi) / (2.0 * np.pi))
    order = np.argsort(-height, kind="stable")
    return Circles(x[order], y[order], radius[order], height[order] - depth)


def _peaks(strength: Image, prominent: Mask) -> tuple[Floats, Floats, Floats]:
    """Return weighted centroid (y, x) and height of every region of `prominent`; each (N,)."""
    count, regions = cv2.connectedComponents(prominent.astype(np.uint8), connectivity=8)
    row, column = np.nonzero(prominent)
    index, weight = regions[row, column] - 1, strength[row, column].astype(np.float64)
    height = np.zeros(count - 1)
    np.maximum.at(height, index, weight)
    total = np.bincount(index, weight, count - 1)
    y, x = (np.bincount(index, weight * where, count - 1) / total for where in (row, column))
    return y, x, height


def _vote(mask: Mask, smallest: float, largest: float) -> Complex:
    """Return the complex accumulator (H, W) of the votes; its phase is the logarithmic radius."""
    row, column, dy, dx = _edges(mask)
    radii = np.arange(smallest, largest + 1e-9, _RADIUS_STEP)
    phase = 2.0 * np.pi * np.log(radii / smallest) / np.log(largest / smallest) - np.pi
    weight = np.exp(1j * phase) / (2.0 * np.pi * radii)
    # A margin of the largest radius collects the votes outside the image.
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
    """Return row and column of the edge pixels, and their unit gradient (dy, dx); each (N,)."""
    border = cv2.BORDER_REPLICATE
    smooth = cv2.GaussianBlur(mask.astype(np.float32), (5, 5), 1.5, borderType=border)
    dx = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, borderType=border)
    dy = cv2.Sobel(smooth, cv2.CV_32F, 0, 1, borderType=border)
    slope = cv2.magnitude(dx, dy)
    # Without any gradient the threshold is 0 and no pixel exceeds it.
    row, column = np.nonzero(slope > threshold_otsu(slope))
    steep = slope[row, column]
    return (
        row.astype(np.float32),
        column.astype(np.float32),
        dy[row, column] / steep,
        dx[row, column] / steep,
    )
