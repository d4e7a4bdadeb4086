"""Areas too large to be particles, measured against scipy and scikit-image, lowered or dropped."""

import numpy as np
import pytest
from scipy import ndimage
from scipy.ndimage import gaussian_filter
from skimage.measure import label, regionprops

from deepcryopicker.picker.cleaning import clean, connected_areas, drop_large, plateau_areas

THRESHOLD = 0.5


def cone(shape, row, column, height, slope):
    """A peak whose scores fall evenly in all directions."""
    rows, columns = np.indices(shape)
    distance = np.hypot(rows - row, columns - column)
    return np.clip(height - slope * distance, 0, 1).astype(np.float32)


def area_by_definition(score, row, column, threshold):
    """Area around one position, one level below the highest that it reaches."""
    reached = [level for level in threshold + 0.1 * np.arange(8) if score[row, column] >= level]
    level = reached[-2] if len(reached) > 1 else threshold
    label, _ = ndimage.label(score >= level, np.ones((3, 3)))
    return int((label == label[row, column]).sum())


@pytest.mark.parametrize("threshold", [0.3, 0.5])
@pytest.mark.parametrize("seed", range(3))
def test_areas_equal_their_definition(seed, threshold):
    rng = np.random.default_rng(seed)
    rough = gaussian_filter(rng.random((40, 50)), 2)
    score = (0.999 * (rough - rough.min()) / np.ptp(rough)).astype(np.float32)
    found = plateau_areas(score, threshold)
    assert not found[score < threshold].any()
    for row, column in np.argwhere(score >= threshold):
        assert found[row, column] == area_by_definition(score, row, column, threshold)


def test_a_saturated_area_is_measured_at_its_own_level():
    for threshold in (0.2, 0.3, 0.5, 0.6):
        score = np.full((20, 20), threshold, np.float32)
        score[5:9, 5:9] = 1.0
        assert plateau_areas(score, threshold)[6, 6] == 16


def test_areas_join_over_corners():
    score = np.zeros((20, 20), np.float32)
    score[2:6, 2:6] = score[6:10, 6:10] = 1
    assert plateau_areas(score, THRESHOLD)[3, 3] == 32


def test_a_crowd_is_parted_where_scores_fall():
    """Two peaks that are one area at the threshold, with a saddle 0.3 lower than they are."""
    shape = (40, 60)
    crowd = np.maximum(cone(shape, 20, 24, 0.95, 0.05), cone(shape, 20, 36, 0.95, 0.05))
    assert ndimage.label(crowd >= THRESHOLD)[1] == 1
    alone = plateau_areas(cone(shape, 20, 24, 0.95, 0.05), THRESHOLD)
    together = plateau_areas(crowd, THRESHOLD)
    assert together[20, 24] == together[20, 36] == alone[20, 24]
    assert together[20, 30] > 2 * together[20, 24]  # the saddle belongs to both


def carbon_and_particle():
    """A saturated patch of 600 pixels with a bump, and a particle."""
    score = cone((80, 80), 15, 60, 0.9, 0.1)
    score[40:60, 10:40] = 0.95
    score[50, 20] = 0.97
    return score


def test_a_plateau_is_lowered_and_a_particle_stays():
    score = carbon_and_particle()
    cleaned = clean(score, THRESHOLD, 60.0)
    np.testing.assert_allclose(cleaned[40:60, 10:40], score[40:60, 10:40] * 60 / 600)
    np.testing.assert_array_equal(cleaned[:40], score[:40])
    assert cleaned.dtype == np.float32


def test_an_area_a_little_too_large_is_lowered_a_little():
    score = carbon_and_particle()
    assert clean(score, THRESHOLD, 540.0)[45, 15] == pytest.approx(0.95 * 0.9)
    assert clean(score, THRESHOLD, 600.0)[45, 15] == score[45, 15]


