"""Cells of text tables as numbers: the one conversion for coordinates, scores and optics."""

import math

_UNKNOWN = frozenset(
    ("", "<na>", "na", "n/a", "#n/a", "nan", "+nan", "-nan", "none", "null", "nil", "?", ".", "-")
)

PIXEL_SIZES = (0.05, 200.0)
"""Smallest and largest pixel size that is plausible, Angstrom; lengths in metre lie far below."""


def is_unknown(cell: str) -> bool:
    """Return whether a cell states that there is no value.

    An empty cell, ``<NA>``, ``NA``, ``nan``, ``None``, ``null`` and their kind, in any case, and
    the ``?`` and ``.`` of the STAR standard. Infinite numbers and text are values, if wrong ones.

    Examples
    --------
    >>> [is_unknown(cell) for cell in ("<NA>", " NaN ", "None", "", "0", "inf", "1,5")]
    [True, True, True, True, False, False, False]
    """
    return cell.strip().lower() in _UNKNOWN


def number_in(cell: str) -> float:
    """Return the finite number in a cell, or NaN; :func:`is_unknown` separates unknown from wrong.

    A decimal comma is not read, because ``1,234`` has two meanings; ``1_000`` and digits of other
    scripts are typing errors in a table, although Python reads them.

    Examples
    --------
    >>> [number_in(cell) for cell in ("-2e3", " 01 ", "<NA>", "inf", "1,5", "1_000")]
    [-2000.0, 1.0, nan, nan, nan, nan]
    """
    try:
        value = float(cell) if cell.isascii() and "_" not in cell else math.nan
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan


def pixel_size_in(cell: str) -> float | None:
    """Return the pixel size in a cell, Angstrom, or None if it is unknown or makes no sense.

    Examples
    --------
    >>> [pixel_size_in(cell) for cell in ("1.5", "0", "-1", "4e-10", "1e6", "inf", "1,77")]
    [1.5, None, None, None, None, None, None]
    """
    value = number_in(cell)
    return value if PIXEL_SIZES[0] <= value <= PIXEL_SIZES[1] else None
