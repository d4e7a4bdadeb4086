"""Score-map areas that are too large to be particles (the paper's cleaning step)."""

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from deepcryopicker.types import Image


def oversized(
    score: Image,
    row: npt.NDArray[np.int64],
    column: npt.NDArray[np.int64],
    threshold: float,
    largest: float,
) -> npt.NDArray[np.bool_]:
    """Find maxima that lie in areas too large to be particles (the paper's cleaning step).

    Map pixels at or above the threshold are joined into 8-connected areas. The paper drops an
    area above a cutoff; here the cutoff is per maximum, because crowded particles join as well.

    Parameters
    ----------
    score : (h, w) float32
    row, column : (N,) int
        The maxima.
    threshold : float
    largest : float
        Map pixels per maximum.

    Returns
    -------
    (N,) bool
    """
    areas, count = ndimage.label(score >= threshold, np.ones((3, 3)))
    size = np.bincount(areas.ravel(), minlength=count + 1)
    inside = areas[row, column]
    peaks = np.bincount(inside, minlength=count + 1)
    return (inside > 0) & (size[inside] > largest * np.maximum(peaks[inside], 1))
