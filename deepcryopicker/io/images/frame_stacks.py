"""Frame stacks: refused, or averaged frame by frame on request."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from deepcryopicker.errors import MicrographError
from deepcryopicker.io.files.checks import check_shape, not_one_frame
from deepcryopicker.types import Image


def check_stack(height: int, width: int, frames: int, average: bool) -> tuple[int, int]:
    """Return ``(height, width)`` of a frame.

    Parameters
    ----------
    height, width : int
        Pixels.
    frames : int
    average : bool
        Whether several frames are allowed, to be averaged.

    Raises
    ------
    MicrographError
        Several frames without `average`, or refused by :func:`checks.check_shape`.
    """
    if frames > 1 and not average:
        raise MicrographError(
            f"{not_one_frame(frames)}, or average them: dataset.average_frames=true"
        )
    return check_shape(height, width, min(frames, 1))


def mean_frame(frames: Iterator[Image], count: int) -> Image:
    """Average the frames of a stack; one frame and the sum are held in memory.

    Parameters
    ----------
    frames : iterator over (H, W) float32
    count : int
        Number of frames, at least one. A single frame is returned unchanged.

    Returns
    -------
    (H, W) float32
    """
    total: npt.NDArray[np.floating] = next(frames)
    if count > 1:
        total = total.astype(np.float64)  # sums of 16-bit counts are exact
        for frame in frames:
            total += frame
        total /= count
    return total.astype(np.float32, copy=False)
