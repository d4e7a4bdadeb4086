"""Rules of one threshold: worked by hand, and against a naive matching of their own."""

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist
from torchvision.ops import box_iou

from deepcryopicker.evaluation.protocols.at_threshold import (
    Counts,
    count_by_distance,
    count_nearest,
    count_shared,
    score_counts,
)
from deepcryopicker.evaluation.protocols.rules import score_protocols
from deepcryopicker.evaluation.scores import evaluate_micrograph
from deepcryopicker.types import Picks

NONE = Picks.empty()
RULES = ("closest", "nearest_0.3", "shared_0.6")


def at(*x, score=1.0, diameter=np.nan):
    """Picks or particles on a line."""
    return Picks.create(x, np.zeros(len(x)), score, diameter=diameter)


def crowd(seed):
    """Particles closer than they are wide, and twice as many picks around them."""
    rng = np.random.default_rng(seed)
    truth = rng.uniform(0, 150, (60, 2))
    picks = np.vstack([truth, truth + rng.normal(0, 6, truth.shape)]) + rng.normal(0, 3, (120, 2))
    diameters = rng.uniform(15, 25, 60)
    return Picks.create(*picks.T, score=rng.random(120)), Picks.create(*truth.T), diameters


def closest_by_hand(picks, truth, radius):
    """Take away the closest pair, again and again."""
    left, pairs = cdist(picks.positions, truth.positions), 0
    while left.size and left.min() <= radius:
        row, column = np.unravel_index(left.argmin(), left.shape)
        left = np.delete(np.delete(left, row, axis=0), column, axis=1)
        pairs += 1
    return pairs


@pytest.mark.parametrize("seed", range(5))
def test_the_closest_pairs_agree_with_those_taken_away_one_by_one(seed):
    picks, truth, _ = crowd(seed)
    expected = closest_by_hand(picks, truth, 10.0)
    assert count_by_distance(picks, truth, 10.0) == Counts(expected, 120 - expected, 60 - expected)


@pytest.mark.parametrize("seed", range(5))
def test_the_nearest_picks_agree_with_the_whole_table_of_distances(seed):
    picks, truth, diameters = crowd(seed)
    distances = cdist(picks.positions, truth.positions)
    columns = [
        column for column in range(60) if (distances[:, column] < 0.3 * diameters[column]).any()
    ]
    hits = len({int(distances[:, column].argmin()) for column in columns})
    assert count_nearest(picks, truth, 0.3 * diameters) == Counts(hits, 120 - hits, 60 - hits)


@pytest.mark.parametrize("seed", range(5))
def test_shared_picks_agree_with_torchvisions_overlap(seed):
    picks, truth, diameters = crowd(seed)
    nearest = cdist(picks.positions, truth.positions).argmin(axis=0)
    hits = 0
    for particle, pick, side in zip(truth.positions, nearest, diameters, strict=True):
        boxes = [
            torch.tensor([[*(centre - side / 2), *(centre + side / 2)]])
            for centre in (picks.positions[pick], particle)
        ]
        hits += bool(box_iou(*boxes) > 0.6)
    assert count_shared(picks, truth, diameters, 0.6) == Counts(hits, 120 - hits, 60 - hits)


def test_score_plays_no_part_but_for_the_threshold():
    """By score, the first pick takes the second's particle and leaves the second none."""
    truth, picks = at(0, 10, diameter=20), at(6, 9, score=[0.9, 0.6])
    one = evaluate_micrograph("a", picks, truth, NONE, 10.0)
    scores = score_protocols([one], 0.5)
    assert scores["closest"]["hits"] == 2
    above = score_protocols([one], 0.8)
    assert [(above[name]["hits"], above[name]["false"]) for name in RULES] == [(1, 0)] * 3


def test_a_pick_between_two_particles():
    """It is one hit where each pick counts once, two where particles share it."""
    truth, picks, sides = at(0, 4), at(2), np.full(2, 20.0)
    assert count_by_distance(picks, truth, 10) == Counts(1, 0, 1)
    assert count_nearest(picks, truth, 0.3 * sides) == Counts(1, 0, 1)
    assert count_shared(picks, truth, sides, 0.6) == Counts(2, -1, 0)


def test_limits_are_those_of_the_published_rules():
    """At half a diameter exactly: a hit; at 0.3 exactly, or at an overlap of 0.6 exactly: none."""
    truth, sides = at(0), np.full(1, 20.0)
    assert count_by_distance(at(10), truth, 10.0).hits == 1
    assert count_nearest(at(6), truth, 0.3 * sides).hits == 0
    assert count_nearest(at(5.99), truth, 0.3 * sides).hits == 1
    assert count_shared(at(5), truth, sides, 0.6).hits == 0  # (20 - 5) / (20 + 5)
    assert count_shared(at(4.99), truth, sides, 0.6).hits == 1


def test_micrographs_without_picks_count_in_the_mean():
    """As in the comparison on CryoPPP: its particles are missed, its F1 is 0."""
    truth = at(0, 50, diameter=20)
    every = [
        evaluate_micrograph("a", at(0, 50), truth, NONE, 10.0),
        evaluate_micrograph("b", NONE, truth, NONE, 10.0),
    ]
    for name in RULES:
        scores = score_protocols(every, 0.5)[name]
        assert (scores["hits"], scores["missed"], scores["macro"]["f1"]) == (2, 2, 0.5)
        assert scores["macro"]["average_precision"] is None


@pytest.mark.parametrize("picks", [NONE, at(1e300, -1e300, 3)])
def test_no_particle_and_absurd_picks_are_counted(picks):
    nothing = np.zeros(0)
    for counts in (
        count_by_distance(picks, NONE, 5.0),
        count_nearest(picks, NONE, nothing),
        count_shared(picks, NONE, nothing, 0.6),
    ):
        assert counts == Counts(0, len(picks), 0)
    assert score_counts([])["f1"] == 0


def test_all_rules_agree_where_particles_are_apart():
    rng = np.random.default_rng(3)
    places = np.stack(np.meshgrid(np.arange(8) * 60, np.arange(8) * 60), -1).reshape(-1, 2)
    truth = Picks.create(*places.T.astype(float), diameter=20.0)
    moved = places[:40] + rng.uniform(-2, 2, (40, 2))
    picks = Picks.create(*np.vstack([moved, places[:10] + 30]).T)
    scores = score_protocols([evaluate_micrograph("a", picks, truth, NONE, 10.0)], 0.5)
    counts = {
        name: tuple(scores[name][key] for key in ("hits", "false", "missed")) for name in RULES
    }
    assert set(counts.values()) == {(40, 10, 24)}
