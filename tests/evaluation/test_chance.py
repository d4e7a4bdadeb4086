"""Blind picking, against the probability that theory gives, and grids worked by hand."""

import numpy as np
import pytest

from deepcryopicker.evaluation.chance import chance_level
from deepcryopicker.evaluation.scores import evaluate_micrograph
from deepcryopicker.types import Picks

NONE = Picks.empty()


def micrograph(truth, shape=None, picks=NONE, uncertain=NONE, radius=5.0):
    return evaluate_micrograph("a", picks, truth, uncertain, radius, shape)


def test_random_positions_hit_as_often_as_their_area_says():
    # Few particles, far apart: a pick hits with the share of the area that discs take.
    x, y = np.meshgrid(np.arange(50, 2000, 100), np.arange(50, 1000, 100))
    truth = Picks.create(x.ravel(), y.ravel())
    covered = len(truth) * np.pi * 10**2 / (1000 * 2000)
    chance = chance_level([micrograph(truth, (1000, 2000), radius=10.0)] * 20)
    assert chance["random"]["precision"] == pytest.approx(covered, rel=0.1)
    assert chance["random"]["recall"] == pytest.approx(covered, rel=0.1)


def test_a_grid_finds_particles_on_a_grid():
    x, y = np.meshgrid(np.arange(4) * 25 + 12.0, np.arange(2) * 25 + 12.0)
    truth = Picks.create(x.ravel(), y.ravel())
    assert chance_level([micrograph(truth, (50, 100), radius=0.1)])["grid"]["f1"] == 1
    assert chance_level([micrograph(truth, (50, 120), radius=0.1)])["grid"]["f1"] < 1


def test_as_many_as_particles_whatever_the_proportions():
    rng = np.random.default_rng(0)
    for shape in ((100, 100), (10, 900), (900, 10)):
        for count in (1, 2, 7, 30):
            truth = Picks.create(*rng.uniform(0, 9, (2, count)))
            one = micrograph(truth, shape, radius=2000.0)
            # Everything is near everything: all picks are hits only if the numbers agree.
            for level in chance_level([one]).values():
                assert level == {"precision": 1, "recall": 1, "f1": 1}


def test_without_a_shape_truth_and_picks_bound_the_area():
    truth = Picks.create([100, 110, 100, 110], [100, 100, 110, 110])
    near = chance_level([micrograph(truth)])["grid"]["recall"]
    far = chance_level([micrograph(truth, picks=Picks.create([5000], [5000]))])["grid"]["recall"]
    assert (near, far) == (1, 0)


def test_uncertain_places_count_neither_way():
    truth, places = Picks.create([10], [10]), Picks.create([50], [50])
    one = micrograph(truth, (100, 100), uncertain=places)  # the grid of one is its middle
    assert chance_level([one])["grid"]["precision"] == 0
    x, y = np.meshgrid(np.arange(0, 100, 3), np.arange(0, 100, 3))
    everywhere = Picks.create(x.ravel(), y.ravel())
    one = micrograph(Picks.create([50], [50]), (100, 100), uncertain=everywhere, radius=30.0)
    level = chance_level([one] * 20)["random"]
    assert level["precision"] == 1 > level["recall"] > 0


def test_seeded_and_without_particles():
    truth = Picks.create(*np.random.default_rng(0).uniform(0, 100, (2, 30)))
    one = micrograph(truth, (100, 100))
    assert chance_level([one], seed=1) == chance_level([one], seed=1)
    assert chance_level([one], seed=1) != chance_level([one], seed=2)
    nothing = {"precision": 0, "recall": 0, "f1": 0}
    for empty in ([], [micrograph(NONE)], [micrograph(NONE, (5, 5))]):
        assert chance_level(empty) == {"random": nothing, "grid": nothing}


def test_one_particle_alone_is_an_area_without_size():
    assert chance_level([micrograph(Picks.create([7], [9]))])["random"]["f1"] == 1
