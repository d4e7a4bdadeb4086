"""How large particles are, measured on what was found."""

import numpy as np
from scipy import ndimage

from deepcryopicker.detection.filters import disc_mask
from deepcryopicker.detection.windows import cut
from deepcryopicker.labeler.masks.feret import measure
from deepcryopicker.preprocessing.operators.restore import gaussian
from deepcryopicker.types import Floats, Image, Mask

# Densest in the middle and falling off like a paraboloid, a compact particle is this many times
# as wide as at half its depth.
_FULL_WIDTH = np.sqrt(2.0)
_SMOOTHING = 0.08  # diameters: against noise, before a particle is cut at half its depth
_CORE = 0.2  # diameters around the centre within which a particle is darkest
_REACH = 0.85  # diameters beyond which nothing belongs to it
_RIM = 0.9  # of the rim's depth: where the rim of a shell begins to end


def rim_diameter(profile: Floats) -> float:
    """Diameter of a round particle from the radial profile of its average.

    A shell seen in projection is darkest along its rim; its diameter reaches to where the rim
    begins to end. A solid particle is darkest in the middle and is measured as
    :func:`blob_lengths` does.

    Parameters
    ----------
    profile : (R,) float64
        Entry r is the mean at a radius of r pixels; particles are dark.

    Returns
    -------
    float
        Pixels; 0 if nothing is dark.
    """
    rim = int(profile.argmin())
    depth = float(profile[rim])
    if depth >= 0.0:
        return 0.0
    half = _crossing(profile, rim, depth / 2.0)
    if rim < half / 2.0:
        return 2.0 * half * _FULL_WIDTH
    return 2.0 * _crossing(profile, rim, _RIM * depth)


def _crossing(profile: Floats, start: int, level: float) -> float:
    """Radius at which the profile first rises to `level` beyond `start`."""
    above = np.flatnonzero(profile[start:] >= level)
    if len(above) == 0:
        return float(len(profile) - 1)
    after = start + int(above[0])
    low, high = profile[after - 1], profile[after]
    return after - 1 + float((level - low) / (high - low))


def blob_lengths(image: Image, x: Floats, y: Floats, diameter: float) -> Floats:
    """Length of each compact particle along its longest direction.

    Each is cut at half its depth; its maximum Feret diameter there, times the ratio of full width
    to width at half depth of a paraboloid, is its length.

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
    half = int(np.ceil(_REACH * diameter))
    size = 2 * half + 1
    core, reach = (disc_mask(size, share * diameter) > 0 for share in (_CORE, _REACH))
    smooth = gaussian(image, _SMOOTHING * diameter)
    windows = cut(smooth, np.column_stack([x, y]), size)
    parts = [_half_depth_part(window, core, reach) for window in windows]
    return np.array([_FULL_WIDTH * measure(part).maximum.max() for part in parts if part.any()])


def _half_depth_part(window: Image, core: Mask, reach: Mask) -> Mask:
    """Cut out what hangs together with the core's darkest pixel and is at least half as dark."""
    row, column = np.unravel_index(np.where(core, window, np.inf).argmin(), window.shape)
    depth = window[row, column]
    if depth >= 0.0:
        return np.zeros(window.shape, bool)
    labels, _ = ndimage.label((window <= depth / 2.0) & reach)
    return labels == labels[row, column]
