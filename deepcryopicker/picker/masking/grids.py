"""Averages over cells of a coarse grid, and masks on it: widening, narrowing, opening."""

import cv2
import numpy as np

from deepcryopicker.types import Image, Mask


def cells(image: Image, side: float) -> Image:
    """Return the mean of every cell of a grid.

    Parameters
    ----------
    image : (H, W) float32
    side : float
        Of a cell, pixels, about: the grid fits the image exactly.

    Returns
    -------
    (h, w) float32
    """
    height, width = (max(1, round(length / side)) for length in image.shape)
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)


def on_grid(mask: Mask, shape: tuple[int, ...]) -> Mask:
    """Return a mask on a grid of another `shape` (h, w) of the same field of view."""
    size = (shape[1], shape[0])
    resized = cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST_EXACT)
    return resized.astype(bool)


def widened(mask: Mask, distance: float) -> Mask:
    """Return a mask (h, w) widened by a distance, cells."""
    if not mask.any():
        return mask
    return _depth(~mask) <= distance


def narrowed(mask: Mask, distance: float) -> Mask:
    """Return a mask (h, w) without what lies within a distance, cells, of its outside.

    What borders on the edge of the image continues beyond it.
    """
    return _depth(mask) > distance


def opened(mask: Mask, radius: float) -> Mask:
    """Return the parts of a mask (h, w) into which a disc of a radius, cells, fits.

    The mask is mirrored at the edges of the image, where half of the disc suffices.
    """
    pad = int(np.ceil(radius)) + 1
    mirrored = np.pad(np.pad(mask, pad, mode="symmetric"), 1)
    parts = widened(narrowed(mirrored, radius), radius)
    return parts[pad + 1 : -pad - 1, pad + 1 : -pad - 1]


def _depth(mask: Mask) -> Image:
    """Return the distance from the nearest cell outside a mask, cells; very large without one.

    It is as exact as ``scipy.ndimage.distance_transform_edt``, five times faster.
    """
    return cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
