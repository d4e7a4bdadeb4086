"""Scores worked by hand, against brute force and against scikit-learn."""

import json

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, precision_recall_curve

from deepcryopicker.evaluation.metrics import (
    Scores,
    average_precision,
    best_f1,
    bootstrap,
    precision_recall,
    scores_at,
)
from deepcryopicker.evaluation.scores import evaluate_micrograph, summarise
from deepcryopicker.types import Picks

NONE = Picks.empty()
SCORE = np.array([0.9, 0.8, 0.8, 0.6, 0.5, 0.3])
OUTCOME = np.array([1, 0, 1, -1, 1, 0], np.int8)


def random_case(seed: int, size: int = 200) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.random(size).round(2), (rng.random(size) < 0.4).astype(np.int8)


def brute_force_ap(score, outcome, n_truth) -> float:
    """Area under max precision at recall >= r, by counting at each threshold."""
    points = []
    for threshold in set(score[outcome >= 0]):
        chosen = outcome[score >= threshold]
        points.append((np.sum(chosen == 1) / n_truth, np.mean(chosen[chosen >= 0] == 1)))
    area, before = 0.0, 0.0
    for recall in sorted({recall for recall, _ in points}):
        area += (recall - before) * max(p for r, p in points if r >= recall)
        before = recall
    return area


def test_scores_by_hand():
    # From 0.5 on: hits 0.9, 0.8, 0.5; one false; one ignored. 5 truths: 2 missed.
    scores = scores_at(SCORE, OUTCOME, 5, 0.5)
    assert scores == Scores(3 / 4, 3 / 5, 6 / 9, 3 / 6, hits=3, false=1, missed=2)


def test_f1_is_the_harmonic_mean():
    scores = Scores.from_counts(hits=7, false=5, missed=2)
    mean = 2 * scores.precision * scores.recall / (scores.precision + scores.recall)
    assert scores.f1 == pytest.approx(mean)


@pytest.mark.parametrize("n_truth", [0, 5])
def test_nothing_divided_by_nothing_is_nothing(n_truth):
    score, outcome = np.zeros(0), np.zeros(0, np.int8)
    assert scores_at(score, outcome, n_truth, 0.5) == Scores(0, 0, 0, 0, 0, 0, n_truth)
    assert average_precision(score, outcome, n_truth) == 0.0
    assert best_f1(score, outcome, n_truth) == (0.0, 1.0)
    assert average_precision(np.ones(2), np.zeros(2, np.int8), n_truth) == 0.0


def test_curve_by_hand():
    curve = precision_recall(SCORE, OUTCOME, 4)
    np.testing.assert_allclose(curve.threshold, [0.9, 0.8, 0.5, 0.3])
    np.testing.assert_allclose(curve.precision, [1, 2 / 3, 3 / 4, 3 / 5])
    np.testing.assert_allclose(curve.recall, [1 / 4, 2 / 4, 3 / 4, 3 / 4])
    # The envelope lifts the second step from 2/3 to 3/4.
    assert average_precision(SCORE, OUTCOME, 4) == pytest.approx((1 + 3 / 4 + 3 / 4) / 4)
    assert best_f1(SCORE, OUTCOME, 4) == pytest.approx((3 / 4, 0.5))


def test_half_the_particles_without_a_mistake_is_half():
    score = np.linspace(0.5, 0.9, 5)
    assert average_precision(score, np.ones(5, np.int8), 10) == pytest.approx(0.5)


@pytest.mark.parametrize("seed", range(5))
def test_against_brute_force(seed):
    score, outcome = random_case(seed)
    outcome[::7] = -1
    for n_truth in (100, 250):
        expected = brute_force_ap(score, outcome, n_truth)
        assert average_precision(score, outcome, n_truth) == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(5))
