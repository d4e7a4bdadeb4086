"""Checks shared by all readers of micrographs: regular files, sizes, one-line reasons."""

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from deepcryopicker.errors import MicrographError, UsageError
from deepcryopicker.types import Floats, Picks

MAX_PIXELS = 2**28
"""Largest image decoded, 16384 x 16384; checked from the header, before any allocation."""


def file_size(path: Path) -> int:
    """Return the size in bytes of a regular file that is not empty.

    Raises
    ------
    MicrographError
        Missing, empty or not a regular file. FIFOs and devices are never opened, which may block.
    """
    try:
        status = path.stat()
    except OSError as error:
        raise MicrographError(f"cannot be read: {error.strerror}") from error
    if stat.S_ISDIR(status.st_mode):
        raise MicrographError("is a folder, not a file")
    if not stat.S_ISREG(status.st_mode):
        raise MicrographError("not a regular file")
    if status.st_size == 0:
        raise MicrographError("empty file")
    return status.st_size


def check_shape(height: int, width: int, frames: int = 1) -> tuple[int, int]:
    """Return ``(height, width)`` if an image of this size can be a micrograph.

    Parameters
    ----------
    height, width : int
        Pixels.
    frames : int

    Raises
    ------
    MicrographError
        No pixels, several frames or more than `MAX_PIXELS`.
    """
    if min(height, width, frames) == 0:
        raise MicrographError("image has no pixels")
    if frames > 1:
        raise MicrographError(not_one_frame(frames))
    if height * width > MAX_PIXELS:
        raise MicrographError(f"{width} x {height} pixels: more than the limit of {MAX_PIXELS}")
    return height, width


def not_one_frame(frames: int) -> str:
    """Return the message that refuses a stack."""
    return f"stack of {frames} images: not a micrograph; run motion correction first"


@contextmanager
def decoding(kind: str) -> Iterator[None]:
    """Turn any error of a decoder into one line; `kind` names the format."""
    try:
        yield
    except MicrographError:
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise MicrographError(f"cannot be read as {kind}: {one_line(reason)}") from error
    # On damaged files decoders raise almost anything, from struct.error to IndexError.
    except Exception as error:
        raise MicrographError(f"cannot be read as {kind}: {one_line(error)}") from error


def one_line(reason: object) -> str:
    """Return the first line of an error message, or the error's type if it has no message."""
    lines = str(reason).strip().splitlines()
    return lines[0] if lines else type(reason).__name__


def box_sides(path: Path, picks: Picks, box: int | None) -> Floats:
    """Return the side of the box around each pick, in whole pixels, (N,) float64.

    Parameters
    ----------
    path : Path
        Named in the error.
    picks : Picks
        Their rounded diameters are the sides unless `box` is given.
    box : int or None
        Side of every box, pixels.

    Raises
    ------
    UsageError
        A pick has no diameter, and no `box` is given.
    """
    if box is not None:
        return np.full(len(picks), float(box))
    if np.isnan(picks.diameter).any():
        raise UsageError(f"{path}: picks without a diameter need a box size")
    return np.rint(picks.diameter)
