"""Arrays of windows: in memory, or in a temporary file where they are large.

Windows of 227 pixels and five classes take 1.5 GB. In a file they are cached like any other by the
system, which drops them when memory is needed.
"""

import math
import os
import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt

from deepcryopicker.errors import UsageError
from deepcryopicker.types import Image

_MOST_MEMORY = 2**28  # bytes of windows
_MOST_SINGLE = 2**31  # bytes of windows in single precision
_AT_ONCE = 256  # windows that are copied


def empty_windows(count: int, size: int, folder: Path | None = None) -> Image:
    """Return an array for windows: a file without a name, which vanishes with it, if it is large.

    Parameters
    ----------
    count : int
    size : int
        Side of the windows, working pixels.
    folder : Path, optional
        For the file; that of temporary files if not given, which may lie in memory.

    Returns
    -------
    (count, size, size) float32, or float16 where these would take more than 2 GiB

    Raises
    ------
    UsageError
        If the file does not fit on the disk.
    """
    half = 4 * count * size**2 > _MOST_SINGLE
    return _empty((count, size, size), np.float16 if half else np.float32, folder)


def selected(windows: Image, index: npt.NDArray[np.int64], folder: Path | None = None) -> Image:
    """Copy some of the windows to an array like that of :func:`empty_windows`.

    Parameters
    ----------
    windows : (N, S, S) float32 or float16
    index : (M,) int64
    folder : Path, optional

    Returns
    -------
    (M, S, S) float32 or float16, as `windows`
    """
    chosen = _empty((len(index), *windows.shape[1:]), windows.dtype, folder)
    for start in range(0, len(index), _AT_ONCE):
        chosen[start : start + _AT_ONCE] = windows[index[start : start + _AT_ONCE]]
    return chosen


def _empty(shape: tuple[int, ...], kind: npt.DTypeLike, folder: Path | None) -> Image:
    needed = math.prod(shape) * np.dtype(kind).itemsize
    if needed <= _MOST_MEMORY:
        return np.empty(shape, kind)
    with tempfile.TemporaryFile(dir=folder) as file:
        try:
            # Without the space a later write to the array would end the program.
            os.posix_fallocate(file.fileno(), 0, needed)
        except OSError as error:
            where = folder or tempfile.gettempdir()
            raise UsageError(
                f"{where}: training windows need {needed / 1e9:.1f} GB there: {error.strerror}\n"
                "free some space, or lower class_set.samples_per_class"
            ) from error
        return np.asarray(np.memmap(file, kind, "r+", shape=shape))
