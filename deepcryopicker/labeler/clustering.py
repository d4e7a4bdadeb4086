"""Intensity-based clustering (IBC) and the cleaning of its mask (METHOD.md 2)."""

import cv2
import numpy as np
import numpy.typing as npt
from scipy import ndimage

Image = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

_CROSS = ndimage.generate_binary_structure(2, 1)
_SQUARE = ndimage.generate_binary_structure(2, 2)


def intensity_clusters(image: Image, clusters: int) -> npt.NDArray[np.uint8]:
    """Assign each pixel to the nearest of `clusters` equally spaced intensities (IBC).

    The centres are ``min + j * (max - min) / clusters`` for j = 1 ... clusters, so that the
    darkest cluster is the widest. There is no iteration: this is one fixed quantisation.

    Parameters
    ----------
    image : (H, W) float32
    clusters : int, >= 2

    Returns
    -------
    (H, W) uint8
        Cluster index, 0 for the darkest. A pixel halfway between two centres gets the darker.

    Examples
    --------
    >>> intensity_clusters(np.array([[0.0, 0.375, 0.4, 1.0]], np.float32), 4).tolist()
    [[0, 0, 1, 3]]
    """
    low, high = float(image.min()), float(image.max())
    if high <= low:
        return np.full(image.shape, clusters - 1, np.uint8)
    position = (image - low) * (clusters / (high - low))  # centres lie at 1 ... clusters
    return np.clip(np.ceil(position - 0.5) - 1, 0, clusters - 1).astype(np.uint8)


def clean_mask(mask: Mask, smallest: float) -> Mask:
    """Remove specks and holes from a particle mask.

    Drop components below `smallest` pixels, erode, fill holes, close, dilate, fill holes; the
    structuring element is the 3x3 cross, components are 8-connected (METHOD.md 2.2).

    Parameters
    ----------
    mask : (H, W) bool
    smallest : float
        Area in pixels.
    """
    mask = remove_small(mask, smallest)
    mask = ndimage.binary_erosion(mask, _CROSS, border_value=1)
    mask = ndimage.binary_fill_holes(mask)
    padded = np.pad(mask, 1)
    mask = ndimage.binary_closing(padded, _CROSS)[1:-1, 1:-1]
    mask = ndimage.binary_dilation(mask, _CROSS)
    return ndimage.binary_fill_holes(mask)


def remove_small(mask: Mask, smallest: float) -> Mask:
    """Keep the 8-connected components of at least `smallest` pixels."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    keep = stats[:, cv2.CC_STAT_AREA] >= smallest
    keep[0] = False
    return keep[labels]
