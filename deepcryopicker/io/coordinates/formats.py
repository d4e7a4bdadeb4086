"""Particle positions in CSV files, and the readers of all coordinate formats.

Readers of a format return NaN where a position has no score; `read_picks` and
`read_by_micrograph` return the score of a certain pick there.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from deepcryopicker.errors import UsageError
from deepcryopicker.io.coordinates.boxes import read_box, read_cbox
from deepcryopicker.io.coordinates.candidate_csv import (
    COLUMNS,
    MEASURED,
    RAW_SCORE,
    read_as_written,
)
from deepcryopicker.io.coordinates.corrections import read_corrected_by_micrograph
from deepcryopicker.io.coordinates.cryosparc_picks import (
    read_cryosparc,
    read_cryosparc_by_micrograph,
)
from deepcryopicker.io.coordinates.topaz_table import (
    is_topaz,
    read_topaz,
    read_topaz_by_micrograph,
)
from deepcryopicker.io.files.missing_scores import complete_scores, known_scores
from deepcryopicker.io.files.tables import read_rows
from deepcryopicker.io.files.text import Row, gather
from deepcryopicker.io.star.relion_star import read_star, read_star_by_micrograph
from deepcryopicker.types import Floats, Picks

NAMES = ("micrograph", "micrograph_name", "image_name", "filename", "rlnmicrographname")
"""Columns of a CSV file that name the micrograph of each position, in lower case."""
_CRYOPPP = {"x-coordinate": "x", "y-coordinate": "y"}
_FIRST_LINE = "x,y[,score][,class][,diameter]"


def read_picks(path: Path) -> Picks:
    """Read a coordinate file; its extension gives the format, see `READERS`.

    Returns
    -------
    Picks
        Particle centres, original pixels. Where the file does not give them, scores are 1 (or
        the highest of the file, if that is above 1), classes ``irregular`` and diameters NaN. A
        file without picks is valid.

    Raises
    ------
    UsageError
        Unknown extension, missing columns, a ragged line, or more than 1 % of rows with a cell
        that is not a number; fewer are left out.
    """
    return with_scores(reader_of(path, READERS, "coordinates")(path))


def read_by_micrograph(path: Path) -> dict[str, Picks]:
    """Read one file with the coordinates of many micrographs, see `READERS_OF_MANY`.

    Returns
    -------
    dict of Picks
        By micrograph name as written in the file, in order of appearance; otherwise as
        `read_picks`. Such files do not list micrographs without picks.

    Raises
    ------
    UsageError
        As `read_picks`, or positions without a micrograph.
    """
    read = reader_of(path, READERS_OF_MANY, "tables of many micrographs")(path)
    return {name: with_scores(picks) for name, picks in read.items()}


def with_scores(picks: Picks) -> Picks:
    """Return picks with a score where they have none: these count as picks."""
    return replace(picks, score=complete_scores(picks.score))


def read_csv(path: Path) -> Picks:
    """Read a CSV file with the header ``x,y[,score][,class][,diameter]`` in any order.

    Other columns are ignored; any word is accepted as a class. CryoPPP's columns
    ``X-Coordinate,Y-Coordinate`` and Topaz's are read too. See `read_picks`.
    """
    return read_topaz(path) if is_topaz(path) else read_labelled_csv(path)[0]


def read_labelled_csv(path: Path) -> tuple[Picks, npt.NDArray[np.bool_] | None]:
    """Read a CSV file and its column ``good``, of the candidates of a labeler.

    Returns
    -------
    Picks
    (N,) bool or None
        Whether each may train a network; None without the column.
    """
    picks, good = read_csv_with(path, "good")
    return picks, None if good is None else good != 0


def read_csv_with(path: Path, column: str) -> tuple[Picks, Floats | None]:
    """Read a CSV file and one more column of numbers, NaN where unknown; None without it."""
    ours = read_as_written(path, column == RAW_SCORE)
    if ours is not None:
        return ours[0], ours[1] if column == RAW_SCORE else None
    header, rows = _read_header(path)
    as_ours = tuple(header[: len(COLUMNS)]) == COLUMNS
    optional = ("score", "diameter", *(MEASURED if as_ours else ()), column)
    words = "class" if "class" in header else None
    found, labels = gather(path, header, rows, ("x", "y", *optional), words, optional=optional)
    picks = Picks.create(
        found["x"],
        found["y"],
        known_scores(found.get("score", np.nan)),
        "irregular" if words is None else np.array(labels, np.str_),
        found.get("diameter", np.nan),
        *(found.get(name, np.nan) for name in MEASURED),
    )
    return picks, found.get(column)


def read_with_raw_scores(path: Path) -> tuple[Picks, Floats]:
    """Read the candidates of a run, and their scores before they were calibrated.

    Parameters
    ----------
    path : Path
        CSV of :func:`write_csv`.

    Returns
    -------
    Picks
    (N,) float64
        The scores of the picks, if the file has no such column.

    Raises
    ------
    UsageError
        As :func:`read_picks`, or a score before calibration is missing.
    """
    found, raw = read_csv_with(path, RAW_SCORE)
    picks = with_scores(found)
    if raw is None:
        return picks, picks.score
    if np.isnan(raw).any():
        raise UsageError(f"{path}: {np.isnan(raw).sum()} cells of {RAW_SCORE} are empty")
    return picks, raw


def read_csv_by_micrograph(path: Path) -> dict[str, Picks]:
    """Read a CSV file with a column for the names of micrographs, Topaz's or `NAMES`."""
    if is_topaz(path):
        return read_topaz_by_micrograph(path)
    header, rows = _read_header(path)
    named = csv_names(header)
    if named is None:
        raise UsageError(
            f"{path}: no column names the micrograph of each position\n"
            f"call it {NAMES[0]}, or give a folder with a file for each micrograph"
        )
    numbers, optional = ("x", "y", "score", "diameter"), ("score", "diameter")
    found, names = gather(path, header, rows, numbers, named, optional=optional)
    score, diameter = known_scores(found.get("score", np.nan)), found.get("diameter", np.nan)
    return Picks.create(found["x"], found["y"], score, diameter=diameter).grouped(names)


