"""Optics groups by number or word: ``1``, ``01``, ``1.000000`` and the name of a group are one."""

from collections.abc import Iterable, Mapping, Sequence

from deepcryopicker.io.files.cell_values import is_unknown, number_in
from deepcryopicker.io.files.text import Row

GROUP = "rlnOpticsGroup"
"""Column that refers to a row of data_optics."""
GROUP_NAME = "rlnOpticsGroupName"

Groups = Mapping[str, int]
"""Rows of data_optics, counted from 0, by the numbers and names that refer to them."""


def is_optics(block: str, columns: Sequence[str]) -> bool:
    """Return whether a table describes optics groups: ``data_optics``, or what has its columns."""
    return block.lower() == "optics" or {GROUP, GROUP_NAME} <= set(columns)


def group_key(cell: str) -> str:
    """Return a reference to a group in one spelling.

    Examples
    --------
    >>> [group_key(cell) for cell in ("1", " 01", "1.000000", "opticsGroup1")]
    ['1', '1', '1', 'opticsGroup1']
    """
    value = number_in(cell)
    return str(int(value)) if value.is_integer() else cell.strip()


def index_groups(columns: Sequence[str], rows: Iterable[Row]) -> Groups:
    """Return the rows of a table of optics by number and by name; numbers come first.

    A row without a number has its place as number.
    """
    numbers: dict[str, int] = {}
    names: dict[str, int] = {}
    for place, (_, cells) in enumerate(rows):
        row = dict(zip(columns, cells, strict=True))
        number = row.get(GROUP, "")
        numbers.setdefault(str(place + 1) if is_unknown(number) else group_key(number), place)
        if not is_unknown(row.get(GROUP_NAME, "")):
            names.setdefault(group_key(row[GROUP_NAME]), place)
    return names | numbers


def find_group(cell: str | None, groups: Groups) -> int | None:
    """Return the row that a reference means, or None if there is none such.

    Parameters
    ----------
    cell : str or None
        None or unknown refers to the only row.
    groups : Groups
    """
    if cell is None or is_unknown(cell):
        return 0 if set(groups.values()) == {0} else None
    return groups.get(group_key(cell))
