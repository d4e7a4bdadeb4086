"""Particle positions in CSV and EMAN's BOX files, and the reader for all coordinate files."""

import csv
import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from deepcryopicker.errors import UsageError
from deepcryopicker.io.atomic import write_text
from deepcryopicker.io.checks import one_line
from deepcryopicker.io.star import read_star
from deepcryopicker.io.text import Numbers, text_lines
from deepcryopicker.types import Picks

COLUMNS = ("x", "y", "score", "class", "diameter")

_BOX_COLUMNS = ("x0", "y0", "width", "height", "score")
_FIRST_LINE = "the first line must be x,y[,score][,class][,diameter]"


def read_picks(path: Path) -> Picks:
    """Read a coordinates file; its extension (csv, star or box) tells the format.

    Returns
    -------
    Picks
        Particle centres, original pixels. Scores are 1, classes ``irregular`` and diameters NaN
        where the file does not tell. No picks at all is fine.

    Raises
    ------
    UsageError
        Unknown extension, missing columns, a ragged line, or more than 1 % of rows with a cell
        that is not a number; fewer are left out.
    """
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise UsageError(
            f"{path}: no reader for '{path.suffix}' coordinates\n"
            f"convert to one of {', '.join(sorted(READERS))}"
        )
    return reader(path)


def read_csv(path: Path) -> Picks:
    """Read a CSV file with the header ``x,y[,score][,class][,diameter]`` in any order.

    Columns of other names are skipped; any word is accepted as a class. See `read_picks`.
    """
    rows = _csv_rows(path)
    _, header = next(rows)
    if not {"x", "y"} <= set(header):
        raise UsageError(
            f"{path}: needs columns x and y, found: {', '.join(header)}\n{_FIRST_LINE}"
        )
    wanted = [name for name in ("x", "y", "score", "diameter") if name in header]
    places = [header.index(name) for name in wanted]
    of_class = header.index("class") if "class" in header else None
    numbers, labels = Numbers(path, wanted, optional=("diameter",)), []
    for line, row in rows:
        kept = numbers.add(line, [row[place] for place in places])
        if kept and of_class is not None:
            labels.append(sys.intern(row[of_class]))
    columns = numbers.columns()
    return Picks.create(
        columns["x"],
        columns["y"],
        columns.get("score", 1.0),
        "irregular" if of_class is None else np.array(labels, np.str_),
        columns.get("diameter", np.nan),
    )


def write_csv(path: Path, picks: Picks) -> None:
    """Write ``x,y,score,class,diameter``, atomically; the same picks give the same bytes.

    Positions have three decimals, scores six, diameters two; an unknown diameter is empty.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for x, y, score, label, diameter in zip(
        picks.x, picks.y, picks.score, picks.label, picks.diameter, strict=True
    ):
        size = "" if np.isnan(diameter) else f"{diameter:.2f}"
        writer.writerow([f"{x:.3f}", f"{y:.3f}", f"{score:.6f}", label, size])
    write_text(path, text.getvalue())


def read_box(path: Path) -> Picks:
    """Read an EMAN BOX file: lower corner ``x0 y0 width height [score]`` per line.

    The centre is ``x0 + width / 2`` and the diameter is the width. See `read_picks`.
    """
    numbers = Numbers(path, _BOX_COLUMNS)
    for line, text in enumerate(text_lines(path), 1):
        row = text.split()
        if not row or row[0].startswith("#"):
            continue
        if len(row) < 4:
            raise UsageError(
                f"{path}: line {line} has {len(row)} cells\na BOX row is: x0 y0 width height"
            )
        numbers.add(line, [*row[:5], "1"][:5])
    x, y, width, height, score = numbers.columns().values()
    # EMAN 1 marks helices in the fifth column, with numbers such as -3.
    score = np.where((score >= 0) & (score <= 1), score, 1.0)
    return Picks.create(x + width / 2, y + height / 2, score, diameter=width)


def write_box(path: Path, picks: Picks, box: int | None = None) -> None:
    """Write an EMAN BOX file, tab separated, with the score as fifth column, atomically.

    Parameters
    ----------
    path : Path
        Replaced atomically.
    picks : Picks
        Original pixels.
    box : int, optional
        Side of the box in pixels; every pick's rounded diameter by default. Corners of odd
        boxes are half pixels, so that the centre is kept.

    Raises
    ------
    UsageError
        A pick has no diameter, and no `box` is given.
    """
    if box is None and np.isnan(picks.diameter).any():
        raise UsageError(f"{path}: picks without a diameter need a box size in a BOX file")
    side = np.rint(picks.diameter) if box is None else np.full(len(picks), float(box))
    rows = zip(picks.x - side / 2, picks.y - side / 2, side, picks.score, strict=True)
    lines = [
        f"{_short(x)}\t{_short(y)}\t{s:.0f}\t{s:.0f}\t{score:.6f}\n" for x, y, s, score in rows
    ]
    write_text(path, "".join(lines))


READERS: dict[str, Callable[[Path], Picks]] = {
    ".csv": read_csv,
    ".star": read_star,
    ".box": read_box,
}


def _short(value: float) -> str:
    """Write whole pixels without decimals: some programs read only integers here."""
    return f"{value:.3f}".removesuffix(".000")


def _csv_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the header, names in lower case, then the rows of so many cells; with line numbers."""
    reader = csv.reader("" if line.startswith("#") else line for line in text_lines(path))
    header: list[str] = []
    try:
        for row in reader:
            if not row:
                continue
            if not header:
                header = [cell.strip().lower() for cell in row]
                yield reader.line_num, header
                continue
            if len(row) != len(header):
                raise UsageError(
                    f"{path}: line {reader.line_num} has {len(row)} cells, the header "
                    f"{len(header)}\ncorrect or remove the row"
                )
            yield reader.line_num, [cell.strip() for cell in row]
    except csv.Error as error:
        raise UsageError(f"{path}: damaged CSV: {one_line(error)}") from error
    if not header:
        raise UsageError(f"{path}: empty file\n{_FIRST_LINE}")
