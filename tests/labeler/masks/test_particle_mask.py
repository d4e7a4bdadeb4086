"""Cleaning step by step and against the authors' masks; clumps of known discs; polarity."""

import cv2
import numpy as np
import pytest
from scipy import ndimage
from skimage.measure import label
from skimage.morphology import h_maxima

from deepcryopicker.labeler.masks.clustering import intensity_clusters, kmeans_clusters
from deepcryopicker.labeler.masks.particle_mask import (
    clean_mask,
    particle_cluster,
    prominent_maxima,
    split_clumps,
)

CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], bool)
SHAPE = (160, 200)


@pytest.fixture
def mask():
    blobs = ndimage.gaussian_filter(np.random.default_rng(2).standard_normal((150, 190)), 4)
    grain = np.random.default_rng(3).random(blobs.shape) < 0.03
    return (blobs > 0.04) ^ grain


def test_specks_are_eight_connected_and_the_limit_is_kept():
    """A diagonal of five squares: one component only if diagonals connect."""
    mask = np.zeros((40, 40), bool)
    for place in range(5, 30, 5):
        mask[place : place + 5, place : place + 5] = True
    assert clean_mask(mask, 125).sum() == clean_mask(mask, 0).sum() > 0
    assert not clean_mask(mask, 126).any()


def test_cleaning_step_by_step(mask):
    labels, count = ndimage.label(mask, np.ones((3, 3)))
    area = ndimage.sum_labels(mask, labels, np.arange(count + 1))
    expected = np.isin(labels, np.flatnonzero(area >= 60)) & mask
    # Erosion and closing as if the image continued alike beyond the border.
    expected = ndimage.minimum_filter(expected, footprint=CROSS, mode="constant", cval=1)
    expected = ndimage.binary_fill_holes(expected)
    wide = np.pad(expected, 5)
    wide = ndimage.maximum_filter(wide, footprint=CROSS, mode="constant", cval=0)
    wide = ndimage.minimum_filter(wide, footprint=CROSS, mode="constant", cval=0)
    expected = wide[5:-5, 5:-5]
    expected = ndimage.maximum_filter(expected, footprint=CROSS, mode="constant", cval=0)
    np.testing.assert_array_equal(clean_mask(mask, 60, fill=False), expected)
    assert not np.array_equal(expected, ndimage.binary_fill_holes(expected))
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


def test_area_after_closing_counts(mask):
    """As without it, then without what is too small before the last dilation."""
    both = clean_mask(mask, 60, 400, fill=False)
    first = clean_mask(mask, 60, fill=False)
    assert both.sum() < first.sum()
    assert not (both & ~first).any()
    # Dilating by the cross keeps components of 400 pixels above 400 pixels.
    labels, count = ndimage.label(both, np.ones((3, 3)))
    assert (ndimage.sum_labels(both, labels, np.arange(1, count + 1)) >= 400).all()


@pytest.mark.real
@pytest.mark.parametrize(
    ("before", "after", "settings"),
    [
        ("Our_clustering_before_cleaning", "ICB_clustering", (500, 500, True)),
        ("FCM_clustering_before_cleaning", "FCM_clustering_after_cleaning", (500, 500, False)),
        (
            "K-means_clustering_before_cleaning",
            "K_means_clustering_after_cleaning",
            (200, 100, False),
        ),
    ],
)
def test_authors_cleaned_masks(real_data, before, after, settings):
    folder = real_data / "golden" / "ribosome"
    given, expected = (
        cv2.imread(str(folder / f"{name}.png"), cv2.IMREAD_UNCHANGED) > 0
        for name in (before, after)
    )
    np.testing.assert_array_equal(clean_mask(given, *settings), expected)


@pytest.mark.real
def test_authors_mask_of_apoferritin(real_data):
    folder = real_data / "golden" / "apoferritin"

    def read(name):
        return cv2.imread(str(folder / f"{name}.png"), cv2.IMREAD_UNCHANGED)

    image = read("Morphological")
    mask = (intensity_clusters(image.astype(np.float32) / 255, 4) == 0) & (image > 0)
    crop = (slice(139, 190), slice(380, 437))
    before, after = (read(f"Clustering_{w}_cleaning_cropped") for w in ("before", "After"))
    # Eight bits turn the darkest grey levels into the zeros that the authors leave out.
    assert (mask[crop] != (before > 0)).sum() <= 5
    np.testing.assert_array_equal(clean_mask(mask, 250, fill=False)[crop], after > 0)


