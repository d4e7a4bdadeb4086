"""Windows cut from an image."""

import cv2
import numpy as np

from deepcryopicker.types import Floats, Image


def cut(image: Image, centres: Floats, size: int) -> Image:
    """Cut square windows; beyond the edge the image is mirrored.

    Parameters
    ----------
    image : (H, W) float32
    centres : (N, 2) float64
        (x, y), working pixels; rounded so that pixel ``size // 2`` of the window is the centre's.
    size : int
        Side, pixels.

    Returns
    -------
    (N, size, size) float32
    """
    pad = size
    padded = cv2.copyMakeBorder(image, pad, pad, pad, pad, cv2.BORDER_REFLECT_101)
    column, row = (np.floor(centres + 0.5).astype(int) + pad - size // 2).T
    views = np.lib.stride_tricks.sliding_window_view(padded, (size, size))
    return np.ascontiguousarray(views[row, column])
