"""Intensity clusters by hand, and the mask's cleaning step by step."""

import numpy as np
import pytest
from scipy import ndimage

from deepcryopicker.labeler.clustering import clean_mask, intensity_clusters, remove_small

CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], bool)


@pytest.fixture
def mask():
    blobs = ndimage.gaussian_filter(np.random.default_rng(2).standard_normal((150, 190)), 4)
    grain = np.random.default_rng(3).random(blobs.shape) < 0.03
    return (blobs > 0.04) ^ grain


def test_four_clusters_are_cut_at_the_paper_s_levels():
    image = np.array([[0, 0.374, 0.375, 0.376, 0.625, 0.626, 0.875, 0.876, 1]], np.float32)
    assert intensity_clusters(image, 4).tolist() == [[0, 0, 0, 1, 1, 2, 2, 3, 3]]


def test_five_clusters_are_cut_at_the_paper_s_levels():
    image = np.array([[0, 0.29, 0.31, 0.49, 0.51, 0.69, 0.71, 0.89, 0.91, 1]], np.float32)
    assert intensity_clusters(image, 5).tolist() == [[0, 0, 1, 1, 2, 2, 3, 3, 4, 4]]


@pytest.mark.parametrize("clusters", [2, 4, 5, 7])
def test_every_pixel_goes_to_the_nearest_centre(clusters):
    image = np.random.default_rng(0).normal(5, 30, (40, 50)).astype(np.float32)
    step = (image.max() - image.min()) / clusters
    centres = image.min() + step * np.arange(1, clusters + 1)
    expected = np.abs(image[..., None] - centres).argmin(axis=-1)
    np.testing.assert_array_equal(intensity_clusters(image, clusters), expected)


def test_constant_image_holds_no_particles():
    assert (intensity_clusters(np.full((5, 6), 3, np.float32), 4) == 3).all()


def test_remove_small_is_eight_connected_and_keeps_the_limit():
    mask = np.zeros((12, 12), bool)
    mask[[1, 2, 3], [1, 2, 3]] = True  # a diagonal: three pixels only if diagonals connect
    mask[8, 2:4] = True
    kept = remove_small(mask, 3)
    assert kept.sum() == 3
    assert kept[[1, 2, 3], [1, 2, 3]].all()
    assert not remove_small(mask, 4).any()


def test_cleaning_step_by_step(mask):
    labels, count = ndimage.label(mask, np.ones((3, 3)))
    area = ndimage.sum_labels(mask, labels, np.arange(count + 1))
    expected = np.isin(labels, np.flatnonzero(area >= 60)) & mask
    # Erosion and closing as if the image went on in kind beyond the border.
    expected = ndimage.minimum_filter(expected, footprint=CROSS, mode="constant", cval=1)
    expected = ndimage.binary_fill_holes(expected)
    wide = np.pad(expected, 5)
    wide = ndimage.maximum_filter(wide, footprint=CROSS, mode="constant", cval=0)
    wide = ndimage.minimum_filter(wide, footprint=CROSS, mode="constant", cval=0)
    expected = wide[5:-5, 5:-5]
    expected = ndimage.maximum_filter(expected, footprint=CROSS, mode="constant", cval=0)
    expected = ndimage.binary_fill_holes(expected)
    found = clean_mask(mask, 60)
    np.testing.assert_array_equal(found, expected)
    assert 0.2 < found.mean() < 0.8
    assert (found != mask).any()


def test_holes_are_filled_and_specks_dropped():
    mask = np.zeros((60, 60), bool)
    mask[10:40, 10:40] = True
    mask[20:25, 20:25] = False
    mask[50:53, 50:53] = True
    expected = np.zeros_like(mask)
    expected[10:40, 10:40] = True
    found = clean_mask(mask, 20)
    expected[[10, 10, 39, 39], [10, 39, 10, 39]] = found[[10, 10, 39, 39], [10, 39, 10, 39]]
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("value", [False, True])
def test_empty_and_full_masks_stay(value):
    mask = np.full((30, 30), value)
    np.testing.assert_array_equal(clean_mask(mask, 10), mask)
