"""Optics groups of the micrographs that a STAR file lists, cell by cell."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from deepcryopicker.errors import UsageError
from deepcryopicker.io.files.cell_values import is_unknown, number_in
from deepcryopicker.io.star.group_keys import (
    GROUP,
    GROUP_NAME,
    Groups,
    find_group,
    group_key,
    index_groups,
    is_optics,
)
from deepcryopicker.io.star.optics_cells import (
    DETECTOR,
    IMAGE,
    MAGNIFICATION,
    OF_IMAGES,
    PIXEL_SIZE,
    doubts_about,
    is_known,
    magnified,
)
from deepcryopicker.io.star.optics_groups import PLACEHOLDERS, Optics
from deepcryopicker.io.star.relion_star import NAME
from deepcryopicker.io.star.star_tables import Table, read_tables

_OF_ROWS = (*PLACEHOLDERS, PIXEL_SIZE, MAGNIFICATION, DETECTOR)  # of micrographs in RELION 3.0


def read_optics(path: Path) -> dict[str, Optics]:
    """Read the optics group of every micrograph that a STAR file lists.

    The table ``data_optics`` of RELION 3.1 to 5 and the columns of 3.0, which has no groups. What
    is unknown, wrong or absurd in a cell is left out, and replaced by a placeholder where RELION
    requires the column; `Optics.doubts` names it.

    Returns
    -------
    dict
        By rlnMicrographName; empty if the file has no optics.

    Raises
    ------
    UsageError
        A micrograph has no optics group, one missing from data_optics, or two of different pixel
        sizes; or data_optics describes a group twice.
    """
    described: list[dict[str, str]] = []
    groups: Groups = {}
    listed: dict[str, dict[str, str]] = {}
    for table in read_tables(path):
        if not listed and NAME in table.columns:
            listed = _listed(path, table)
        elif not described and is_optics(table.block, table.columns):
            rows = list(table.rows)
            described = [dict(zip(table.columns, cells, strict=True)) for _, cells in rows]
            groups = index_groups(table.columns, rows)
    if not described:
        return _without_groups(listed)
    _refuse_repeated(path, described)
    numbers = _numbers([row.get(GROUP, "") for row in described])
    found = {}
    for name, row in listed.items():
        cell = row.get(GROUP, row.get(GROUP_NAME))
        place = find_group(cell, groups)
        if place is None:
            raise UsageError(_no_group(path, name, cell, groups))
        found[name] = _optics(numbers[place], described[place], row)
    return found


def _listed(path: Path, table: Table) -> dict[str, dict[str, str]]:
    """Return the optics columns of the first row of each micrograph; their rows may be many."""
    columns = [c for c in (GROUP, GROUP_NAME, *_OF_ROWS) if c in table.columns]
    places = [table.columns.index(column) for column in columns]
    of_name = table.columns.index(NAME)
    found: dict[str, tuple[str, ...]] = {}
    for line, cells in table.rows:
        name, values = cells[of_name], tuple(cells[place] for place in places)
        first = found.setdefault(name, values)
        if first != values:
            _refuse_two_scales(path, line, name, columns, (first, values))
    images = {IMAGE: ""} if IMAGE in table.columns else {}
    return {name: dict(zip(columns, row, strict=True)) | images for name, row in found.items()}


def _refuse_two_scales(
    path: Path, line: int, name: str, columns: list[str], rows: Sequence[tuple[str, ...]]
) -> None:
    """Refuse a micrograph that is listed with two groups or pixel sizes; spelling is the same."""
    for column in (GROUP, GROUP_NAME, PIXEL_SIZE):
        if column not in columns:
            continue
        one, other = (row[columns.index(column)] for row in rows)
        if one != other and number_in(one) != number_in(other):
            raise UsageError(
                f"{path}: {name} is of {column} '{one[:40]}' and, in line {line}, '{other[:40]}'\n"
                "correct or remove one of the rows"
            )


def _refuse_repeated(path: Path, described: Sequence[Mapping[str, str]]) -> None:
    """Refuse two rows of one number; the same row twice is one."""
    rows: dict[str, Mapping[str, str]] = {}
    for row in described:
        number = row.get(GROUP, "")
        if not is_unknown(number) and rows.setdefault(group_key(number), row) != row:
            raise UsageError(
                f"{path}: data_optics describes optics group {number[:40]} twice\n"
                "remove one of the rows"
            )


def _no_group(path: Path, name: str, cell: str | None, groups: Groups) -> str:
    known = f"groups there: {', '.join(sorted(groups)[:6])}"
    if cell is None:
        return (
            f"{path}: data_optics has several groups, and {name} has no column {GROUP}\n"
            f"add the column, or keep one group; {known}"
        )
    return f"{path}: optics group {cell[:40]} of {name} is not in data_optics\n{known}"


def _numbers(cells: Sequence[str]) -> list[int]:
    """Return a number from 1 for each group; words and impossible numbers get the free ones."""
    values = [number_in(cell) for cell in cells]
    given = [int(v) if v.is_integer() and 1 <= v < 2**31 else None for v in values]
    taken = {number for number in given if number is not None}
    free = (number for number in range(1, len(cells) + len(taken) + 1) if number not in taken)
    return [next(free) if n is None else n for n in given]


def _without_groups(rows: Mapping[str, Mapping[str, str]]) -> dict[str, Optics]:
    """Make one group for each distinct set of microscope columns, as RELION 3.0 has them."""
    found: dict[str, Optics] = {}
    numbers: dict[tuple[tuple[str, str], ...], int] = {}
    for name, row in rows.items():
        described = {column: row[column] for column in _OF_ROWS if column in row}
        if not described:
            return {}
        number = numbers.setdefault(tuple(described.items()), len(numbers) + 1)
        found[name] = _optics(number, {GROUP_NAME: f"opticsGroup{number}", **described}, row)
    return found


def _optics(number: int, described: Mapping[str, str], listed: Mapping[str, str]) -> Optics:
    """Return a group as its row describes it; the row of a micrograph may add a pixel size."""
    left_out = (GROUP, MAGNIFICATION, DETECTOR)
    values = {
        column: _writable(cell)
        for column, cell in described.items()
        if column not in left_out and not column.startswith(OF_IMAGES) and is_known(column, cell)
    }
    values.setdefault(GROUP_NAME, f"opticsGroup{number}")
    images = {IMAGE: ""} if IMAGE in listed else {}
    sizes = [listed.get(PIXEL_SIZE, ""), magnified({**images, **described}), magnified(listed)]
    size = next((one for one in sizes if one and is_known(PIXEL_SIZE, one)), None)
    if PIXEL_SIZE not in values and size is not None:
        values[PIXEL_SIZE] = size
    made_up = tuple(column for column in PLACEHOLDERS if column not in values)
    values |= {column: PLACEHOLDERS[column] for column in made_up}
    doubts = doubts_about({**images, **described})
    if size is not None:
        doubts = tuple(doubt for doubt in doubts if PIXEL_SIZE not in doubt)
    return Optics(number, tuple(values.items()), made_up, doubts)


def _writable(cell: str) -> str:
    """Return a cell without what a STAR file cannot hold in one."""
    text = cell.strip().replace('"', "'")
    return text if text.isprintable() else "".join(c if c.isprintable() else "_" for c in text)
