"""Tables of a STAR file, read line by line.

Not read by a library: starfile and gemmi hold every cell as an object, up to a kilobyte per row,
and do not name the line in which a file is damaged.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from deepcryopicker.errors import UsageError
from deepcryopicker.io.files.text import Row
from deepcryopicker.io.star.group_keys import GROUP, Groups, find_group, index_groups, is_optics
from deepcryopicker.io.star.star_lines import Lines


@dataclass(frozen=True)
class Table:
    """One table of a STAR file.

    Attributes
    ----------
    block : str
        Name after ``data_``.
    columns : list of str
        Without the underscore.
    rows : iterator of Row
        To be read before the next table is requested, which skips the remaining rows. Raises
        UsageError at a row whose number of cells differs from that of the columns.
    """

    block: str
    columns: list[str]
    rows: Iterator[Row]


def read_tables(path: Path) -> Iterator[Table]:
    """Yield the tables of a file; single values (without ``loop_``) form a table of one row.

    Raises
    ------
    UsageError
        Not a text file, or a line that belongs to no table: nothing is passed over in silence.
    """
    lines, block, in_block = Lines(path), "", False
    while lines.cells:
        word = lines.reserved
        if word == "loop_":
            lines.advance()
            columns = _labels(lines)
            yield Table(block, columns, _loop_rows(lines, columns))
            while not lines.ends_rows(len(columns)):
                lines.take(len(columns))
        elif word:
            if word.startswith("data_"):
                block = lines.cells[0][len("data_") :]
            lines.advance()
        elif lines.is_label:
            yield _single_values(lines, block)
        elif not in_block or lines.begins_text:  # not a STAR file, which find_table reports
            lines.advance()
        else:
            raise UsageError(
                f"{path}: damaged STAR table: line {lines.number} belongs to no table\n"
                "a table begins with loop_ and the names of its columns, and names have no blanks"
            )
        in_block = in_block or bool(word)


def find_table(path: Path, columns: Sequence[str]) -> Table:
    """Return the first table that has all `columns`.

    Raises
    ------
    UsageError
        There is none, or it refers to an optics group that is not in data_optics.
    """
    found: set[str] = set()
    groups: Groups = {}
    for table in read_tables(path):
        if set(columns) <= set(table.columns):
            if groups and GROUP in table.columns:
                return replace(table, rows=_of_known_groups(path, table, groups))
            return table
        found |= set(table.columns)
        if is_optics(table.block, table.columns):
            groups = index_groups(table.columns, table.rows)
    raise UsageError(
        f"no table with {'/'.join(columns)} in {path}\n"
        + (f"columns found: {', '.join(sorted(found))}" if found else "it holds no STAR table")
    )


def _of_known_groups(path: Path, table: Table, known: Groups) -> Iterator[Row]:
    """Yield the rows of a table; refuse a row whose optics group is not `known`."""
    place = table.columns.index(GROUP)
    found: set[str] = set()
    for line, cells in table.rows:
        if cells[place] not in found and find_group(cells[place], known) is None:
            raise UsageError(
                f"{path}: line {line} is of optics group {cells[place][:40]}, which is not in "
                f"data_optics\nits groups: {', '.join(sorted(known)[:6])}"
            )
        found.add(cells[place])
        yield line, cells


def _labels(lines: Lines) -> list[str]:
    columns = []
    first = lines.number
    while lines.is_label:
        columns.append(lines.cells[0].removeprefix("_").partition("#")[0])
        lines.advance()
    if not columns and lines.cells and not lines.reserved:
        raise UsageError(
            f"{lines.path}: damaged STAR table: the loop_ above line {first} names no columns\n"
            "the names of its columns begin with an underscore"
        )
    return _unrepeated(lines.path, columns)


def _loop_rows(lines: Lines, columns: list[str]) -> Iterator[Row]:
    while not lines.ends_rows(len(columns)):
        number = lines.number
        cells = lines.take(len(columns))
        if len(cells) != len(columns):
            raise UsageError(
                f"{lines.path}: damaged STAR table: line {number} has {len(cells)} "
                f"cells\nthe loop_ names {len(columns)} columns, and every row needs as many"
            )
        yield number, cells


def _single_values(lines: Lines, block: str) -> Table:
    """Read consecutive values, each ``_name value``, as a table of one row."""
    first, columns, row = lines.number, [], []
    while lines.is_label:
        number, cells = lines.number, lines.take(2)
        if len(cells) != 2:
            raise UsageError(
                f"{lines.path}: damaged STAR table: line {number} is neither a value nor in a "
                "loop_\na single value is: _name value"
            )
        columns.append(cells[0].removeprefix("_"))
        row.append(cells[1])
    return Table(block, _unrepeated(lines.path, columns), iter([(first, row)]))


def _unrepeated(path: Path, columns: list[str]) -> list[str]:
    """Return the columns; refuse one that is named twice."""
    twice = next((name for name, count in Counter(columns).items() if count > 1), None)
    if twice is not None:
        raise UsageError(
            f"{path}: damaged STAR table: column {twice} is named twice\nremove one of the two"
        )
    return columns
