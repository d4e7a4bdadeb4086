"""Values of results as cells of a table; anything but a number becomes a dash."""

from typing import Any

from deepcryopicker.io.files.tables import is_number
from deepcryopicker.reporting.page.page_model import DASH, Cell

NOTHING = Cell(DASH)


def number_cell(value: Any, form: str, note: str = "") -> Cell:
    """Format a number as a cell.

    Parameters
    ----------
    value : object
        A dash is shown for anything but a number.
    form : str
        Format specification, such as ``.3f``.
    note : str
        Small print below the number.

    Examples
    --------
    >>> number_cell(0.25, "+.2f").text, number_cell(None, ".3f").text
    ('+0.25', '–')
    """
    return Cell(format(value, form), float(value), note) if is_number(value) else NOTHING


def interval_note(interval: Any, form: str) -> str:
    """Format an interval for the small print; empty for anything but an interval.

    Examples
    --------
    >>> interval_note([0.5, 0.75], ".3f"), interval_note(None, ".3f")
    ('[0.500, 0.750]', '')
    """
    if not (isinstance(interval, list) and len(interval) == 2 and all(map(is_number, interval))):
        return ""
    low, high = interval
    return f"[{low:{form}}, {high:{form}}]"
