"""Size and contrast of single particles, measured at their picks."""

from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np

from deepcryopicker.detection.windows import cut
from deepcryopicker.frames import to_working
from deepcryopicker.preprocessing.operators.resize import scaled_length
from deepcryopicker.preprocessing.operators.restore import gaussian
from deepcryopicker.preprocessing.preprocessed import Preprocessed
from deepcryopicker.types import Floats, Image, Picks

_DIAMETER = 12.0  # pixels of the reduced image: a particle averages over a hundred of them
_SIZES = np.geomspace(0.4, 1.6, 13)  # diameters
_RING = 1.5  # outer radius of the surroundings, radii of the particle
_FINE = 8  # parts of a pixel, for discs of any size


class Measures(NamedTuple):
    """What is measured at N places.

    Attributes
    ----------
    size : (N,) float64
        Diameter, in the unit of the given one.
    contrast : (N,) float64
        Mean of the surroundings less that of the particle, in grey values of the image.
    """

    size: Floats
    contrast: Floats


def measure_picks(picks: Picks, preprocessed: Preprocessed) -> Picks:
    """Add the size and the contrast of each pick, as the network sees the micrograph.

    Parameters
    ----------
    picks : Picks
        Original pixels.
    preprocessed : Preprocessed
        Contrasts are in its robust standard deviations. In a blank one nothing is measured.
    """
    if preprocessed.is_blank or not len(picks):
        return picks
    seen = preprocessed.standard
    x, y = (to_working(position, seen.scale) for position in (picks.x, picks.y))
    size, contrast = measure(seen.image, x, y, preprocessed.working_diameter)
    return replace(picks, size=size / seen.scale, contrast=contrast)


def measure(image: Image, x: Floats, y: Floats, diameter: float) -> Measures:
    """Measure particles as discs, of the size that has the largest contrast at each place.

    The contrast of a disc is the mean of the ring around it, half as wide again, less the mean of
    the disc; the maximum is refined by a parabola in the logarithm of the size. A disc with a
    sharp edge and a shell have it at their outline, the projection of a ball at nine tenths.

    Parameters
    ----------
    image : (H, W) float32
        Particles are dark.
    x, y : (N,) float64
        Pixels of `image`.
    diameter : float
        Of a usual particle, pixels of `image`; sizes from 0.4 to 1.6 times it are tried.

    Returns
    -------
    Measures
        The contrast is that of a disc of the given diameter.
    """
    scale = min(1.0, _DIAMETER / diameter)
    small = image if scale == 1.0 else _reduced(image, scale)
    weights = _ring_weights(round(diameter * scale, 2))
    side = weights.shape[-1]
    places = np.column_stack([to_working(x, scale), to_working(y, scale)])
    windows = cut(small, places, side, "mean").reshape(len(places), side * side)
    contrast = (windows @ weights.reshape(len(weights), side * side).T).astype(np.float64)
    return Measures(diameter * _best_size(contrast[:, :-1]), contrast[:, -1])


def _reduced(image: Image, scale: float) -> Image:
    """Shrink an image as :func:`rescale` does, less sharply and in a fifth of the time.

    Every micrograph that is picked is measured, and averages over discs need no bicubic kernel.
    """
    height, width = (scaled_length(side, scale) for side in image.shape)
    grid = np.array([[scale, 0.0, 0.5 * scale - 0.5], [0.0, scale, 0.5 * scale - 0.5]])
    blurred = gaussian(image, 0.5 / scale)
    return cv2.warpAffine(
        blurred, grid, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )


@lru_cache(maxsize=8)
def _ring_weights(diameter: float) -> Image:
    """Return weights of ring less disc, (K + 1, S, S) float32; the last for `diameter` itself."""
    radii = np.append(_SIZES, 1.0) * diameter / 2.0
    half = int(np.ceil(radii.max() * _RING))
    fine = (np.arange((2 * half + 1) * _FINE) + 0.5) / _FINE - half - 0.5
    squared = fine[:, None] ** 2 + fine[None, :] ** 2
    disc, outer = (
        np.stack([_pixels(squared < radius**2) for radius in radii * factor])
        for factor in (1.0, _RING)
    )
    ring = outer - disc
    ring_sum, disc_sum = (each.sum(axis=(1, 2), keepdims=True) for each in (ring, disc))
    return np.asarray(ring / ring_sum - disc / disc_sum, np.float32)


def _pixels(inside: np.ndarray) -> np.ndarray:
    """Average a finer grid over pixels."""
    side = len(inside) // _FINE
    return inside.reshape(side, _FINE, side, _FINE).mean(axis=(1, 3))


def _best_size(contrast: Floats) -> Floats:
    """Return the size of the largest contrast of each row, (N,) float64, diameters."""
    best = np.clip(contrast.argmax(axis=1), 1, len(_SIZES) - 2)
    rows = np.arange(len(contrast))
    before, at, after = (contrast[rows, best + step] for step in (-1, 0, 1))
    curvature = before - 2.0 * at + after
    with np.errstate(invalid="ignore", divide="ignore"):
        shift = np.where(curvature < 0, 0.5 * (before - after) / curvature, 0.0)
    step = np.log(_SIZES[1] / _SIZES[0])
    return np.asarray(_SIZES[best] * np.exp(np.clip(shift, -1.0, 1.0) * step), np.float64)
