"""Pixel sizes of headers, compared with those of a STAR file or of the command line."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from deepcryopicker.errors import MicrographError, UsageError
from deepcryopicker.io.images.reader import header_pixel_size

T = TypeVar("T")

SAME_PIXEL_SIZE = 0.01
"""Relative difference up to which two pixel sizes count as equal."""
_HEADERS = 8  # read of each dataset
_BINNINGS = (2.0, 3.0, 4.0, 8.0)


def require_pixel_size(paths: Sequence[Path]) -> None:
    """Refuse a diameter in Angstrom if the first readable header has no pixel size.

    Raises
    ------
    UsageError
        Names the file and the key to set.
    """
    for path in paths:
        try:
            pixel_size = header_pixel_size(path)
        except MicrographError:
            continue
        if pixel_size is None:
            raise UsageError(
                f"dataset.diameter_angstrom: pixel size missing in {path}\n"
                "set dataset.pixel_size=ANGSTROM "
                "(0, 1.0 and what no microscope has count as unknown)"
            )
        return


def refuse_contradiction(listed: Sequence[tuple[Path, float]]) -> None:
    """Refuse a STAR file whose pixel sizes are not those of the headers; a few are compared.

    Parameters
    ----------
    listed : sequence of (Path, float)
        Micrographs, and their Angstrom per pixel in the STAR file.

    Raises
    ------
    UsageError
        Names the file, both values and what to type.
    """
    found = _first_other(listed)
    if found is not None:
        path, header, given = found
        raise UsageError(
            f"{path}: the header has {header:.5g} Angstrom per pixel, the STAR file {given:.5g}"
            f"{_binning(header, given)}\ntype dataset.pixel_size={header:.5g} or "
            f"dataset.pixel_size={given:.5g}, whichever is right for this file"
        )


def given_doubt(given: Sequence[tuple[Path, float]]) -> str | None:
    """Return a warning if given pixel sizes are not those of the headers; a few are compared.

    Parameters
    ----------
    given : sequence of (Path, float)
        Micrographs, and the Angstrom per pixel that are used for them.
    """
    found = _first_other(given)
    if found is None:
        return None
    path, header, used = found
    return (
        f"dataset.pixel_size={used:.5g} is used, but the header of {path} has {header:.5g} "
        f"Angstrom per pixel{_binning(header, used)}; to use that, leave dataset.pixel_size out"
    )


def spread_sample(items: Sequence[T], most: int = _HEADERS) -> list[T]:
    """Return at most `most` items, evenly spread, the first and the last among them."""
    if len(items) <= most:
        return list(items)
    return [items[index] for index in np.linspace(0, len(items) - 1, most).round().astype(int)]


def known_pixel_size(path: Path, given: float | None) -> float | None:
    """Return the given Angstrom per pixel, or else those of the header; None if unreadable."""
    if given is not None:
        return given
    try:
        return header_pixel_size(path)
    except MicrographError:
        return None


def _first_other(given: Sequence[tuple[Path, float]]) -> tuple[Path, float, float] | None:
    """Return the first file whose header has another pixel size, with both values."""
    for path, used in spread_sample(given):
        header = known_pixel_size(path, None)
        if header is not None and abs(header / used - 1.0) > SAME_PIXEL_SIZE:
            return path, header, used
    return None


def _binning(one: float, other: float) -> str:
    """Return a remark if two pixel sizes differ by a factor of binning."""
    ratio = max(one, other) / min(one, other)
    for factor in _BINNINGS:
        if abs(ratio / factor - 1.0) <= SAME_PIXEL_SIZE:
            return f" (a factor of {factor:g}, as binning makes)"
    return ""
