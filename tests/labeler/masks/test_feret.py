"""Rectangles of known sides and angles; brute force over all directions as the reference."""

import time

import numpy as np
import pytest
from skimage.measure import regionprops

from deepcryopicker.labeler.masks.feret import (
    FeretTable,
    corners,
    is_overlapping,
    is_square,
    measure,
)

SHAPE = (160, 180)


def box(x, y, a, b, angle, shape=SHAPE):
    """Pixels whose centre lies in a rectangle; side `a` lies along `angle`."""
    row, column = np.indices(shape)
    cosine, sine = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    along = (column - x) * cosine + (row - y) * sine
    across = (row - y) * cosine - (column - x) * sine
    return (np.abs(along) <= a / 2) & (np.abs(across) <= b / 2)


def rectangle_of(table):
    """Pixels whose centre lies in the perfect rectangle of the only component."""
    columns = (table.x, table.y, table.minimum, table.orthogonal, table.minimum_angle)
    return box(*(column[0] for column in columns))


def disc(x, y, radius, shape=SHAPE):
    row, column = np.indices(shape)
    return np.hypot(column - x, row - y) <= radius


def blob(seed):
    """Fill a closed curve whose radius is a random sum of waves."""
    rng = np.random.default_rng(seed)
    row, column = np.indices(SHAPE)
    angle = np.arctan2(row - 78.3, column - 88.6)
    size, phase = rng.uniform(2, 9, 5), rng.uniform(0, 2 * np.pi, 5)
    waves = sum(size[k] * np.sin((k + 1) * angle + phase[k]) for k in range(5))
    return np.hypot(row - 78.3, column - 88.6) <= 40 + waves


def turned(angle, reference):
    """Difference of two undirected angles, -90 to 90 degrees."""
    return (angle - reference + 90) % 180 - 90


def iou(one, other):
    return (one & other).sum() / (one | other).sum()


@pytest.mark.parametrize("angle", [0, 17, 45, 73, 90, 120, 171])
@pytest.mark.parametrize(
    ("x", "y", "a", "b"), [(90, 75, 31, 39), (88.3, 80.7, 40, 50), (70, 70, 28, 80)]
)
def test_rectangle_of_known_sides_angle_and_centre(x, y, a, b, angle):
    mask = box(x, y, a, b, angle)
    table = measure(mask)
    assert len(table) == 1
    assert table.minimum[0] == pytest.approx(a, abs=1.1)
    assert table.orthogonal[0] == pytest.approx(b, abs=1.1)
    assert table.maximum[0] == pytest.approx(np.hypot(a, b), abs=1.6)
    assert turned(table.minimum_angle[0], angle) == pytest.approx(0, abs=2)
    np.testing.assert_allclose([table.x[0], table.y[0]], [x, y], atol=0.6)
    assert table.area[0] == mask.sum()
    assert table.solidity[0] == pytest.approx(1.0)
    assert table.squareness[0] == pytest.approx(1.0, abs=0.06)


@pytest.mark.parametrize("seed", range(6))
def test_feret_diameters_by_brute_force_projection(seed):
    mask = blob(seed)
    row, column = np.nonzero(mask)
    # The middles of the pixels' edges, projected onto a direction every half degree.
    points = [(column + dx, row + dy) for dx, dy in ((0.5, 0), (-0.5, 0), (0, 0.5), (0, -0.5))]
    x, y = np.concatenate(points, axis=1)
    angles = np.arange(0, 180, 0.5)
    extent = np.array([np.ptp(x * np.cos(a) + y * np.sin(a)) for a in np.radians(angles)])
    table = measure(mask)
    assert table.maximum[0] == pytest.approx(extent.max(), rel=1e-4)
    longest = np.radians(table.maximum_angle[0])
    assert np.ptp(x * np.cos(longest) + y * np.sin(longest)) == pytest.approx(table.maximum[0])
    # The minimum has a kink: half a step beside it, the extent is up to 0.5 % longer.
    assert extent.min() * 0.995 < table.minimum[0] <= extent.min() + 1e-9
    orthogonal = np.radians(table.minimum_angle[0] + 90)
    expected = np.ptp(x * np.cos(orthogonal) + y * np.sin(orthogonal))
    assert table.orthogonal[0] == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(6))
def test_against_scikit_image(seed):
    mask = blob(seed)
    (reference,) = regionprops(mask.astype(np.uint8))
    table = measure(mask)
    # It measures the hull drawn as pixels, which reaches up to a pixel farther.
    assert table.maximum[0] == pytest.approx(reference.feret_diameter_max, abs=1.0)
    assert table.area[0] == reference.area_filled
    assert table.solidity[0] == pytest.approx(
        reference.area_filled / reference.area_convex, abs=0.04
    )


def test_labels_are_kept_and_touching_ones_measured_apart():
    labels = np.zeros(SHAPE, np.int32)
    labels[20:50, 20:60], labels[20:50, 60:100] = 3, 7
    labels[100:120, 100:130] = 5
    table = measure(labels)
    assert table.label.tolist() == [3, 5, 7]
    np.testing.assert_allclose(table.minimum, [30, 20, 30])
    np.testing.assert_allclose(table.orthogonal, [40, 30, 40])
    np.testing.assert_allclose(table.minimum_angle, 90)
    np.testing.assert_allclose(table.x, [39.5, 114.5, 79.5])
    np.testing.assert_allclose(table.y, [34.5, 109.5, 34.5])
    assert table[table.area > 700].label.tolist() == [3, 7]


