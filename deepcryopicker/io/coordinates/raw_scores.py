"""The scores of candidates as the picker gave them, beside those calibrated on the folder."""

from pathlib import Path

import numpy as np

from deepcryopicker.errors import UsageError
from deepcryopicker.io.coordinates.candidate_csv import RAW_SCORE
from deepcryopicker.io.coordinates.formats import read_csv_with, with_scores
from deepcryopicker.types import Floats, Picks


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
