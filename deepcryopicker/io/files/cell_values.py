"""Cells of text tables as numbers: the one conversion for coordinates, scores and optics."""

import math

_UNKNOWN = frozenset(
    ("", "<na>", "na", "n/a", "#n/a", "nan", "+nan", "-nan", "none", "null", "nil", "?", ".", "-")
)


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


def positive_in(cell: str, least: float = 0.0, most: float = math.inf) -> float | None:
    """Return the positive number in a cell, or None if it is unknown, wrong or out of range.

    Parameters
    ----------
    cell : str
    least, most : float
        Smallest and largest number that makes sense.

    Examples
    --------
    >>> [positive_in(cell, most=100) for cell in ("1.5", "0", "-1", "1e6", "inf", "None")]
    [1.5, None, None, None, None, None]
    """
    value = number_in(cell)
    return value if value > 0 and least <= value <= most else None
