"""STAR files as RELION 3.1 reads and writes them.

A position has the columns rlnCoordinateX and rlnCoordinateY: particle centre in pixels of the
micrograph, 0 at the centre of the first pixel. Diameters have no column and do not survive.
"""

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from deepcryopicker.errors import UsageError
from deepcryopicker.io.atomic import replacing
from deepcryopicker.io.star_tables import GROUP, Table, find_table
from deepcryopicker.io.text import Numbers
from deepcryopicker.types import SHAPES, Floats, Picks, Strings

Written = tuple[Sequence[str], Iterable[Sequence[object]]]
"""A table to write: names of the columns, and rows."""

X, Y = "rlnCoordinateX", "rlnCoordinateY"
SCORE, CLASS, PSI = "rlnAutopickFigureOfMerit", "rlnClassNumber", "rlnAnglePsi"
NAME = "rlnMicrographName"
COORDINATES = "rlnMicrographCoordinates"
POSITION = (X, Y, SCORE, CLASS, PSI)

VERSION = "# version 30001"
NOMINAL = "voltage, Cs and amplitude contrast are placeholders: set those of your microscope"
NO_PIXEL_SIZE = "pixel size unknown: RELION needs a column rlnMicrographPixelSize in data_optics"


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
        Original pixels; the diameters are NaN. Up to 1 % of rows with a cell that is no number
        are left out.

    Raises
    ------
    UsageError
        No such table, a damaged one, or many positions that are no numbers.
    """
    return _positions(path, find_table(path, (X, Y)), None)[0]


def read_star_by_micrograph(path: Path) -> dict[str, Picks]:
    """Read a particles.star: positions by rlnMicrographName, in order of appearance.

    Raises
    ------
    UsageError
        As `read_star`, or without names.
    """
    names: dict[str, int] = {}
    picks, owners = _positions(path, find_table(path, (X, Y, NAME)), names)
    order = np.argsort(owners, kind="stable")
    parts = np.split(order, np.searchsorted(owners[order], np.arange(1, len(names))))
    return {name: picks[part] for name, part in zip(names, parts, strict=bool(names))}


def micrograph_names(path: Path) -> list[str]:
    """Return the rlnMicrographName column; a name such as ``0001`` stays text.

    Raises
    ------
    UsageError
        No table with that column, a damaged one, or an empty name.
    """
    table = find_table(path, (NAME,))
    place = table.columns.index(NAME)
    return [_named(path, line, cells[place]) for line, cells in table.rows]


def _positions(
    path: Path, table: Table, names: dict[str, int] | None
) -> tuple[Picks, npt.NDArray[np.int64]]:
    """Read the rows of a table; with `names`, number each micrograph and say whose each row is."""
    wanted = [column for column in (X, Y, SCORE, CLASS) if column in table.columns]
    places = [table.columns.index(column) for column in wanted]
    of_name = None if names is None else table.columns.index(NAME)
    numbers, owners = Numbers(path, wanted), array("q")
    for line, cells in table.rows:
        kept = numbers.add(line, [cells[place] for place in places])
        if kept and names is not None and of_name is not None:
            owners.append(names.setdefault(_named(path, line, cells[of_name]), len(names)))
    columns = numbers.columns()
    label = _labels(columns[CLASS]) if CLASS in columns else "irregular"
    picks = Picks.create(columns[X], columns[Y], columns.get(SCORE, 1.0), label)
    return picks, np.array(owners, np.int64)


def _named(path: Path, line: int, name: str) -> str:
    if not name:
        raise UsageError(f"{path}: {NAME} is empty in line {line}\ncorrect or remove the row")
    return name


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
    named_picks: Iterable[tuple[str, Picks]],
    pixel_size: float | None,
    comment: str = "",
) -> None:
    """Write the positions of many micrographs into one file, with optics table.

    Parameters
    ----------
    path : Path
        Replaced atomically.
    named_picks : iterable of (micrograph name, Picks)
        In the order to write.
    pixel_size : float or None
        Angstrom per pixel; its column is left out where unknown, and RELION will ask for it.
    comment : str
        One line for the top of the file.
    """
    rows = ((*row, 1, _checked(name)) for name, picks in named_picks for row in _rows(picks))
    blocks = {"optics": _optics(pixel_size), "particles": ((*POSITION, GROUP, NAME), rows)}
    _write(path, blocks, [comment, *_notes(pixel_size)])


def write_micrographs_star(path: Path, names: list[str], pixel_size: float | None) -> None:
    """Write the list of micrographs, with optics table, that RELION extracts from.

    Parameters
    ----------
    path : Path
        Replaced atomically.
    names : list of str
        As RELION shall find the files: below its project folder, or absolute.
    pixel_size : float or None
        Angstrom per pixel; its column is left out where unknown, and RELION will ask for it.
    """
    # The name is never the first cell: a row that starts with data_ looks like a new block.
    table = (GROUP, NAME), [(1, _checked(name)) for name in names]
    _write(path, {"optics": _optics(pixel_size), "micrographs": table}, _notes(pixel_size))


def write_autopick_star(path: Path, pairs: list[tuple[str, str]]) -> None:
    """Write RELION 4's and 5's list of (micrograph, coordinate file) pairs."""
    cells = [(_checked(name), _checked(file)) for name, file in pairs]
    _write(path, {"coordinate_files": ((NAME, COORDINATES), cells)}, [])


def _labels(classes: Floats) -> Strings:
    """Translate class numbers; what RELION did not number is irregular."""
    known = np.array(["irregular", *SHAPES])
    whole = np.isin(classes, np.arange(1, len(known)))
    return known[np.where(whole, classes, 0).astype(np.intp)]


def _rows(picks: Picks) -> Iterator[tuple[float, float, float, int, float]]:
    """Yield what RELION's own pickers write of a position; the in-plane angle is not known."""
    numbered = {word: number for number, word in enumerate(SHAPES, 1)}
    irregular = numbered["irregular"]
    for x, y, score, label in zip(picks.x, picks.y, picks.score, picks.label, strict=True):
        yield float(x), float(y), float(score), numbered.get(str(label), irregular), 0.0


def _optics(pixel_size: float | None) -> Written:
    # RELION 3.1 reads no micrograph list without voltage and Cs.
    optics: dict[str, object] = {
        "rlnOpticsGroupName": "opticsGroup1",
        GROUP: 1,
        "rlnVoltage": 300.0,
        "rlnSphericalAberration": 2.7,
        "rlnAmplitudeContrast": 0.1,
    }
    if pixel_size is not None:
        optics["rlnMicrographPixelSize"] = float(pixel_size)
    return tuple(optics), [tuple(optics.values())]


def _notes(pixel_size: float | None) -> list[str]:
    return [NOMINAL] if pixel_size is not None else [NOMINAL, NO_PIXEL_SIZE]


def _checked(name: str) -> str:
    """Refuse names that a STAR file cannot hold."""
    if '"' in name or not name.isprintable():
        raise UsageError(f"{name!r} cannot be written to a STAR file\nrename the file")
    return name


def _write(path: Path, blocks: Mapping[str, Written], comments: Sequence[str]) -> None:
    """Write tables, atomically; no date, so that the same picks give the same bytes."""
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
