"""Checks that every reader of this package shares: plain files, sizes, numbers."""

import stat
from collections.abc import Iterator, Sequence
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


def numbers(path: Path, column: str, cells: Sequence[object], optional: bool = False) -> Floats:
    """Convert the cells of a column to finite numbers.

    Parameters
    ----------
    path, column
        Named in the error.
    cells : sequence of length N
        Text or numbers.
    optional : bool
        Whether an empty cell means unknown, which is NaN.

    Returns
    -------
    (N,) float64

    Raises
    ------
    UsageError
        Text, NaN or infinity, naming the first such row (1 is the first row after the header).
    """
    values = np.array([_number(cell) for cell in cells], np.float64)
    wrong = ~np.isfinite(values)
    if optional:
        wrong &= np.array([cell != "" for cell in cells], bool)
    if wrong.any():
        row = int(wrong.argmax())
        raise UsageError(
            f"{path}: {column} must be a number, row {row + 1} has '{cells[row]}'\n"
            f"correct or remove the row ({wrong.sum()} of {len(values)} rows are wrong)"
        )
    return values


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


def _number(cell: object) -> float:
    """Convert a cell; what is no number becomes NaN."""
    text = str(cell)
    try:
        # Python takes 1_000 for a number; in a table it is a slip.
        return float("nan" if "_" in text else text)
    except ValueError:
        return float("nan")


def read_lines(path: Path) -> list[str]:
    """Return the lines of a text file, without a byte order mark.

    Raises
    ------
    UsageError
        The file cannot be read or is not text.
    """
    if path.exists() and not path.is_file():
        raise UsageError(f"{path}: not a regular file")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: not a text file") from error
    return text.splitlines()
