"""Scores become probabilities: against scikit-learn, and where there is little to learn from."""

import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from deepcryopicker.picker.calibration import calibrated, fit_calibration
from deepcryopicker.types import UNCALIBRATED, Calibration


def micrograph(count, slope, intercept, seed=0):
    """Scores whose picks are particles with a probability that a known curve gives."""
    rng = np.random.default_rng(seed)
    sureness = rng.normal(0, 2, count)
    found = rng.random(count) < expit(slope * sureness + intercept)
    return expit(sureness), found


def even(curve):
    """Score that is as likely a particle as not."""
    return expit(-curve.intercept / curve.slope)


def test_without_calibration_scores_stay():
    score = np.linspace(0, 1, 300, dtype=np.float32).reshape(20, 15)
    found = calibrated(score, UNCALIBRATED)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, score)
    almost = calibrated(score, Calibration(1.0, 1e-9))
    assert (almost.dtype, almost.shape) == (np.float32, score.shape)
    np.testing.assert_allclose(almost, score, atol=2e-6)


@pytest.mark.parametrize("curve", [Calibration(0.5, -1.0), Calibration(2.0, 3.0)])
def test_probabilities_keep_the_order_of_the_scores(curve):
    score = np.linspace(0.01, 0.99, 200, dtype=np.float32)
    found = calibrated(score, curve)
    assert (np.diff(found) > 0).all()
    np.testing.assert_allclose(found, expit(curve.slope * logit(score) + curve.intercept), 1e-5)
    assert calibrated(np.array([even(curve)]), curve) == pytest.approx(0.5)


@pytest.mark.parametrize("curve", [UNCALIBRATED, Calibration(3.0, -20.0), Calibration(0.2, 2.0)])
def test_scores_of_0_and_1_stay_finite_and_at_the_ends(curve):
    low, middle, high = calibrated(np.array([0, 0.5, 1], np.float32), curve)
    assert 0 <= low <= middle <= high <= 1
    assert low < high


@pytest.mark.parametrize(("slope", "intercept"), [(1.0, 0.0), (0.4, -1.2), (2.5, 1.5)])
def test_the_curve_is_that_of_logistic_regression(slope, intercept):
    score, found = micrograph(20_000, slope, intercept)
    curve = fit_calibration([score], [found])
    reference = LogisticRegression(C=np.inf).fit(logit(score)[:, None], found)
    assert curve.slope == pytest.approx(reference.coef_[0, 0], rel=0.005)
    assert curve.intercept == pytest.approx(reference.intercept_[0], abs=0.01)
    assert curve.slope == pytest.approx(slope, rel=0.05)


def test_probabilities_are_shares_of_particles():
    score, found = micrograph(20_000, 0.5, -1.0)
    probability = calibrated(score, fit_calibration([score], [found]))
    for low in np.arange(0.1, 0.6, 0.1):
        members = (probability >= low) & (probability < low + 0.1)
        assert found[members].mean() == pytest.approx(low + 0.05, abs=0.03)


def test_one_badly_labelled_micrograph_does_not_move_the_threshold():
    """Of the last one and its many picks, hardly any particle was labelled."""
    parts = [micrograph(1000, 1.0, -0.5, seed) for seed in range(6)]
    bad = micrograph(4000, 1.0, -4.0, 9)
    scores, found = zip(*parts, strict=True)
    alone = even(fit_calibration(scores, found))
    together = even(fit_calibration((*scores, bad[0]), (*found, bad[1])))
    assert alone == pytest.approx(expit(0.5), abs=0.03)
    assert together == pytest.approx(alone, abs=0.03)
    pooled = fit_calibration(
        [np.concatenate([*scores, bad[0]])], [np.concatenate([*found, bad[1]])]
    )
    assert even(pooled) > together + 0.1


def test_micrographs_of_one_outcome_are_not_asked():
    score, found = micrograph(2000, 1.0, -0.5)
    alone = fit_calibration([score], [found])
    empty = np.array([]), np.array([], bool)
    hits = np.array([0.9, 0.95]), np.array([True, True])
    for extra in (empty, hits):
        both = fit_calibration([score, extra[0]], [found, extra[1]])
        assert even(both) == pytest.approx(even(alone), abs=0.005)


@pytest.mark.parametrize(
    ("score", "found"),
    [
        ([], []),
        ([0.2, 0.8], [True, True]),
        ([0.2, 0.8], [False, False]),
        ([0.7, 0.8, 0.2, 0.3], [False, False, True, True]),  # the wrong way round
    ],
)
def test_what_teaches_nothing_changes_nothing(score, found):
    curve = fit_calibration([np.array(score, float)], [np.array(found, bool)])
    assert curve == UNCALIBRATED


@pytest.mark.parametrize("score", [[0.0, 1.0], [0.1, 0.9], [0.0] * 40 + [1.0] * 40])
def test_scores_that_part_perfectly_give_a_finite_curve(score):
    score = np.array(score)
    curve = fit_calibration([score], [score > 0.5])
    assert 0 < curve.slope < 100
    assert even(curve) == pytest.approx(0.5, abs=0.01)
    probability = calibrated(score, curve)
    assert (probability[score < 0.5] < 0.5).all()
    assert (probability[score > 0.5] > 0.5).all()
