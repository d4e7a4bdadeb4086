"""Circular Hough transform with phase coding: circles in a particle mask (METHOD.md 4)."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from scipy import ndimage
from skimage.filters import threshold_otsu
from skimage.morphology import reconstruction

_RADIUS_STEP = 0.5


@dataclass(frozen=True)
class Circles:
    """Circles found, strongest first; pixels of the mask, (x, y) = (column, row)."""

    x: npt.NDArray[np.float64]
    y: npt.NDArray[np.float64]
    radius: npt.NDArray[np.float64]
    strength: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.x)


def find_circles(
    mask: npt.NDArray[np.bool_], smallest: float, largest: float, sensitivity: float = 0.85
) -> Circles:
    """Find bright discs with radii between `smallest` and `largest` pixels.

    Every edge pixel votes along its gradient for centres at all radii; a vote's complex phase
    codes its radius, so that one accumulator serves all of them.

    Parameters
    ----------
    mask : (H, W) bool
    smallest, largest : float
        Radii in pixels, 0 < smallest < largest.
    sensitivity : float
        0-1; peaks weaker than ``1 - sensitivity`` are dropped.
    """
    accumulator = _vote(mask, smallest, largest)
    strength = ndimage.median_filter(np.abs(accumulator), 5)
    threshold = 1.0 - sensitivity
    if strength.max() < threshold:
        empty = np.zeros(0)
        return Circles(empty, empty, empty, empty)
    peaks = reconstruction(strength - threshold, strength)
    regions, count = ndimage.label(_regional_maxima(peaks), np.ones((3, 3)))
    index = np.arange(1, count + 1)
    centres = np.array(ndimage.center_of_mass(strength, regions, index)).reshape(-1, 2)
    row, column = np.round(centres).astype(int).T
    height = peaks[row, column]
    phase = np.angle(accumulator[row, column])
    radius = smallest * (largest / smallest) ** ((phase + np.pi) / (2.0 * np.pi))
    order = np.argsort(-height, kind="stable")
    order = order[height[order] >= threshold]
    return Circles(centres[order, 1], centres[order, 0], radius[order], height[order])


def _vote(
    mask: npt.NDArray[np.bool_], smallest: float, largest: float
) -> npt.NDArray[np.complex128]:
    """Complex accumulator (H, W): votes of the edge pixels, phase = logarithm of the radius."""
    smooth = cv2.GaussianBlur(mask.astype(np.float32), (5, 5), 1.5, borderType=cv2.BORDER_REPLICATE)
    dx = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, borderType=cv2.BORDER_REPLICATE)
    dy = cv2.Sobel(smooth, cv2.CV_32F, 0, 1, borderType=cv2.BORDER_REPLICATE)
    slope = np.hypot(dx, dy)
    if slope.max() == 0.0:
        return np.zeros(mask.shape, np.complex128)
    row, column = np.nonzero(slope > threshold_otsu(slope))
    cosine, sine = dx[row, column] / slope[row, column], dy[row, column] / slope[row, column]
    height, width = mask.shape
    accumulator = np.zeros(mask.size, np.complex128)
    for radius in np.arange(smallest, largest + 1e-9, _RADIUS_STEP):
        x = np.round(column + radius * cosine).astype(int)
        y = np.round(row + radius * sine).astype(int)
        inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
        votes = np.bincount(y[inside] * width + x[inside], minlength=mask.size)
        phase = 2.0 * np.pi * np.log(radius / smallest) / np.log(largest / smallest) - np.pi
        accumulator += votes * (np.exp(1j * phase) / (2.0 * np.pi * radius))
    return accumulator.reshape(mask.shape)


def _regional_maxima(image: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Plateaus whose 8-neighbours are all lower, the flat background excepted."""
    seed = image - 1e-7
    return (image - reconstruction(seed, image) > 0.5e-7) & (image > image.min())
