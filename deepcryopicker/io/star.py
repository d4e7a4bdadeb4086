"""STAR files as RELION 3.1 reads and writes them; starfile does the parsing.

A position has the columns rlnCoordinateX and rlnCoordinateY: particle centre in pixels of the
micrograph, 0 at the centre of the first pixel. Diameters have no column and do not survive.
"""

import linecache
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from deepcryopicker.errors import UsageError
from deepcryopicker.io.atomic import replacing
from deepcryopicker.io.checks import numbers, one_line, read_lines
from deepcryopicker.types import SHAPES, Floats, Picks, Strings

if TYPE_CHECKING:
    import pandas as pd

Table = tuple[Sequence[str], Iterable[Sequence[object]]]
"""A table to write: names of the columns, and rows."""

X, Y = "rlnCoordinateX", "rlnCoordinateY"
SCORE, CLASS, PSI = "rlnAutopickFigureOfMerit", "rlnClassNumber", "rlnAnglePsi"
NAME, GROUP = "rlnMicrographName", "rlnOpticsGroup"
COORDINATES = "rlnMicrographCoordinates"
POSITION = (X, Y, SCORE, CLASS, PSI)

VERSION = "# version 30001"


def read_star(path: Path) -> Picks:
    """Read all positions of a STAR file, of whatever micrograph.

    Parameters
    ----------
    path : Path
        Any block with rlnCoordinateX and rlnCoordinateY; rlnAutopickFigureOfMerit is the score
        (1 where missing) and rlnClassNumber the class (1 is the first of `SHAPES`).

    Returns
    -------
    Picks
        Original pixels; the diameters are NaN.

    Raises
    ------
    UsageError
        No such table, a damaged one, or a position that is not a number.
    """
    return _picks(path, read_table(path, (X, Y)))


def read_star_by_micrograph(path: Path) -> dict[str, Picks]:
    """Read a particles.star: positions by rlnMicrographName, in order of appearance.

    Raises
    ------
    UsageError
        As `read_star`, or without names.
    """
    table = read_table(path, (X, Y, NAME))
    return _picks(path, table).grouped(_names(path, table))


def micrograph_names(path: Path) -> list[str]:
    """Return the rlnMicrographName column; a name such as ``0001`` stays text.

    Raises
    ------
    UsageError
        No table with that column.
    """
    return _names(path, read_table(path, (NAME,)))


def read_numbers(path: Path, column: str) -> Floats:
    """Return a column of numbers from the first table that has it.

    Raises
    ------
    UsageError
        No table with that column, or a cell that is not a number.
    """
    return numbers(path, column, read_table(path, (column,))[column].tolist())


def read_cells(path: Path) -> list[tuple[list[str], list[list[str]]]]:
    """Return columns and rows of every table as text; single values are a table of one row.

    Raises
    ------
    UsageError
        A damaged file.
    """
    return [
        ([str(column) for column in table.columns], table.astype(str).to_numpy().tolist())
        for table in _load(path)
    ]


def write_coordinates_star(path: Path, picks: Picks, comment: str = "") -> None:
    """Write the positions of one micrograph in the unnamed block that RELION's pickers write.

    Parameters
    ----------
    path : Path
        Replaced atomically.
    picks : Picks
        Written as they are; none is fine.
    comment : str
        One line for the top of the file.
    """
    _write(path, {"": (POSITION, _rows(picks))}, [comment])


def write_particles_star(
    path: Path,
    located: Iterable[tuple[str, int, Picks]],
    optics: Table,
    comments: Sequence[str] = (),
) -> None:
    """Write the positions of many micrographs into one file, with optics table.

    Parameters
    ----------
    path : Path
        Replaced atomically.
    located : iterable of (micrograph name, optics group, Picks)
        In the order to write; no more than one is held at a time.
    optics : Table
        See :func:`deepcryopicker.io.optics.optics_table`.
    comments : sequence of str
        Lines for the top of the file.
    """
    rows = ((*row, group, _checked(name)) for name, group, picks in located for row in _rows(picks))
    blocks = {"optics": optics, "particles": ((*POSITION, GROUP, NAME), rows)}
    _write(path, blocks, comments)


def write_micrographs_star(
    path: Path,
    grouped: Iterable[tuple[str, int]],
    optics: Table,
    comments: Sequence[str] = (),
) -> None:
    """Write the list of micrographs, with optics table, that RELION extracts from.

    Parameters
    ----------
    path : Path
        Replaced atomically.
    grouped : iterable of (micrograph name, optics group)
        Names as RELION shall find the files: below its project folder, or absolute.
    optics : Table
        See :func:`deepcryopicker.io.optics.optics_table`.
    comments : sequence of str
        Lines for the top of the file.
    """
    # The name is never the first cell: a row that starts with data_ looks like a new block.
    table = (GROUP, NAME), ((group, _checked(name)) for name, group in grouped)
    _write(path, {"optics": optics, "micrographs": table}, comments)


