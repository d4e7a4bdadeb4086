"""Suppression by distance and by overlap of boxes against brute force."""

import numpy as np
import pytest
import torch
from torchvision.ops import nms

from deepcryopicker.detection.suppression import suppress_by_distance, suppress_by_overlap


def greedy(x, y, score, distance):
    kept = []
    for index in sorted(range(len(x)), key=lambda i: (-score[i], i)):
        if all(np.hypot(x[index] - x[k], y[index] - y[k]) >= distance for k in kept):
            kept.append(index)
    return kept


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("distance", [0.5, 4.0, 15.0, 200.0])
def test_equals_brute_force(seed, distance):
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(0, 100, (2, 300))
    score = np.round(rng.random(300), 2)  # with ties
    found = suppress_by_distance(x, y, score, distance)
    assert found.tolist() == greedy(x, y, score, distance)


@pytest.mark.parametrize("threshold", [0.2, 0.5])
def test_equals_torchvision_along_one_axis(threshold):
    """Boxes of side s at a distance d overlap by (s - d) / (s + d)."""
    rng = np.random.default_rng(0)
    side = 24.0
    x = rng.uniform(0, 600, 200)
    score = rng.permutation(200) / 200.0
    boxes = np.column_stack([x, np.zeros(200), x + side, np.full(200, side)])
    expected = nms(torch.from_numpy(boxes), torch.from_numpy(score), threshold)
    distance = side * (1 - threshold) / (1 + threshold)
    found = suppress_by_distance(x, np.zeros(200), score, distance)
    assert found.tolist() == expected.tolist()


def test_dropped_picks_drop_no_others():
    x = np.array([0.0, 3.0, 6.0])
    found = suppress_by_distance(x, np.zeros(3), np.array([0.9, 0.8, 0.7]), 4.0)
    assert found.tolist() == [0, 2]


def test_exact_distance_is_far_enough():
    x = np.array([0.0, 4.0])
    assert len(suppress_by_distance(x, np.zeros(2), np.ones(2), 4.0)) == 2
    assert len(suppress_by_distance(x, np.zeros(2), np.ones(2), 4.0001)) == 1


def test_zero_distance_and_no_picks():
    x = np.zeros(3)
    assert suppress_by_distance(x, x, np.array([0.1, 0.3, 0.2]), 0.0).tolist() == [1, 2, 0]
    assert suppress_by_distance(x[:0], x[:0], x[:0], 5.0).tolist() == []


def greedy_boxes(x, y, score, side, iou):
    """Boxes of integer corners, whose shared pixels are counted."""
    kept = []
    for index in sorted(range(len(x)), key=lambda i: (-score[i], i)):
        shared = [
            max(side - abs(x[index] - x[k]), 0) * max(side - abs(y[index] - y[k]), 0) for k in kept
        ]
        if all(one <= iou * (2 * side**2 - one) for one in shared):
            kept.append(index)
    return kept


@pytest.mark.parametrize("iou", [0.1, 0.3, 0.5, 0.7])
@pytest.mark.parametrize("seed", range(3))
def test_boxes_are_suppressed_as_by_brute_force(seed, iou):
    rng = np.random.default_rng(seed)
    x, y = rng.integers(0, 200, (2, 400)).astype(float)
    score = np.round(rng.random(400), 2)  # with ties
    found = suppress_by_overlap(x, y, score, 24.0, iou)
    assert found.tolist() == greedy_boxes(x, y, score, 24.0, iou)
    assert 10 < len(found) < 400


def test_boxes_that_only_touch_or_never_may_overlap():
    x, y, score = np.array([0.0, 24.0]), np.zeros(2), np.array([0.5, 0.9])
    assert suppress_by_overlap(x, y, score, 24.0, 0.0).tolist() == [1, 0]
    assert suppress_by_overlap(x - [0, 0.1], y, score, 24.0, 0.0).tolist() == [1]
    assert suppress_by_overlap(y, y, score, 24.0, 1.0).tolist() == [1, 0]
    assert suppress_by_overlap(x[:0], y[:0], score[:0], 24.0, 0.3).tolist() == []
