"""Byte streams of plain, gzip and bzip2 files, read no further than the header states."""

import bz2
import errno
import gzip
import logging
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BufferedIOBase
from pathlib import Path
from typing import TypeVar, cast

import numpy as np
import numpy.typing as npt

from deepcryopicker.errors import MicrographError

T = TypeVar("T")

logger = logging.getLogger(__name__)

_OPENERS = {".gz": gzip.GzipFile, ".bz2": bz2.BZ2File}
_KINDS = {".gz": "gzip", ".bz2": "bzip2"}
_PIECE = 2**24  # bytes
_PASSING = frozenset({errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.EAGAIN, errno.EREMOTEIO})
_PAUSES = (0.2, 1.0)  # seconds before the second and the third attempt


def is_compressed(path: Path) -> bool:
    """Return whether the suffix is that of a compressed file."""
    return path.suffix.lower() in _OPENERS


@contextmanager
def open_bytes(path: Path) -> Iterator[BufferedIOBase]:
    """Open a file for reading; a compressed file is decompressed.

    Raises
    ------
    MicrographError
        Also within the block: the compressed stream is damaged or ends early.
    """
    suffix = path.suffix.lower()
    if suffix not in _OPENERS:
        with path.open("rb") as stream:
            yield stream
        return
    try:
        with _OPENERS[suffix](path) as packed:
            yield cast(BufferedIOBase, packed)
    except (EOFError, zlib.error, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:  # of the file system
            raise
        raise MicrographError(f"damaged {_KINDS[suffix]}: {error}") from error


def read_pixels(stream: BufferedIOBase, shape: tuple[int, int], dtype: np.dtype) -> npt.NDArray:
    """Read one image; memory grows with the data read, not with the size that a header states.

    Parameters
    ----------
    stream : binary file
        At the first pixel.
    shape : (int, int)
        Rows and columns, H and W.
    dtype : dtype
        Pixel type, with byte order.

    Returns
    -------
    (H, W) array of `dtype`

    Raises
    ------
    MicrographError
        The stream ends early.
    """
    pixels = np.empty(shape, dtype)  # the system gives the memory of a page as it is written
    data, done = pixels.reshape(-1).view(np.uint8), 0
    while done < len(data):
        read = stream.readinto(data[done : done + _PIECE].data)
        if not read:
            raise MicrographError(f"truncated: {done} of {len(data)} bytes of an image")
        done += read
    return pixels


def persistently(read: Callable[[], T], path: Path) -> T:
    """Call `read`, up to three times if the disk or the network fails.

    Raises
    ------
    MicrographError
        Raised by `read`; at once unless its cause is a transient input or output error.
    """
    for pause in _PAUSES:
        try:
            return read()
        except MicrographError as error:
            cause = error.__cause__
            if not isinstance(cause, OSError) or cause.errno not in _PASSING:
                raise
            logger.warning("%s: %s; trying again", path, error)
            time.sleep(pause)
    return read()