@pytest.mark.parametrize("angle", [0, 25, 45, 80])
def test_squares_pass_and_everything_else_does_not(angle):
    square = box(90, 75, 40, 40, angle)
    flat = box(90, 75, 40, 50, angle)
    assert is_square(measure(square)).tolist() == [True]
    assert is_square(measure(flat)).tolist() == [True]
    assert is_square(measure(box(90, 75, 40, 57, angle))).tolist() == [False]
    assert is_square(measure(disc(90, 75, 20))).tolist() == [False]
    bitten = square & ~disc(90, 75, 16) | box(90, 95, 6, 6, 0)
    bitten &= ~box(90, 60, 12, 40, 0)
    assert is_square(measure(bitten)).tolist() == [False]


def test_disc_fails_by_its_corners():
    table = measure(disc(90, 75, 30))
    assert table.squareness[0] == pytest.approx(np.pi / 4, abs=0.03)
    assert is_square(table, squareness=0.7).tolist() == [True]


def test_square_of_another_size_fails_by_the_median():
    labels = np.zeros((100, 400), np.int32)
    for i, side in enumerate((30, 31, 32, 22, 40)):
        labels[20 : 20 + side, 20 + 70 * i : 20 + 70 * i + side] = i + 1
    assert is_square(measure(labels)).tolist() == [True, True, True, False, False]
    # The disc fails the other rules, so it does not affect the median.
    labels[labels == 1] = 0
    labels[:, 20:90][disc(35, 50, 33, (100, 70))] = 1
    assert is_square(measure(labels)).tolist() == [False, True, True, False, False]


def test_two_touching_squares_in_one_component_overlap():
    mask = np.zeros((200, 300), bool)
    for x, y in ((40, 40), (120, 40), (200, 40), (40, 150), (120, 150)):
        mask |= box(x, y, 36, 36, 20, mask.shape)
    mask |= box(200, 140, 36, 36, 0, mask.shape) | box(236, 140, 36, 36, 0, mask.shape)
    table = measure(mask)
    overlapping = is_overlapping(table)
    assert np.flatnonzero(overlapping).tolist() == [int(np.argmax(table.area))]
    assert not is_square(table)[overlapping].any()


def rectangles(*rows):
    """Table of perfect rectangles from (x, y, minimum, orthogonal, angle)."""
    x, y, minimum, orthogonal, angle = np.array(rows, float).T
    label, area = np.arange(1, len(rows) + 1), minimum * orthogonal
    longest = np.hypot(minimum, orthogonal)
    return FeretTable(label, x, y, longest, angle, minimum, angle, orthogonal, area, area)


@pytest.mark.parametrize("angle", [0, 30, 45])
def test_pairs_of_perfect_squares_overlap(angle):
    """Two squares of side a, g apart along a side, have IoU (a - g) / (a + g): 0.1 at 0.818 a."""
    cosine, sine = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    for gap, expected in ((8.0, True), (32.4, True), (33.1, False), (60.0, False)):
        table = rectangles(
            (50, 50, 40, 40, angle),
            (50 + gap * cosine, 50 + gap * sine, 40, 40, angle),
            (500, 500, 40, 40, angle),
        )
        assert is_overlapping(table).tolist() == [expected, expected, False]


def test_turned_squares_overlap_by_the_area_they_share():
    """A square and its copy turned by 45 degrees share a regular octagon: IoU 0.707."""
    table = rectangles((50, 50, 40, 40, 0), (50, 50, 40, 40, 45))
    assert is_overlapping(table, iou=0.70).all()
    assert not is_overlapping(table, iou=0.715).any()


def test_the_perfect_rectangle_is_the_whole_box():
    """A box that has lost its corners becomes whole."""
    whole = box(90, 75, 50, 60, 30)
    worn = whole & disc(90, 75, 33)
    table = measure(worn)
    perfect = rectangle_of(table)
    assert iou(perfect, whole) > 0.96 > iou(worn, whole)
    area = (table.minimum * table.orthogonal)[0]
    assert perfect.sum() == pytest.approx(area, rel=0.03)


def test_corners_are_those_of_the_perfect_rectangle():
    table = measure(box(90, 75, 40, 50, 30))
    (points,) = corners(table)
    assert points.shape == (4, 2)
    sides = np.roll(points, -1, axis=0) - points
    np.testing.assert_allclose(
        np.hypot(*sides.T), [table.minimum[0], table.orthogonal[0]] * 2, rtol=1e-9
    )
    np.testing.assert_allclose(points.mean(axis=0), [table.x[0], table.y[0]])
    np.testing.assert_allclose(np.sum(sides * np.roll(sides, 1, axis=0), axis=1), 0, atol=1e-9)
    first = np.degrees(np.arctan2(sides[0, 1], sides[0, 0]))
    assert turned(first, 30) == pytest.approx(0, abs=2)


def test_nothing_gives_empty_tables():
    table = measure(np.zeros(SHAPE, bool))
    assert len(table) == len(is_square(table)) == len(is_overlapping(table)) == 0
    assert corners(table).shape == (0, 4, 2)


def test_specks_and_lines_do_not_fail():
    mask = np.zeros((20, 30), bool)
    mask[3, 4] = True
    mask[10, 5:25] = True
    table = measure(mask)
    np.testing.assert_allclose(table.area, [1, 20])
    np.testing.assert_allclose(table.maximum, [1, 20])
    assert not is_square(table)[1]


def test_five_hundred_components_are_quick():
    tile = box(30, 30, 36, 42, 20, (60, 60))
    labels = np.kron(np.arange(1, 501, dtype=np.int32).reshape(20, 25), tile.astype(np.int32))
    start = time.perf_counter()
    table = measure(labels)
    # 0.05 s here; the slack is for busy machines.
    assert time.perf_counter() - start < 1.0
    assert len(table) == 500
    np.testing.assert_allclose(table.area, tile.sum())
