"""Checks that every reader of micrographs shares: plain files, sizes, one-line reasons."""

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from deepcryopicker.errors import MicrographError, UsageError
from deepcryopicker.types import Floats, Picks

MAX_PIXELS = 2**28
"""Largest image that is decoded, 16384 x 16384; checked in the header, before any allocation."""


def file_size(path: Path) -> int:
    """Return the size in bytes of a plain file that is not empty.

    Raises
    ------
    MicrographError
        Missing, empty or not a regular file. A FIFO or a device is never opened: that may block.
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
    """Return ``(height, width)`` of what can be a micrograph; refuse anything else.

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
    """Word the refusal of a stack."""
    return f"stack of {frames} images: not a micrograph; run motion correction first"


@contextmanager
def decoding(kind: str) -> Iterator[None]:
    """Turn whatever a decoder raises into one line; `kind` names the format."""
    try:
        yield
    except MicrographError:
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise MicrographError(f"cannot be read as {kind}: {one_line(reason)}") from error
    # Damaged files make the decoders raise nearly everything, from struct.error to IndexError.
    except Exception as error:
        raise MicrographError(f"cannot be read as {kind}: {one_line(error)}") from error


def one_line(reason: object) -> str:
    """Return the first line of an error's message, or its type where it has none."""
    lines = str(reason).strip().splitlines()
    return lines[0] if lines else type(reason).__name__


def box_sides(path: Path, picks: Picks, box: int | None) -> Floats:
    """Return the side of the box around each pick, whole pixels.

    Parameters
    ----------
    path : Path
        Named in the error.
    picks : Picks
        Their rounded diameters are the sides, unless there is a `box` for all of them.
    box : int or None

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
