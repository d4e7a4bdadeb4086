"""Numbers and table rows made of results."""

from pathlib import Path

import numpy as np
import pytest

from deepcryopicker.evaluation.metrics import Curve
from deepcryopicker.logger.rows import (
    CURVE_POINTS,
    confusion_rows,
    curve_rows,
    picture_names,
)


def curve(length):
    """A curve whose columns are distinct."""
    threshold = np.linspace(1.0, 0.0, length)
    return Curve(threshold, precision=threshold + 10, recall=threshold + 20)


def test_a_short_curve_is_kept_whole():
    rows = curve_rows({"dense": curve(3), "none": curve(0), "one": curve(1)})
    assert rows == [
        ("dense", 1.0, 21.0, 11.0),
        ("dense", 0.5, 20.5, 10.5),
        ("dense", 0.0, 20.0, 10.0),
        ("one", 1.0, 21.0, 11.0),
    ]


@pytest.mark.parametrize("length", [CURVE_POINTS, CURVE_POINTS + 1, 10_007])
def test_a_long_curve_is_thinned_evenly_between_its_ends(length):
    threshold = [row[1] for row in curve_rows({"dense": curve(length)})]
    assert len(threshold) == CURVE_POINTS
    assert (threshold[0], threshold[-1]) == (1.0, 0.0)
    steps = -np.diff(threshold) * (length - 1)  # in points of the curve
    assert steps.min() >= 1 - 1e-6
    assert steps.max() - steps.min() <= 1 + 1e-6


def test_rows_of_a_confusion_matrix_are_the_truth():
    rows = confusion_rows(["top", "side"], np.array([[5, 1], [2, 9]]))
    assert rows == [
        ("top", "top", 5),
        ("top", "side", 1),
        ("side", "top", 2),
        ("side", "side", 9),
    ]


def test_a_confusion_matrix_has_a_row_and_a_column_for_each_class():
    with pytest.raises(ValueError, match="argument 2 is longer"):
        confusion_rows(["top"], np.zeros((2, 2), np.int64))


@pytest.mark.parametrize(
    ("files", "names"),
    [
        ([], []),
        (["o/a.png"], ["key"]),
        (["o/a.png", "o/b.c.png"], ["key/a", "key/b.c"]),
        (["o/klh/1.png", "o/klh/2.png", "o/1.png"], ["key/klh/1", "key/klh/2", "key/1"]),
    ],
)
def test_every_picture_has_a_name_of_its_own(files, names):
    paths = [Path(file) for file in files]
    assert picture_names("key", paths) == dict(zip(names, paths, strict=True))
