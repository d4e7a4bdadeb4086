"""Scores of picks become probabilities by which of them were labelled."""

import numpy as np
import pytest
from scipy.special import expit, logit

from deepcryopicker.evaluation.label_calibration import MatchedPicks, calibration_of
from deepcryopicker.evaluation.matching import FALSE, HIT, IGNORED
from deepcryopicker.picker.calibration import calibrated
from deepcryopicker.types import UNCALIBRATED


def compared(seed, count=3000, slope=2.0, intercept=-1.0, unknown=0.0):
    """Picks of which a known share of every score is labelled; some at places of no account."""
    rng = np.random.default_rng(seed)
    sureness = rng.uniform(-4, 4, count)
    hit = rng.random(count) < expit(slope * sureness + intercept)
    outcome = np.where(hit, HIT, FALSE).astype(np.int8)
    outcome[rng.random(count) < unknown] = IGNORED
    return MatchedPicks(expit(sureness), outcome, int((outcome == HIT).sum()))


def test_labels_found_without_supervision_put_even_odds_at_one_half():
    curve = calibration_of([compared(seed) for seed in range(3)], given=False)
    assert curve.slope == pytest.approx(2.0, abs=0.15)
    # A pick is as likely labelled as not where 2 s - 1 = 0.
    even = np.array([expit(0.5)], np.float32)
    assert calibrated(even, curve) == pytest.approx(0.5, abs=0.02)


def test_true_labels_put_the_threshold_of_the_best_f1_at_one_half():
    many = [compared(seed, intercept=1.0) for seed in range(3)]
    curve = calibration_of(many, given=True)
    score = np.concatenate([one.score for one in many])
    hit = np.concatenate([one.outcome for one in many]) == HIT
    f1 = [2 * hit[score >= at].sum() / ((score >= at).sum() + hit.sum()) for at in np.sort(score)]
    best = np.sort(score)[int(np.argmax(f1))]
    threshold = expit(-curve.intercept / curve.slope)
    assert logit(threshold) == pytest.approx(logit(best), abs=0.35)
    assert max(f1) - 2 * hit[score >= threshold].sum() / (
        (score >= threshold).sum() + hit.sum()
    ) == pytest.approx(0, abs=0.005)


def test_picks_at_uncertain_places_count_neither_way():
    known = compared(0)
    uncertain = compared(1, unknown=1.0)
    both = MatchedPicks(
        np.concatenate([known.score, uncertain.score]),
        np.concatenate([known.outcome, uncertain.outcome]),
        known.labels,
    )
    assert calibration_of([both], given=False) == calibration_of([known], given=False)


def test_nothing_picked_calibrates_nothing():
    assert calibration_of([], given=True) == UNCALIBRATED
    empty = MatchedPicks(np.array([]), np.array([], np.int8), 5)
    assert calibration_of([empty], given=True) == UNCALIBRATED


def test_picks_of_which_none_is_true_calibrate_nothing():
    wrong = MatchedPicks(np.array([0.2, 0.9]), np.full(2, FALSE, np.int8), 5)
    for given in (True, False):
        assert calibration_of([wrong], given=given) == UNCALIBRATED
