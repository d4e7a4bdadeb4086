"""STAR files as RELION 3.1 reads and writes them.

rlnCoordinateX and rlnCoordinateY are the particle centre in pixels of the micrograph, 0 at the
centre of the first pixel. There is no column for diameters, which are lost.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from deepcryopicker.errors import UsageError
from deepcryopicker.io.files.atomic import replacing
from deepcryopicker.io.files.missing_scores import known_scores
from deepcryopicker.io.files.text import Row, gather, text_lines
from deepcryopicker.io.star.group_keys import GROUP
from deepcryopicker.io.star.star_tables import Table, find_table, read_tables
from deepcryopicker.types import SHAPES, Floats, Picks, Strings

Written = tuple[Sequence[str], Iterable[Sequence[object]]]
"""A table to write: column names, and rows; a row that is a text is a complete line."""

X, Y = "rlnCoordinateX", "rlnCoordinateY"
SCORE, CLASS, PSI = "rlnAutopickFigureOfMerit", "rlnClassNumber", "rlnAnglePsi"
NAME, IMAGE = "rlnMicrographName", "rlnImageName"
COORDINATES = "rlnMicrographCoordinates"
POSITION = (X, Y, SCORE, CLASS, PSI)

VERSION = "# version 30001"
OURS = (
    "written by DeepCryoPicker: rlnAutopickFigureOfMerit is a probability, rlnClassNumber is "
    + ", ".join(f"{number} {word}" for number, word in enumerate(SHAPES, 1))
)
"""Comment of our files; class numbers of others are not kinds of views."""


def read_star(path: Path, classes: bool = False) -> Picks:
    """Read all positions of a STAR file, whatever their micrograph.

    Parameters
    ----------
    path : Path
        Any block with rlnCoordinateX and rlnCoordinateY; rlnAutopickFigureOfMerit is the score.
    classes : bool
        Whether rlnClassNumber is the class (1 is the first of `SHAPES`) also in files of others,
        where it is usually the number of a template, a 2-D class or a colour.

    Returns
    -------
    Picks
        Original pixels; scores are NaN where there is none, and diameters everywhere. Up to 1 %
        of rows with a cell that is not a number are dropped.

    Raises
    ------
    UsageError
        The table is missing or damaged, or more than 1 % of its rows are not numbers.
    """
    return _read(path, classes)[0]


def read_star_by_micrograph(path: Path, classes: bool = False) -> dict[str, Picks]:
    """Read a particles.star: positions by rlnMicrographName, in order of appearance.

    Without that column, rlnImageName is the name.

    Raises
    ------
    UsageError
        As `read_star`, or a micrograph name is missing.
    """
    column = naming_column(path) or NAME
    picks, names = _read(path, classes, column)
    if column == IMAGE:  # every position has a number in the stack of its micrograph
        names = [name.rpartition("@")[2] for name in names]
    return picks.grouped(names)


def naming_column(path: Path) -> str | None:
    """Return the column that names the micrograph of each position; None without one.

    Raises
    ------
    UsageError
        It is not a text file, or damaged before its positions.
    """
    for table in read_tables(path):
        if {X, Y} <= set(table.columns):
            named = [column for column in (NAME, IMAGE) if column in table.columns]
            if named:
                return named[0]
    return None


def written_by_us(path: Path) -> bool:
    """Return whether a STAR file has our comment in its first lines.

    Raises
    ------
    UsageError
        It is not a text file.
    """
    return any(OURS in line for line in islice(text_lines(path), 3))


def micrograph_names(path: Path) -> list[str]:
    """Return the rlnMicrographName column; a name such as ``0001`` stays text.

    Raises
    ------
    UsageError
        The column is missing, its table is damaged, or a name is empty.
    """
    table = find_table(path, (NAME,))
    return gather(path, table.columns, _with_names(path, table, NAME), (), NAME)[1]


def read_numbers(path: Path, column: str) -> Floats:
    """Return a column of numbers from the first table that has it.

    Raises
    ------
    UsageError
        The column is missing, or more than 1 % of its cells are not numbers.
    """
    table = find_table(path, (column,))
    return gather(path, table.columns, table.rows, (column,))[0][column]


def _read(path: Path, classes: bool, words: str | None = None) -> tuple[Picks, list[str]]:
    """Return the positions, and the text of column `words` for each."""
    table = find_table(path, (X, Y) if words is None else (X, Y, words))
    rows = table.rows if words is None else _with_names(path, table, words)
    numbers = (X, Y, SCORE, CLASS) if classes or written_by_us(path) else (X, Y, SCORE)
    found, said = gather(path, table.columns, rows, numbers, words, optional=(SCORE, CLASS))
    label = _labels(found[CLASS]) if CLASS in found else "irregular"
    score = known_scores(found.get(SCORE, np.nan))
    return Picks.create(found[X], found[Y], score, label), said


def _with_names(path: Path, table: Table, column: str) -> Iterator[Row]:
    """Yield the rows of a table; refuse a row without the name in a column."""
    place = table.columns.index(column)
    for line, cells in table.rows:
        if not cells[place]:
            raise UsageError(f"{path}: {column} is empty in line {line}\ncorrect or remove the row")
        yield line, cells


def write_coordinates_star(path: Path, picks: Picks, comment: str = "") -> None:
    """Write the positions of one micrograph in an unnamed block, as RELION's pickers do.

    Parameters
    ----------
    path : Path
        Replaced atomically.
    picks : Picks
        Written unchanged; may be empty.
    comment : str
        First line of the file.
    """
    write_tables(path, {"": (POSITION, _rows(picks))}, [comment, OURS])


def write_particles_star(
    path: Path,
    located: Iterable[tuple[str, int, Picks]],
    optics: Written,
    comments: Sequence[str] = (),
) -> None:
    """Write the positions of many micrographs and the optics table into one file.

    Parameters
    ----------
    path : Path
        Replaced atomically.
    located : iterable of (micrograph name, optics group, Picks)
        In the order to write; one micrograph at a time is held in memory.
    optics : Written
        See :func:`deepcryopicker.io.star.optics_groups.optics_table`.
    comments : sequence of str
        Lines for the top of the file.
    """
    rows = (
        row
        for name, group, picks in located
        for row in _rows(picks, f"\t{group}\t{_cell(checked_name(name))}")
    )
    blocks = {"optics": optics, "particles": ((*POSITION, GROUP, NAME), rows)}
    write_tables(path, blocks, [OURS, *comments])


def write_micrographs_star(
    path: Path,
    grouped: Iterable[tuple[str, int]],
    optics: Written,
    comments: Sequence[str] = (),
) -> None:
    """Write the list of micrographs from which RELION extracts, with the optics table.

    Parameters
    ----------
    path : Path
        Replaced atomically.
    grouped : iterable of (micrograph name, optics group)
        Paths of the files, relative to the RELION project folder or absolute.
    optics : Written
        See :func:`deepcryopicker.io.star.optics_groups.optics_table`.
    comments : sequence of str
        Lines for the top of the file.
    """
    # The name is never the first cell: a row that starts with data_ looks like a new block.
    table = (GROUP, NAME), ((group, checked_name(name)) for name, group in grouped)
    write_tables(path, {"optics": optics, "micrographs": table}, comments)


def write_autopick_star(path: Path, pairs: Iterable[tuple[str, str]]) -> None:
    """Write the list of (micrograph, coordinate file) pairs of RELION 4 and 5."""
    cells = ((checked_name(name), checked_name(file)) for name, file in pairs)
    write_tables(path, {"coordinate_files": ((NAME, COORDINATES), cells)}, [])


def _labels(classes: Floats) -> Strings:
    """Translate class numbers; an unknown number becomes ``irregular``."""
    known = np.array(["irregular", *SHAPES])
    whole = np.isin(classes, np.arange(1, len(known)))
    return known[np.where(whole, classes, 0).astype(np.intp)]


def _rows(picks: Picks, end: str = "") -> Iterator[str]:
    """Yield the columns `POSITION` of each pick; the in-plane angle is unknown and written as 0.

    Parameters
    ----------
    picks : Picks
    end : str
        Further columns, equal for all picks.
    """
    numbered = {word: number for number, word in enumerate(SHAPES, 1)}
    irregular = numbered["irregular"]
    columns = (column.tolist() for column in (picks.x, picks.y, picks.score, picks.label))
    for x, y, score, label in zip(*columns, strict=True):
        yield f"{x:.6f}\t{y:.6f}\t{score:.6f}\t{numbered.get(label, irregular)}\t0.000000{end}"


def checked_name(name: str) -> str:
    """Return the name; refuse one that a STAR file cannot hold."""
    if '"' in name or not name.isprintable():
        raise UsageError(f"{name!r} cannot be written to a STAR file\nrename the file")
    return name


def write_tables(path: Path, blocks: Mapping[str, Written], comments: Sequence[str]) -> None:
    """Write tables atomically; no date is written, so that equal picks give identical bytes."""
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8") as stream:
        stream.writelines(f"{line}\n" for line in _lines(blocks, comments))


def _lines(blocks: Mapping[str, Written], comments: Sequence[str]) -> Iterator[str]:
    yield from (f"# {comment}" for comment in comments if comment)
    for name, (columns, rows) in blocks.items():
        yield from ("", VERSION, "", "", f"data_{name}", "", "loop_")
        yield from (f"_{column} #{number}" for number, column in enumerate(columns, 1))
        yield from (row if isinstance(row, str) else "\t".join(map(_cell, row)) for row in rows)
        yield from ("", "")


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.6f}"
    text = str(value)
    return f'"{text}"' if " " in text or not text else text
