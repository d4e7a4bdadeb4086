"""Topaz's table of picks: one file for any number of micrographs, with tabs or commas.

The first line is ``image_name  x_coord  y_coord  score``. Names are those of the micrographs'
files without folder and extension; positions are centres in pixels, 0 at the first pixel. Scores
of Topaz itself are log-odds, not probabilities.
"""

import csv
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from deepcryopicker.errors import UsageError
from deepcryopicker.io.files.atomic import replacing
from deepcryopicker.io.files.missing_scores import known_scores
from deepcryopicker.io.files.tables import read_rows
from deepcryopicker.io.files.text import gather, text_lines
from deepcryopicker.types import Picks

NAME, X, Y, SCORE = "image_name", "x_coord", "y_coord", "score"
_FIRST_LINE = "image_name, x_coord, y_coord[, score], with tabs between them"


def is_topaz(path: Path) -> bool:
    """Return whether a text file is such a table; folders hold other ``.txt`` files as well."""
    first = _first_line(path)
    return NAME in [cell.strip() for cell in first.lower().split(_delimiter(first))]


def read_topaz(path: Path) -> Picks:
    """Read all positions of a table, whatever their micrograph; missing scores are NaN.

    Raises
    ------
    UsageError
        Missing columns, a ragged line, or a cell that is not a number.
    """
    return _read(path)[0]


def read_topaz_by_micrograph(path: Path) -> dict[str, Picks]:
    """Read the positions of each micrograph, in order of appearance; see `read_topaz`."""
    picks, names = _read(path)
    return picks.grouped(names)


def write_topaz(path: Path, named_picks: Iterable[tuple[str, Picks]]) -> None:
    """Write the positions of many micrographs atomically; classes and diameters are lost.

    Parameters
    ----------
    path : Path
        Replaced atomically.
    named_picks : iterable of (micrograph name, Picks)
        In the order to write; one micrograph at a time is held in memory. Topaz looks for files
        of these names, without folders.
    """
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, delimiter="\t", lineterminator="\n")
        writer.writerow((NAME, X, Y, SCORE))
        for name, picks in named_picks:
            for x, y, score in zip(picks.x, picks.y, picks.score, strict=True):
                writer.writerow((name, f"{x:.3f}", f"{y:.3f}", f"{score:.6f}"))


def _read(path: Path) -> tuple[Picks, list[str]]:
    """Return the positions and the micrograph name of each."""
    header, rows = read_rows(path, _FIRST_LINE, delimiter=_delimiter(_first_line(path)))
    if not {NAME, X, Y} <= set(header):
        raise UsageError(
            f"{path}: needs columns {NAME}, {X} and {Y}, found: {', '.join(header)}\n"
            f"the first line must be {_FIRST_LINE}"
        )
    found, names = gather(path, header, rows, (X, Y, SCORE), NAME, optional=(SCORE,))
    return Picks.create(found[X], found[Y], known_scores(found.get(SCORE, np.nan))), names


def _first_line(path: Path) -> str:
    """Return the first line that is neither blank nor a comment."""
    lines = (line for line in text_lines(path) if line.strip() and not line.startswith("#"))
    return next(lines, "").rstrip("\n")


def _delimiter(line: str) -> str:
    return "," if "," in line and "\t" not in line else "\t"
