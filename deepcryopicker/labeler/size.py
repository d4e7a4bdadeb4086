"""Particle size, measured on detections."""

import numpy as np
from scipy import ndimage

from deepcryopicker.detection.filters import disc_mask
from deepcryopicker.detection.windows import cut
from deepcryopicker.labeler.masks.feret import measure
from deepcryopicker.preprocessing.operators.restore import gaussian
from deepcryopicker.types import Floats, Image, Mask

# Ratio of full width to width at half depth of a compact particle with a paraboloid profile.
_FULL_WIDTH = np.sqrt(2.0)
_SMOOTHING = 0.08  # diameters: against noise, before a particle is thresholded at half its depth
_CORE = 0.2  # radius in diameters that contains the darkest pixel of a particle
_EXTENT = 0.85  # radius in diameters that contains the whole particle
_WALL = 0.9  # of the depth of the wall of a shell: where its diameter is measured


def round_diameter(profile: Floats) -> float:
    """Return the diameter of a round particle from the radial profile of its average.

    The projection of a shell is darkest at its wall; its diameter is measured where the wall
    begins to fall off. A solid particle is darkest at the centre and is measured as in
    :func:`blob_lengths`.

    Parameters
    ----------
    profile : (R,) float64
        Entry r is the mean at a radius of r pixels; particles are dark.

    Returns
    -------
    float
        Pixels; 0 if nothing is dark.
    """
    wall = int(profile.argmin())
    depth = float(profile[wall])
    if depth >= 0.0:
        return 0.0
    half = _crossing(profile, wall, depth / 2.0)
    if wall < half / 2.0:
        return 2.0 * half * _FULL_WIDTH
    return 2.0 * _crossing(profile, wall, _WALL * depth)


def _crossing(profile: Floats, start: int, level: float) -> float:
    """Return the radius beyond `start` at which the profile first rises to `level`."""
    above = np.flatnonzero(profile[start:] >= level)
    if len(above) == 0:
        return float(len(profile) - 1)
    after = start + int(above[0])
    low, high = profile[after - 1], profile[after]
    return after - 1 + float((level - low) / (high - low))


def blob_lengths(image: Image, x: Floats, y: Floats, diameter: float) -> Floats:
    """Return the length of each compact particle along its longest direction.

    The length is the maximum Feret diameter at half depth, times the ratio of full width to width
    at half depth of a paraboloid.

    Parameters
    ----------
    image : (H, W) float32
        Flat and standardised; particles are dark.
    x, y : (N,) float64
        Centres.
    diameter : float
        Rough diameter, pixels.

    Returns
    -------
    (K,) float64
        Pixels, K <= N.
    """
    half = int(np.ceil(_EXTENT * diameter))
    size = 2 * half + 1
    core, extent = (disc_mask(size, share * diameter) > 0 for share in (_CORE, _EXTENT))
    smooth = gaussian(image, _SMOOTHING * diameter)
    windows = cut(smooth, np.column_stack([x, y]), size)
    parts = [_half_depth_part(window, core, extent) for window in windows]
    return np.array([_FULL_WIDTH * measure(part).maximum.max() for part in parts if part.any()])


def _half_depth_part(window: Image, core: Mask, extent: Mask) -> Mask:
    """Return the component at half depth that contains the darkest pixel of the core."""
    row, column = np.unravel_index(np.where(core, window, np.inf).argmin(), window.shape)
    depth = window[row, column]
    if depth >= 0.0:
        return np.zeros(window.shape, bool)
    labels, _ = ndimage.label((window <= depth / 2.0) & extent)
    return labels == labels[row, column]
