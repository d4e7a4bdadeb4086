"""EMAN's BOX files and crYOLO's CBOX files, which have a confidence in STAR tables of their own.

crYOLO and its viewer (the box manager of napari) keep every box and apply the threshold
themselves, so all candidates should be written. Tomograms and filaments are not supported.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from deepcryopicker.errors import UsageError
from deepcryopicker.io.files.atomic import write_text
from deepcryopicker.io.files.checks import box_sides
from deepcryopicker.io.files.missing_scores import known_scores
from deepcryopicker.io.files.text import Row, gather, text_lines
from deepcryopicker.io.star.star_tables import find_table
from deepcryopicker.types import Picks

X, Y = "CoordinateX", "CoordinateY"
WIDTH, HEIGHT = "Width", "Height"
ESTIMATE = "EstWidth"
SCORE = "Confidence"

_BOX_COLUMNS = ("x0", "y0", "width", "height", "score")
_UNKNOWN = "<NA>"
_COLUMNS = (
    *(X, Y, "CoordinateZ", WIDTH, HEIGHT, "Depth"),
    *(ESTIMATE, "EstHeight", SCORE, "NumBoxes", "Angle"),
)


def read_box(path: Path) -> Picks:
    """Read an EMAN BOX file: lower corner ``x0 y0 width height [score]`` per line.

    The centre is ``x0 + width / 2`` and the diameter is the width. See `read_picks`.
    """
    found, _ = gather(path, _BOX_COLUMNS, _box_rows(path), _BOX_COLUMNS, optional=("score",))
    x, y, width, height, score = found.values()
    # EMAN 1 marks helices in the fifth column, with numbers such as -3.
    score = np.where((score >= 0) & (score <= 1), score, np.nan)
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
    side = box_sides(path, picks, box)
    rows = zip(picks.x - side / 2, picks.y - side / 2, side, picks.score, strict=True)
    lines = [
        f"{_short(x)}\t{_short(y)}\t{s:.0f}\t{s:.0f}\t{score:.6f}\n" for x, y, s, score in rows
    ]
    write_text(path, "".join(lines))


def read_cbox(path: Path) -> Picks:
    """Read the boxes of a micrograph; the file holds the corner of each box nearest the origin.

    Returns
    -------
    Picks
        Centres (corner plus half the width and height), original pixels. The diameter is the
        estimated width if present, else the width of the box. Scores are NaN where there is no
        confidence, as of boxes drawn by hand.

    Raises
    ------
    UsageError
        The table is missing or damaged, or a cell is not a number.
    """
    table = find_table(path, (X, Y, WIDTH, HEIGHT))
    numbers = (X, Y, WIDTH, HEIGHT, ESTIMATE, SCORE)
    found, _ = gather(path, table.columns, table.rows, numbers, optional=(ESTIMATE, SCORE))
    x, y, width, height = (found[name] for name in (X, Y, WIDTH, HEIGHT))
    estimate = found.get(ESTIMATE, np.nan)
    diameter = np.where(np.isnan(estimate), width, estimate)
    score = known_scores(found.get(SCORE, np.nan))
    return Picks.create(x + width / 2, y + height / 2, score, diameter=diameter)


def write_cbox(path: Path, picks: Picks, box: int | None = None) -> None:
    """Write the boxes of a micrograph; equal picks give identical bytes.

    Parameters
    ----------
    path : Path
        Replaced atomically.
    picks : Picks
        Original pixels. Measured sizes, or else diameters, are written as estimated sizes; classes
        are lost.
    box : int, optional
        Side of the box in pixels; every pick's rounded diameter by default. Corners of odd
        boxes are half pixels, so that the centre is kept.

    Raises
    ------
    UsageError
        A pick has no diameter, and no `box` is given.
    """
    side = box_sides(path, picks, box)
    size = np.where(np.isnan(picks.size), picks.diameter, picks.size)
    head = ["data_global", "", "_cbox_format_version 1.0", "", "data_cryolo", "", "loop_"]
    head += [f"_{name} #{number}" for number, name in enumerate(_COLUMNS, 1)]
    rows = [_row(*values) for values in zip(picks.x, picks.y, side, size, picks.score, strict=True)]
    tail = ["", "data_cryolo_include", "", "loop_", "_slice_index #1", "", ""]
    write_text(path, "\n".join([*head, *rows, *tail]))


def _row(x: float, y: float, side: float, measured: float, score: float) -> str:
    """Format a box; Z, depth, number of boxes and angle concern tomograms and filaments only."""
    corner = f"{x - side / 2:.3f} {y - side / 2:.3f} {_UNKNOWN}"
    size = _UNKNOWN if np.isnan(measured) else f"{measured:.2f}"
    return f"{corner} {side:.0f} {side:.0f} {_UNKNOWN} {size} {size} {score:.6f} 1 {_UNKNOWN}"


def _box_rows(path: Path) -> Iterator[Row]:
    """Yield five cells per row; a missing score is an empty one."""
    for line, text in enumerate(text_lines(path), 1):
        cells = text.split()
        if not cells or cells[0].startswith("#"):
            continue
        if len(cells) < 4:
            raise UsageError(
                f"{path}: line {line} has {len(cells)} cells\na BOX row is: x0 y0 width height"
            )
        yield line, [*cells, ""][:5]


def _short(value: float) -> str:
    """Format whole pixels without decimals: some programs read only integers here."""
    return f"{value:.3f}".removesuffix(".000")
