"""Matching on cases worked by hand, and against optimal assignment."""

import time

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from deepcryopicker.evaluation.matching import assign, match
from deepcryopicker.types import Picks

NONE = Picks.empty()


def picks_at(*positions: tuple[float, float], score: list[float] | float = 1.0) -> Picks:
    x, y = zip(*positions, strict=True)
    return Picks.create(x, y, score)


def test_second_pick_on_one_particle_is_false():
    picks = picks_at((10, 10), (11, 10), score=[0.6, 0.9])
    assert match(picks, picks_at((10, 10)), NONE, 5).tolist() == [0, 1]


def test_higher_score_chooses_before_the_nearer_pick():
    # The strong pick takes the left particle (distance 4); the weak one, right on it, has only
    # the right particle left (distance 8 > 6).
    picks = picks_at((4, 0), (0, 0), score=[0.9, 0.5])
    truth = picks_at((0, 0), (12, 0))
    assert match(picks, truth, NONE, 6).tolist() == [1, 0]
    assert match(picks, truth, NONE, 12).tolist() == [1, 1]


def test_each_pick_takes_the_nearest_free_particle():
    picks = picks_at((6, 0), (7, 0), (8, 0), score=[0.9, 0.8, 0.7])
    truth = picks_at((0, 0), (10, 0), (9, 0))
    assert assign(picks, truth, 7).tolist() == [2, 1, -1]


def test_ties_go_to_the_earlier_pick():
    truth = picks_at((0, 0))
    picks = picks_at((3, 0), (1, 0), (2, 0), score=0.5)
    assert match(picks, truth, NONE, 5).tolist() == [1, 0, 0]


def test_radius_is_inclusive():
    truth = picks_at((0, 0))
    assert match(picks_at((3, 4)), truth, NONE, 5.0).tolist() == [1]
    assert match(picks_at((3, 4)), truth, NONE, 4.999).tolist() == [0]
    assert match(picks_at((3, 4)), NONE, truth, 5.0).tolist() == [-1]
    assert match(picks_at((3, 4)), NONE, truth, 4.999).tolist() == [0]


def test_columns_and_rows_are_not_swapped():
    assert match(picks_at((100, 20)), picks_at((100, 21)), NONE, 2).tolist() == [1]
    assert match(picks_at((100, 20)), picks_at((20, 100)), NONE, 2).tolist() == [0]


def test_uncertain_places_excuse_only_picks_without_a_particle():
    truth, uncertain = picks_at((0, 0)), picks_at((1, 0), (50, 50))
    picks = picks_at((0, 0), (0, 1), (50, 51), (51, 50), (90, 90), score=[0.9, 0.8, 0.7, 0.6, 0.5])
    assert match(picks, truth, uncertain, 3).tolist() == [1, -1, -1, -1, 0]


def test_nothing_to_match():
    some = picks_at((1, 1), (2, 2))
    assert match(NONE, some, some, 5).shape == (0,)
    assert match(NONE, NONE, NONE, 5).dtype == np.int8
    assert match(some, NONE, NONE, 5).tolist() == [0, 0]


def test_threshold_before_or_after_gives_the_same():
    rng = np.random.default_rng(3)
    picks = Picks.create(*rng.uniform(0, 100, (2, 200)), score=rng.random(200).round(1))
    truth = Picks.create(*rng.uniform(0, 100, (2, 60)))
    uncertain = Picks.create(*rng.uniform(0, 100, (2, 5)))
    chosen = picks.score >= 0.5
    before = match(picks[chosen], truth, uncertain, 8)
    assert set(before.tolist()) == {-1, 0, 1}
    np.testing.assert_array_equal(before, match(picks, truth, uncertain, 8)[chosen])


def test_as_many_hits_as_optimal_where_particles_do_not_crowd():
    rng = np.random.default_rng(0)
    grid = np.stack(np.meshgrid(np.arange(12), np.arange(9)), -1).reshape(-1, 2) * 30.0
    truth = grid + rng.uniform(-4, 4, grid.shape)  # further than two radii from each other
    places = np.vstack(
        [truth[::2] + rng.normal(0, 6, truth[::2].shape), rng.uniform(0, 360, (150, 2))]
    )
    near = cdist(places, truth) <= 10
    optimal = near[linear_sum_assignment(near, maximize=True)].sum()
    picks = Picks.create(*places.T, score=rng.random(len(places)))
    assert 40 < optimal < len(truth)
    assert (match(picks, Picks.create(*truth.T), NONE, 10) == 1).sum() == optimal


def test_agrees_with_plain_loops_in_a_crowd():
    rng = np.random.default_rng(1)
    places, truth = rng.uniform(0, 100, (300, 2)), rng.uniform(0, 100, (200, 2))
    score = rng.random(300).round(2)
    free, expected = set(range(200)), [-1] * 300
    for pick in sorted(range(300), key=lambda index: (-score[index], index)):
        distances = {one: np.hypot(*(truth[one] - places[pick])) for one in free}
        nearest = min(distances, key=distances.get, default=None)
        if nearest is not None and distances[nearest] <= 9:
            expected[pick] = nearest
            free.remove(nearest)
    found = assign(Picks.create(*places.T, score), Picks.create(*truth.T), 9)
    assert found.tolist() == expected


@pytest.mark.parametrize("radius", [30, 300])
def test_thousands_of_picks_in_a_second(radius):
    rng = np.random.default_rng(2)
    picks = Picks.create(*rng.uniform(0, 4000, (2, 5000)), score=rng.random(5000))
    truth = Picks.create(*rng.uniform(0, 4000, (2, 5000)))
    start = time.process_time()
    outcome = match(picks, truth, NONE, radius)
    assert time.process_time() - start < 1.0
    assert (outcome == 1).sum() > 2000
