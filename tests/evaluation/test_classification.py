"""Scores of window classifiers against scikit-learn, and intervals of their uncertainty."""

import numpy as np
import pytest
from scipy.special import softmax
from sklearn import metrics as sklearn_metrics

from deepcryopicker.evaluation.classification import (
    confusion,
    mean_average_precision,
    patch_curves,
    score_patches,
)
from deepcryopicker.evaluation.metrics import average_precision

CLASSES = ("top", "side", "irregular", "background")


def guesses(count=120, classes=4, seed=0, skill=1.5):
    """Probabilities of a classifier with some skill, and the truth."""
    rng = np.random.default_rng(seed)
    target = rng.integers(0, classes, count)
    logits = rng.normal(0, 1, (count, classes)) + skill * np.eye(classes)[target]
    return softmax(logits, axis=1).astype(np.float32), target


def scores(probability, target, unit=None, group=None, classes=CLASSES):
    unit = np.zeros(len(target), np.int64) if unit is None else unit
    group = np.full(len(target), "a") if group is None else group
    return score_patches(probability, target, unit, group, classes)


def perfect_but_for(mistakes, count=400):
    """Certain predictions, and the truth; ``mistakes`` are predicted as the next class."""
    target = np.arange(count) % 4
    said = np.where(mistakes, (target + 1) % 4, target)
    return softmax(8.0 * np.eye(4)[said], axis=1).astype(np.float32), target


@pytest.mark.parametrize("seed", range(3))
def test_accuracy_and_confusion_are_those_of_scikit_learn(seed):
    probability, target = guesses(seed=seed)
    said = probability.argmax(axis=1)
    found = scores(probability, target)
    assert found["accuracy"] == pytest.approx(sklearn_metrics.accuracy_score(target, said))
    matrix = confusion(probability, target)
    np.testing.assert_array_equal(matrix, sklearn_metrics.confusion_matrix(target, said))
    recalls = sklearn_metrics.recall_score(target, said, average=None)
    for name, recall, row in zip(CLASSES, recalls, matrix, strict=True):
        part = found["classes"][name]
        assert part["accuracy"] == pytest.approx(recall)
        assert part["windows"] == row.sum()
    assert found["windows"] == 120


def test_confusion_has_a_row_and_a_column_for_every_class():
    """Also for the last one, where it neither occurs nor is predicted."""
    probability = np.array([[0.6, 0.3, 0.1], [0.2, 0.7, 0.1], [0.5, 0.4, 0.1]], np.float32)
    matrix = confusion(probability, np.array([0, 0, 1]))
    np.testing.assert_array_equal(matrix, [[1, 1, 0], [1, 0, 0], [0, 0, 0]])


@pytest.mark.parametrize("seed", range(3))
def test_average_precision_is_the_mean_over_one_against_the_rest(seed):
    probability, target = guesses(seed=seed)
    each = {
        name: average_precision(
            probability[:, index].astype(float),
            (target == index).astype(np.int8),
            int((target == index).sum()),
        )
        for index, name in enumerate(CLASSES)
    }
    found = scores(probability, target)
    assert found["average_precision"] == pytest.approx(np.mean(list(each.values())))
    parts = {name: part["average_precision"] for name, part in found["classes"].items()}
    assert parts == pytest.approx(each)
    # The envelope can only add to scikit-learn's area, and here not much.
    plain = sklearn_metrics.average_precision_score(np.eye(4)[target], probability)
    assert plain <= found["average_precision"] <= plain + 0.03


def test_without_ties_and_with_falling_precision_it_is_scikit_learns():
    """Hits come first, then mistakes and hits by turns more rarely: no envelope is needed."""
    hit = np.array([1, 1, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0])
    score = np.linspace(0.95, 0.05, len(hit))
    # The precision falls from hit to hit, which is where the recall rises.
    precision = (np.cumsum(hit) / np.arange(1, len(hit) + 1))[hit == 1]
    assert (np.diff(precision) <= 0).all()
    probability = np.column_stack([score, 1 - score]).astype(np.float32)
    found = scores(probability, 1 - hit, classes=("particle", "background"))
    expected = sklearn_metrics.average_precision_score(hit, score)
    assert found["classes"]["particle"]["average_precision"] == pytest.approx(expected)
    assert expected == pytest.approx((4 + 5 / 7) / 5)


def test_classes_that_do_not_occur_are_left_out():
    probability, target = guesses()
    kept = target != 1
    found = scores(probability[kept], target[kept])
    assert list(found["classes"]) == ["top", "irregular", "background"]
    parts = [part["average_precision"] for part in found["classes"].values()]
    assert found["average_precision"] == pytest.approx(np.mean(parts))


