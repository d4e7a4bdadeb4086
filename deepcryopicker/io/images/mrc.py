"""MRC micrographs, plain or compressed; the header is checked before the data is allocated.

Not read by mrcfile: damaged headers, truncated files and compressed streams of any length must end
in a one-line error, before memory is allocated.
"""

import logging
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from deepcryopicker.errors import MicrographError
from deepcryopicker.io.console import SUBJECT
from deepcryopicker.io.files.cell_values import PIXEL_SIZES
from deepcryopicker.io.files.checks import decoding, file_size
from deepcryopicker.io.images.byte_sign import Stated, is_unsigned
from deepcryopicker.io.images.frame_stacks import check_stack, mean_frame
from deepcryopicker.io.images.streams import is_compressed, open_bytes, read_pixels
from deepcryopicker.types import Image

logger = logging.getLogger(__name__)

HEADER_BYTES = 1024
MAX_EXTENDED = 2**26
"""Longest extended header of a compressed file, 64 MB: it must be decompressed to be skipped."""
PIXEL_TYPES = {0: "i1", 1: "i2", 2: "f4", 6: "u2", 12: "f2"}
REFUSED = {
    3: "complex (Fourier) image, MRC mode 3",
    4: "complex (Fourier) image, MRC mode 4",
    101: "4-bit MRC (mode 101) is not supported; convert it with IMOD: newstack -mode 1 in out",
}
MAGIC = {
    b"\x89PNG": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"II+\0": "TIFF",
    b"MM\0+": "TIFF",
    b"\x89HDF": "HDF5",
    b"\x1f\x8b\x08": "gzip (name it .mrc.gz)",
    b"BZh": "bzip2 (name it .mrc.bz2)",
    b"<?xml": "text (XML, an error of the server? download it again)",
    b"<!DOCTYPE": "text (HTML, an error of the server? download it again)",
    b"<html": "text (HTML, an error of the server? download it again)",
}
IMOD_STAMP = 1146047817
_ROUNDING = 1e-5  # of single precision


@dataclass(frozen=True)
class Header:
    """The fields of an MRC header used here.

    Attributes
    ----------
    shape : (int, int)
        Rows and columns.
    frames : int
    dtype : dtype
        Pixel type, with byte order.
    start : int
        Bytes before the first pixel.
    pixel_size : float or None
        Angstrom per pixel along x, None if the header does not give it or has 1.0.
    of_bytes : Stated or None
        For mode 0, what the header says of its bytes; the pixels decide whether they are signed.
    """

    shape: tuple[int, int]
    frames: int
    dtype: np.dtype
    start: int
    pixel_size: float | None
    of_bytes: Stated | None = None


def read_mrc(path: Path, average_frames: bool = False) -> tuple[Image, float | None]:
    """Read an MRC file of mode 0, 1, 2, 6 or 12, optionally compressed with gzip or bzip2.

    Parameters
    ----------
    path : Path
    average_frames : bool
        Whether a stack of frames is averaged rather than refused.

    Returns
    -------
    image : (H, W) float32
        Row 0 is the first row in the file.
    pixel_size : float or None
        Angstrom per pixel from the header.

    Raises
    ------
    MicrographError
        The file is not a readable single image.
    """
    header = read_header(path, average_frames)
    with decoding("MRC"):
        return mean_frame(read_frames(path, header), header.frames), header.pixel_size


def read_frames(path: Path, header: Header) -> Iterator[Image]:
    """Yield the frames of a stack or the sections of a map, (H, W) float32, one in memory.

    Parameters
    ----------
    path : Path
    header : Header
        As :func:`read_header` returns it.

    Raises
    ------
    MicrographError
        The data end early, or a compressed file holds more than its header states.
    """
    dtype = None if header.of_bytes is not None else header.dtype
    with open_bytes(path) as stream:
        stream.seek(header.start)
        for number in range(1, header.frames + 1):
            pixels = read_pixels(stream, header.shape, header.dtype)
            # A compressed stream is verified only at its end. One longer than its header
            # states may be a decompression bomb and is not read further.
            if number == header.frames and is_compressed(path) and stream.read(1):
                raise MicrographError("holds more bytes than its header promises")
            if header.of_bytes is not None:
                # Bytes below 128 are the same number in both readings: a later frame decides.
                if dtype is None and (pixels.view(np.uint8) > 127).any():
                    dtype = _byte_type(path, pixels.view(np.uint8), header.of_bytes)
                pixels = pixels.view(dtype or header.dtype)
            yield _as_float32(pixels)


def _as_float32(pixels: npt.NDArray[Any]) -> Image:
    """Convert pixels; 16-bit floats by torch, six times as fast as NumPy converts them."""
    if pixels.dtype != np.float16:  # or of the other byte order
        return pixels.astype(np.float32, copy=False)
    import torch

    converted = np.empty(pixels.shape, np.float32)
    torch.from_numpy(converted).copy_(torch.from_numpy(pixels))
    return converted


