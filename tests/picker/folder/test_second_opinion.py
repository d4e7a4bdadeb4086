"""Windows of particles and of other things with the same scores."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from deepcryopicker.picker.folder.candidate_windows import restored
from deepcryopicker.picker.folder.opinion_model import CANDIDATES, FOLDER, LinearModel
from deepcryopicker.picker.folder.second_opinion import (
    NO_PARTICLES,
    NO_PICKS,
    classify_likely,
    describe_folder,
    form_opinion,
    if_particles,
    is_considered,
    revise,
)
from deepcryopicker.picker.folder.window_features import (
    DIAMETER,
    FEATURES,
    SIDE,
    background_of,
    classify_candidates,
    features_of,
)

Y, X = np.mgrid[:SIDE, :SIDE] - SIDE // 2
RING = np.abs(np.hypot(X, Y) - 9) < 3
EDGE = X > 5
GAIN = 2000.0


def windows(seed, number, shape, contrast=1.0):
    """Dark shapes in random orientations, in noise."""
    rng = np.random.default_rng(seed)
    stack = rng.normal(0, 1, (number, SIDE, SIDE))
    for window, angle in zip(stack, rng.uniform(0, 360, number), strict=True):
        window -= contrast * ndimage.rotate(
            shape.astype(float), angle, reshape=False, order=1, mode="nearest"
        )
    return np.clip(np.rint(16 * stack), -127, 127).astype(np.int8)


@pytest.fixture(scope="module")
def folder():
    """Windows of 200 rings, 60 edges, and 200 places with noise, and their probabilities."""
    stack = np.concatenate([windows(0, 200, RING), windows(1, 60, EDGE), windows(2, 200, 0 * RING)])
    rng = np.random.default_rng(3)
    chance = np.r_[rng.uniform(0.7, 1.0, 260), rng.uniform(0, 0.09, 200)]
    return stack, chance


def test_what_differs_from_the_other_picks_is_less_likely(folder):
    stack, chance = folder
    opinion = form_opinion([stack[:230], stack[230:]], [chance[:230], chance[230:]], GAIN)
    revised = revise(stack, chance, opinion)
    rings, edges = revised[:200], revised[200:260]
    assert np.median(rings) > 0.8
    assert np.median(edges) < np.median(rings) - 0.2
    np.testing.assert_array_equal(revised[260:], chance[260:])  # not considered
    one_by_one = np.concatenate(
        [revise(stack[[n]], chance[[n]], opinion) for n in range(0, 460, 20)]
    )
    np.testing.assert_allclose(one_by_one, revised[::20], atol=1e-6)


def test_noise_does_not_average_to_particles(folder):
    rings = np.r_[:200, 260:460]
    stack, chance = (each[rings] for each in folder)
    sure = np.where(chance > 0.5, 0.99, chance)
    particles = form_opinion([stack], [sure], GAIN).particles
    noise = windows(4, 460, 0 * RING)
    nothing = form_opinion([noise], [np.r_[np.full(260, 0.6), np.zeros(200)]], 60.0).particles
    assert nothing < NO_PARTICLES < 0.5 < particles


@pytest.mark.parametrize(("particles", "factor"), [(0.1, 0.1), (NO_PICKS, 1.0), (0.9, 1.0)])
def test_scores_are_lowered_where_picks_do_not_average_to_particles(folder, particles, factor):
    stack, chance = folder
    opinion = replace(form_opinion([stack], [chance], GAIN), particles=particles)
    np.testing.assert_allclose(if_particles(chance, opinion), factor * chance)


def test_few_candidates_say_nothing(folder):
    stack, _ = folder
    assert form_opinion([stack[:15]], [np.full(15, 0.9)], GAIN) is None
    assert form_opinion([stack[:99]], [np.full(99, 0.3)], GAIN) is None  # none is a pick
    assert form_opinion([], [], GAIN) is None


def test_classes_have_the_features_of_their_windows(folder):
    stack, _ = folder
    background = background_of(restored(stack[260:]))
    assert background.variance == pytest.approx(1.0, abs=0.1)
    assert background.blob == pytest.approx(1.0, abs=0.1)  # the filter has norm 1
    rng = np.random.default_rng(0)
    found = {}
    for name, shape in (("ring", RING), ("edge", EDGE), ("blob", np.hypot(X, Y) < 4)):
        own = restored(windows(5, 120, shape, 2.0))
        classes = classify_candidates(own, np.full(120, 2.0), background, rng)
        features = features_of(own, classes)
        assert features.shape == (120, len(FEATURES))
        found[name] = dict(zip(FEATURES, features.mean(axis=0), strict=True))
    disc = (np.hypot(X, Y) < 0.425 * DIAMETER).astype(float)
    own = restored(windows(6, 200, disc, 1.0))
    classes = classify_candidates(own, np.full(200, 2.0), background, rng)
    blob = features_of(own, classes)[:, FEATURES.index("blob")]
    narrow, wide = (ndimage.gaussian_filter(disc, 7.21 * each) for each in (0.8, 1.25))
    at_middle = (narrow - wide)[SIDE // 2, SIDE // 2]
    impulse = np.zeros((65, 65))
    impulse[32, 32] = 1.0
    norm = np.linalg.norm(
        ndimage.gaussian_filter(impulse, 7.21 * 0.8) - ndimage.gaussian_filter(impulse, 7.21 * 1.25)
    )
    assert blob.mean() == pytest.approx(at_middle / norm / background.blob, rel=0.1)
    assert blob.std() == pytest.approx(1.0, abs=0.2)
    assert found["ring"]["off_centre"] < 0.1 < found["edge"]["off_centre"]
    assert found["blob"]["extent"] < 0.6 < found["ring"]["extent"]
    # The root mean square radius of the dark area over the radius of a particle.
    expected = np.sqrt((RING * (X**2 + Y**2)).sum() / RING.sum()) / (DIAMETER / 2)
    assert found["ring"]["extent"] == pytest.approx(expected, abs=0.08)
    for one in found.values():
        assert one["score"] == pytest.approx(2.0)
        # The variance of the noise; interpolation between four pixels takes up to three quarters.
        assert np.log(0.25) < one["residual"] < 0.35
        assert one["correlation"] > 0.4


def test_a_folder_is_described_by_as_many_numbers_as_the_model_has(folder):
    stack, chance = folder
    described = describe_folder(classify_likely([stack], [chance]), GAIN)
    assert described.shape == FOLDER.weight.shape
    assert len(CANDIDATES.weight) == len(FEATURES)
    assert described[-2] == pytest.approx(np.log(GAIN / chance[is_considered(chance)].sum()))


def test_features_are_limited_to_the_range_of_the_fit():
    model = LinearModel.of({"a": (2.0, -1.0, 1.0), "b": (-1.0, 0.0, 3.0)}, bias=0.5)
    assert model.value(np.array([0.5, 1.0])) == pytest.approx(0.5)
    assert model.value(np.array([[9.0, -9.0], [-9.0, 9.0]])) == pytest.approx([2.5, -4.5])
