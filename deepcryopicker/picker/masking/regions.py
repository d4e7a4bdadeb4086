"""Connected regions, thresholds and local percentiles on coarse grids.

They equal those of scipy and scikit-image (tests), without loading these: every command that picks
would wait for them.
"""

import cv2
import numpy as np
import numpy.typing as npt

from deepcryopicker.types import Image, Mask

_BINS = 256  # of Otsu's histogram


def labelled(mask: Mask) -> tuple[npt.NDArray[np.int32], int]:
    """Return the regions of a mask, (h, w), whose cells share sides.

    Returns
    -------
    (h, w) int32
        0 outside of the mask.
    int
        Number of regions.
    """
    count, number = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    return np.asarray(number, np.int32), count - 1


def hysteresis(value: Image, low: float, high: float) -> Mask:
    """Return the regions above `low` that reach above `high`, (h, w) bool."""
    number, count = labelled(value > low)
    reaching = np.zeros(count + 1, bool)
    reaching[number[value > high]] = True
    reaching[0] = False
    return np.asarray(reaching[number])


def otsu_threshold(value: Image) -> float:
    """Return the threshold that maximises the variance between two classes (Otsu, 1979)."""
    counts, edges = np.histogram(value, _BINS)
    centre = (edges[:-1] + edges[1:]) / 2
    below, sums = counts.cumsum(), (counts * centre).cumsum()
    above = below[-1] - below
    with np.errstate(divide="ignore", invalid="ignore"):
        difference = sums / below - (sums[-1] - sums) / above
        between = below * above * difference**2
    return float(centre[np.nanargmax(between[:-1])])


def local_percentile(value: Image, percent: float, side: int) -> Image:
    """Return the percentile within a square window round each cell, (h, w) float32.

    Parameters
    ----------
    value : (h, w) float32
        Continued by its edge values.
    percent : float
        The value at this rank, without interpolation.
    side : int
        Of the window, cells, odd.
    """
    padded = np.pad(value, side // 2, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (side, side))
    rank = int(side * side * percent / 100.0)
    flat = windows.reshape(*value.shape, side * side)
    return np.partition(flat, rank, axis=-1)[..., rank]
