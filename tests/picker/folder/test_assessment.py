"""Verdicts on folders whose truth is known."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

from deepcryopicker.picker.folder.assessment import (
    DOUBTFUL,
    FOUND,
    NOTHING,
    ExpectedCounts,
    assess,
    curve_of_part,
    expected_by_mixture,
    gain_each,
)
from deepcryopicker.picker.folder.curve import apply_curve, fit_curve
from deepcryopicker.picker.folder.score_counts import BINS, count_scores
from deepcryopicker.picker.folder.second_opinion import SecondOpinion
from deepcryopicker.pipeline.picking.results.folder_calibration import (
    FolderCalibration,
    assess_parts,
)

NOISE = (-6.0, 1.5)
DISC = 1e-4  # area of a particle over that of the micrographs


def logits(seed, *groups):
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.normal(mean, spread, number) for number, mean, spread in groups])


def assessed(*groups, covered=DISC):
    counts = count_scores(expit(logits(0, *groups)))
    curve = fit_curve(counts, count_scores(expit(logits(1, (1000, *NOISE)))))
    picked = apply_curve(expit(BINS), curve) >= 0.5
    return assess(expected_by_mixture(counts, curve, picked), gain_each(counts, curve), covered)


@pytest.mark.parametrize(
    ("particles", "verdict"),
    [
        ([(400, 3.0, 1.5)], FOUND),
        ([(400, -1.0, 1.5)], FOUND),
        ([(60, 2.0, 1.5)], DOUBTFUL),  # few on a large area
        ([(20, 2.0, 1.5)], NOTHING),
        ([], NOTHING),
        ([(600, -4.0, 1.6)], NOTHING),  # the tail of the noise is a little heavier
    ],
)
def test_verdicts(particles, verdict):
    assessment = assessed((2000, *NOISE), *particles)
    assert (assessment.verdict, "\n" in assessment.reason) == (verdict, False)


def test_the_number_of_particles_and_the_scores_are_estimated():
    assessment = assessed((2000, *NOISE), (400, 2.0, 1.5))
    low, high = assessment.interval
    assert low < assessment.particles < high
    assert assessment.particles == pytest.approx(400, rel=0.1)
    assert assessment.precision == pytest.approx(0.98, abs=0.03)
    assert assessment.recall == pytest.approx(0.98, abs=0.05)


def test_a_micrograph_without_particles_stands_out_in_its_folder():
    full, empty = ((300, *NOISE), (150, 2.0, 1.5)), ((450, *NOISE),)
    micrographs = [count_scores(expit(logits(n, *each))) for n, each in enumerate([full] * 9)]
    micrographs += [count_scores(expit(logits(20 + n, *empty))) for n in range(3)]
    noise = count_scores(expit(logits(1, (1000, *NOISE))))
    curve = fit_curve(np.sum(micrographs, axis=0), noise)
    picked = apply_curve(expit(BINS), curve) >= 0.5
    curves = [curve_of_part(one, curve) for one in micrographs]
    verdicts = [
        assess(expected_by_mixture(one, own, picked), gain_each(one, own), 1e-3).verdict
        for one, own in zip(micrographs, curves, strict=True)
    ]
    assert verdicts == [FOUND] * 9 + [NOTHING] * 3


@pytest.mark.parametrize(
    ("averages", "vouched", "reason"),
    [
        (None, True, "are what the general weights find"),
        (0.6, False, "average to particles"),
    ],
)
def test_a_small_gain_is_found_where_something_else_decides(averages, vouched, reason):
    """Noise with the spectrum of a crowd scores nearly as high as particles."""
    noise = (-1.0, 1.2)
    full, empty = ((100, *noise), (300, 1.4, 1.0)), ((400, *noise),)
    micrographs = [count_scores(expit(logits(n, *full))) for n in range(9)]
    micrographs.append(count_scores(expit(logits(30, *empty))))
    in_noise = count_scores(expit(logits(1, (2000, *noise))))
    curve = fit_curve(np.sum(micrographs, axis=0), in_noise)
    picked = apply_curve(expit(BINS), curve) >= 0.5
    parts = [(expected_by_mixture(one, curve, picked), one, 1e-3) for one in micrographs]
    gain = gain_each(np.sum(micrographs, axis=0), curve)
    assert 0.1 < gain < 1.0
    alone, _ = assess_parts(parts, FolderCalibration(curve))
    assert alone.verdict != FOUND
    opinion = None if averages is None else SecondOpinion(None, np.zeros(0), averages)
    whole, each = assess_parts(parts, FolderCalibration(curve, opinion), vouched)
    assert whole.verdict == FOUND
    assert reason in whole.reason
    assert [one.verdict for one in each] == [FOUND] * 9 + [NOTHING]


@pytest.mark.parametrize(
    ("averages", "verdict", "reason"),
    [
        (None, DOUBTFUL, "the picks hardly stand out from noise"),
        (0.2, NOTHING, "what was picked does not average to particles"),
        (0.3, DOUBTFUL, "the picks hardly average to particles"),
        (0.5, FOUND, "they stand out from noise by 0.8 nats each, and average to particles"),
    ],
)
def test_where_the_gain_is_small_averages_decide(averages, verdict, reason):
    found = ExpectedCounts(100, 90.0, 110.0, 10.0)
    assessment = assess(found, 0.8, 1e-3, averages)
    assert (assessment.verdict, assessment.reason) == (verdict, reason)


def test_corrections_do_not_change_how_clearly_particles_stand_out():
    counts = count_scores(expit(logits(0, (2000, *NOISE), (600, -4.0, 1.6))))
    curve = fit_curve(counts, count_scores(expit(logits(1, (1000, *NOISE)))))
    picked = apply_curve(expit(BINS), curve) >= 0.5
    found = expected_by_mixture(counts, curve, picked)
    for rejected in (0.0, 0.5, 0.9):
        fewer = replace(found, particles=(1 - rejected) * found.particles)
        assert assess(fewer, gain_each(counts, curve), DISC).verdict == NOTHING
