"""Tables of a STAR file, read line by line.

Not read by a library: starfile and gemmi hold every cell as an object, up to a kilobyte per row,
and do not name the line in which a file is damaged.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from deepcryopicker.errors import UsageError
from deepcryopicker.io.files.text import Row, text_lines

GROUP = "rlnOpticsGroup"
"""Column that refers to a row of data_optics."""

_CELL = re.compile(r"""(?:"([^"]*)"|'([^']*)')(?=\s|$)|(\S+)""")


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


class _Lines:
    """Cells of the current line that is neither empty nor a comment."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._numbered = enumerate(text_lines(path), 1)
        self.number = 0
        self.cells: list[str] = []
        self.advance()

    def advance(self) -> None:
        """Go to the next line that is neither empty nor a comment; no cells at the end."""
        for number, line in self._numbered:
            self.number, self.cells = number, _split(line)
            if self.cells and not line.lstrip().startswith("#"):
                return
        self.cells = []

    @property
    def begins_block(self) -> bool:
        """Whether the line is ``data_`` followed by a name."""
        return len(self.cells) == 1 and self.cells[0].startswith("data_")

    @property
    def begins_table(self) -> bool:
        """Whether the rows of the previous table end here."""
        return self.begins_block or self.cells == ["loop_"] or not self.cells


def read_tables(path: Path) -> Iterator[Table]:
    """Yield the tables of a file; single values (without ``loop_``) form a table of one row.

    Raises
    ------
    UsageError
        Not a text file.
    """
    lines, block = _Lines(path), ""
    while lines.cells:
        if lines.begins_block:
            block = lines.cells[0].removeprefix("data_")
            lines.advance()
        elif lines.cells == ["loop_"]:
            lines.advance()
            columns = _labels(lines)
            rows = _loop_rows(lines, columns)
            yield Table(block, columns, rows)
            for _ in iter(lambda: lines.begins_table, True):
                lines.advance()
        elif lines.cells[0].startswith("_"):
            pairs = _single_values(lines)
            row = (lines.number, list(pairs.values()))
            yield Table(block, list(pairs), iter([row]))
        else:  # not a STAR file, which find_table reports
            lines.advance()


def find_table(path: Path, columns: Sequence[str]) -> Table:
    """Return the first table that has all `columns`.

    Raises
    ------
    UsageError
        There is none, or it refers to an optics group that is not in data_optics.
    """
    found: set[str] = set()
    groups: set[str] = set()
    for table in read_tables(path):
        if set(columns) <= set(table.columns):
            known = groups if GROUP in table.columns else set()
            return replace(table, rows=_of_known_groups(path, table, known)) if known else table
        found |= set(table.columns)
        if table.block == "optics" and GROUP in table.columns:
            groups |= {cells[table.columns.index(GROUP)] for _, cells in table.rows}
    raise UsageError(
        f"no table with {'/'.join(columns)} in {path}\n"
        + (f"columns found: {', '.join(sorted(found))}" if found else "it holds no STAR table")
    )


def _of_known_groups(path: Path, table: Table, known: set[str]) -> Iterator[Row]:
    """Yield the rows of a table; refuse a row whose optics group is not `known`."""
    place = table.columns.index(GROUP)
    for line, cells in table.rows:
        if cells[place] not in known:
            raise UsageError(
                f"{path}: line {line} is of optics group {cells[place]}, which is not in "
                f"data_optics\nits groups: {', '.join(sorted(known))}"
            )
        yield line, cells


def _labels(lines: _Lines) -> list[str]:
    columns = []
    while lines.cells and lines.cells[0].startswith("_"):
        columns.append(lines.cells[0].removeprefix("_"))
        lines.advance()
    return columns


def _loop_rows(lines: _Lines, columns: list[str]) -> Iterator[Row]:
    while not lines.begins_table:
        if len(lines.cells) != len(columns):
            raise UsageError(
                f"{lines.path}: damaged STAR table: line {lines.number} has {len(lines.cells)} "
                f"cells\nthe loop_ names {len(columns)} columns, and every row needs as many"
            )
        yield lines.number, lines.cells
        lines.advance()


def _single_values(lines: _Lines) -> dict[str, str]:
    pairs = {}
    while len(lines.cells) > 1 and lines.cells[0].startswith("_"):
        pairs[lines.cells[0].removeprefix("_")] = lines.cells[1]
        lines.advance()
    if not pairs:
        raise UsageError(
            f"{lines.path}: damaged STAR table: line {lines.number} is neither a value nor in a "
            "loop_\na single value is: _name value"
        )
    return pairs


def _split(line: str) -> list[str]:
    """Split a line at white space outside quotes."""
    if '"' not in line and "'" not in line:
        return line.split()
    return [next(filter(None, groups), "") for groups in _CELL.findall(line)]
