"""Mask of where not to pick, from the image alone."""

import cv2
import numpy as np

from deepcryopicker.picker.masking.dark_spots import smoothed
from deepcryopicker.picker.masking.grids import cells, on_grid, widened
from deepcryopicker.picker.masking.objects import large_objects
from deepcryopicker.picker.masking.textures import foreign_texture, quiet_variance
from deepcryopicker.types import NO_MARGINS, Image, Margins, Mask

_FINE, _COARSE = 12, 6
"""Cells per particle diameter: for smoothing, and of the mask."""
_BANDS = (1 / 24, 1 / 12)
"""Standard deviations, diameters, of the Gaussians that separate two bands of fine texture."""


def junk_mask(image: Image, diameter: float, margins: Margins = NO_MARGINS) -> Mask:
    """Mark carbon film, bare holes, crystals, and blobs far larger than a particle.

    Two things are junk. *Objects* are dark or very bright all over a disc of 1.5 particle
    diameters; dark ones are marked with half a diameter round them. *Foreign textures* are regions
    with a sharp border whose noise differs from that of the particles' surroundings, without dark
    spots of the size of particles. Particles, crowds of them and slow changes of the ice are
    neither. Where it is uncertain which side of a border shows particles, neither is marked.

    Parameters
    ----------
    image : (H, W) float32
        Preprocessed, background subtracted, particles dark. Its scale and offset are arbitrary.
    diameter : float
        Particle diameter, pixels; 15 to 40 is sensible, since the fine texture is measured at a
        twenty-fourth of it.
    margins : Margins
        Invalid border, marked.

    Returns
    -------
    (H, W) bool
        True: do not pick here.
    """
    junk = np.ones(image.shape, bool)
    height, width = image.shape
    valid = np.s_[margins.top : height - margins.bottom, margins.left : width - margins.right]
    inside = image[valid].astype(np.float32)
    if inside.size and np.ptp(inside) > 0:
        inside -= np.median(inside[::4, ::4])
        junk[valid] = on_grid(_junk_cells(inside, diameter), inside.shape)
    else:
        junk[valid] = False
    return junk


def _junk_cells(image: Image, diameter: float) -> Mask:
    """Return the mask (h, w) of an image (H, W) on a grid of `_COARSE` cells a diameter."""
    fine = smoothed(cells(image, diameter / _FINE), _FINE)
    level, spots = (cells(one, _FINE / _COARSE) for one in fine)
    foreign = np.zeros(level.shape, bool)
    sharp = image
    for width in _BANDS:
        blurred = cv2.GaussianBlur(image, (0, 0), width * diameter)
        variance = quiet_variance(sharp - blurred, diameter)
        foreign |= on_grid(foreign_texture(variance, spots), foreign.shape)
        sharp = blurred
    # Cells of the texture are half a diameter wide: a border may lie a quarter from its place.
    return large_objects(level, spots, _COARSE) | widened(foreign, _COARSE / 4)
