"""Areas too large to be particles."""

import numpy as np

from deepcryopicker.picker.cleaning import oversized


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
