"""STAR files as RELION 3.1 reads and writes them.

rlnCoordinateX and rlnCoordinateY are the particle centre in pixels of the micrograph, 0 at the
centre of the first pixel. There is no column for diameters, which are lost.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from deepcryopicker.errors import UsageError
from deepcryopicker.io.files.atomic import replacing
from deepcryopicker.io.files.text import Row, gather
from deepcryopicker.io.star.group_keys import GROUP
from deepcryopicker.io.star.star_tables import Table, find_table
from deepcryopicker.types import SHAPES, Floats, Picks, Strings

Written = tuple[Sequence[str], Iterable[Sequence[object]]]
"""A table to write: column names, and rows."""

X, Y = "rlnCoordinateX", "rlnCoordinateY"
SCORE, CLASS, PSI = "rlnAutopickFigureOfMerit", "rlnClassNumber", "rlnAnglePsi"
NAME = "rlnMicrographName"
COORDINATES = "rlnMicrographCoordinates"
POSITION = (X, Y, SCORE, CLASS, PSI)

VERSION = "# version 30001"


def read_star(path: Path) -> Picks:
    """Read all positions of a STAR file, whatever their micrograph.

    Parameters
    ----------
    path : Path
        Any block with rlnCoordinateX and rlnCoordinateY; rlnAutopickFigureOfMerit is the score
        (1 if missing) and rlnClassNumber the class (1 is the first of `SHAPES`).

    Returns
    -------
    Picks
        Original pixels; the diameters are NaN. Up to 1 % of rows with a cell that is not a
        number are dropped.

    Raises
    ------
    UsageError
        The table is missing or damaged, or more than 1 % of its rows are not numbers.
    """
    return _read(path)[0]


def read_star_by_micrograph(path: Path) -> dict[str, Picks]:
    """Read a particles.star: positions by rlnMicrographName, in order of appearance.

    Raises
    ------
    UsageError
        As `read_star`, or a micrograph name is missing.
    """
    picks, names = _read(path, NAME)
    return picks.grouped(names)


def micrograph_names(path: Path) -> list[str]:
    """Return the rlnMicrographName column; a name such as ``0001`` stays text.

    Raises
    ------
    UsageError
        The column is missing, its table is damaged, or a name is empty.
    """
    table = find_table(path, (NAME,))
    return gather(path, table.columns, _with_names(path, table), (), NAME)[1]


def read_numbers(path: Path, column: str) -> Floats:
    """Return a column of numbers from the first table that has it.

    Raises
    ------
    UsageError
        The column is missing, or more than 1 % of its cells are not numbers.
    """
    table = find_table(path, (column,))
    return gather(path, table.columns, table.rows, (column,))[0][column]


def _read(path: Path, words: str | None = None) -> tuple[Picks, list[str]]:
    """Return the positions, and the text of column `words` for each."""
    table = find_table(path, (X, Y) if words is None else (X, Y, words))
    rows = table.rows if words is None else _with_names(path, table)
    found, said = gather(path, table.columns, rows, (X, Y, SCORE, CLASS), words)
    label = _labels(found[CLASS]) if CLASS in found else "irregular"
    return Picks.create(found[X], found[Y], found.get(SCORE, 1.0), label), said


def _with_names(path: Path, table: Table) -> Iterator[Row]:
    """Yield the rows of a table; refuse a row without a micrograph name."""
    place = table.columns.index(NAME)
    for line, cells in table.rows:
        if not cells[place]:
            raise UsageError(f"{path}: {NAME} is empty in line {line}\ncorrect or remove the row")
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
    _write(path, {"": (POSITION, _rows(picks))}, [comment])


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
    rows = ((*row, group, _checked(name)) for name, group, picks in located for row in _rows(picks))
    blocks = {"optics": optics, "particles": ((*POSITION, GROUP, NAME), rows)}
    _write(path, blocks, comments)


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
    table = (GROUP, NAME), ((group, _checked(name)) for name, group in grouped)
    _write(path, {"optics": optics, "micrographs": table}, comments)


def write_autopick_star(path: Path, pairs: Iterable[tuple[str, str]]) -> None:
    """Write the list of (micrograph, coordinate file) pairs of RELION 4 and 5."""
    cells = ((_checked(name), _checked(file)) for name, file in pairs)
    _write(path, {"coordinate_files": ((NAME, COORDINATES), cells)}, [])


def _labels(classes: Floats) -> Strings:
    """Translate class numbers; an unknown number becomes ``irregular``."""
    known = np.array(["irregular", *SHAPES])
    whole = np.isin(classes, np.arange(1, len(known)))
    return known[np.where(whole, classes, 0).astype(np.intp)]


def _rows(picks: Picks) -> Iterator[tuple[float, float, float, int, float]]:
    """Yield the columns `POSITION` of each pick; the in-plane angle is unknown and written as 0."""
    numbered = {word: number for number, word in enumerate(SHAPES, 1)}
    irregular = numbered["irregular"]
    for x, y, score, label in zip(picks.x, picks.y, picks.score, picks.label, strict=True):
        yield float(x), float(y), float(score), numbered.get(str(label), irregular), 0.0


def _checked(name: str) -> str:
    """Return the name; refuse one that a STAR file cannot hold."""
    if '"' in name or not name.isprintable():
        raise UsageError(f"{name!r} cannot be written to a STAR file\nrename the file")
    return name


def _write(path: Path, blocks: Mapping[str, Written], comments: Sequence[str]) -> None:
    """Write tables atomically; no date is written, so that equal picks give identical bytes."""
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8") as stream:
        stream.writelines(f"{line}\n" for line in _lines(blocks, comments))


def _lines(blocks: Mapping[str, Written], comments: Sequence[str]) -> Iterator[str]:
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
