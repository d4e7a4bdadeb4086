"""MRC micrographs: the header is judged before any memory is spent on the data."""

import struct
import warnings
from dataclasses import dataclass
from pathlib import Path

import mrcfile
import numpy as np

from deepcryopicker.errors import MicrographError
from deepcryopicker.io.checks import check_shape, decoding, file_size
from deepcryopicker.types import Image

HEADER_BYTES = 1024
PIXEL_BYTES = {0: 1, 1: 2, 2: 4, 6: 2, 12: 2}
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
    b"\x1f\x8b\x08": "gzip",
    b"BZh": "bzip2",
}
IMOD_STAMP = 1146047817


@dataclass(frozen=True)
class Header:
    """The few fields of an MRC header that matter here.

    Attributes
    ----------
    shape : (int, int)
        Rows and columns.
    pixel_size : float or None
        Angstrom per pixel along x, None where the header does not say.
    unsigned : bool
        Whether mode 0 holds unsigned bytes, as old versions of IMOD wrote it.
    """

    shape: tuple[int, int]
    pixel_size: float | None
    unsigned: bool


def read_mrc(path: Path) -> tuple[Image, float | None]:
    """Read a single-frame MRC file of mode 0, 1, 2, 6 or 12.

    Returns
    -------
    image : (H, W) float32
        Row 0 is the first row in the file.
    pixel_size : float or None
        Angstrom per pixel from the header.

    Raises
    ------
    MicrographError
        Not a readable single image.
    """
    header = read_header(path)
    with decoding("MRC"), warnings.catch_warnings():
        # Old SerialEM and IMOD headers lack the MAP string or carry a wrong machine stamp.
        # mrcfile reads them, in permissive mode, with warnings.
        warnings.filterwarnings("ignore", category=RuntimeWarning, module="mrcfile")
        with mrcfile.open(path, permissive=True) as file:
            data = file.data
    if data is None or data.size != header.shape[0] * header.shape[1]:
        raise MicrographError("damaged MRC header: its numbers contradict each other")
    if header.unsigned:
        data = data.view(np.uint8)
    return np.array(data.reshape(header.shape), np.float32), header.pixel_size


def read_header(path: Path) -> Header:
    """Read and check the 1024 bytes of the header; allocates nothing else.

    Raises
    ------
    MicrographError
        The header does not belong to a complete micrograph of a known mode.
    """
    size = file_size(path)
    with decoding("MRC"), path.open("rb") as stream:
        raw = stream.read(HEADER_BYTES)
    for magic, kind in MAGIC.items():
        if raw.startswith(magic):
            raise MicrographError(f"this is a {kind} file, not an MRC file")
    if len(raw) < HEADER_BYTES:
        raise MicrographError(f"truncated header ({len(raw)} of {HEADER_BYTES} bytes)")
    order = _byte_order(raw)
    width, height, frames, mode = struct.unpack_from(f"{order}4i", raw, 0)
    _check_mode(mode)
    (extended,) = struct.unpack_from(f"{order}i", raw, 92)
    if min(width, height, frames, extended) < 0:
        raise MicrographError("negative dimension in header")
    shape = check_shape(height, width, frames)
    _check_length(size, extended, height * width * PIXEL_BYTES[mode])
    return Header(shape, _pixel_size(raw, order), mode == 0 and _is_unsigned(raw, order))


def _byte_order(raw: bytes) -> str:
    """Return the byte order of the stamp, or the other one where only that gives a known mode."""
    order, other = (">", "<") if raw[212:213] == b"\x11" else ("<", ">")
    modes = PIXEL_BYTES.keys() | REFUSED.keys()
    stamped, swapped = (struct.unpack_from(f"{o}i", raw, 12)[0] for o in (order, other))
    return other if stamped not in modes and swapped in modes else order


def _check_mode(mode: int) -> None:
    if mode in REFUSED:
        raise MicrographError(REFUSED[mode])
    if mode not in PIXEL_BYTES:
        raise MicrographError(f"MRC mode {mode} unknown (not an MRC file?)")


def _check_length(size: int, extended: int, data: int) -> None:
    # mrcfile would allocate whatever the header asks for, up to 2 GB, before it notices.
    if extended > size - HEADER_BYTES:
        raise MicrographError(
            f"truncated: header promises {extended} bytes of extended header, file has {size}"
        )
    promised = HEADER_BYTES + extended + data
    if promised > size:
        raise MicrographError(f"truncated: header promises {promised} bytes, file has {size}")


def _pixel_size(raw: bytes, order: str) -> float | None:
    """Return the cell's length over its number of samples, along x."""
    (samples,) = struct.unpack_from(f"{order}i", raw, 28)
    (length,) = struct.unpack_from(f"{order}f", raw, 40)
    if samples <= 0 or not np.isfinite(length) or length <= 0:
        return None
    return float(length) / samples


def _is_unsigned(raw: bytes, order: str) -> bool:
    stamp, flags = struct.unpack_from(f"{order}2i", raw, 152)
    return stamp == IMOD_STAMP and not flags & 1
