"""Windows cut from an image, and padding beyond its edges."""

import cv2
import numpy as np

from deepcryopicker.types import Floats, Image


def cut(image: Image, centres: Floats, size: int, beyond: str = "reflect") -> Image:
    """Cut square windows.

    Parameters
    ----------
    image : (H, W) float32
    centres : (N, 2) float64
        (x, y), working pixels; rounded to the pixel that becomes ``size // 2`` of the window.
    size : int
        Side, pixels.
    beyond : str
        Padding beyond the edges of the image; see :func:`extend`.

    Returns
    -------
    (N, size, size) float32
    """
    padded = extend(image, (size,) * 4, beyond)
    column, row = (np.floor(centres + 0.5).astype(int) + size - size // 2).T
    views = np.lib.stride_tricks.sliding_window_view(padded, (size, size))
    return np.ascontiguousarray(views[row, column])


def extend(image: Image, widths: tuple[int, int, int, int], beyond: str) -> Image:
    """Pad an image beyond its edges.

    Parameters
    ----------
    image : (H, W) float32
    widths : (int, int, int, int)
        At the top, bottom, left and right, pixels.
    beyond : str
        ``reflect``: the mirror image, which duplicates particles at the edge; ``mean``: the mean
        of the image, which leaves only the recorded part of such particles.

    Returns
    -------
    (H + top + bottom, W + left + right) float32
    """
    if beyond == "mean":
        return cv2.copyMakeBorder(image, *widths, cv2.BORDER_CONSTANT, value=float(image.mean()))
    return cv2.copyMakeBorder(image, *widths, cv2.BORDER_REFLECT_101)