@pytest.mark.thorough
def test_each_dataset_is_scored_as_if_alone():
    probability, target = guesses()
    group = np.where(np.arange(120) < 45, "klh", "apoferritin")
    unit = np.arange(120) // 15
    found = scores(probability, target, unit, group)
    assert list(found["groups"]) == ["klh", "apoferritin"]
    for name, part in found["groups"].items():
        own = group == name
        alone = scores(probability[own], target[own], unit[own], group[own])
        assert part == {key: alone[key] for key in part}
        assert part["windows"] == own.sum()
        assert part["accuracy_interval"] is not None


def test_one_micrograph_has_no_interval():
    probability, target = guesses()
    found = scores(probability, target, np.full(120, 7))
    assert found["units"] == 1
    assert found["accuracy_interval"] is None
    assert found["average_precision_interval"] is None


def test_intervals_hold_the_estimate_and_are_the_same_twice():
    probability, target = guesses()
    unit = np.random.default_rng(1).integers(0, 8, 120) * 16  # numbers may have gaps
    found = scores(probability, target, unit)
    assert found["units"] == 8
    for name in ("accuracy", "average_precision"):
        low, high = found[f"{name}_interval"]
        assert 0 <= low < found[name] < high <= 1
    assert scores(probability, target, unit) == found


def test_intervals_are_wider_when_micrographs_differ():
    """A fifth of the windows is mistaken: in one micrograph of five, or everywhere alike."""
    number = np.arange(400)
    unit = number // 80
    widths = {}
    for name, mistakes in (("one", unit == 4), ("everywhere", number % 5 == 0)):
        found = scores(*perfect_but_for(mistakes), unit)
        assert found["accuracy"] == pytest.approx(0.8)
        for key in ("accuracy", "average_precision"):
            low, high = found[f"{key}_interval"]
            widths[name, key] = high - low
    assert widths["everywhere", "accuracy"] == pytest.approx(0, abs=1e-9)
    # Mistaken micrographs drawn are binomial(5, 0.2): 95 % of the draws have at most three.
    assert widths["one", "accuracy"] == pytest.approx(0.6, abs=0.01)
    assert widths["one", "average_precision"] > widths["everywhere", "average_precision"] + 0.3


def test_accuracy_interval_is_that_of_resampled_windows():
    """Windows of micrographs drawn twice count twice, as if they were there twice."""
    probability, target = guesses(count=60)
    unit = np.random.default_rng(2).integers(0, 5, 60)
    right = probability.argmax(axis=1) == target
    rng = np.random.default_rng(5)
    values = [
        np.concatenate([right[unit == each] for each in rng.integers(0, 5, 5)]).mean()
        for _ in range(4000)
    ]
    found = scores(probability, target, unit)["accuracy_interval"]
    assert found == pytest.approx(np.quantile(values, [0.025, 0.975]), abs=0.03)


@pytest.mark.parametrize("seed", range(3))
def test_weights_are_repetitions(seed):
    probability, target = guesses(count=50, seed=seed)
    weight = np.random.default_rng(seed).integers(0, 4, 50)
    found = mean_average_precision(probability, target, weight.astype(float))
    repeated = np.repeat(np.arange(50), weight)
    expected = mean_average_precision(probability[repeated], target[repeated])
    assert found == pytest.approx(expected, rel=1e-12)


def test_a_class_of_no_weight_does_not_count():
    probability, target = guesses(count=50)
    weight = np.where(target == 2, 0.0, 1.0)
    kept = target != 2
    expected = mean_average_precision(probability[kept], target[kept])
    assert mean_average_precision(probability, target, weight) == pytest.approx(expected)
    assert mean_average_precision(probability, target, np.zeros(50)) == 0


def test_curves_of_the_classes_that_occur_are_scikit_learns():
    probability, target = guesses()
    kept = target != 1
    probability, target = probability[kept], target[kept]
    curves = patch_curves(probability, target, CLASSES)
    assert list(curves) == ["top", "irregular", "background"]
    for name, curve in curves.items():
        index = CLASSES.index(name)
        precision, recall, threshold = sklearn_metrics.precision_recall_curve(
            target == index, probability[:, index].astype(float)
        )
        # It begins with the lowest threshold, and ends with a point that no threshold has.
        np.testing.assert_allclose(curve.threshold, threshold[::-1])
        np.testing.assert_allclose(curve.precision, precision[-2::-1])
        np.testing.assert_allclose(curve.recall, recall[-2::-1])
