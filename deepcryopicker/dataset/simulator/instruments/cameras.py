"""What cameras and film leave in a micrograph: gain errors, dead columns, grain, scratches."""

import cv2
import numpy as np
from scipy import ndimage

from deepcryopicker.dataset.simulator.surroundings.canvas import log_uniform, smooth_noise
from deepcryopicker.types import Image


def _noise(image: Image) -> float:
    """Return the standard deviation of the noise: from differences of neighbours, robustly."""
    return float(np.median(np.abs(np.diff(image, axis=1)))) * 1.05 + 1e-6


def gain_errors(image: Image, rng: np.random.Generator) -> Image:
    """Multiply by a wrong gain reference: stripes of columns or rows, and blocks of the sensor."""
    height, width = image.shape
    contrast = _noise(image)
    gain = np.zeros_like(image)
    if rng.uniform() < 0.7:
        period = int(rng.integers(1, max(2, width // 16)))
        stripes = np.repeat(rng.normal(size=width // period + 1), period)[:width]
        gain += stripes if rng.uniform() < 0.7 else np.resize(stripes, height)[:, None]
    if rng.uniform() < 0.7:
        rows, columns = rng.integers(1, 5), rng.integers(2, 9)
        blocks = rng.normal(size=(rows, columns)).astype(np.float32)
        gain += cv2.resize(blocks, (width, height), interpolation=cv2.INTER_NEAREST)
    return (image + gain * contrast * log_uniform(rng, 0.02, 0.3)).astype(np.float32)


def bad_pixels(image: Image, rng: np.random.Generator) -> Image:
    """Set a few columns, rows and pixels to the values of a detector that fails there."""
    height, width = image.shape
    broken = image.copy()
    level, contrast = float(image.mean()), _noise(image)
    for _ in range(rng.poisson(0.7)):
        broken[:, rng.integers(width)] = level + contrast * rng.normal(scale=4)
    for _ in range(rng.poisson(0.3)):
        broken[rng.integers(height)] = level + contrast * rng.normal(scale=4)
    hot = rng.poisson(rng.uniform(0, 10))
    where = rng.integers(height, size=hot), rng.integers(width, size=hot)
    broken[where] = level + contrast * rng.uniform(4, 15, hot)
    return broken


def scintillator(image: Image, rng: np.random.Generator) -> Image:
    """Blur signal and noise alike, as light does on its way through an indirect detector."""
    return np.asarray(ndimage.gaussian_filter(image, rng.uniform(0.2, 0.7)), np.float32)


def scanned_film(image: Image, diameter: float, rng: np.random.Generator) -> Image:
    """Turn an image into that of a scanned film.

    Emulsion grain of 0.5 to 1.5 pixels, logarithmic response, uneven development, and scratches,
    dust and hairs on the film.

    Parameters
    ----------
    image : (H, W) float32
        Relative intensity.
    diameter : float
        Of the particles, pixels.
    rng : numpy.random.Generator
    """
    contrast = _noise(image)
    grain = smooth_noise(image.shape, rng.uniform(0.4, 1.0), rng)
    uneven = smooth_noise(image.shape, rng.uniform(4, 12) * diameter, rng)
    height, width = image.shape
    rows, columns = np.ogrid[-1 : 1 : 1j * height, -1 : 1 : 1j * width]
    angle = rng.uniform(0, 2 * np.pi)
    slope = columns * np.cos(angle) + rows * np.sin(angle)
    film = image + contrast * (
        rng.uniform(0.1, 0.7) * grain + rng.uniform(0, 0.8) * uneven + rng.uniform(0, 1.5) * slope
    )
    return (film + contrast * _marks(image.shape, diameter, rng)).astype(np.float32)


def _marks(shape: tuple[int, int], diameter: float, rng: np.random.Generator) -> Image:
    """Draw scratches (bright or dark lines), hairs (curves) and dust, in contrasts."""
    height, width = shape
    drawn = np.zeros(shape, np.float32)
    for _ in range(rng.poisson(1.5)):
        start = rng.uniform(0, 1, 2) * [width, height]
        turn = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.normal(0, rng.choice([0.002, 0.1]), 60))
        step = rng.uniform(0.05, 0.6) * diameter
        points = start + step * np.column_stack([np.cos(turn), np.sin(turn)]).cumsum(axis=0)
        line = [np.rint(8 * points).astype(np.int32)]
        colour = float(rng.choice([-1, 1]) * rng.uniform(0.8, 5))
        thick = int(rng.integers(1, 3))
        cv2.polylines(drawn, line, False, colour, thick, cv2.LINE_AA, shift=3)
    for _ in range(rng.poisson(3)):
        centre = (int(rng.uniform(0, width)), int(rng.uniform(0, height)))
        axes = (int(rng.uniform(0.5, 0.3 * diameter)), int(rng.uniform(0.5, 0.3 * diameter)))
        colour = float(rng.choice([-1, 1], p=[0.3, 0.7]) * rng.uniform(2, 6))
        cv2.ellipse(drawn, centre, axes, rng.uniform(0, 180), 0, 360, colour, -1)
    return ndimage.gaussian_filter(drawn, 0.5)
