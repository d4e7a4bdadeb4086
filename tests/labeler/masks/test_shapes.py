"""Discs are top views, squares side views, and what fits neither is irregular."""

import cv2
import numpy as np
import pytest

from deepcryopicker.labeler.masks.shapes import coverage, find_shapes, ideal_mask, nearest_distance
from deepcryopicker.labeler.schema import IbcConfig

DIAMETER = 40.0
SHAPE = (160, 180)


def find(mask, diameter=DIAMETER):
    return find_shapes(mask, diameter, IbcConfig())


def disc(x, y, diameter):
    row, column = np.indices(SHAPE)
    return np.hypot(column - x, row - y) <= diameter / 2


def polygon(points):
    mask = np.zeros(SHAPE, np.uint8)
    cv2.fillPoly(mask, [np.round(points).astype(np.int32)], 1)
    return mask.astype(bool)


def square(x, y, side, angle):
    return polygon(cv2.boxPoints(((x, y), (side, side), angle)))


@pytest.mark.parametrize("diameter", [32, 40, 48])
def test_disc_is_a_top_view(diameter):
    shapes = find(disc(80, 70, diameter))
    assert shapes.label.tolist() == ["top"]
    np.testing.assert_allclose([shapes.x[0], shapes.y[0]], [80, 70], atol=1)
    assert shapes.diameter[0] == pytest.approx(diameter, abs=3)
    assert shapes.overlap[0] > 0.9
    assert shapes.area[0] == pytest.approx(np.pi * diameter**2 / 4, rel=0.03)
    assert shapes.circularity[0] == pytest.approx(1, abs=0.05)
    assert shapes.angle[0] == 0


@pytest.mark.parametrize("angle", [0, 20, 45])
def test_square_is_a_side_view(angle):
    mask = square(90, 75, 40, angle)
    shapes = find(mask)
    assert shapes.label.tolist() == ["side"]
    np.testing.assert_allclose([shapes.x[0], shapes.y[0]], [90, 75], atol=1)
    assert shapes.diameter[0] == DIAMETER
    assert shapes.area[0] == pytest.approx(mask.sum(), rel=0.05)
    assert shapes.overlap[0] > 0.88


@pytest.mark.parametrize("angle", [10, 30, 60])
def test_angle_is_that_of_the_shorter_side(angle):
    mask = polygon(cv2.boxPoints(((90, 75), (35, 43), angle)))
    shapes = find(mask)
    assert shapes.label.tolist() == ["side"]
    assert shapes.angle[0] == pytest.approx(angle, abs=4)


def test_ideal_shapes_are_discs_and_squares_as_they_lie():
    x, y, label = np.array([40.0, 130.0]), np.array([50.0, 90.0]), np.array(["top", "side"])
    ideal = ideal_mask(x, y, label, np.array([0.0, 30.0]), 40.0, SHAPE)
    drawn = disc(40, 50, 40) | square(130, 90, 40, 30)
    assert (ideal & drawn).sum() / (ideal | drawn).sum() > 0.95


@pytest.mark.parametrize("label", ["top", "side", "irregular"])
def test_ideal_shapes_end_at_the_edge_of_the_image(label):
    corner = np.array([0.0])
    ideal = ideal_mask(corner, corner, np.array([label]), corner, 40.0, SHAPE)
    assert ideal[0, 0]
    assert not ideal[25:].any()
    assert not ideal[:, 25:].any()


def test_square_of_the_wrong_size_is_not_a_side_view():
    assert "side" not in find(square(90, 75, 60, 0)).label
    assert "side" not in find(square(90, 75, 20, 0)).label


def test_ragged_blob_is_irregular():
    angle = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    radius = 20 + 9 * np.sin(5 * angle)
    mask = polygon(np.column_stack([85 + radius * np.cos(angle), 80 + radius * np.sin(angle)]))
    shapes = find(mask)
    assert shapes.label.tolist() == ["irregular"]
    np.testing.assert_allclose([shapes.x[0], shapes.y[0]], [85, 80], atol=3)
    assert shapes.overlap[0] < 0.85


def test_all_three_kinds_in_one_mask():
    angle = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    radius = 20 + 9 * np.sin(5 * angle)
    ragged = np.column_stack([50 + radius * np.cos(angle), 115 + radius * np.sin(angle)])
    mask = disc(40, 40, 40) | square(130, 45, 38, 30) | polygon(ragged)
    shapes = find(mask)
    places = {label: (x, y) for label, x, y in zip(shapes.label, shapes.x, shapes.y, strict=True)}
    assert len(shapes.x) == 3
    np.testing.assert_allclose(places["top"], (40, 40), atol=1)
    np.testing.assert_allclose(places["side"], (130, 45), atol=1)
    np.testing.assert_allclose(places["irregular"], (50, 115), atol=3)


def test_empty_mask_holds_nothing():
    shapes = find(np.zeros(SHAPE, bool))
    assert len(shapes.x) == len(shapes.label) == len(shapes.overlap) == 0


def test_overlap_is_intersection_over_union():
    """A disc with a quarter missing, by hand."""
    mask = disc(80, 70, 40)
    whole = mask.sum()
    mask[70:, 80:] = False
    shapes = find(mask)
    best = np.hypot(shapes.x - 80, shapes.y - 70).argmin()
    assert shapes.area[best] == pytest.approx(0.75 * whole, rel=0.04)
    assert shapes.overlap[best] == pytest.approx(0.75, abs=0.1)


def test_coverage_is_the_share_of_mask_nearby():
    mask = np.zeros((100, 100), bool)
    mask[:, 50:] = True
    covered = coverage(mask, 24)
    assert covered[50, 5] == pytest.approx(0, abs=1e-6)
    assert covered[50, 95] == pytest.approx(1, abs=1e-6)
    assert covered[50, 49:51].mean() == pytest.approx(0.5, abs=0.01)


def test_nearest_distance_by_brute_force():
    rng = np.random.default_rng(0)
    x, y = rng.uniform(0, 100, (2, 30))
    distance = np.hypot(x[:, None] - x, y[:, None] - y) + np.diag(np.full(30, np.inf))
    np.testing.assert_allclose(nearest_distance(x, y), distance.min(axis=1))
    assert nearest_distance(np.zeros(1), np.zeros(1)).tolist() == [np.inf]
