"""Particle positions in cryoSPARC's ``.cs`` files, which are structured arrays of NumPy.

A position is a fraction of the width and of the height of the micrograph,
``location/micrograph_shape``, rows first. y counts from the first row of the MRC file that
cryoSPARC read: programs that draw its positions on the array that mrcfile reads multiply the
fraction by the number of rows. pyem's csparc2star.py turns y over by default, because it is mostly
used with micrographs that another program corrected for motion, which are upside down compared with
those of Patch Motion Correction; ``dataset.coordinates_from_bottom=true`` does so here.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from deepcryopicker.errors import MicrographError, UsageError
from deepcryopicker.io.files.checks import file_size, one_line
from deepcryopicker.io.files.missing_scores import known_scores
from deepcryopicker.io.files.text import BAD_ROWS
from deepcryopicker.types import Picks

NAME = "location/micrograph_path"
X, Y, SHAPE = "location/center_x_frac", "location/center_y_frac", "location/micrograph_shape"
SCORES = ("pick_stats/ncc_score", "pick_stats/score")

_MAGIC = b"\x93NUMPY"
_COMPRESSED = b"\x94CSDAT"
# Characters; cryoSPARC's tables have up to some hundred columns.
_LONGEST_HEADER = 200_000


def read_cryosparc(path: Path) -> Picks:
    """Read all positions of a ``.cs`` file, whatever their micrograph.

    Returns
    -------
    Picks
        Original pixels. Scores are the correlations of the picker, not probabilities, or
        NaN without any; classes of 2-D classification are not kinds of views, and not read.

    Raises
    ------
    UsageError
        Not such a file, damaged, without positions, or with objects of Python in it.
    """
    return _read(path)[0]


def read_cryosparc_by_micrograph(path: Path) -> dict[str, Picks]:
    """Read the positions of each micrograph, in order of appearance; see `read_cryosparc`."""
    picks, names = _read(path)
    return picks.grouped(names)


def has_positions(path: Path) -> bool:
    """Return whether a ``.cs`` file has positions in micrographs; others list images or exposures.

    Raises
    ------
    UsageError
        As `read_cryosparc`.
    """
    return {NAME, X, Y, SHAPE} <= set(_open(path).dtype.names or ())


def _read(path: Path) -> tuple[Picks, list[str]]:
    """Return the positions and the name of the micrograph of each."""
    table = _open(path)
    columns = table.dtype.names or ()
    lacking = [column for column in (NAME, X, Y, SHAPE) if column not in columns]
    if lacking:
        raise UsageError(
            f"{path}: no positions in it, for it lacks {lacking[0]}\n"
            "give the .cs file of the job that picked or extracted, or its passthrough file"
        )
    shape = _numbers(path, table, SHAPE, 2)
    x, y = (_numbers(path, table, column, 1)[:, 0] for column in (X, Y))
    given = next((column for column in SCORES if column in columns), None)
    score = np.full(len(x), np.nan) if given is None else _numbers(path, table, given, 1)[:, 0]
    good = (
        np.isfinite(x) & np.isfinite(y) & np.isfinite(shape).all(axis=1) & (shape > 0).all(axis=1)
    )
    bad = len(good) - int(good.sum())
    if bad > BAD_ROWS * len(good):
        raise UsageError(
            f"{path}: {bad} of {len(good)} rows have no position or no {SHAPE}\n"
            "give the .cs file of the job that picked or extracted, or its passthrough file"
        )
    names = [_text(path, name) for name in np.asarray(table[NAME])[good].tolist()]
    picks = Picks.create(
        x[good] * shape[good, 1], y[good] * shape[good, 0], known_scores(score[good])
    )
    return picks, names


def _open(path: Path) -> npt.NDArray[np.void]:
    """Map the file into memory, so that only the columns that are used are read."""
    try:
        file_size(path)
        with path.open("rb") as stream:
            start = stream.read(len(_MAGIC))
        if start == _COMPRESSED:
            raise UsageError(
                f"{path}: in cryoSPARC's compressed format, which is not read\n"
                "save it with format=1 of cryosparc-tools, or export the particles as STAR"
            )
        if start != _MAGIC:
            raise UsageError(f"{path}: not a .cs file of cryoSPARC")
        with np.errstate(over="ignore"):  # of a size that no file has, which is then refused
            table = np.load(
                path, mmap_mode="r", allow_pickle=False, max_header_size=_LONGEST_HEADER
            )
    except UsageError:
        raise
    except MicrographError as error:
        raise UsageError(f"{path}: {error}") from error
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror or one_line(error)}") from error
    # The header is text that NumPy parses as Python: a damaged one raises almost anything.
    except Exception as error:
        raise UsageError(f"{path}: damaged .cs file: {one_line(error)}") from error
    if table.ndim != 1 or table.dtype.names is None:
        raise UsageError(f"{path}: not a table of cryoSPARC, but an array of numbers")
    return table


def _numbers(
    path: Path, table: npt.NDArray[np.void], column: str, count: int
) -> npt.NDArray[np.float64]:
    """Return a column as (N, count) float64; refuse one of another kind."""
    kind, shape = table.dtype[column].base.kind, table.dtype[column].shape
    if kind not in "iuf" or shape not in ((count,), () if count == 1 else (count,)):
        raise UsageError(f"{path}: {column} must hold {count} number(s) in a row")
    return np.asarray(table[column], np.float64).reshape(len(table), count)


def _text(path: Path, name: object) -> str:
    """Return the name of a micrograph; refuse one that is empty or not text."""
    if isinstance(name, bytes):
        name = name.decode("utf-8", errors="replace")
    if not isinstance(name, str) or not name.strip("\0 "):
        raise UsageError(f"{path}: {NAME} is empty or not text in a row")
    return name.strip("\0 ")
