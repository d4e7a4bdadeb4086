"""Whether a region shows dark spots of the size of particles, at any strength of the noise."""

import cv2
import numpy as np

from deepcryopicker.picker.masking.grids import on_grid
from deepcryopicker.types import Image, Mask

_NARROW, _WIDE = 0.15, 0.3
"""Standard deviations, diameters, of the two Gaussians whose difference shows dark spots."""
_SPOTLESS = 1.15
"""Ratio of the dark to the bright tail above which there are dark spots; it is 1 for noise."""
_GRAIN = 6
"""Cells of noise that vary together, at six cells per diameter."""
_FEWEST = 50
"""Independent values that make the last percent of a tail."""


def smoothed(fine: Image, diameter: float) -> tuple[Image, Image]:
    """Return an image smoothed by less than a particle, and its dark spots.

    Parameters
    ----------
    fine : (h, w) float32
    diameter : float
        Of a particle, cells.

    Returns
    -------
    smooth : (h, w) float32
    spots : (h, w) float32
        Difference of Gaussians, negative at dark spots.
    """
    smooth = cv2.GaussianBlur(fine, (0, 0), _NARROW * diameter)
    return smooth, smooth - cv2.GaussianBlur(fine, (0, 0), _WIDE * diameter)


def tails(spots: Image, part: Mask) -> tuple[float, float]:
    """Compare the dark with the bright tail of the spots inside a part of the image.

    Particles are dark spots, while noise of any strength is as often bright as dark.

    Parameters
    ----------
    spots : (h, w) float32
        Of `smoothed`, averaged to six cells per diameter.
    part : (y, x) bool
        Of the same field of view, on any grid.

    Returns
    -------
    ratio : float
        Of the distances of the first and the last percentile from the median; NaN for a part too
        small to compare.
    limit : float
        Above it the part shows dark spots; higher for a small part.
    """
    values = spots[on_grid(part, spots.shape)]
    independent = values.size / _GRAIN
    if independent < _FEWEST:
        return np.nan, np.inf
    dark, middle, bright = np.quantile(values, [0.01, 0.5, 0.99])
    ratio = (middle - dark) / max(bright - middle, np.finfo(np.float32).tiny)
    return float(ratio), _SPOTLESS + 2.5 / float(np.sqrt(independent))
