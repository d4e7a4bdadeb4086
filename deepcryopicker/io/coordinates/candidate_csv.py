"""The CSV files of candidates: written here, and read back without looking at cell by cell."""

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from deepcryopicker.io.files.atomic import write_text
from deepcryopicker.types import Floats, Picks

COLUMNS = ("x", "y", "score", "class", "diameter")
RAW_SCORE = "raw_score"

_LARGEST = 64 * 1024 * 1024  # bytes; larger files are read line by line
# Exactly what is written: scores from 0 to 1, no quotes, no spaces.
_PLACE, _SCORE = rb"-?\d{1,9}\.\d{3}", rb"(?:0\.\d{6}|1\.0{6})"
_ROW = rb"%b,%b,%b,[A-Za-z_]\w*,(?:\d{1,9}\.\d\d)?" % (_PLACE, _PLACE, _SCORE)
_PLAIN = re.compile(rb"x,y,score,class,diameter\n(?:%b\n)*+" % _ROW)
_WITH_RAW = re.compile(
    rb"x,y,score,class,diameter,raw_score\n(?:%b,%b\n)*+" % (_ROW, _SCORE),
)


def write_csv(path: Path, picks: Picks, raw_score: Floats | None = None) -> None:
    """Write ``x,y,score,class,diameter`` atomically; equal picks give identical bytes.

    Positions have three decimals, scores six, diameters two; an unknown diameter is empty.

    Parameters
    ----------
    path : Path
    picks : Picks
    raw_score : (N,) float64, optional
        Scores before they were calibrated on the folder, a sixth column, `RAW_SCORE`.
    """
    size = {one: "" if one != one else f"{one:.2f}" for one in set(picks.diameter.tolist())}
    label = {one: _quoted(one) for one in set(picks.label.tolist())}
    columns = (picks.x, picks.y, picks.score, picks.label, picks.diameter)
    lines = [
        f"{x:.3f},{y:.3f},{score:.6f},{label[word]},{size.get(diameter, '')}"
        for x, y, score, word, diameter in zip(*(one.tolist() for one in columns), strict=True)
    ]
    head = COLUMNS if raw_score is None else (*COLUMNS, RAW_SCORE)
    if raw_score is not None:
        raw = _decimals(raw_score, 6)
        lines = [f"{line},{score}" for line, score in zip(lines, raw, strict=True)]
    write_text(path, "\n".join([",".join(head), *lines, ""]))


def as_written(picks: Picks) -> Picks:
    """Return picks with the decimals that :func:`write_csv` keeps: as they will be read again."""
    return Picks(
        _rounded(picks.x, 3),
        _rounded(picks.y, 3),
        _rounded(picks.score, 6),
        picks.label,
        _rounded(picks.diameter, 2),
    )


def read_as_written(path: Path, raw_score: bool = True) -> tuple[Picks, Floats | None] | None:
    """Read a file of :func:`write_csv` at once, four times as fast as line by line.

    Parameters
    ----------
    path : Path
    raw_score : bool
        Whether the raw scores are wanted.

    Returns
    -------
    (Picks, (N,) float64 or None) or None
        The picks and their raw scores; None if one character of the file is not as
        :func:`write_csv` writes it, so that it has to be read with care.
    """
    try:
        if not path.is_file() or path.stat().st_size > _LARGEST:
            return None
        data = path.read_bytes()
    except OSError:
        return None
    with_raw = _WITH_RAW.fullmatch(data) is not None
    if not with_raw and _PLAIN.fullmatch(data) is None:
        return None
    width = len(COLUMNS) + with_raw
    cells = data.replace(b"\n", b",").split(b",")[width:-1]
    x, y, score = (_numbers(cells[place::width]) for place in range(3))
    label = np.array([cell.decode() for cell in cells[3::width]], np.str_)
    picks = Picks.create(x, y, score, label, _numbers(cells[4::width]))
    return picks, _numbers(cells[5::width]) if with_raw and raw_score else None


def _numbers(cells: Sequence[bytes]) -> Floats:
    if cells and cells.count(cells[0]) == len(cells):  # such as diameters
        return np.full(len(cells), float(cells[0] or b"nan"))
    return np.array([float(cell or b"nan") for cell in cells], np.float64)


def _quoted(word: str) -> str:
    """Return a cell as CSV has it."""
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow([word])
    return text.getvalue()


def _rounded(values: Floats, decimals: int) -> Floats:
    return np.array([float(text) for text in _decimals(values, decimals)], np.float64)


def _decimals(values: Floats, decimals: int) -> list[str]:
    return [f"{value:.{decimals}f}" for value in values.tolist()]