def write_autopick_star(path: Path, pairs: Iterable[tuple[str, str]]) -> None:
    """Write RELION 4's and 5's list of (micrograph, coordinate file) pairs."""
    cells = ((_checked(name), _checked(file)) for name, file in pairs)
    _write(path, {"coordinate_files": ((NAME, COORDINATES), cells)}, [])


def read_table(path: Path, columns: Sequence[str]) -> "pd.DataFrame":
    """Return the first table that has all `columns`.

    Raises
    ------
    UsageError
        No such table, or a damaged file.
    """
    tables = _load(path)
    for table in tables:
        if set(columns) <= set(table.columns):
            return table
    found = sorted({str(column) for table in tables for column in table.columns})
    raise UsageError(
        f"no table with {'/'.join(columns)} in {path}\n"
        + (f"columns found: {', '.join(found)}" if found else "it holds no STAR table at all")
    )


def _load(path: Path) -> list["pd.DataFrame"]:
    """Return every block as a table, also those that are lists of single values."""
    # pandas takes most of a second to import, which only those who read STAR files should wait for.
    import pandas as pd
    import starfile

    read_lines(path)  # refuses what is no text file, which starfile takes for an empty one
    try:
        blocks = starfile.read(path, always_dict=True, parse_as_string=[NAME, COORDINATES])
    # pandas and shlex tell of ragged rows and stray words in many types.
    except Exception as error:
        raise UsageError(
            f"{path}: damaged STAR table: {one_line(error)}\n"
            "every row needs as many cells as the loop_ names columns"
        ) from error
    finally:
        linecache.clearcache()  # starfile forgets to after an error, and would read stale lines
    return [
        block if isinstance(block, pd.DataFrame) else pd.DataFrame([block])
        for block in blocks.values()
    ]


def _picks(path: Path, table: "pd.DataFrame") -> Picks:
    x, y = (numbers(path, column, table[column].tolist()) for column in (X, Y))
    score = numbers(path, SCORE, table[SCORE].tolist()) if SCORE in table else 1.0
    if CLASS not in table:
        return Picks.create(x, y, score)
    return Picks.create(x, y, score, _labels(numbers(path, CLASS, table[CLASS].tolist())))


def _labels(classes: np.ndarray) -> Strings:
    """Translate class numbers; what RELION did not number is irregular."""
    words = dict(enumerate(SHAPES, 1))
    return np.array([words.get(int(number), "irregular") for number in classes], np.str_)


def _names(path: Path, table: "pd.DataFrame") -> list[str]:
    names = table[NAME]
    if names.isna().any():
        raise UsageError(f"{path}: {NAME} is missing in row {int(names.isna().argmax()) + 1}")
    # starfile turns apostrophes into quotes, which are much rarer in file names.
    return [str(name).replace('"', "'") for name in names]


def _rows(picks: Picks) -> Iterator[tuple[float, float, float, int, float]]:
    """Yield what RELION's own pickers write of a position; the in-plane angle is not known."""
    numbered = {word: number for number, word in enumerate(SHAPES, 1)}
    irregular = numbered["irregular"]
    for x, y, score, label in zip(picks.x, picks.y, picks.score, picks.label, strict=True):
        yield float(x), float(y), float(score), numbered.get(str(label), irregular), 0.0


def _checked(name: str) -> str:
    """Refuse names that a STAR file cannot hold."""
    if '"' in name or not name.isprintable():
        raise UsageError(f"{name!r} cannot be written to a STAR file\nrename the file")
    return name


def _write(path: Path, blocks: Mapping[str, Table], comments: Sequence[str]) -> None:
    """Write tables, atomically; no date, so that the same picks give the same bytes."""
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8") as stream:
        stream.writelines(f"{line}\n" for line in _lines(blocks, comments))


def _lines(blocks: Mapping[str, Table], comments: Sequence[str]) -> Iterator[str]:
    yield from (f"# {comment}" for comment in comments if comment)
    for name, (columns, rows) in blocks.items():
        yield from ("", VERSION, "", "", f"data_{name}", "", "loop_")
        yield from (f"_{column} #{number}" for number, column in enumerate(columns, 1))
        yield from ("\t".join(map(_cell, row)) for row in rows)
        yield from ("", "")


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.6f}"
    text = str(value)
    return f'"{text}"' if " " in text or not text else text
