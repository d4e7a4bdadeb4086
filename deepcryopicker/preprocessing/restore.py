"""Smoothing and restoration: Wiener, guided filter, Gaussian, flattening, grey opening.

All take and return float32 images of shape (H, W); sizes are pixels of the image given.
"""

import cv2
import numpy as np

from deepcryopicker.types import Image

# MATLAB's strel('disk', r) for the radii that the authors use (METHOD.md 1.2): it is a Euclidean
# disk only for r < 3.
_DISKS = {
    1: np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8),
    3: np.ones((5, 5), np.uint8),
}


def wiener(image: Image, size: int = 5) -> Image:
    """Smooth where the local variance is no more than the noise (adaptive Wiener filter).

    Local mean and variance come from a `size` x `size` window with zeros outside the image; the
    noise power is the mean local variance. Equal to ``scipy.signal.wiener``.
    """
    window = (size, size)
    exact = image.astype(np.float64)
    mean = cv2.boxFilter(exact, -1, window, borderType=cv2.BORDER_CONSTANT)
    power = cv2.boxFilter(exact * exact, -1, window, borderType=cv2.BORDER_CONSTANT)
    variance = power - mean * mean
    noise = float(variance.mean())
    gain = np.maximum(variance - noise, 0.0) / np.maximum(np.maximum(variance, noise), 1e-30)
    return (mean + gain * (exact - mean)).astype(np.float32)


def guided(image: Image, size: int = 5, eps: float = 0.01, passes: int = 4) -> Image:
    """Smooth with an edge-preserving guided filter whose guide is the image itself.

    Parameters
    ----------
    image : (H, W) float32 in [0, 1]
    size : int
        Side of the box window, pixels.
    eps : float
        Degree of smoothing: variance below which a window counts as flat.
    passes : int
        How often the filter is applied.
    """
    result = image.astype(np.float64)
    for _ in range(passes):
        mean = _box(result, size)
        variance = _box(result * result, size) - mean * mean
        slope = variance / (variance + eps)
        result = _box(slope, size) * result + _box((1.0 - slope) * mean, size)
    return result.astype(np.float32)


def gaussian(image: Image, sigma: float) -> Image:
    """Blur with a Gaussian of `sigma` pixels, mirrored at the border. Zero leaves it alone."""
    if sigma <= 0.0:
        return image
    return cv2.GaussianBlur(image, (0, 0), sigma, borderType=cv2.BORDER_REFLECT_101)


def flatten(image: Image, sigma: float) -> Image:
    """Subtract the background: the image blurred by `sigma` pixels (ice gradient, carbon)."""
    return image - gaussian(image, sigma)


def opening(image: Image, radius: int = 1, passes: int = 1) -> Image:
    """Remove bright specks smaller than a disk: grey erosion, then dilation.

    Parameters
    ----------
    image : (H, W) float32
    radius : {1, 3}
        1 is the 3x3 cross, 3 the 5x5 square that MATLAB uses for "disk 3".
    passes : int
        Kept for the authors' chain; an opening is idempotent, so further passes change nothing.
    """
    element = _DISKS[radius]
    for _ in range(passes):
        image = cv2.dilate(cv2.erode(image, element), element)
    return image


def _box(image: np.ndarray, size: int) -> np.ndarray:
    return cv2.boxFilter(image, -1, (size, size), borderType=cv2.BORDER_REPLICATE)
