"""Superpixel clusters of regions with known places; the share measured on the authors' image."""

import cv2
import numpy as np
import pytest
from scipy import ndimage

from deepcryopicker.labeler.masks.clustering import kmeans_clusters
from deepcryopicker.labeler.masks.superpixels import superpixel_clusters, superpixel_means


@pytest.fixture
def regions():
    """Three grey levels: a dark disc, a bright strip, and what is between."""
    row, column = np.indices((90, 120))
    levels = np.ones((90, 120), int)
    levels[np.hypot(column - 40, row - 45) < 18] = 0
    levels[:, 95:] = 2
    return levels


def test_regions_are_found_in_noise_that_defeats_single_pixels(regions):
    noise = np.random.default_rng(0).normal(0, 0.7, regions.shape)
    image = ndimage.gaussian_filter(regions + noise, 0.7).astype(np.float32)
    index = superpixel_clusters(image, 3, 40)
    assert index.dtype == np.uint8
    assert (index == regions).mean() > 0.9
    assert (index == regions).mean() > (kmeans_clusters(image, 3) == regions).mean() + 0.02


def test_superpixels_carry_their_means(regions):
    image = (regions + np.random.default_rng(1).normal(0, 0.3, regions.shape)).astype(np.float32)
    means = superpixel_means(image, 60)
    assert means.mean() == pytest.approx(image.mean(), abs=1e-5)
    assert 0.3 * image.size / 60 <= len(np.unique(means)) <= 1.5 * image.size / 60
    for value in np.unique(means)[::10]:
        assert image[means == value].mean() == pytest.approx(value, abs=1e-4)


def test_constant_image_holds_no_particles():
    assert (superpixel_clusters(np.full((20, 20), 2, np.float32), 4, 10) == 3).all()


@pytest.mark.real
@pytest.mark.thorough
def test_share_of_the_darkest_cluster_on_ribosome(real_data):
    path = real_data / "golden" / "ribosome" / "Morphological.png"
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED).astype(np.float32) / 255
    index = superpixel_clusters(image, 5, image.size / 1500)
    assert (index == 0).mean() == pytest.approx(0.104, abs=0.005)
