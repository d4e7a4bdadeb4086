"""Read one micrograph from any supported format; rows stay as they are in the file."""

import logging
from pathlib import Path

import numpy as np

from deepcryopicker.errors import MicrographError, UsageError, unknown
from deepcryopicker.io.files.suffixes import (
    COMPRESSED_MRC,
    EXTENSIONS,
    MRC,
    PICTURES,
    TIFF,
    VENDORS,
    suffix_of,
    without_suffix,
)
from deepcryopicker.io.images.mrc import read_header, read_mrc
from deepcryopicker.io.images.pictures import picture_shape, read_picture, read_tiff, tiff_shape
from deepcryopicker.io.images.streams import persistently
from deepcryopicker.types import Image, Micrograph

logger = logging.getLogger(__name__)

POLARITIES = ("dark", "bright")
BAD_PIXELS = 0.01
"""Share of NaN or infinite pixels from which on a micrograph is refused."""

LONGEST_NAME = 220
"""Bytes of a file name without extension; outputs add up to 30 to it, and 255 are the limit."""


def read_micrograph(
    path: Path,
    name: str | None = None,
    pixel_size: float | None = None,
    polarity: str = "dark",
    average_frames: bool = False,
) -> Micrograph:
    """Read an MRC, PNG, JPEG or TIFF file; where the disk or network fails, up to three times.

    Parameters
    ----------
    path : Path
        File with one of the `EXTENSIONS`.
    name : str, optional
        Names the outputs; the file name without extension by default.
    pixel_size : float, optional
        Angstrom per pixel; takes the place of what the header says.
    polarity : {"dark", "bright"}
        How particles look in the file. Bright ones are made dark: the grey values change sign.
    average_frames : bool
        Whether a stack of frames (MRC or TIFF) is averaged rather than refused.

    Returns
    -------
    Micrograph
        `image` is (H, W) float32, row 0 the first row in the file, never flipped. Fewer than
        1 % NaN or infinite pixels are replaced by the median.

    Raises
    ------
    MicrographError
        The file is no usable micrograph. The message is one line and does not name the file.
    UsageError
        Unknown polarity.
    """
    if polarity not in POLARITIES:
        raise UsageError(unknown("polarity", polarity, POLARITIES))
    _check_name(path)
    image, header_size = persistently(lambda: _read(path, average_frames), path)
    image = _mend(image, path)
    return Micrograph(
        name=without_suffix(path).name if name is None else name,
        path=path,
        image=-image if polarity == "bright" else image,
        pixel_size=header_size if pixel_size is None else pixel_size,
    )


def micrograph_shape(path: Path, average_frames: bool = False) -> tuple[int, int]:
    """Return ``(H, W)`` of a micrograph from its header, without reading the pixels.

    With `average_frames` that of a stack's frames.

    Raises
    ------
    MicrographError
        The header is not that of a micrograph.
    """
    suffix = suffix_of(path)
    if suffix in MRC | COMPRESSED_MRC:
        return read_header(path, average_frames).shape
    if suffix in PICTURES:
        return picture_shape(path)
    if suffix in TIFF:
        return tiff_shape(path, average_frames)
    raise _unsupported(path)


def header_pixel_size(path: Path) -> float | None:
    """Return the Angstrom per pixel that an MRC header gives; None without one.

    Raises
    ------
    MicrographError
        The header is not that of a micrograph.
    """
    is_mrc = suffix_of(path) in MRC | COMPRESSED_MRC
    return read_header(path, average_frames=True).pixel_size if is_mrc else None


def _read(path: Path, average_frames: bool) -> tuple[Image, float | None]:
    """Return the image and the pixel size that its header gives, if it does."""
    suffix = suffix_of(path)
    if suffix in MRC | COMPRESSED_MRC:
        return read_mrc(path, average_frames)
    # Resolution tags of pictures speak of printers, not of microscopes: no pixel size.
    if suffix in PICTURES:
        return read_picture(path), None
    if suffix in TIFF:
        return read_tiff(path, average_frames), None
    raise _unsupported(path)


def _unsupported(path: Path) -> MicrographError:
    suffix = suffix_of(path)
    if suffix in VENDORS:
        return MicrographError(f"this is {VENDORS[suffix]}")
    return MicrographError(
        f"no reader for '{suffix}' files; convert to one of {', '.join(sorted(EXTENSIONS))}"
    )


def _check_name(path: Path) -> None:
    """Refuse names that outputs cannot carry, before hours are spent on the micrograph."""
    if not str(path).isprintable() or '"' in str(path):
        raise MicrographError(
            "the name holds a control character, a double quote or bytes that are no UTF-8, "
            "which no STAR file can hold; rename the file"
        )
    length = len(without_suffix(path).name.encode())
    if length > LONGEST_NAME:
        raise MicrographError(
            f"the name has {length} bytes without its extension, and those of the outputs are "
            f"longer; {LONGEST_NAME} is the limit"
        )


def _mend(image: Image, path: Path) -> Image:
    """Replace a few NaN or infinite pixels by the median; refuse many."""
    finite = np.isfinite(image)
    bad = image.size - int(np.count_nonzero(finite))
    if bad == 0:
        return image
    if bad >= BAD_PIXELS * image.size:
        raise MicrographError(f"{bad} of {image.size} pixels are NaN or infinite")
    logger.warning("%s: %d NaN or infinite pixels replaced by the median", path, bad)
    image[~finite] = np.median(image[finite])
    return image
