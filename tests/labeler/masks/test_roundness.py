"""Circularity against analytic shapes; areas against a filled mask."""

import cv2
import numpy as np
import pytest
from scipy import ndimage

from deepcryopicker.labeler.masks.roundness import (
    as_labels,
    circularity,
    filled_area,
    outer_perimeter,
    outlines,
)


def disc(radius, dx=0.0, dy=0.0):
    row, column = np.ogrid[-radius - 2 : radius + 3, -radius - 2 : radius + 3]
    return np.hypot(column - dx, row - dy) <= radius


@pytest.mark.parametrize("radius", [5, 8, 15, 40, 100])
@pytest.mark.parametrize("shift", [(0.1, -0.2), (0.3, -0.45), (0.5, 0.5)])
def test_disc_of_any_size_has_circularity_one(radius, shift):
    assert circularity(disc(radius, *shift))[0] == pytest.approx(1.0, abs=0.04)


@pytest.mark.parametrize("angle", [0, 10, 30, 45, 80])
@pytest.mark.parametrize("sides", [(40, 40), (60, 30), (90, 15)])
def test_rectangle_by_formula(sides, angle):
    row, column = np.mgrid[-60:61, -60:61]
    cosine, sine = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    along, across = column * cosine + row * sine, row * cosine - column * sine
    # Half a thousandth aside, so that no pixel centre lies exactly on a side.
    mask = (np.abs(along - 0.0005) < sides[0] / 2) & (np.abs(across - 0.0005) < sides[1] / 2)
    expected = (2 * sum(sides)) ** 2 / (4 * np.pi * sides[0] * sides[1])
    assert circularity(mask)[0] == pytest.approx(expected, rel=0.1)
    ((_, outline),) = outlines(as_labels(mask))
    assert outer_perimeter(outline) == pytest.approx(2 * sum(sides), rel=0.03)


def test_less_biased_than_arc_length():
    ((_, outline),) = outlines(as_labels(disc(40)))
    truth = 2 * np.pi * 40
    assert abs(outer_perimeter(outline) - truth) < 0.2 * abs(
        cv2.arcLength(outline, True) + np.pi - truth
    )


def test_clump_of_two_discs_is_less_round():
    mask = np.zeros((50, 90), bool)
    row, column = np.indices(mask.shape)
    for x in (25, 55):
        mask |= np.hypot(column - x, row - 25) <= 16
    assert circularity(mask)[0] > 1.5


def test_area_by_filling_the_holes_of_random_components():
    """Whiskers, single pixels, rings and diagonal steps: all occur in noise."""
    labels = as_labels(np.random.default_rng(3).random((70, 80)) > 0.62)
    assert labels.max() > 50
    for label, outline in outlines(labels):
        filled = ndimage.binary_fill_holes(labels == label)
        assert filled_area(outline) == filled.sum()


def test_rows_follow_the_labels_and_gaps_are_nan():
    labels = np.zeros((40, 80), np.int32)
    labels[5:35, 5:35] = 4
    labels[2:37, 42:77][disc(15)] = 2
    result = circularity(labels)
    assert result.shape == (4,)
    assert np.isnan(result[[0, 2]]).all()
    assert result[1] == pytest.approx(1.0, abs=0.04)
    assert result[3] == pytest.approx(4 / np.pi, rel=0.06)


def test_touching_labels_are_measured_apart():
    """A clump split by a watershed: the halves border on each other."""
    labels = np.zeros((30, 50), np.int32)
    labels[5:25, 5:25], labels[5:25, 25:45] = 1, 2
    alone = np.zeros((30, 30), bool)
    alone[5:25, 5:25] = True
    np.testing.assert_allclose(circularity(labels), circularity(alone)[0])


def test_nothing_has_no_circularity():
    assert circularity(np.zeros((5, 6), bool)).shape == (0,)
