"""The CSV files of candidates: written here, and read back without looking at cell by cell."""

import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from deepcryopicker.io.files.atomic import write_text
from deepcryopicker.types import Floats, Picks

COLUMNS = ("x", "y", "score", "class", "diameter")
RAW_SCORE, MEASURED = "raw_score", ("size", "contrast")
_SCORE_COLUMN = COLUMNS.index("score")

_HALF_WAY, _LARGEST_EXACT = 1e-3, 1e12  # of the last decimal that is written
_LARGEST = 64 * 1024 * 1024  # bytes; larger files are read line by line
# Exactly what is written: scores from 0 to 1, no quotes, no spaces.
_PLACE, _SCORE = rb"-?\d{1,9}\.\d{3}", rb"(?:0\.\d{6}|1\.0{6})"
_ROW = rb"%b,%b,%b,[A-Za-z_]\w*,(?:\d{1,9}\.\d\d)?" % (_PLACE, _PLACE, _SCORE)
_SIZES = rb",(?:\d{1,9}\.\d)?,(?:-?\d{1,9}\.\d\d)?"
_FORMS = {
    (raw, sized): re.compile(
        b"x,y,score,class,diameter%b%b\n(?:%b%b%b\n)*+"
        % (
            b",raw_score" * raw,
            b",size,contrast" * sized,
            _ROW,
            b",%b" % _SCORE * raw,
            _SIZES * sized,
        )
    )
    for raw in (False, True)
    for sized in (False, True)
}


def write_csv(path: Path, picks: Picks, raw_score: Floats | None = None) -> None:
    """Write ``x,y,score,class,diameter`` atomically; equal picks give identical bytes.

    Positions have three decimals, scores six, diameters and contrasts two, measured sizes one;
    unknown numbers are empty. ``size`` and ``contrast`` follow where they were measured.

    Parameters
    ----------
    path : Path
    picks : Picks
    raw_score : (N,) float64, optional
        Scores before they were calibrated on the folder, a sixth column, `RAW_SCORE`.
    """
    label = {one: _quoted(one) for one in set(picks.label.tolist())}
    head = list(COLUMNS)
    columns = [_decimals(picks.x, 3), _decimals(picks.y, 3), _decimals(picks.score, 6)]
    columns += [[label[one] for one in picks.label.tolist()], _few_decimals(picks.diameter, 2)]
    if raw_score is not None:
        head.append(RAW_SCORE)
        columns.append(_decimals(raw_score, 6))
    if _is_measured(picks):
        head += MEASURED
        columns += [_few_decimals(picks.size, 1), _few_decimals(picks.contrast, 2)]
    lines = [",".join(cells) for cells in zip(*columns, strict=True)]
    write_text(path, "\n".join([",".join(head), *lines, ""]))


def as_written(picks: Picks) -> Picks:
    """Return picks with the decimals that :func:`write_csv` keeps: as they will be read again."""
    return Picks(
        _rounded(picks.x, 3),
        _rounded(picks.y, 3),
        _rounded(picks.score, 6),
        picks.label,
        _rounded(picks.diameter, 2),
        _rounded(picks.size, 1),
        _rounded(picks.contrast, 2),
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
    table = _read_cells(path)
    if table is None:
        return None
    picks = table.picks(table.numbers(_SCORE_COLUMN), None)
    return picks, table.numbers(len(COLUMNS)) if table.raw and raw_score else None


def read_above(path: Path, threshold: float) -> tuple[Picks, Floats] | None:
    """Read the candidates that have at least a score, and the scores of all.

    Candidates below are not converted to numbers, which takes most of the time.

    Returns
    -------
    (Picks, (N,) float64) or None
        None as of :func:`read_as_written`.
    """
    table = _read_cells(path)
    if table is None:
        return None
    score = table.numbers(_SCORE_COLUMN)
    return table.picks(score, np.flatnonzero(score >= threshold)), score


@dataclass(frozen=True)
class _Cells:
    """The cells of a file without its first line, row by row, and which columns it has."""

    cells: list[bytes]
    raw: bool
    sized: bool

    @property
    def width(self) -> int:
        return len(COLUMNS) + self.raw + self.sized * len(MEASURED)

    def column(self, place: int, rows: npt.NDArray[np.int64] | None = None) -> list[bytes]:
        whole = self.cells[place :: self.width]
        return whole if rows is None else [whole[row] for row in rows.tolist()]

    def numbers(self, place: int, rows: npt.NDArray[np.int64] | None = None) -> Floats:
        cells = self.column(place, rows)
        if cells and cells.count(cells[0]) == len(cells):  # such as diameters
            return np.full(len(cells), float(cells[0] or b"nan"))
        return np.array([float(cell or b"nan") for cell in cells], np.float64)

    def picks(self, score: Floats, rows: npt.NDArray[np.int64] | None) -> Picks:
        """Return the picks of some rows, or of all; `score` is that of all rows."""
        x, y, diameter = (self.numbers(place, rows) for place in (0, 1, 4))
        label = np.array([cell.decode() for cell in self.column(3, rows)], np.str_)
        places = (self.width - 2, self.width - 1) if self.sized else ()
        measured = [self.numbers(place, rows) for place in places]
        return Picks.create(
            x, y, score if rows is None else score[rows], label, diameter, *measured
        )


def _read_cells(path: Path) -> _Cells | None:
    """Read a file that is exactly as :func:`write_csv` writes it; None for any other."""
    try:
        if not path.is_file() or path.stat().st_size > _LARGEST:
            return None
        data = path.read_bytes()
    except OSError:
        return None
    head = data[: data.find(b"\n")]
    raw, sized = b"," + RAW_SCORE.encode() in head, head.endswith(MEASURED[-1].encode())
    if _FORMS[raw, sized].fullmatch(data) is None:
        return None
    start = head.count(b",") + 1
    return _Cells(data.replace(b"\n", b",").split(b",")[start:-1], raw, sized)


def _is_measured(picks: Picks) -> bool:
    return not (np.isnan(picks.size).all() and np.isnan(picks.contrast).all())


def _quoted(word: str) -> str:
    """Return a cell as CSV has it."""
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow([word])
    return text.getvalue()


def _rounded(values: Floats, decimals: int) -> Floats:
    """Return what is read of numbers that are written with some decimals."""
    scaled = values * 10.0**decimals
    rounded = np.rint(scaled) / 10.0**decimals
    # Half way between two decimals the product may have been rounded to the other side.
    with np.errstate(invalid="ignore"):  # of infinite numbers
        fraction = np.abs(scaled - np.floor(scaled) - 0.5)
    doubtful = np.flatnonzero((fraction < _HALF_WAY) | (np.abs(scaled) > _LARGEST_EXACT))
    rounded[doubtful] = [float(text) for text in _decimals(values[doubtful], decimals)]
    return np.asarray(rounded)


def _decimals(values: Floats, decimals: int) -> list[str]:
    return [f"{value:.{decimals}f}" for value in values.tolist()]


def _few_decimals(values: Floats, decimals: int) -> list[str]:
    """Write numbers of which many are equal or unknown."""
    text = {one: "" if one != one else f"{one:.{decimals}f}" for one in set(values.tolist())}
    return [text.get(one, "") for one in values.tolist()]
