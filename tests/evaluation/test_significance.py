"""The paired test against brute force, and on cases whose p is known."""

import itertools
import json

import numpy as np
import pytest

from deepcryopicker.evaluation.metrics import Scores, average_precision, scores_at
from deepcryopicker.evaluation.scores import evaluate_micrograph
from deepcryopicker.evaluation.significance import SAMPLES, compare_paired
from deepcryopicker.types import Picks

NONE = Picks.empty()


def picker(micrographs, spread, seed, particles=25):
    """Picks around the same particles, and as many false ones."""
    rng, places = np.random.default_rng(seed), np.random.default_rng(99)
    made = []
    for number in range(micrographs):
        truth = places.uniform(0, 500, (2, particles))
        near = truth + rng.normal(0, spread, truth.shape)
        picks = np.hstack([near, rng.uniform(0, 500, truth.shape)])
        score = np.append(rng.uniform(0.3, 1, particles), rng.uniform(0, 0.7, particles))
        made.append(
            evaluate_micrograph(
                str(number), Picks.create(*picks, score), Picks.create(*truth), NONE, 12
            )
        )
    return made


def by_brute_force(first, second, ways):
    """p of pooled F1 and of the mean AP over the given ways to swap the two pickers."""
    pairs = list(zip(first, second, strict=True))
    counts = [
        [scores_at(one.picks.score, one.outcome, one.n_truth, 0.5) for one in p] for p in pairs
    ]
    precision = [
        [average_precision(one.picks.score, one.outcome, one.n_truth) for one in p] for p in pairs
    ]

    def f1(way, side):
        chosen = [pair[side ^ swap] for pair, swap in zip(counts, way, strict=True)]
        sums = (sum(getattr(one, key) for one in chosen) for key in ("hits", "false", "missed"))
        return Scores.from_counts(*sums).f1

    def mean(way, side):
        return np.mean([pair[side ^ swap] for pair, swap in zip(precision, way, strict=True)])

    found = []
    for of in (f1, mean):
        observed = abs(of([0] * len(pairs), 0) - of([0] * len(pairs), 1))
        larger = [abs(of(way, 0) - of(way, 1)) >= observed - 1e-9 for way in ways]
        found.append(np.mean(larger))
    return found


@pytest.mark.parametrize(("micrographs", "tolerance"), [(6, 1e-12), (10, 1e-12), (15, 0.05)])
def test_p_is_the_share_of_the_ways_to_swap(micrographs, tolerance):
    first, second = picker(micrographs, 6, 1), picker(micrographs, 7, 2)
    found = compare_paired(first, second, 0.5, 0.5)
    ways = list(itertools.product((0, 1), repeat=micrographs))
    if micrographs > 10:  # a sample of ours, and one of the program
        ways = np.random.default_rng(1).integers(0, 2, (1000, micrographs)).tolist()
    f1, mean = by_brute_force(first, second, ways)
    assert 0.02 < f1 < 0.98
    assert found["f1"]["p"] == pytest.approx(f1, abs=tolerance)
    assert found["macro_average_precision"]["p"] == pytest.approx(mean, abs=tolerance)


def test_a_picker_that_is_always_better_reaches_the_smallest_p():
    for micrographs in (1, 2, 5, 6, 12, 13):
        found = compare_paired(picker(micrographs, 3, 1), picker(micrographs, 25, 2), 0.5, 0.5)
        assert found["smallest_p"] == 2 / 2**micrographs
        assert found["f1"]["p"] == found["macro_average_precision"]["p"] == found["smallest_p"]
        assert found["f1"]["difference"] > 0.2
    found = compare_paired(picker(30, 3, 1), picker(30, 25, 2), 0.5, 0.5)
    assert found["f1"]["p"] == found["smallest_p"] == 1 / (SAMPLES + 1)


def test_a_picker_does_not_differ_from_itself():
    same = picker(8, 6, 1)
    found = compare_paired(same, same, 0.5, 0.5)
    for key in ("f1", "macro_average_precision"):
        assert found[key]["p"] == 1
        assert found[key]["difference"] == 0
        assert found[key]["difference_interval"] == [0, 0]


def test_exchanged_pickers_give_the_opposite():
    first, second = picker(7, 6, 1), picker(7, 8, 2)
    one, other = compare_paired(first, second, 0.5, 0.4), compare_paired(second, first, 0.4, 0.5)
    for key in ("f1", "macro_average_precision"):
        assert one[key]["difference"] == -other[key]["difference"]
        assert one[key]["p"] == other[key]["p"]
        low, high = one[key]["difference_interval"]
        assert other[key]["difference_interval"] == pytest.approx([-high, -low])
        assert low < one[key]["difference"] < high


@pytest.mark.thorough
def test_p_is_rarely_small_where_pickers_are_alike():
    small = sum(
        compare_paired(picker(6, 6, seed, 8), picker(6, 6, 1000 + seed, 8), 0.5, 0.5)["f1"]["p"]
        <= 0.125
        for seed in range(24)
    )
    assert 1 <= small <= 3 * 24 * 0.125


def test_the_order_of_scores_matters_and_not_their_scale():
    first, second = picker(6, 6, 1), picker(6, 8, 2)
    scaled = [
        evaluate_micrograph(
            one.name,
            Picks.create(one.picks.x, one.picks.y, 40 * one.picks.score - 30),
            one.truth,
            NONE,
            12,
        )
        for one in second
    ]
    assert compare_paired(first, scaled, 0.5, -10.0) == compare_paired(first, second, 0.5, 0.5)


def test_micrographs_without_particles_and_json():
    empty = evaluate_micrograph("none", Picks.create([5], [5]), NONE, NONE, 12)
    first, second = picker(3, 6, 1), picker(3, 8, 2)
    found = compare_paired([*first, empty], [*second, empty], 0.5, 0.5)
    plain = compare_paired(first, second, 0.5, 0.5)
    key = "macro_average_precision"
    assert found[key]["first"] == plain[key]["first"]
    assert found["f1"]["first"] < plain["f1"]["first"]
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert compare_paired(first[:1], second[:1], 0.5, 0.5)["f1"]["difference_interval"] is None


def test_other_micrographs_are_refused():
    two = picker(2, 6, 1)
    for first, second in (([], []), (two, two[:1]), (two, two[::-1])):
        with pytest.raises(ValueError, match="the same micrographs"):
            compare_paired(first, second, 0.5, 0.5)
