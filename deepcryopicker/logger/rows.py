"""Results of a run as flat numbers, names and table rows for experiment tracking."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from deepcryopicker.evaluation.metrics import Curve

CURVE_COLUMNS = ("method", "threshold", "recall", "precision")
CONFUSION_COLUMNS = ("true", "predicted", "count")
CURVE_POINTS = 200  # enough for a smooth chart; W&B keeps 10 000 rows of a table


def curve_rows(curves: Mapping[str, Curve]) -> list[tuple[str, float, float, float]]:
    """List the points of precision-recall curves, at most `CURVE_POINTS` of each.

    Parameters
    ----------
    curves : mapping
        From the name of the method to its curve.

    Returns
    -------
    list of tuple
        One row per point, in the order of `CURVE_COLUMNS`; first and last points are kept.
    """
    return [
        (
            method,
            float(curve.threshold[point]),
            float(curve.recall[point]),
            float(curve.precision[point]),
        )
        for method, curve in curves.items()
        for point in _thinned(len(curve.threshold))
    ]


def confusion_rows(
    classes: Sequence[str], matrix: npt.NDArray[np.int64]
) -> list[tuple[str, str, int]]:
    """List the cells of a confusion matrix.

    Parameters
    ----------
    classes : sequence of str
        C names.
    matrix : (C, C) int64
        Counts; rows are the truth, columns the prediction.

    Returns
    -------
    list of tuple
        One row per cell, in the order of `CONFUSION_COLUMNS`.
    """
    return [
        (true, predicted, int(count))
        for true, counts in zip(classes, matrix, strict=True)
        for predicted, count in zip(classes, counts, strict=True)
    ]


def picture_names(key: str, paths: Sequence[Path]) -> dict[str, Path]:
    """Name pictures: a single one `key`, several by their path in the common folder.

    Examples
    --------
    >>> list(picture_names("overlays", [Path("o/klh/1.png"), Path("o/ribosome/1.png")]))
    ['overlays/klh/1', 'overlays/ribosome/1']
    """
    if len(paths) <= 1:
        return dict(zip([key], paths, strict=False))
    root = os.path.commonpath([path.parent for path in paths])
    return {f"{key}/{path.relative_to(root).with_suffix('').as_posix()}": path for path in paths}


def _thinned(length: int) -> npt.NDArray[np.int64]:
    """Choose at most `CURVE_POINTS` evenly spaced items, including both ends."""
    count = min(length, CURVE_POINTS)
    return np.linspace(0, length - 1, count).round().astype(np.int64)
