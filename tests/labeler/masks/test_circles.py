"""Circles of known places and radii; the dense Hough transform of scikit-image; the authors'."""

import cv2
import numpy as np
import pytest
from scipy.spatial.distance import cdist
from skimage.feature import canny
from skimage.transform import hough_circle, hough_circle_peaks

from deepcryopicker.labeler.masks.circles import find_circles
from deepcryopicker.labeler.masks.clustering import intensity_clusters
from deepcryopicker.labeler.masks.particle_mask import clean_mask

DISCS = [(40.0, 50.0, 12.0), (100.4, 60.7, 15.0), (60.0, 120.0, 18.0), (150.5, 110.25, 13.5)]


def draw(discs, shape=(160, 200)):
    row, column = np.indices(shape)
    return np.any([np.hypot(column - x, row - y) <= r for x, y, r in discs], axis=0)


def test_discs_are_found_where_and_as_large_as_they_are():
    circles = find_circles(draw(DISCS), 9, 21)
    assert len(circles) == len(DISCS)
    found = np.column_stack([circles.x, circles.y, circles.radius])
    nearest = cdist(np.array(DISCS)[:, :2], found[:, :2]).argmin(axis=1)
    assert len(set(nearest)) == len(DISCS)
    np.testing.assert_allclose(found[nearest][:, :2], np.array(DISCS)[:, :2], atol=1)
    np.testing.assert_allclose(found[nearest][:, 2], np.array(DISCS)[:, 2], atol=1.5)
    assert (np.diff(circles.strength) <= 0).all()


@pytest.mark.parametrize("gap", [0.0, -3.0])
def test_touching_discs_are_separated(gap):
    discs = [(60, 80, 15), (60 + 30 + gap, 80, 15), (60, 80 + 30 + gap, 15)]
    circles = find_circles(draw(discs), 10, 20)
    distance = cdist(np.array(discs)[:, :2], np.column_stack([circles.x, circles.y]))
    assert (distance.min(axis=1) < 2).all()
    assert len(circles) == 3


def test_disc_cut_by_the_edge_is_found():
    circles = find_circles(draw([(4, 80, 15), (100, 80, 15)]), 10, 20)
    assert (np.hypot(circles.x - 4, circles.y - 80) < 2).any()


@pytest.mark.parametrize("value", [False, True])
def test_no_circles_without_edges(value):
    circles = find_circles(np.full((80, 90), value), 8, 16)
    assert len(circles) == 0


def test_discs_outside_the_range_of_radii_are_not_found():
    assert len(find_circles(draw([(80, 80, 40)]), 9, 15, 0.6)) == 0


def test_agrees_with_the_dense_hough_transform():
    mask = draw(DISCS)
    radii = np.arange(9, 22)
    space = hough_circle(canny(mask.astype(float), 1.5), radii)
    _, x, y, radius = hough_circle_peaks(
        space, radii, min_xdistance=10, min_ydistance=10, total_num_peaks=len(DISCS)
    )
    circles = find_circles(mask, 9, 21)
    distance = cdist(np.column_stack([x, y]), np.column_stack([circles.x, circles.y]))
    assert distance.min(axis=1).max() < 2
    np.testing.assert_allclose(circles.radius[distance.argmin(axis=1)], radius, atol=2)


def test_strictness_follows_the_sensitivity():
    ragged = draw(DISCS) & (np.random.default_rng(0).random((160, 200)) < 0.7)
    counts = [len(find_circles(ragged, 9, 21, s)) for s in (0.5, 0.8, 0.95)]
    assert counts == sorted(counts)
    assert counts[0] < counts[-1]


def test_ring_is_found_by_its_outer_edge():
    ring = draw([(80, 70, 18)]) & ~draw([(80, 70, 12)])
    circles = find_circles(ring, 14, 24)
    best = np.hypot(circles.x - 80, circles.y - 70).argmin()
    np.testing.assert_allclose([circles.x[best], circles.y[best]], [80, 70], atol=1)
    assert circles.radius[best] == pytest.approx(18, abs=1.5)


def test_shifted_mask_gives_shifted_circles():
    mask = draw(DISCS)
    before, after = (
        np.sort(np.rec.fromarrays([c.x, c.y, c.radius, c.strength]))
        for c in (find_circles(m, 9, 21) for m in (mask, np.roll(mask, (5, -3), (0, 1))))
    )
    for name, shift in zip(before.dtype.names, (-3, 5, 0, 0), strict=True):
        np.testing.assert_allclose(after[name], before[name] + shift, atol=0.1)  # rounding halves


@pytest.mark.real
def test_authors_circles(real_data):
    """The authors' program found 166 circles here; their coordinates are truncated to integers."""
    folder = real_data / "golden" / "apoferritin"
    image = cv2.imread(str(folder / "Morphological.png"), cv2.IMREAD_UNCHANGED)
    mask = (intensity_clusters(image.astype(np.float32) / 255, 4) == 0) & (image > 0)
    circles = find_circles(clean_mask(mask, 250, fill=False), 13, 85)
    truth = np.loadtxt(folder / "circles.csv", delimiter=",", skiprows=1)
    distance = cdist(truth, np.column_stack([circles.x, circles.y]))
    assert (distance.min(axis=1) <= 2).sum() >= 162
    assert (distance.min(axis=1) <= 10).sum() >= 165
    assert (distance.min(axis=0) > 2).sum() <= 4
    assert (distance.min(axis=0) > 10).sum() <= 1
    assert 14 <= circles.radius.min() <= circles.radius.max() <= 20.5
