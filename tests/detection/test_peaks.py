"""Maxima and their sub-pixel centres."""

import numpy as np
import pytest

from deepcryopicker.detection.peaks import find_peaks, local_maxima, refine


def gaussians(places, shape=(60, 80), sigma=3.0):
    row, column = np.indices(shape)
    return sum(
        height * np.exp(-((column - x) ** 2 + (row - y) ** 2) / (2 * sigma**2))
        for x, y, height in places
    ).astype(np.float32)


def test_maxima_top_their_neighbourhood():
    score = np.random.default_rng(0).random((40, 50)).astype(np.float32)
    row, column = local_maxima(score, 3.0, 0.2)
    found = set(zip(row.tolist(), column.tolist(), strict=True))
    y, x = np.indices(score.shape)
    for i, j in np.ndindex(score.shape):
        near = np.hypot(y - i, x - j)
        outermost = i in (0, 39) or j in (0, 49)
        if outermost or score[i, j] < score[near <= 2].max() or score[i, j] < 0.2:
            assert (i, j) not in found
        elif score[i, j] == score[(abs(y - i) <= 3) & (abs(x - j) <= 3)].max():
            assert (i, j) in found
    assert len(found) > 20


def test_score_that_rises_towards_the_edge_has_no_maximum_there():
    ramp = np.arange(50, dtype=np.float32) + np.zeros((40, 1), np.float32)
    assert [len(axis) for axis in local_maxima(ramp, 3.0, 0.0)] == [0, 0]


@pytest.mark.parametrize("distance", [1.0, 2.0, 5.0])
def test_plateau_is_one_maximum_in_its_middle(distance):
    score = np.zeros((40, 50), np.float32)
    score[10:17, 20:31] = 1
    score[29, 35] = score[30, 36] = 1  # joined over a corner
    row, column = local_maxima(score, distance, 0.5)
    assert (row[0], column[0]) == (13, 25)
    assert len(row) == 2


@pytest.mark.parametrize("distance", [1.0, 1.4, 3.0])
def test_higher_of_two_diagonal_neighbours_is_the_maximum(distance):
    score = np.zeros((20, 20), np.float32)
    score[8, 8], score[9, 9] = 0.8, 1.0
    row, column = local_maxima(score, distance, 0.5)
    assert (row.tolist(), column.tolist()) == ([9], [9])


def test_floor_drops_weak_maxima():
    score = gaussians([(20, 20, 1.0), (60, 40, 0.3)])
    assert len(local_maxima(score, 5, 0.2)[0]) == 2
    row, column = local_maxima(score, 5, 0.31)
    assert (row.tolist(), column.tolist()) == ([20], [20])


@pytest.mark.parametrize("shift", [(0.0, 0.0), (0.3, -0.4), (-0.49, 0.2), (0.45, 0.45)])
@pytest.mark.parametrize("sigma", [1.5, 3.0])
def test_centres_of_sampled_gaussians_are_found(shift, sigma):
    places = [(20 + shift[0], 30 + shift[1], 1.0), (55 - shift[1], 25 + shift[0], 0.6)]
    score = gaussians(places, sigma=sigma)
    row, column = local_maxima(score, 4, 0.3)
    x, y = refine(score, row, column)
    found = sorted(zip(x, y, strict=True))
    np.testing.assert_allclose(found, [place[:2] for place in places], atol=0.1)


def test_refined_centres_stay_within_half_a_pixel_and_the_map():
    score = np.random.default_rng(0).random((30, 30)).astype(np.float32)
    row, column = local_maxima(score, 1, 0.0)
    x, y = refine(score, row, column)
    assert np.abs(x - column).max() <= 0.5
    assert np.abs(y - row).max() <= 0.5
    corner = np.zeros((5, 5), np.float32)
    corner[0, 0] = 1
    x, y = refine(corner, np.array([0]), np.array([0]))
    assert np.hypot(x[0], y[0]) < 0.8


def test_plateaus_are_not_moved():
    flat = np.ones((5, 5), np.float32)
    x, y = refine(flat, np.array([2]), np.array([3]))
    assert (x.tolist(), y.tolist()) == ([3.0], [2.0])


def test_peaks_come_strongest_first_at_their_sub_pixel_places():
    places = [(20.3, 30.0, 0.6), (55.0, 24.7, 1.0), (60.2, 45.0, 0.4)]
    x, y, strength = find_peaks(gaussians(places), 8, 0.2)
    np.testing.assert_allclose(x, [55.0, 20.3, 60.2], atol=0.1)
    np.testing.assert_allclose(y, [24.7, 30.0, 45.0], atol=0.1)
    np.testing.assert_allclose(strength, [1.0, 0.6, 0.4], atol=0.02)


@pytest.mark.parametrize("distance", [2.0, 7.0, 15.0])
def test_peaks_keep_their_distance(distance):
    score = np.random.default_rng(0).random((80, 90)).astype(np.float32)
    x, y, strength = find_peaks(score, distance, 0.1)
    apart = np.hypot(x[:, None] - x, y[:, None] - y) + np.diag(np.full(len(x), np.inf))
    assert apart.min() >= distance
    assert (np.diff(strength) <= 0).all()
    # The list is complete: every other strong position has a stronger one nearby.
    row, column = local_maxima(score, distance, 0.1)
    for i, j in zip(row, column, strict=True):
        near = np.hypot(x - j, y - i) < distance + 1
        assert strength[near].max() >= score[i, j]


def test_weaker_of_two_near_peaks_goes():
    score = gaussians([(30, 30, 1.0), (40, 30, 0.9)], sigma=2)
    assert len(find_peaks(score, 9, 0.2)[0]) == 2
    x, _, strength = find_peaks(score, 11, 0.2)
    np.testing.assert_allclose([x, strength], [[30], [1]], atol=0.05)


@pytest.mark.parametrize("value", [0.0, 0.1])
def test_map_below_the_floor_has_no_peaks(value):
    assert [len(c) for c in find_peaks(np.full((20, 30), value, np.float32), 5, 0.2)] == [0] * 3
