"""Cut the windows of samples, rotated, and some from another version of the micrograph."""

from collections.abc import Callable

import cv2
import numpy as np

from deepcryopicker.class_set.samples import Samples
from deepcryopicker.detection.windows import cut
from deepcryopicker.frames import to_working
from deepcryopicker.types import Image, Micrograph

_MASKS = (3, 5)
_LARGEST_SIGMA = 1.0  # pixels


def cut_windows(samples: Samples, micrograph: Micrograph, size: int) -> Image:
    """Cut the windows of samples that all lie in one micrograph.

    Parameters
    ----------
    samples : Samples
        N samples.
    micrograph : Micrograph
        At the working scale.
    size : int
        Side of the windows, working pixels.

    Returns
    -------
    (N, size, size) float32
    """
    x, y = (to_working(position, micrograph.scale) for position in (samples.x, samples.y))
    windows = cut(micrograph.image, np.column_stack([x, y]), size, beyond="mean")
    for quarter_turns in (1, 2, 3):
        chosen = samples.quarter_turns == quarter_turns
        windows[chosen] = np.rot90(windows[chosen], quarter_turns, axes=(1, 2))
    return windows


def smoothed(cut_of: Callable[[int], Image], size: int, rng: np.random.Generator) -> Image:
    """Smooth each window with a Gaussian of random width and mask, as in the paper's augmentation.

    Parameters
    ----------
    cut_of : callable
        Returns windows (N, size, size) of a size; they are cut larger to avoid edge effects.
    size : int
        Side of the result, pixels.
    rng : numpy.random.Generator
        Standard deviations are uniform in (0, 1) pixels, masks have 3 x 3 or 5 x 5 pixels.

    Returns
    -------
    (N, size, size) float32
    """
    margin = max(_MASKS) // 2
    large = cut_of(size + 2 * margin)
    inside = slice(margin, margin + size)
    result = np.empty((len(large), size, size), np.float32)
    for index, window in enumerate(large):
        mask = int(rng.choice(_MASKS))
        sigma = _LARGEST_SIGMA * (1.0 - rng.random())  # never 0, which OpenCV reads as "choose"
        result[index] = cv2.GaussianBlur(window, (mask, mask), sigma)[inside, inside]
    return result


def matched(version: Image, seen: Image) -> Image:
    """Scale another version of a micrograph to mean, standard deviation and sign of that used.

    The sign differs if a step of the chain inverts the contrast.
    """
    deviation, spread = version - version.mean(), float(version.std())
    if spread == 0:
        return np.full_like(seen, seen.mean())
    sign = -1.0 if np.vdot(deviation, seen - seen.mean()) < 0 else 1.0
    return (deviation * (sign * seen.std() / spread) + seen.mean()).astype(np.float32)
