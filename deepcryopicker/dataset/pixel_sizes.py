"""Check pixel sizes of headers: required by a diameter in Angstrom, compared with a STAR file."""

import logging
from collections.abc import Sequence
from pathlib import Path

from deepcryopicker.errors import MicrographError, UsageError
from deepcryopicker.io.images.reader import header_pixel_size

logger = logging.getLogger(__name__)

_SAME = 0.01  # relative difference up to which two pixel sizes count as equal


def require_pixel_size(paths: Sequence[Path]) -> None:
    """Refuse a diameter in Angstrom if the first readable header has no pixel size.

    Raises
    ------
    UsageError
        Names the file and the key to set.
    """
    path, pixel_size = _first_header(paths)
    if path is not None and pixel_size is None:
        raise UsageError(
            f"dataset.diameter_angstrom: pixel size missing in {path}\n"
            "set dataset.pixel_size=ANGSTROM"
        )


def compare_pixel_sizes(listed: Sequence[tuple[Path, float]]) -> None:
    """Warn if the first readable header contradicts the STAR file that lists it.

    Parameters
    ----------
    listed : sequence of (Path, float)
        Micrographs, and their Angstrom per pixel in the STAR file, which takes precedence.
    """
    path, found = _first_header([path for path, _ in listed])
    if path is None or found is None:
        return
    given = dict(listed)[path]
    if abs(found / given - 1.0) > _SAME:
        logger.warning(
            "%s: the header has %.4g Angstrom per pixel, the list %.4g, which is used; "
            "to override both, set dataset.pixel_size=ANGSTROM",
            path,
            found,
            given,
        )


def _first_header(paths: Sequence[Path]) -> tuple[Path | None, float | None]:
    """Return the first file with a readable header and its pixel size, Angstrom."""
    for path in paths:
        try:
            return path, header_pixel_size(path)
        except MicrographError:
            continue
    return None, None
