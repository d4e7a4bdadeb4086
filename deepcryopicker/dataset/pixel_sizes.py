"""Pixel sizes in headers beside what a diameter in Angstrom needs and a STAR file says."""

import logging
from collections.abc import Sequence
from pathlib import Path

from deepcryopicker.errors import MicrographError, UsageError
from deepcryopicker.io.images.reader import header_pixel_size

logger = logging.getLogger(__name__)

_SAME = 0.01  # relative difference up to which two pixel sizes are one


def require_pixel_size(paths: Sequence[Path]) -> None:
    """Refuse a diameter in Angstrom where the first header that can be read has no pixel size.

    Raises
    ------
    UsageError
    """
    path, pixel_size = _first_header(paths)
    if path is not None and pixel_size is None:
        raise UsageError(
            f"dataset.diameter_angstrom: pixel size missing in {path}\n"
            "set dataset.pixel_size=ANGSTROM"
        )


def compare_pixel_sizes(listed: Sequence[tuple[Path, float]]) -> None:
    """Warn where the first header that can be read contradicts the STAR file that lists it.

    Parameters
    ----------
    listed : sequence of (Path, float)
        Micrographs, and the Angstrom per pixel that the STAR file gives them, which counts.
    """
    path, found = _first_header([path for path, _ in listed])
    if path is None or found is None:
        return
    given = dict(listed)[path]
    if abs(found / given - 1.0) > _SAME:
        logger.warning(
            "%s: its header has %.4g Angstrom a pixel, the list %.4g, which counts; "
            "if it is wrong, set dataset.pixel_size=ANGSTROM",
            path,
            found,
            given,
        )


def _first_header(paths: Sequence[Path]) -> tuple[Path | None, float | None]:
    """Find the first file whose header can be read, and the pixel size there, Angstrom."""
    for path in paths:
        try:
            return path, header_pixel_size(path)
        except MicrographError:
            continue
    return None, None
