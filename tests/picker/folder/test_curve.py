"""The curve of a folder, against mixtures whose answer is known."""

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import expit
from scipy.stats import norm

from deepcryopicker.picker.folder.curve import apply_curve, calibrate_scores, fit_curve
from deepcryopicker.picker.folder.mixture import noise_scores
from deepcryopicker.picker.folder.score_counts import BINS, count_scores, no_counts

NOISE = (-6.0, 1.5)  # mean and standard deviation of logits


def scores(rng, number, mean, spread):
    return expit(rng.normal(mean, spread, number))


def folder(particles, number=(400, 2000), seed=0):
    """Scores of candidates, of candidates in noise, and which of the first are particles."""
    rng = np.random.default_rng(seed)
    found = np.concatenate([scores(rng, number[0], *particles), scores(rng, number[1], *NOISE)])
    return found, scores(rng, 1000, *NOISE), np.arange(sum(number)) < number[0]


def curve_of(found, noise):
    return fit_curve(count_scores(found), count_scores(noise))


def test_counts_of_parts_add_up():
    score = np.random.default_rng(0).uniform(0, 1, 500)
    parts = sum((count_scores(part) for part in np.split(score, 5)), no_counts())
    np.testing.assert_array_equal(parts, count_scores(score))
    assert count_scores(np.array([0.0, 1e-9, 1.0]))[[0, -1]].tolist() == [1, 1]
    assert count_scores(np.array([0.5])).argmax() in np.flatnonzero(abs(BINS) < 0.06)


@pytest.mark.parametrize("particles", [(3.0, 1.5), (0.0, 1.2), (-1.0, 2.0)])
def test_one_half_is_where_particles_and_noise_are_as_likely(particles):
    found, noise, _ = folder(particles)

    def log_odds(value):
        upper = np.log(400) + norm.logpdf(value, *particles)
        return upper - np.log(2000) - norm.logpdf(value, *NOISE)

    wanted = brentq(log_odds, NOISE[0], particles[0])
    calibration = curve_of(found, noise).calibration
    assert -calibration.intercept / calibration.slope == pytest.approx(wanted, abs=0.6)


@pytest.mark.parametrize("particles", [(3.0, 1.5), (0.0, 1.2), (-1.0, 2.0)])
def test_the_expected_precision_is_the_true_one(particles):
    found, noise, is_particle = folder(particles)
    score = apply_curve(found, curve_of(found, noise))
    picked = score >= 0.5
    assert score[picked].mean() == pytest.approx(is_particle[picked].mean(), abs=0.05)
    assert is_particle[picked].sum() > 0.75 * 400


def test_noise_alone_gives_hardly_any_picks():
    found, noise, _ = folder((0.0, 1.0), number=(0, 2000))
    score = apply_curve(found, curve_of(found, noise))
    assert (score >= 0.5).sum() <= 10


def test_no_score_is_a_pick_where_noise_explains_all():
    found, noise, _ = folder((0.0, 1.0), number=(0, 2000))
    curve = curve_of(found, noise)
    assert curve.gain < 12
    assert apply_curve(np.array([1.0, 0.999999]), curve).max() < 0.5


def test_where_the_network_is_sure_of_noise_it_is_not_believed():
    """Self-trained on noise, it finds the same in noise without any structure."""
    rng = np.random.default_rng(0)
    sure = [scores(rng, 2000, 3.0, 2.0) for _ in range(2)]
    score = apply_curve(sure[0], curve_of(*sure))
    assert (score >= 0.5).mean() < 0.05
    assert (sure[0] >= 0.5).mean() > 0.9


def test_the_order_of_candidates_stays():
    found, noise, _ = folder((-1.0, 2.0))
    order = np.argsort(found, kind="stable")
    curve = curve_of(found, noise)
    assert (np.diff(apply_curve(found, curve)[order]) >= 0).all()
    assert apply_curve(np.array([0.0]), curve) == 0  # where nothing should be picked


def test_a_network_that_finds_next_to_nothing_in_noise_is_believed():
    rng = np.random.default_rng(0)
    found = np.concatenate([scores(rng, 400, 3.0, 1.5), scores(rng, 200, -8.5, 0.5)])
    is_particle = np.arange(600) < 400
    (score,) = calibrate_scores([found], [scores(rng, 10, -8.5, 0.5)])
    assert is_particle[score >= 0.5].mean() > 0.95
    assert noise_scores(no_counts(), 600).mode < -8
    assert -6 < noise_scores(no_counts(), 30).mode < -4  # nothing is known


def test_micrographs_are_calibrated_together():
    found, noise, _ = folder((3.0, 1.5))
    halves = calibrate_scores([found[:300], found[300:]], [noise[:400], noise[400:]])
    whole = calibrate_scores([found], [noise])
    np.testing.assert_array_equal(np.concatenate(halves), whole[0])