def csv_names(header: Sequence[str]) -> str | None:
    """Return the column of a CSV file that names micrographs; None without one."""
    return next((name for name in NAMES if name in header), None)


def _read_header(path: Path) -> tuple[list[str], Iterator[Row]]:
    """Return the columns and rows of a CSV file that has x and y."""
    header, rows = read_rows(path, _FIRST_LINE)
    if set(header) >= _CRYOPPP.keys():
        header = [_CRYOPPP.get(name, name) for name in header]
    if not {"x", "y"} <= set(header):
        raise UsageError(
            f"{path}: needs columns x and y, found: {', '.join(header)}\n"
            f"the first line must be {_FIRST_LINE}"
        )
    return header, rows


READERS: dict[str, Callable[[Path], Picks]] = {
    ".csv": read_csv,
    ".star": read_star,
    ".box": read_box,
    ".cbox": read_cbox,
    ".tsv": read_topaz,
    ".txt": read_topaz,
    ".cs": read_cryosparc,
}
"""Reader by extension, for a file that usually holds one micrograph."""

READERS_OF_MANY: dict[str, Callable[[Path], dict[str, Picks]]] = {
    ".star": read_star_by_micrograph,
    ".csv": read_csv_by_micrograph,
    ".tsv": read_topaz_by_micrograph,
    ".txt": read_topaz_by_micrograph,
    ".cs": read_cryosparc_by_micrograph,
    ".json": read_corrected_by_micrograph,
}
"""Reader by extension, for a file that names the micrograph of each position."""

Read = TypeVar("Read")


def reader_of(
    path: Path, readers: Mapping[str, Callable[[Path], Read]], what: str
) -> Callable[[Path], Read]:
    """Return the reader for the extension of a file."""
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise UsageError(
            f"{path}: no reader for '{path.suffix}' {what}\n"
            f"convert to one of {', '.join(sorted(readers))}"
        )
    return reader
