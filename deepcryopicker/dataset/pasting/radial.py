"""Means over rings around the middle of an image."""

import numpy as np

from deepcryopicker.types import Floats, Image


def radial_mean(image: Image | Floats) -> Floats:
    """Return the mean in rings of one pixel around the middle pixel, out to the nearest side.

    Parameters
    ----------
    image : (D, D) array
    """
    middle = image.shape[0] // 2
    y, x = np.indices(image.shape) - middle
    ring = np.rint(np.hypot(x, y)).astype(np.intp).ravel()
    mean = np.bincount(ring, image.ravel()) / np.bincount(ring)
    return mean[: (image.shape[0] + 1) // 2]
