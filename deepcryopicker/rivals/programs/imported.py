"""Picks that another program has left in files, as if a picker had found them now."""

from pathlib import Path

import numpy as np
from scipy.special import expit

from deepcryopicker.errors import MicrographError, UsageError
from deepcryopicker.io.coordinates.formats import READERS, read_by_micrograph, read_picks
from deepcryopicker.types import Floats, Picks

_NO_SCORE = -999.0
"""What some programs write where there is none."""


class Imported:
    """Picks by the name of their micrograph.

    Parameters
    ----------
    source : Path
        A folder with a file for each micrograph, or one file of all.

    Raises
    ------
    UsageError
        If there is no such folder or file, or it cannot be read.
    """

    def __init__(self, source: Path) -> None:
        if not source.exists():
            raise UsageError(f"picker.picks: there is no file or folder {source}")
        self._source = source
        self._table = None if source.is_dir() else read_by_micrograph(source)

    def find(self, name: str, diameter: float) -> Picks:
        """Return the picks of a micrograph.

        Parameters
        ----------
        name : str
            With the folders below the dataset's.
        diameter : float
            Of picks that have none, original pixels.

        Raises
        ------
        MicrographError
            If there are none for it: not even an empty file.
        """
        picks = self._read(name)
        known = np.isfinite(picks.diameter)
        return Picks.create(
            picks.x,
            picks.y,
            as_probability(picks.score),
            picks.label,
            np.where(known, picks.diameter, diameter),
        )

    def _read(self, name: str) -> Picks:
        if self._table is not None:
            short = name.rpartition("/")[2]
            for key in (name, short):
                if key in self._table:
                    return self._table[key]
        else:
            for suffix in READERS:
                path = self._source / f"{name}{suffix}"
                if path.is_file():
                    return read_picks(path)
        raise MicrographError(f"no picks for it in {self._source}")


def as_probability(score: Floats) -> Floats:
    """Bend scores into [0, 1] without changing their order.

    Those of which all lie there stay; others, such as log-odds, go through a logistic curve.
    Where there is no score, it is 1.

    Examples
    --------
    >>> as_probability(np.array([-2.0, 0.0, 3.0])).round(2).tolist()
    [0.12, 0.5, 0.95]
    >>> as_probability(np.array([0.25, 1.0])).tolist()
    [0.25, 1.0]
    """
    score = np.where(score == _NO_SCORE, 1.0, score)
    if len(score) and (score.min() < 0.0 or score.max() > 1.0):
        return expit(score)
    return score
