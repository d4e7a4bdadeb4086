"""Maxima, their sub-pixel centres, and areas too large to be particles."""

import numpy as np
import pytest

from deepcryopicker.picker.peaks import local_maxima, oversized, refine


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
        if score[i, j] < score[near <= 2].max() or score[i, j] < 0.2:
            assert (i, j) not in found
        elif score[i, j] == score[(abs(y - i) <= 3) & (abs(x - j) <= 3)].max():
            assert (i, j) in found
    assert len(found) > 20


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


def test_areas_above_the_limit_are_oversized():
    score = np.zeros((40, 60), np.float32)
    score[5:10, 5:10] = 0.9  # 25
    score[20:30, 20:40] = 0.8  # 200
    row, column = np.array([7, 25, 0]), np.array([7, 30, 50])
    assert oversized(score, row, column, 0.5, 100.0).tolist() == [False, True, False]
    assert oversized(score, row, column, 0.5, 200.0).tolist() == [False, False, False]
    assert oversized(score, row, column, 0.5, 24.0).tolist() == [True, True, False]
    assert oversized(score, row, column, 0.85, 24.0).tolist() == [True, False, False]


def test_crowds_are_judged_per_maximum():
    score = np.zeros((40, 60), np.float32)
    score[20:30, 20:40] = 0.8
    row, column = np.array([25, 25]), np.array([24, 36])
    assert oversized(score, row, column, 0.5, 100.0).tolist() == [False, False]
    assert oversized(score, row, column, 0.5, 99.0).tolist() == [True, True]


def test_areas_join_over_corners():
    score = np.zeros((20, 20), np.float32)
    score[2:6, 2:6] = score[6:10, 6:10] = 1
    assert oversized(score, np.array([3]), np.array([3]), 0.5, 20.0).tolist() == [True]
