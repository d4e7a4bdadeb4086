"""crYOLO's CBOX files: boxes with a confidence, in STAR tables without RELION's names.

crYOLO and its viewer (the box manager of napari) keep every box and apply the threshold
themselves, so all candidates should be written. Tomograms and filaments are not supported.
"""

from pathlib import Path

import numpy as np

from deepcryopicker.io.files.atomic import write_text
from deepcryopicker.io.files.checks import box_sides
from deepcryopicker.io.files.missing_scores import known_scores
from deepcryopicker.io.files.text import gather
from deepcryopicker.io.star.star_tables import find_table
from deepcryopicker.types import Picks

X, Y = "CoordinateX", "CoordinateY"
WIDTH, HEIGHT = "Width", "Height"
ESTIMATE = "EstWidth"
SCORE = "Confidence"

_UNKNOWN = "<NA>"
_COLUMNS = (
    *(X, Y, "CoordinateZ", WIDTH, HEIGHT, "Depth"),
    *(ESTIMATE, "EstHeight", SCORE, "NumBoxes", "Angle"),
)


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
        Original pixels. Their diameters are written as estimated sizes; classes are lost.
    box : int, optional
        Side of the box in pixels; every pick's rounded diameter by default. Corners of odd
        boxes are half pixels, so that the centre is kept.

    Raises
    ------
    UsageError
        A pick has no diameter, and no `box` is given.
    """
    side = box_sides(path, picks, box)
    head = ["data_global", "", "_cbox_format_version 1.0", "", "data_cryolo", "", "loop_"]
    head += [f"_{name} #{number}" for number, name in enumerate(_COLUMNS, 1)]
    rows = [
        _row(*values)
        for values in zip(picks.x, picks.y, side, picks.diameter, picks.score, strict=True)
    ]
    tail = ["", "data_cryolo_include", "", "loop_", "_slice_index #1", "", ""]
    write_text(path, "\n".join([*head, *rows, *tail]))


def _row(x: float, y: float, side: float, diameter: float, score: float) -> str:
    """Format a box; Z, depth, number of boxes and angle concern tomograms and filaments only."""
    corner = f"{x - side / 2:.3f} {y - side / 2:.3f} {_UNKNOWN}"
    size = _UNKNOWN if np.isnan(diameter) else f"{diameter:.2f}"
    return f"{corner} {side:.0f} {side:.0f} {_UNKNOWN} {size} {size} {score:.6f} 1 {_UNKNOWN}"
