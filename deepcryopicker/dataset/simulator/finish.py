"""Processing of micrographs before publication: denoising, rescaling and compression."""

import cv2
import numpy as np
from scipy import ndimage

from deepcryopicker.types import Image

BORDER_SHARE = 0.15
"""Fraction of micrographs padded at their edges."""


def store(image: Image, diameter: float, rng: np.random.Generator) -> tuple[Image, int]:
    """Apply a random choice of denoising, padding, grey-value mapping and rounding to 8 bits.

    Parameters
    ----------
    image : (H, W) float32
    diameter : float
        Of the particles, pixels.
    rng : numpy.random.Generator

    Returns
    -------
    (H, W) float32
        In [0, 255].
    int
        Width of the padded border, pixels.
    """
    image = _grey_values(denoised(image, diameter, rng), rng)
    border = 0
    if rng.uniform() < BORDER_SHARE:
        border = int(diameter * rng.uniform(0.2, 1.0))
        image = np.pad(image[border:-border, border:-border], border, mode="edge")
    return _rounded(image, rng), border


def denoised(image: Image, diameter: float, rng: np.random.Generator) -> Image:
    """Low-pass filter with a Gaussian or a soft cutoff, or leave unchanged, half the time."""
    way = rng.choice(["none", "gaussian", "cut"], p=[0.5, 0.25, 0.25])
    if way == "gaussian":
        return ndimage.gaussian_filter(image, diameter * rng.uniform(0.02, 0.07))
    if way == "cut":
        return low_passed(image, diameter, rng.uniform(4, 12))
    return image


def low_passed(image: Image, diameter: float, highest: float) -> Image:
    """Remove frequencies above `highest`, cycles per diameter, with a soft cutoff."""
    rows = np.fft.fftfreq(image.shape[0])[:, None]
    columns = np.fft.rfftfreq(image.shape[1])
    frequency = np.hypot(rows, columns) * diameter
    keep = 1 / (1 + (frequency / highest) ** 12)
    return np.fft.irfft2(np.fft.rfft2(image) * keep, s=image.shape).astype(np.float32)


def _grey_values(image: Image, rng: np.random.Generator) -> Image:
    """Map to [0, 255] between percentiles or extremes, with a random exponent."""
    clipped = float(rng.choice([0.0, 0.01, 0.5, 2.0]))
    low, high = np.percentile(image, [clipped, 100 - clipped])
    relative = np.clip((image - low) / max(high - low, 1e-12), 0, 1)
    return (255 * relative ** np.exp(rng.uniform(-0.5, 0.5))).astype(np.float32)


def _rounded(image: Image, rng: np.random.Generator) -> Image:
    """Keep the grey values unchanged or round them, with or without JPEG compression."""
    if rng.uniform() < 0.5:
        return image
    if rng.uniform() >= 0.5:
        return np.round(image)
    return compressed(image, int(rng.integers(70, 98)))


def compressed(image: Image, quality: int) -> Image:
    """Compress grey values in [0, 255] with JPEG at a quality of 0 to 100, and decompress."""
    options = [cv2.IMWRITE_JPEG_QUALITY, quality]
    _, packed = cv2.imencode(".jpg", np.round(image).astype(np.uint8), options)
    unpacked = cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE)
    return np.asarray(unpacked, np.float32)
