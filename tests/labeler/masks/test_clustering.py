"""Intensity clusters by hand, by scikit-learn, by their definitions, and the authors' masks."""

import cv2
import numpy as np
import pytest
from sklearn.cluster import KMeans

from deepcryopicker.labeler.masks.clustering import (
    fcm_clusters,
    intensity_clusters,
    kmeans_clusters,
)

CLUSTERINGS = [intensity_clusters, kmeans_clusters, fcm_clusters]


@pytest.fixture
def image():
    """Dark, grey and bright pixels in unequal numbers."""
    rng = np.random.default_rng(1)
    centres = rng.choice([20.0, 45.0, 60.0, 90.0], (60, 70), p=[0.1, 0.4, 0.3, 0.2])
    return rng.normal(centres, 6).astype(np.float32)


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


@pytest.mark.parametrize("cluster", CLUSTERINGS)
def test_constant_image_holds_no_particles(cluster):
    assert (cluster(np.full((5, 6), 3, np.float32), 4) == 3).all()


@pytest.mark.parametrize("cluster", CLUSTERINGS)
@pytest.mark.parametrize("clusters", [2, 4, 5])
def test_clusters_are_ordered_intervals(image, cluster, clusters):
    index = cluster(image, clusters)
    assert index.dtype == np.uint8
    assert index.shape == image.shape
    step = np.ptp(image) / 1023  # clusters are cut between levels of the histogram
    for j in range(clusters - 1):
        assert image[index == j].max() <= image[index == j + 1].min() + step


@pytest.mark.parametrize("cluster", CLUSTERINGS)
def test_clusters_do_not_depend_on_scale_and_offset(image, cluster):
    assert (cluster(image, 4) == cluster(image * 64 - 1024, 4)).mean() > 0.999


@pytest.mark.parametrize("cluster", CLUSTERINGS[1:])
def test_image_of_two_intensities_has_two_clusters(cluster):
    image = np.zeros((20, 20), np.float32)
    image[5:] = 1
    index = cluster(image, 4)
    assert (index[:5] == 0).all()
    assert (index[5:] == index[5, 0]).all()
    assert index[5, 0] > 0


@pytest.mark.parametrize("clusters", [2, 3, 4, 5])
def test_kmeans_agrees_with_scikit_learn(image, clusters):
    reference = KMeans(clusters, n_init=20, tol=0, random_state=0).fit(image.reshape(-1, 1))
    rank = reference.cluster_centers_.ravel().argsort().argsort()
    index = kmeans_clusters(image, clusters)
    assert (index.ravel() == rank[reference.labels_]).mean() >= 0.995
    members = [image[index == j] for j in range(clusters)]
    inertia = sum(((m - m.mean(dtype=np.float64)) ** 2).sum() for m in members)
    assert inertia <= 1.0002 * reference.inertia_


def memberships(image, clusters):
    """Fuzzy c-means with m = 2 by its two equations, again and again; darkest cluster first."""
    centres = np.quantile(image, (np.arange(clusters) + 0.5) / clusters)
    for _ in range(300):
        nearness = 1 / np.maximum((image - centres[:, None, None]) ** 2, 1e-12)
        membership = nearness / nearness.sum(axis=0)
        share = membership**2
        centres = (share * image).sum(axis=(1, 2)) / share.sum(axis=(1, 2))
    return membership[np.argsort(centres)]


def test_fuzzy_particles_are_cut_by_otsu(image):
    membership = memberships(image.astype(np.float64), 4)
    eight_bits = np.round(membership[0] * 255).astype(np.uint8)
    _, otsu = cv2.threshold(eight_bits, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    index = fcm_clusters(image, 4)
    assert ((index == 0) == (otsu > 0)).mean() > 0.99
    both = (index > 0) & (otsu == 0)
    others = 1 + membership[1:].argmax(axis=0)
    assert (index[both] == others[both]).mean() > 0.99


@pytest.mark.real
@pytest.mark.parametrize(
    ("cluster", "clusters", "name", "agreement"),
    [
        (kmeans_clusters, 4, "K-means", 0.998),
        (fcm_clusters, 4, "FCM", 0.99),
        (intensity_clusters, 5, "Our", 0.999),
    ],
)
def test_authors_clusters(real_data, cluster, clusters, name, agreement):
    folder = real_data / "golden" / "ribosome"

    def read(stem):
        return cv2.imread(str(folder / f"{stem}.png"), cv2.IMREAD_UNCHANGED)

    image = read("Morphological").astype(np.float32) / 255
    found = cluster(image, clusters) == 0
    if cluster is intensity_clusters:
        found &= image > 0  # their quirk: black pixels get lost
    assert (found == (read(f"{name}_clustering_before_cleaning") > 0)).mean() >= agreement
