"""Statistics of a micrograph that do not depend on its content: spectrum, grey values, signal."""

import itertools
from dataclasses import dataclass

import cv2
import numpy as np
from scipy import fft, ndimage, stats

from deepcryopicker.types import Floats, Image, Picks

ACROSS = 24
"""Pixels of a particle's diameter at which statistics are taken, as networks see it."""
BANDS = (0.25, 0.5, 1, 2, 4, 8)
"""Limits of the bands of the power spectrum, cycles per diameter; the last ends at 12."""
_HIGHEST = 3.0  # of the logarithms: what a low-pass filter leaves beyond its limit is arbitrary


@dataclass(frozen=True)
class Statistics:
    """Of one micrograph.

    Attributes
    ----------
    spectrum : (5,) float64
        Decimal logarithm of the mean power in each band over that in the last.
    skewness, kurtosis : float
        Of the grey values; kurtosis is that beyond a Gaussian's.
    clipped : float
        Fraction of the pixels of the file with its smallest or largest grey value.
    signal_to_noise : float or None
        Extra variance within particles over the variance beside them; None without particles.
    """

    spectrum: Floats
    skewness: float
    kurtosis: float
    clipped: float
    signal_to_noise: float | None

    def distances(self, other: "Statistics") -> dict[str, float]:
        """Return each difference in units of what differs between micrographs of a session.

        Those are a factor of two in power and in signal-to-noise ratio, 0.5 in skewness and in the
        logarithm of ``3 + kurtosis``, and 0.5 % of clipped pixels.
        """
        found = {
            "spectrum": float(np.abs(self.spectrum - other.spectrum).mean()) / np.log10(2),
            "skewness": abs(self.skewness - other.skewness) / 0.5,
            "kurtosis": abs(np.log((3 + self.kurtosis) / (3 + other.kurtosis))) / 0.5,
            "clipped": abs(self.clipped - other.clipped) / 0.005,
        }
        if self.signal_to_noise is not None and other.signal_to_noise is not None:
            ratio = max(self.signal_to_noise, 0.02) / max(other.signal_to_noise, 0.02)
            found["signal_to_noise"] = abs(float(np.log2(ratio)))
        return found


def at_scale(image: Image, diameter: float) -> Image:
    """Return an image in which a diameter is `ACROSS` pixels."""
    scale = ACROSS / diameter
    size = (round(image.shape[1] * scale), round(image.shape[0] * scale))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return cv2.resize(np.asarray(image, np.float32), size, interpolation=how)


def describe(image: Image, diameter: float, places: Picks | None = None) -> Statistics:
    """Measure a micrograph.

    Parameters
    ----------
    image : (H, W) float32
    diameter : float
        Of its particles, pixels.
    places : Picks, optional
        True particles, pixels.
    """
    clipped = float(np.mean((image == image.min()) | (image == image.max())))
    scaled = at_scale(image, diameter)
    scaled = (scaled - scaled.mean()) / scaled.std()
    ratio = None
    if places is not None and len(places) > 4:
        marks = np.ones(scaled.shape, bool)
        scale = ACROSS / diameter
        rows = np.clip(np.rint(places.y * scale), 0, scaled.shape[0] - 1).astype(int)
        columns = np.clip(np.rint(places.x * scale), 0, scaled.shape[1] - 1).astype(int)
        marks[rows, columns] = False
        away = ndimage.distance_transform_edt(marks)
        flat = scaled - ndimage.gaussian_filter(scaled, 1.5 * ACROSS)
        beside = flat[(away > 0.75 * ACROSS)].var()
        ratio = float(flat[away < ACROSS / 2].var() / beside - 1)
    grey = np.clip(scaled, -12, 12).ravel()
    return Statistics(
        _bands(scaled), float(stats.skew(grey)), float(stats.kurtosis(grey)), clipped, ratio
    )


def _bands(image: Image) -> Floats:
    height, width = image.shape
    window = np.hanning(height)[:, None] * np.hanning(width)
    power = np.abs(fft.fft2((image - image.mean()) * window)) ** 2
    frequency = ACROSS * np.hypot(fft.fftfreq(height)[:, None], fft.fftfreq(width))
    limits = (*BANDS, 12)
    means = [
        power[(frequency >= low) & (frequency < high)].mean()
        for low, high in itertools.pairwise(limits)
    ]
    logarithm: Floats = np.log10(np.maximum(means, 1e-9))
    return np.minimum(logarithm[:-1] - np.log10(np.maximum(np.mean(means[-2:]), 1e-9)), _HIGHEST)