def test_curve_against_scikit_learn(seed):
    score, outcome = random_case(seed)
    precision, recall, threshold = precision_recall_curve(outcome, score)
    curve = precision_recall(score, outcome, int(outcome.sum()))
    np.testing.assert_allclose(curve.threshold, threshold[::-1])
    np.testing.assert_allclose(curve.precision, precision[:-1][::-1])
    np.testing.assert_allclose(curve.recall, recall[:-1][::-1])
    without_envelope = average_precision_score(outcome, score)
    assert without_envelope < average_precision(score, outcome, int(outcome.sum())) <= 1.0


def test_ap_equals_scikit_learn_where_the_envelope_changes_nothing():
    # Precision only falls: runs of hits that share a score with more and more false picks.
    score = np.repeat([0.9, 0.7, 0.5, 0.3], [4, 5, 6, 9])
    outcome = np.array([1] * 4 + [1, 1, 1, 1, 0] + [1, 1, 1, 0, 0, 0] + [1] + [0] * 8, np.int8)
    expected = average_precision_score(outcome, score)
    assert average_precision(score, outcome, 12) == pytest.approx(expected)
    assert average_precision(score, outcome, 24) == pytest.approx(expected / 2)


def test_order_of_picks_does_not_matter():
    score, outcome = random_case(9)
    order = np.random.default_rng(0).permutation(len(score))
    assert average_precision(score, outcome, 90) == average_precision(
        score[order], outcome[order], 90
    )


def test_weight_counts_like_copies():
    score, outcome = random_case(4)
    times = np.random.default_rng(1).integers(0, 4, len(score))
    copied = average_precision(np.repeat(score, times), np.repeat(outcome, times), 150)
    weighted = average_precision(score, outcome, 150, times.astype(float))
    assert weighted == pytest.approx(copied)


@pytest.mark.parametrize("seed", range(3))
def test_best_f1_is_the_best_over_thresholds(seed):
    score, outcome = random_case(seed)
    value, threshold = best_f1(score, outcome, 100)
    every = [scores_at(score, outcome, 100, one).f1 for one in np.unique(score)]
    assert value == pytest.approx(max(every))
    assert scores_at(score, outcome, 100, threshold).f1 == pytest.approx(value)


def test_bootstrap_of_a_mean_matches_theory():
    values = np.random.default_rng(0).normal(5, 2, 100).tolist()
    low, high = bootstrap(values, np.mean, samples=4000)
    half = 1.96 * np.std(values) / 10
    assert (low, high) == pytest.approx((np.mean(values) - half, np.mean(values) + half), abs=0.06)


def test_bootstrap_is_reproducible_and_widens_with_confidence():
    values = np.random.default_rng(0).random(30).tolist()
    assert bootstrap(values, np.mean, seed=1) == bootstrap(values, np.mean, seed=1)
    assert bootstrap(values, np.mean, seed=1) != bootstrap(values, np.mean, seed=2)
    narrow, wide = (bootstrap(values, np.mean, confidence=share) for share in (0.5, 0.99))
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


def test_bootstrap_of_equal_or_no_micrographs():
    assert bootstrap([0.25] * 8, np.mean) == (0.25, 0.25)
    with pytest.raises(ValueError, match="at least one"):
        bootstrap([], np.mean)


def two_micrographs():
    """Micrograph a: 2 particles, both found, 1 false. b: 4 particles, 1 found, 1 of 2 weak."""
    truth_a = Picks.create([10, 50], [10, 10], label=["top", "side"])
    picks_a = Picks.create([10, 51, 90], [10, 10, 90], [0.9, 0.8, 0.7], ["top", "top", "side"])
    truth_b = Picks.create([10, 50, 10, 50], [10, 10, 50, 50], label=["top"] * 4)
    picks_b = Picks.create([10, 50, 90], [10, 10, 10], [0.9, 0.2, 0.9], "top")
    uncertain_b = Picks.create([91], [10])
    return [
        evaluate_micrograph("a", picks_a, truth_a, NONE, 5),
        evaluate_micrograph("b", picks_b, truth_b, uncertain_b, 5),
    ]


