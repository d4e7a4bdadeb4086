"""Picks imported from the files of another program, used like those of a picker."""

from pathlib import Path

import numpy as np
from scipy.special import expit

from deepcryopicker.errors import MicrographError, UsageError
from deepcryopicker.io.coordinates.formats import READERS, read_by_micrograph, read_picks
from deepcryopicker.types import Floats, Picks

_NO_SCORE = -999.0
"""Value that some programs write for a missing score."""


class Imported:
    """Picks by the name of their micrograph.

    Parameters
    ----------
    source : Path
        Folder with one file per micrograph, or one file for all.

    Raises
    ------
    UsageError
        If the folder or file is missing or cannot be read.
    """

    def __init__(self, source: Path) -> None:
        if not source.exists():
            raise UsageError(f"picker.picks: {source} does not exist")
        self._source = source
        self._table = None if source.is_dir() else read_by_micrograph(source)

    def find(self, name: str, diameter: float) -> Picks:
        """Return the picks of a micrograph.

        Parameters
        ----------
        name : str
            Path below the folder of the dataset, without suffix.
        diameter : float
            Diameter of picks without their own, original pixels.

        Raises
        ------
        MicrographError
            If there is no file, not even an empty one, for this micrograph.
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
        raise MicrographError(f"{self._source} has no picks for it")


def as_probability(score: Floats) -> Floats:
    """Map scores to [0, 1] without changing their order.

    Scores that all lie in [0, 1] are unchanged; others, such as log-odds, are mapped by a logistic
    function. Missing scores become 1.

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