@pytest.mark.parametrize("depth", [0.05, 0.2, 0.5])
def test_prominent_maxima_are_those_of_the_h_maxima_transform(depth):
    noise = np.random.default_rng(4).standard_normal((90, 110))
    image = np.clip(ndimage.gaussian_filter(noise, 2) * 5 + 0.8, 0, None).astype(np.float32)
    reference = label(h_maxima(image.astype(np.float64), depth), connectivity=2)
    top = ndimage.maximum(image, reference, np.arange(1, reference.max() + 1))
    found = label(prominent_maxima(image, depth), connectivity=2)
    heights = ndimage.maximum(image, found, np.arange(1, found.max() + 1))
    expected = np.sort(top[top >= 2 * depth])
    assert len(expected) > 3
    np.testing.assert_array_equal(np.sort(heights), expected)
    # Each region is all that is connected above `depth` below its maximum.
    for j, height in enumerate(heights, start=1):
        above = label(image >= height - np.float32(depth), connectivity=2)
        region = above == above[found == j][0]
        assert (region != (found == j)).sum() <= 1  # float32 on the limit


def discs(places, radius=12.0, shape=SHAPE):
    row, column = np.indices(shape)
    return np.any([np.hypot(column - x, row - y) <= radius for x, y in places], axis=0)


def centroids(labels):
    index = np.arange(1, labels.max() + 1)
    found = np.array(ndimage.center_of_mass(labels > 0, labels, index))[:, ::-1]
    return found[np.lexsort(found.T[::-1])]


@pytest.mark.parametrize("angle", [0, 30, 90])
@pytest.mark.parametrize("gap", [19, 22, 24])
def test_overlapping_discs_are_split(angle, gap):
    step = gap / 2 * np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
    places = np.array([100 - step[0], 80 - step[1]]), np.array([100 + step[0], 80 + step[1]])
    mask = discs(places)
    labels = split_clumps(mask, 24)
    assert labels.dtype == np.int32
    assert labels.max() == 2
    np.testing.assert_array_equal(labels > 0, mask)
    np.testing.assert_allclose(centroids(labels), sorted(map(tuple, places)), atol=1.5)


def test_chain_of_five_is_split_into_five():
    places = [(30 + 22 * j, 60 + 6 * (j % 2)) for j in range(5)]
    labels = split_clumps(discs(places), 24)
    assert labels.max() == 5
    np.testing.assert_allclose(centroids(labels), places, atol=1.5)


@pytest.mark.parametrize("axes", [(16, 10), (20, 12), (12, 12), (30, 14)])
def test_ellipse_stays_one(axes):
    mask = cv2.ellipse(np.zeros(SHAPE, np.uint8), (100, 80), axes, 25, 0, 360, 1, -1) > 0
    np.testing.assert_array_equal(split_clumps(mask, 24), mask.astype(np.int32))


def test_small_dumbbell_stays_one_and_components_stay_apart():
    dumbbell = discs([(40, 40), (54, 40)], 7)
    mask = dumbbell | discs([(120, 40), (141, 40)]) | discs([(60, 120)])
    labels = split_clumps(mask, 24)
    assert labels.max() == 4
    assert len(np.unique(labels[dumbbell])) == 1
    np.testing.assert_array_equal(np.unique(labels), np.arange(5))


def test_random_clumps_are_split_into_their_discs():
    """Discs at least 0.8 diameters apart, anywhere; all labels are used."""
    rng = np.random.default_rng(6)
    places = np.empty((0, 2))
    for place in rng.integers(12, [288, 288], (2000, 2)):
        if len(places) < 70 and (np.hypot(*(places - place).T) > 19).all():
            places = np.vstack([places, place])
    labels = split_clumps(discs(places, shape=(300, 300)), 24)
    column, row = places.astype(int).T
    np.testing.assert_array_equal(np.unique(labels), np.arange(labels.max() + 1))
    alone = np.bincount(labels[row, column]) == 1
    assert alone.sum() >= 0.95 * len(places)
    assert labels.max() <= 1.03 * len(places)


def test_nothing_to_split():
    assert not split_clumps(np.zeros(SHAPE, bool), 24).any()


@pytest.fixture
def particles():
    """Thirty dark discs on a noisy background, and their mask."""
    places = [(25 + 40 * i, 25 + 40 * j) for i in range(6) for j in range(5)]
    mask = discs(places, shape=(210, 250))
    noise = ndimage.gaussian_filter(np.random.default_rng(5).standard_normal(mask.shape), 1)
    return (noise - 2 * mask).astype(np.float32), mask


@pytest.mark.parametrize("expected_dark", [True, False])
@pytest.mark.parametrize("dark", [True, False])
def test_particles_are_chosen_whatever_their_polarity(particles, dark, expected_dark):
    image, mask = particles
    indices = kmeans_clusters(image if dark else -image, 4)
    chosen = clean_mask(particle_cluster(indices, 4, 24, expected_dark), 100)
    assert (chosen & mask).sum() / (chosen | mask).sum() > 0.8


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "clusters", "diameter"), [("apoferritin", 4, 36), ("ribosome", 5, 60)]
)
def test_real_particles_are_the_darkest_cluster(real_data, name, clusters, diameter):
    path = real_data / "golden" / name / "Morphological.png"
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED).astype(np.float32) / 255
    indices = intensity_clusters(image, clusters)
    np.testing.assert_array_equal(particle_cluster(indices, clusters, diameter), indices == 0)
