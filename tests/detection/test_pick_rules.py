"""Conditions on picks."""

import numpy as np
import pytest

from deepcryopicker.detection.pick_rules import is_apart, is_best, is_unmasked, nearest_within
from deepcryopicker.types import Picks


def test_of_equal_scores_the_first_are_best():
    picks = Picks.create([1, 2, 3, 4], [0, 0, 0, 0], [0.5, 0.7, 0.5, 0.5])
    assert is_best(picks, 3).tolist() == [True, True, True, False]


def test_kept_picks_are_apart_and_every_dropped_one_is_near_a_better():
    rng = np.random.default_rng(0)
    picks = Picks.create(rng.random(300) * 200, rng.random(300) * 200, rng.random(300))
    kept = is_apart(picks, 15.0)
    away = np.hypot(*(picks.positions[:, None] - picks.positions[None]).T).T
    np.fill_diagonal(away, np.inf)
    assert away[np.ix_(kept, kept)].min() >= 15.0
    better = picks.score[None] > picks.score[:, None]
    assert ((away < 15.0) & better & kept[None]).any(axis=1)[~kept].all()


@pytest.mark.parametrize("factor", [1, 2, 5])
def test_a_mask_may_have_any_size(factor):
    mask = np.zeros((8, 10), np.float32)
    mask[2, 3] = 255.0
    picks = Picks.create([3, 3, 4, 0], [2, 3, 2, 0])
    scaled = Picks.create((picks.x + 0.5) * factor - 0.5, (picks.y + 0.5) * factor - 0.5)
    free = is_unmasked(scaled, mask, (8 * factor, 10 * factor))
    assert free.tolist() == [False, True, True, True]


def test_nearest_within_a_distance():
    places = np.array([[0.0, 0.0], [10.0, 0.0], [5.0, 5.0]])
    others = np.array([[9.0, 0.0], [1.0, 0.0]])
    assert nearest_within(places, others, 2.0).tolist() == [1, 0, -1]
    assert nearest_within(places, np.zeros((0, 2)), 2.0).tolist() == [-1, -1, -1]
    assert nearest_within(np.zeros((0, 2)), others, 2.0).tolist() == []
