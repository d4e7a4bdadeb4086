"""Read one micrograph from any supported format; rows keep the order of the file."""

import logging
from pathlib import Path

import numpy as np

from deepcryopicker.errors import MicrographError, UsageError, unknown
from deepcryopicker.io.files.suffixes import (
    EXTENSIONS,
    PICTURES,
    TIFF,
    VENDORS,
    is_mrc,
    suffix_of,
    without_suffix,
)
from deepcryopicker.io.images.mrc import read_header, read_mrc
from deepcryopicker.io.images.streams import persistently
from deepcryopicker.types import Image, Micrograph

logger = logging.getLogger(__name__)

POLARITIES = ("dark", "bright")
BAD_PIXELS = 0.01
"""A micrograph is refused from this fraction of NaN or infinite pixels."""

LONGEST_NAME = 220
"""Longest file name without extension, bytes; outputs append up to 30, and the limit is 255."""


def read_micrograph(
    path: Path,
    name: str | None = None,
    pixel_size: float | None = None,
    polarity: str = "dark",
    average_frames: bool = False,
) -> Micrograph:
    """Read an MRC, PNG, JPEG or TIFF file; retried twice after disk or network errors.

    Parameters
    ----------
    path : Path
        File with one of the `EXTENSIONS`, or an MRC file called ``.st``, ``.map``, ``.rec`` or
        ``.ali``.
    name : str, optional
        Name of the outputs; by default the file name without extension.
    pixel_size : float, optional
        Angstrom per pixel; overrides the header.
    polarity : {"dark", "bright"}
        Contrast of particles in the file. Bright particles are made dark by negating the image.
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
        The file is not a usable micrograph. The message is one line and does not name the file.
    UsageError
        Unknown polarity.
    """
    if polarity not in POLARITIES:
        raise UsageError(unknown("polarity", polarity, POLARITIES))
    _check_name(path)
    image, header_size = persistently(lambda: _read(path, average_frames), path)
    image = mended(image, path)
    return Micrograph(
        name=without_suffix(path).name if name is None else name,
        path=path,
        image=-image if polarity == "bright" else image,
        pixel_size=header_size if pixel_size is None else pixel_size,
    )


def micrograph_shape(path: Path, average_frames: bool = False) -> tuple[int, int]:
    """Return ``(H, W)`` of a micrograph from its header, without reading the pixels.

    With `average_frames`, stacks are accepted.

    Raises
    ------
    MicrographError
        The header is not that of a micrograph.
    """
    suffix = suffix_of(path)
    if is_mrc(path):
        return read_header(path, average_frames).shape
    # Imported here, because MRC files need neither Pillow nor tifffile.
    from deepcryopicker.io.images.pictures import picture_shape, tiff_shape

    if suffix in PICTURES:
        return picture_shape(path)
    if suffix in TIFF:
        return tiff_shape(path, average_frames)
    raise _unsupported(path)


def header_pixel_size(path: Path) -> float | None:
    """Return the Angstrom per pixel of an MRC header; None if there is none.

    Raises
    ------
    MicrographError
        The header is not that of a micrograph.
    """
    return read_header(path, average_frames=True).pixel_size if is_mrc(path) else None


def _read(path: Path, average_frames: bool) -> tuple[Image, float | None]:
    """Return the image and the pixel size of its header, or None."""
    suffix = suffix_of(path)
    if is_mrc(path):
        return read_mrc(path, average_frames)
    from deepcryopicker.io.images.pictures import read_picture, read_tiff

    # Resolution tags of pictures describe printers, not microscopes, and are ignored.
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
    """Refuse names that cannot be used for outputs, before the micrograph is processed."""
    if not str(path).isprintable() or '"' in str(path):
        raise MicrographError(
            "the name holds a control character, a double quote or bytes that are not UTF-8, "
            "which a STAR file cannot hold; rename the file"
        )
    length = len(without_suffix(path).name.encode())
    if length > LONGEST_NAME:
        raise MicrographError(
            f"the name has {length} bytes without its extension, and names of outputs are "
            f"longer; the limit is {LONGEST_NAME}"
        )


def mended(image: Image, path: Path) -> Image:
    """Replace a few NaN or infinite pixels by the median, in place.

    Parameters
    ----------
    image : (H, W) float32
    path : Path
        Named in the warning.

    Raises
    ------
    MicrographError
        At least 1 % of the pixels are.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(image.sum()):  # in a third of the time of looking at every pixel
            return image
    finite = np.isfinite(image)
    bad = image.size - int(np.count_nonzero(finite))
    if bad == 0:
        return image
    if bad >= BAD_PIXELS * image.size:
        raise MicrographError(f"{bad} of {image.size} pixels are NaN or infinite")
    logger.warning("%s: %d NaN or infinite pixels replaced by the median", path, bad)
    image[~finite] = np.median(image[finite])
    return image
