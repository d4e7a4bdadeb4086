"""Objects far larger than a particle: blobs and crystals of ice or ethane, metal, thick folds."""

import numpy as np

from deepcryopicker.picker.masking.dark_spots import tails
from deepcryopicker.picker.masking.grids import opened, widened
from deepcryopicker.picker.masking.regions import labelled
from deepcryopicker.picker.pick_counts import SPREAD_OF_MAD
from deepcryopicker.types import Image, Mask

_SMALLEST = 1.5
"""Diameter of the disc that fits into an object, particle diameters. Particles are smaller even
if the given diameter is a fifth too small; gaps between crowded ones keep their discs apart."""
_DARK, _BRIGHT = 3.0, 8.0
"""Level of an object, robust standard deviations of the smoothed image. The subtraction of the
background leaves a bright halo round every dark object; only what is far brighter is an object."""
_LARGEST_HOLE = 1 / 3
"""Fraction of the image that the border of an object may enclose."""


def large_objects(level: Image, spots: Image, diameter: float) -> Mask:
    """Mark what is dark or very bright all over a disc of 1.5 particle diameters.

    Parameters
    ----------
    level : (h, w) float32
        Smoothed image.
    spots : (h, w) float32
        Of `dark_spots.smoothed`, six cells per diameter.
    diameter : float
        Of a particle, cells of `level`.

    Returns
    -------
    (h, w) bool
        Dark objects with half a particle diameter round them.
    """
    centred = level - np.median(level)
    deviation = SPREAD_OF_MAD * np.median(np.abs(centred))
    radius = _SMALLEST / 2 * diameter
    dark = opened(centred < -_DARK * deviation, radius)
    bright = opened(centred > _BRIGHT * deviation, radius)
    enclosed = _enclosed(dark | bright, spots, diameter) if dark.any() else dark
    return widened(dark | enclosed, diameter / 2) | bright


def _enclosed(border: Mask, spots: Image, diameter: float) -> Mask:
    """Return what borders enclose, together with the edges of the image, if it has no dark spots.

    The subtraction of the background leaves nothing but the border of an object that is several
    diameters wide. A hole in a film has such a border as well, but it shows particles.
    """
    enclosed = np.zeros_like(border)
    # Gaps of up to two diameters are closed; the parts are widened to the border afterwards.
    number, count = labelled(~widened(border, diameter))
    for index in range(1, count + 1):
        part = number == index
        ratio, limit = tails(spots, part)
        if part.mean() < _LARGEST_HOLE and ratio <= limit:
            enclosed |= part
    return widened(enclosed, diameter)