def _byte_type(path: Path, pixels: npt.NDArray[np.uint8], stated: Stated) -> np.dtype:
    """Return the type of bytes, and warn if it is not what the header says."""
    unsigned = is_unsigned(pixels, stated)
    if unsigned != stated.unsigned:
        found, said = ("unsigned", "signed") if unsigned else ("signed", "unsigned")
        scale = "0 to 255" if unsigned else "-128 to 127"
        logger.warning(
            "%s: its bytes (MRC mode 0) are %s although its header says %s; read as %s",
            *(path, found, said, scale),
            extra={SUBJECT: "sign of bytes"},
        )
    return np.dtype(np.uint8 if unsigned else np.int8)


def read_header(path: Path, average_frames: bool = False) -> Header:
    """Read and check the 1024-byte header; nothing else is allocated.

    Raises
    ------
    MicrographError
        The header is not that of a complete micrograph of a known mode.
    """
    size = file_size(path)
    with decoding("MRC"), open_bytes(path) as stream:
        raw = stream.read(HEADER_BYTES)
    for magic, kind in MAGIC.items():
        if raw.startswith(magic):
            raise MicrographError(f"this is a {kind} file, not an MRC file")
    if len(raw) < HEADER_BYTES:
        raise MicrographError(f"truncated header ({len(raw)} of {HEADER_BYTES} bytes)")
    order = _byte_order(raw, path)
    width, height, frames, mode = struct.unpack_from(f"{order}4i", raw, 0)
    _check_mode(mode)
    (extended,) = struct.unpack_from(f"{order}i", raw, 92)
    if min(width, height, frames, extended) < 0:
        raise MicrographError("negative dimension in header")
    shape = check_stack(height, width, frames, average_frames)
    dtype = np.dtype(order + PIXEL_TYPES[mode])
    promised = HEADER_BYTES + extended + frames * height * width * dtype.itemsize
    _check_length(size, extended, promised, is_compressed(path))
    pixel_size = _pixel_size(raw, order)
    of_bytes = _stated(raw, order) if mode == 0 else None
    return Header(shape, frames, dtype, HEADER_BYTES + extended, pixel_size, of_bytes)


def _byte_order(raw: bytes, path: Path) -> str:
    """Return the byte order of the stamp, or the opposite if only that gives a known mode."""
    if raw[208:212] != b"MAP ":
        logger.warning("%s: no 'MAP ' in the header", path)
    if raw[212:213] not in (b"\x11", b"\x44"):
        logger.warning("%s: no byte order in the header; taken for little-endian", path)
    order, other = (">", "<") if raw[212:213] == b"\x11" else ("<", ">")
    modes = PIXEL_TYPES.keys() | REFUSED.keys()
    stamped, swapped = (struct.unpack_from(f"{o}i", raw, 12)[0] for o in (order, other))
    if stamped in modes or swapped not in modes:
        return order
    logger.warning("%s: bytes are in the other order than the header says", path)
    return other


def _check_mode(mode: int) -> None:
    if mode in REFUSED:
        raise MicrographError(REFUSED[mode])
    if mode not in PIXEL_TYPES:
        raise MicrographError(f"MRC mode {mode} unknown (not an MRC file?)")


def _check_length(size: int, extended: int, promised: int, compressed: bool) -> None:
    """Refuse a file shorter than its header states; not checked for compressed files."""
    if compressed:
        if extended > MAX_EXTENDED:
            raise MicrographError(f"extended header of {extended} bytes: more than any camera's")
        return
    if extended > size - HEADER_BYTES:
        raise MicrographError(
            f"truncated: header promises {extended} bytes of extended header, file has {size}"
        )
    if promised > size:
        raise MicrographError(f"truncated: header promises {promised} bytes, file has {size}")


def _pixel_size(raw: bytes, order: str) -> float | None:
    """Return the length of the cell along x divided by its number of samples."""
    (samples,) = struct.unpack_from(f"{order}i", raw, 28)
    (length,) = struct.unpack_from(f"{order}f", raw, 40)
    if samples <= 0 or not np.isfinite(length) or length <= 0:
        return None
    size = float(length) / samples
    return size if _is_measured(size) else None


def _is_measured(size: float) -> bool:
    """Whether a pixel size can be one; 1.0 is what many programs write if they do not know it."""
    return PIXEL_SIZES[0] <= size <= PIXEL_SIZES[1] and abs(size - 1.0) > _ROUNDING


def _stated(raw: bytes, order: str) -> Stated:
    """Return what a header says about bytes; old versions of IMOD wrote unsigned ones."""
    stamp, flags = struct.unpack_from(f"{order}2i", raw, 152)
    low, high = struct.unpack_from(f"{order}2f", raw, 76)
    return Stated(stamp == IMOD_STAMP and not flags & 1, low, high)