def test_missed_particles_depend_on_the_threshold():
    _, b = two_micrographs()
    assert b.n_truth == 4
    assert b.missed.y.tolist() == [50, 50]
    missed = b.missed_at(0.5)
    assert list(zip(missed.x, missed.y, strict=True)) == [(50, 10), (10, 50), (50, 50)]


def test_summary_by_hand():
    summary = summarise(two_micrographs(), threshold=0.5, radius=5)
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary
    counts = {key: summary[key] for key in ("hits", "false", "missed", "ignored", "picks", "truth")}
    assert counts == {"hits": 3, "false": 1, "missed": 3, "ignored": 1, "picks": 5, "truth": 6}
    assert summary["precision"] == pytest.approx(3 / 4)
    assert summary["recall"] == pytest.approx(3 / 6)
    assert summary["accuracy"] == pytest.approx(3 / 7)
    assert summary["macro"]["precision"] == pytest.approx((2 / 3 + 1) / 2)
    assert summary["macro"]["recall"] == pytest.approx((1 + 1 / 4) / 2)
    assert summary["macro"]["f1"] == pytest.approx((4 / 5 + 2 / 5) / 2)
    # Pooled by score: hit, hit (0.9), hit (0.8), false (0.7), hit (0.2).
    assert summary["average_precision"] == pytest.approx((3 * 1 + 4 / 5) / 6)
    assert [row["micrograph"] for row in summary["per_micrograph"]] == ["a", "b"]
    top, side = summary["per_class"]["top"], summary["per_class"]["side"]
    assert (top["hits"], top["false"], top["missed"]) == (2, 1, 3)
    assert (side["hits"], side["false"], side["missed"]) == (0, 1, 1)


def test_truth_without_classes_has_no_scores_by_class():
    truth = Picks.create([10], [10])
    picks = Picks.create([10], [10], 0.9, "top")
    assert summarise([evaluate_micrograph("a", picks, truth, NONE, 5)], 0.5, 5)["per_class"] == {}


def test_intervals_need_two_micrographs_and_hold_the_value():
    one, *_ = two_micrographs()
    assert summarise([one], 0.5, 5)["f1_interval"] is None
    rng = np.random.default_rng(0)
    many = [
        evaluate_micrograph(
            str(index),
            Picks.create(*rng.uniform(0, 300, (2, 60)), score=rng.random(60)),
            Picks.create(*rng.uniform(0, 300, (2, 30))),
            NONE,
            20,
        )
        for index in range(6)
    ]
    summary = summarise(many, 0.3, 20)
    for key in ("f1", "average_precision"):
        low, high = summary[f"{key}_interval"]
        assert low < summary[key] < high
    assert summary == summarise(many, 0.3, 20)


def test_interval_of_ap_equals_the_plain_bootstrap():
    two = two_micrographs()

    def plain(drawn):
        score = np.concatenate([one.picks.score for one in drawn])
        outcome = np.concatenate([one.outcome for one in drawn])
        return average_precision(score, outcome, sum(one.n_truth for one in drawn))

    expected = bootstrap(two, plain)
    assert summarise(two, 0.5, 5)["average_precision_interval"] == pytest.approx(expected)


def test_no_micrographs_and_micrographs_without_particles():
    assert summarise([], 0.5, 5)["f1"] == 0.0
    empty = evaluate_micrograph("a", Picks.create([5.0], [5.0]), NONE, NONE, 5)
    full = evaluate_micrograph("b", Picks.create([5.0], [5.0]), Picks.create([5.0], [5.0]), NONE, 5)
    summary = summarise([empty, full], 0.5, 5)
    assert summary["precision"] == 0.5
    assert summary["macro"]["micrographs"] == 1
    assert summary["macro"]["precision"] == 1.0