def test_a_particle_that_stands_out_of_carbon_stays():
    score = np.maximum(carbon_and_particle() * 0.7, cone((80, 80), 50, 30, 0.99, 0.1))
    cleaned = clean(score, THRESHOLD, 60.0)
    assert cleaned[50, 30] == score[50, 30]
    assert cleaned[50, 12] <= 0.1 * score[50, 12] + 1e-6


def test_a_network_that_is_unsure_everywhere_loses_nothing():
    score = np.full((50, 50), 0.3, np.float32)
    score[:, :30] = 0.55
    np.testing.assert_array_equal(clean(score, THRESHOLD, 60.0), score)
    score[:, 24:30] = 0.3  # less than half of the map: that may be carbon
    assert clean(score, THRESHOLD, 60.0).max() < 0.31


def test_nothing_below_the_threshold_changes():
    score = np.full((30, 30), 0.4, np.float32)
    np.testing.assert_array_equal(clean(score, THRESHOLD, 1.0), score)


@pytest.mark.parametrize("seed", range(3))
def test_connected_areas_are_those_of_scikit_image_where_scores_have_levels(seed):
    """Levels 0.2 apart are never close, so that areas are components of equal level."""
    levels = np.random.default_rng(seed).integers(0, 5, (40, 55))
    levels = np.kron(levels, np.ones((2, 3), int))[:70, :150]
    score = (0.1 + 0.2 * levels).astype(np.float32)  # 0.1, 0.3, 0.5, 0.7, 0.9
    expected = np.zeros(score.shape, np.int64)
    for region in regionprops(
        label(np.where(score >= THRESHOLD - 0.01, levels, 0), connectivity=2)
    ):
        expected[tuple(region.coords.T)] = region.num_pixels
    np.testing.assert_array_equal(connected_areas(score, THRESHOLD - 0.01), expected)
    assert 1 <= expected[expected > 0].min() < expected.max()


@pytest.mark.parametrize("largest", [1, 40, 200, 600])
@pytest.mark.parametrize("seed", range(3))
def test_dropped_areas_are_those_of_scikit_image_where_all_scores_are_close(seed, largest):
    """A map so smooth that neighbours are always close: components of the thresholded map."""
    rough = gaussian_filter(np.random.default_rng(seed).random((160, 170)), 9)
    score = (0.2 + 0.6 * (rough - rough.min()) / np.ptp(rough)).astype(np.float32)
    assert (
        max(np.abs(np.diff(score, axis=axis)).max() for axis in (0, 1)) < 0.1 / 2
    )  # of diagonals < 0.1
    expected = score.copy()
    for region in regionprops(label(score >= THRESHOLD, connectivity=2)):
        if region.num_pixels > largest:
            expected[tuple(region.coords.T)] = 0.0
    np.testing.assert_array_equal(drop_large(score, THRESHOLD, largest), expected)
    assert (expected != score).any()


def test_a_slope_connects_and_a_step_does_not():
    """0.1 from one position to the next is close, however far apart the ends are; 0.2 is not."""
    slope = np.array([[0.5, 0.6, 0.7, 0.8, 0.9]], np.float32)
    assert connected_areas(slope, THRESHOLD).tolist() == [[5, 5, 5, 5, 5]]
    step = np.array([[0.6, 0.6, 0.8, 0.8, 0.8]], np.float32)
    assert connected_areas(step, THRESHOLD).tolist() == [[2, 2, 3, 3, 3]]


def test_areas_are_connected_over_both_kinds_of_corners():
    corners = np.zeros((3, 3), np.float32)
    corners[0, 0] = corners[1, 1] = corners[2, 0] = 0.9
    assert connected_areas(corners, THRESHOLD)[0, 0] == 3
    assert connected_areas(corners[:, ::-1], THRESHOLD)[0, 2] == 3


def test_ice_is_dropped_and_a_particle_stays():
    score = carbon_and_particle()
    cleaned = drop_large(score, THRESHOLD, 100.0)
    assert not cleaned[40:60, 10:40].any()
    np.testing.assert_array_equal(cleaned[:40], score[:40])
    assert cleaned.dtype == np.float32
