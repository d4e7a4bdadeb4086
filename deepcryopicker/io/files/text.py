"""Tables in text files, read line by line, so that only the numbers are held in memory."""

import logging
import math
import stat
import sys
from array import array
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from deepcryopicker.errors import UsageError
from deepcryopicker.io.files.cell_values import is_unknown, number_in
from deepcryopicker.types import Floats

Row = tuple[int, list[str]]
"""Line number, and the cells as text."""

logger = logging.getLogger(__name__)

LONGEST_LINE = 2**20
BAD_ROWS = 0.01
"""A file is refused if a larger fraction of its rows has a cell that is not a number."""


def text_lines(path: Path) -> Iterator[str]:
    """Yield the lines of a text file, without a byte order mark.

    Raises
    ------
    UsageError
        The file cannot be read, is not a regular file, is not text or has a line above 1 MB.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise UsageError(f"{path}: not a regular file")
        with path.open(encoding="utf-8-sig") as stream:
            for line in iter(partial(stream.readline, LONGEST_LINE), ""):
                if len(line) == LONGEST_LINE:
                    raise UsageError(f"{path}: a line of more than 1 MB: not a table")
                yield line
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: not a text file") from error


def gather(
    path: Path,
    header: Sequence[str],
    rows: Iterable[Row],
    numbers: Sequence[str],
    words: str | None = None,
    optional: Sequence[str] = (),
) -> tuple[dict[str, Floats], list[str]]:
    """Collect the requested columns of a table, row by row.

    Parameters
    ----------
    path : Path
        Named in errors.
    header : sequence of str
        Name of each column.
    rows : iterable of Row
        With one cell per column.
    numbers : sequence of str
        Columns of numbers; those missing from the table are ignored.
    words : str, optional
        A column of text, present in the table.
    optional : sequence of str
        Those of `numbers` in which a cell that :func:`is_unknown` is read as NaN.

    Returns
    -------
    dict of (N,) float64, and a list of N words
        Of the rows kept; the list is empty without `words`.

    Raises
    ------
    UsageError
        More than 1 % of the rows have a cell that is not a finite number; fewer are dropped.
    """
    wanted = [column for column in numbers if column in header]
    places = [header.index(column) for column in wanted]
    of_words = None if words is None else header.index(words)
    kept, said = Numbers(path, wanted, optional), []
    for line, cells in rows:
        if kept.add(line, [cells[place] for place in places]) and of_words is not None:
            said.append(sys.intern(cells[of_words]))
    return kept.columns(), said


class Numbers:
    """Numbers of a table, collected row by row.

    Rows with a cell that is not a finite number are dropped as long as they are few.

    Parameters
    ----------
    path : Path
        Named in errors.
    columns : sequence of str
    optional : sequence of str
        Those of the columns in which an unknown cell is read as NaN.
    """

    def __init__(self, path: Path, columns: Sequence[str], optional: Sequence[str] = ()) -> None:
        self._path = path
        self._values = {column: array("d") for column in columns}
        self._optional = frozenset(optional)
        self._rows = 0
        self._bad = 0
        self._first_bad = ""

    def add(self, line: int, cells: Sequence[str]) -> bool:
        """Add a row, its cells in the order of the columns; return whether it is kept."""
        self._rows += 1
        values = list(map(number_in, cells))
        for column, value, cell in zip(self._values, values, cells, strict=True):
            if math.isnan(value) and not (column in self._optional and is_unknown(cell)):
                self._bad += 1
                self._first_bad = (
                    self._first_bad or f"{column} must be a number, line {line} has '{cell}'"
                )
                return False
        for kept, value in zip(self._values.values(), values, strict=True):
            kept.append(value)
        return True

    def columns(self) -> dict[str, Floats]:
        """Return the columns of the rows kept, each (N,) float64.

        Raises
        ------
        UsageError
            Too many rows were dropped; names the first of them.
        """
        if self._bad > BAD_ROWS * self._rows:
            raise UsageError(
                f"{self._path}: {self._first_bad}\n"
                f"correct or remove the row ({self._bad} of {self._rows} rows are wrong)"
            )
        if self._bad:
            logger.warning("%s: %d rows left out: %s", self._path, self._bad, self._first_bad)
        return {column: np.array(values) for column, values in self._values.items()}
