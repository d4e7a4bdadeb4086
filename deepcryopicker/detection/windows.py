"""Windows cut from an image, and what lies beyond its edges."""

import cv2
import numpy as np

from deepcryopicker.types import Floats, Image


def cut(image: Image, centres: Floats, size: int, beyond: str = "reflect") -> Image:
    """Cut square windows.

    Parameters
    ----------
    image : (H, W) float32
    centres : (N, 2) float64
        (x, y), working pixels; rounded so that pixel ``size // 2`` of the window is the centre's.
    size : int
        Side, pixels.
    beyond : str
        What windows show beyond the edges of the image; see :func:`extend`.

    Returns
    -------
    (N, size, size) float32
    """
    padded = extend(image, (size,) * 4, beyond)
    column, row = (np.floor(centres + 0.5).astype(int) + size - size // 2).T
    views = np.lib.stride_tricks.sliding_window_view(padded, (size, size))
    return np.ascontiguousarray(views[row, column])


def extend(image: Image, widths: tuple[int, int, int, int], beyond: str) -> Image:
    """Enlarge an image beyond its edges.

    Parameters
    ----------
    image : (H, W) float32
    widths : (int, int, int, int)
        By how much at the top, bottom, left and right, pixels.
    beyond : str
        ``reflect``: its mirror image, in which a particle at the edge has a twin; ``mean``: its
        mean, so that of such a particle there is what was recorded of it.

    Returns
    -------
    (H + top + bottom, W + left + right) float32
    """
    if beyond == "mean":
        return cv2.copyMakeBorder(image, *widths, cv2.BORDER_CONSTANT, value=float(image.mean()))
    return cv2.copyMakeBorder(image, *widths, cv2.BORDER_REFLECT_101)
