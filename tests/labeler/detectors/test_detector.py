"""Detectors on drawn and on simulated micrographs: thresholds, frames, reasons, scores."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial import KDTree

from deepcryopicker.dataset.simulator import DOSE, KINDS, simulate
from deepcryopicker.frames import to_working
from deepcryopicker.labeler.detectors.averages import (
    ANGLE_STEP,
    Template,
    side_template,
    top_template,
)
from deepcryopicker.labeler.detectors.detector import (
    ONE_KIND,
    Detector,
    Limits,
    detect,
    label_by_detector,
    learn_detector,
    part,
)
from deepcryopicker.labeler.detectors.responses import AverageFilter, BlobFilter, find_all, respond
from deepcryopicker.labeler.masks.feret import measure
from deepcryopicker.labeler.schema import TypicalConfig
from deepcryopicker.preprocessing.operators.contrast import standardise
from deepcryopicker.preprocessing.operators.restore import flatten
from deepcryopicker.preprocessing.steps import to_working_scale
from deepcryopicker.types import NO_MARGINS, Margins, Micrograph

DIAMETER = 24.0
SHAPE = (240, 300)
BLOBS = BlobFilter(0.2, 2.0)
BUMPY = Template("top", np.random.default_rng(5).normal(size=(49, 49)).astype(np.float32))


def micrograph(image, scale=1.0, margins=NO_MARGINS):
    return Micrograph("m", Path("m"), image.astype(np.float32), scale=scale, margins=margins)


def noise(seed=0, shape=SHAPE):
    """Noise that is as smooth as that of rescaled micrographs."""
    white = np.random.default_rng(seed).normal(size=shape)
    return 0.3 * standardise(ndimage.gaussian_filter(white, 1))


def blobs(rows, seed=None):
    """Dark smooth blobs (x, y, depth) as wide as a particle, on noise if there is a seed."""
    row, column = np.indices(SHAPE)
    image = np.zeros(SHAPE) if seed is None else noise(seed)
    for x, y, depth in rows:
        image -= depth * np.exp(-((column - x) ** 2 + (row - y) ** 2) / (2 * (0.3 * DIAMETER) ** 2))
    return image


def grid(step=50.0, seed=0):
    """Places on a jittered grid, 20 and more pixels inside, (N, 2)."""
    x, y = np.meshgrid(np.arange(30, SHAPE[1] - 25, step), np.arange(30, SHAPE[0] - 25, step))
    places = np.column_stack([x.ravel(), y.ravel()])
    return places + np.random.default_rng(seed).uniform(-5, 5, places.shape)


def boxes(places, angles, seed=0, short=14, long=26):
    """Dark rectangles whose short side lies at an angle from x towards y, on noise."""
    row, column = np.indices(SHAPE)
    image = noise(seed)
    for (x, y), angle in zip(places, np.radians(angles), strict=True):
        along = (column - x) * np.cos(angle) + (row - y) * np.sin(angle)
        across = (row - y) * np.cos(angle) - (column - x) * np.sin(angle)
        image[(np.abs(along) <= short / 2) & (np.abs(across) <= long / 2)] -= 1.5
    return image


def box_template(angles, seed=3):
    """Template of rectangles at these angles, as measured by the Feret diameters of a mask."""
    middle = np.array([[150.0, 120.0]])
    images = [boxes(middle, [angle], seed + i) for i, angle in enumerate(angles)]
    dark = [ndimage.gaussian_filter(image, 1) < -0.8 for image in images]
    tables = [measure(ndimage.binary_opening(mask, iterations=2)) for mask in dark]
    measured = np.array([t.minimum_angle[t.area.argmax()] for t in tables])
    windows = np.stack([image[95:146, 125:176] for image in images]).astype(np.float32)
    return side_template(windows, measured)


def limits(**changes):
    """Limits with round numbers, within which everything is typical."""
    return replace(Limits(0.1, 1.0, 100, 0.0, 0.0, np.inf), **changes)


def hand_made(filter_=BLOBS, isolation=0.0, **changes):
    """Detector with the same limits for every class."""
    everything = {name: limits(**changes) for name in ("top", "side", "irregular")}
    return Detector(filter_, 0.6, everything, isolation)


def at(places, x, y):
    """Index of what was found at each place, which has to be there."""
    distance, index = KDTree(np.column_stack([x, y])).query(places)
    assert distance.max() < 2
    return index


# Parting strong from weak


@pytest.mark.parametrize(("weak", "strong"), [(900, 100), (500, 500), (300, 700), (970, 30)])
def test_two_unequal_gaussians_are_parted_between_them(weak, strong):
    rng = np.random.default_rng(0)
    responses = np.concatenate([rng.normal(1.0, 0.1, weak), rng.normal(3.0, 0.3, strong)])
    threshold, separation = part(responses)
    assert 1.3 < threshold < 2.2
    assert separation == pytest.approx(2.0 / np.sqrt((0.1**2 + 0.3**2) / 2), rel=0.2)


@pytest.mark.parametrize("scale", [0.01, 1.0, 30.0])
def test_single_gaussian_is_of_one_kind(scale):
    responses = scale * np.random.default_rng(0).normal(10, 1, 4000)
    assert part(responses)[1] == pytest.approx(ONE_KIND, abs=0.1)


def test_one_kind_is_a_gaussian_cut_in_the_middle():
    """Its halves have means of sqrt(2 / pi) and variances of 1 - 2 / pi."""
    assert 2 * np.sqrt(2 / np.pi) / np.sqrt(1 - 2 / np.pi) == pytest.approx(ONE_KIND, abs=0.01)


@pytest.mark.parametrize("responses", [[], [0.3], [0.3, 0.3, 0.3]])
def test_responses_all_alike_are_weak(responses):
    assert part(np.array(responses)) == (np.inf, 0.0)


# Learning


def test_learned_limits_are_ranks_of_what_is_strong():
    sample = [micrograph(blobs(np.insert(grid(seed=s), 2, 1.0, axis=1), s)) for s in range(3)]
    typical = TypicalConfig(weakest=0.3, contrast=[0.25, 0.75], isolation=0.9)
    learned = learn_detector(BLOBS, sample, DIAMETER, 0.6, typical)
    found = [find_all(m, BLOBS, DIAMETER, 0.6)[0] for m in sample]
    strength = np.concatenate([peaks.strength for peaks in found])
    contrast = np.concatenate([peaks.contrast for peaks in found])
    assert set(learned.limits) == {"irregular"}
    own = learned.limits["irregular"]
    strong = strength >= own.threshold
    assert strong.sum() == pytest.approx(sum(len(grid()) for _ in sample), rel=0.05)
    threshold, separation = part(strength)
    assert own.threshold == threshold
    assert own.separation == pytest.approx(separation / ONE_KIND - 1)
    assert own.found == strong.sum()
    assert (strength[strong] < own.least_strength).mean() == pytest.approx(0.3, abs=0.02)
    assert (contrast[strong] < own.least_contrast).mean() == pytest.approx(0.25, abs=0.02)
    assert (contrast[strong] > own.most_contrast).mean() == pytest.approx(0.25, abs=0.02)
    assert (learned.filter, learned.distance, learned.isolation) == (BLOBS, 0.6, 0.9)


def test_particles_are_clearer_than_noise():
    def separation(rows):
        sample = [micrograph(blobs(rows, seed)) for seed in range(3)]
        return learn_detector(BLOBS, sample, DIAMETER, 0.6, TypicalConfig()).separation

    faint, clear = (separation(np.insert(grid(), 2, depth, axis=1)) for depth in (0.7, 1.2))
    assert separation(np.zeros((0, 3))) < 0.2 < faint < clear


@pytest.mark.parametrize("value", [0.0, 1.0])
@pytest.mark.parametrize("filter_", [BLOBS, AverageFilter((BUMPY,), 3.0)])
def test_flat_micrographs_teach_nothing_and_hold_nothing(value, filter_):
    flat = micrograph(np.full(SHAPE, value))
    learned = learn_detector(filter_, [flat], DIAMETER, 0.6, TypicalConfig())
    assert (learned.separation, learned.total_separation) == (0.0, 0.0)
    for image in (flat, micrograph(noise())):
        found = label_by_detector(image, DIAMETER, learned)
        assert len(found.picks) == len(found.good) == len(found.reason) == 0
        assert not found.mask.any()
        assert not found.coverage.any()
    assert len(detect(flat, DIAMETER, learned)) == 0


def test_separation_is_the_mean_over_the_detections():
    both = {"top": limits(separation=2.0, found=30), "side": limits(separation=1.0, found=10)}
    detector = Detector(BLOBS, 0.6, both, 0.0)
    assert detector.total_separation == 70
    assert detector.separation == 70 / 40


def test_many_clear_particles_outweigh_few_clearer_contaminants():
    contaminants = hand_made(separation=3.0, found=10)
    assert hand_made(separation=0.6, found=100).total_separation > contaminants.total_separation


# Labelling


def test_candidates_come_in_original_pixels():
    places = grid()
    rows = np.insert(places, 2, 1.0, axis=1)
    found = label_by_detector(micrograph(blobs(rows), scale=0.25), DIAMETER, hand_made())
    assert len(found.picks) == len(places)
    index = at((places + 0.5) / 0.25 - 0.5, found.picks.x, found.picks.y)
    assert sorted(index) == list(range(len(places)))
    np.testing.assert_array_equal(found.picks.diameter, DIAMETER / 0.25)
    assert found.scale == 0.25


def test_scores_are_shares_of_response_and_threshold():
    image = micrograph(blobs([(60, 60, 0.4), (150, 60, 0.8), (60, 150, 1.2), (150, 150, 1.6)]))
    # The responses are 0.4, 0.3, 0.2 and 0.1 of something; 0.2 is the threshold.
    something = find_all(image, BLOBS, DIAMETER, 0.6)[0].strength[0] / 0.4
    picks = detect(image, DIAMETER, hand_made(threshold=0.2 * something))
    np.testing.assert_allclose(picks.score, [4 / 6, 3 / 5, 2 / 4, 1 / 3], rtol=0.01)


def test_candidates_are_the_detections_above_the_threshold():
    rng = np.random.default_rng(0)
    image = micrograph(blobs(np.insert(grid(), 2, rng.uniform(0.2, 1.5, len(grid())), axis=1), 0))
    detector = hand_made(threshold=0.15)
    every = detect(image, DIAMETER, detector)
    found = label_by_detector(image, DIAMETER, detector).picks
    assert len(every) > len(found) > 5
    assert (np.diff(every.score) <= 0).all()
    assert found.score.min() >= 0.5 > every.score[len(found)]
    for column in ("x", "y", "score", "label"):
        np.testing.assert_array_equal(getattr(found, column), getattr(every, column)[: len(found)])


def test_mask_holds_the_candidates_discs():
    image = micrograph(blobs(np.insert(grid(), 2, 1.0, axis=1), 0), scale=0.5)
    found = label_by_detector(image, DIAMETER, hand_made())
    row, column = np.indices(SHAPE)
    x, y = (to_working(position, 0.5) for position in (found.picks.x, found.picks.y))
    distance = np.hypot(column[..., None] - x, row[..., None] - y).min(axis=-1)
    assert found.mask[distance < DIAMETER / 2 - 1.5].all()
    assert not found.mask[distance > DIAMETER / 2 + 1.5].any()


def test_clusters_and_coverage_show_the_response():
    image = micrograph(blobs(np.insert(grid(), 2, 1.0, axis=1), 0))
    found = label_by_detector(image, DIAMETER, hand_made())
    response, *_ = respond(image.image, DIAMETER, BLOBS)
    row, column = np.rint(grid()[:, ::-1]).astype(int).T
    assert set(np.unique(found.clusters)) == set(range(6))
    assert (found.clusters[response >= 0.2] == 0).all()
    assert (found.clusters[response <= 0.0] == 5).all()
    assert (found.coverage[row, column] > 0.4).all()
    away = ndimage.distance_transform_edt(response < 0.1)
    assert (found.coverage[away > DIAMETER] < 0.01).all()


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ((60, 60), ""),
        ((200, 60), "touching"),
        ((218, 60), "touching"),
        ((60, 130), "too much contrast"),
        ((130, 130), "too little contrast"),
        ((200, 130), "weak"),
        ((11, 190), "cut by the edge"),
        ((289, 190), "cut by the edge"),
        ((130, 229), "cut by the edge"),
        ((130, 60), ""),
    ],
)
def test_each_rule_names_its_reason(place, reason):
    depth = {"too much contrast": 2.0, "too little contrast": 0.6, "weak": 0.3}
    places = {
        (60, 60): 1.0, (130, 60): 1.0, (200, 60): 1.0, (218, 60): 1.0, (60, 130): 2.0,
        (130, 130): 0.6, (200, 130): 0.3, (11, 190): 1.0, (289, 190): 1.0, (130, 229): 1.0,
    }  # fmt: skip
    assert places[place] == depth.get(reason, 1.0)
    image = micrograph(blobs([(*where, deep) for where, deep in places.items()]))
    peaks, _ = find_all(image, BLOBS, DIAMETER, 0.6)
    index = dict(zip(places, at(list(places), peaks.x, peaks.y), strict=True))
    contrast = peaks.contrast[[index[60, 130], index[60, 60], index[130, 130]]]
    detector = hand_made(
        threshold=0.04,
        least_strength=1.2 * peaks.strength[index[200, 130]],
        least_contrast=contrast[1:].mean(),
        most_contrast=contrast[:2].mean(),
        isolation=0.9,
    )
    found = label_by_detector(image, DIAMETER, detector)
    (candidate,) = at([place], found.picks.x, found.picks.y)
    assert found.reason[candidate] == reason
    assert found.good[candidate] == (reason == "")


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ((60, 60), ""),
        ((60, 130), "contaminant"),
        ((130, 130), "contaminant"),  # weak as well, and of too little contrast
        ((200, 130), "weak"),
        ((200, 60), "contaminant"),  # touching as well
        ((10, 190), "cut by the edge"),  # of so much contrast as well
    ],
)
def test_contaminants_are_never_good_and_named_before_weak_ones(place, reason):
    places = {
        (60, 60): 1.0, (200, 60): 3.0, (218, 60): 3.0, (60, 130): 3.0, (130, 130): 0.2,
        (200, 130): 0.5, (10, 190): 3.0,
    }  # fmt: skip
    image = micrograph(blobs([(*where, deep) for where, deep in places.items()]))
    peaks, _ = find_all(image, BLOBS, DIAMETER, 0.6)
    index = dict(zip(places, at(list(places), peaks.x, peaks.y), strict=True))
    contrast = {where: peaks.contrast[each] for where, each in index.items()}
    detector = hand_made(
        threshold=0.03,
        least_strength=1.2 * peaks.strength[index[200, 130]],
        least_contrast=0.8 * contrast[60, 60],
        most_contrast=1.2 * contrast[60, 60],
        lowest_contrast=(contrast[130, 130] + contrast[200, 130]) / 2,
        highest_contrast=(contrast[60, 60] + contrast[60, 130]) / 2,
        isolation=0.9,
    )
    found = label_by_detector(image, DIAMETER, detector)
    (candidate,) = at([place], found.picks.x, found.picks.y)
    assert found.reason[candidate] == reason
    np.testing.assert_array_equal(found.good, found.reason == "")


def dirty(seed):
    """Particles of like contrast, and a fifth as many contaminants that are much denser."""
    places, depth = grid(seed=seed), np.random.default_rng(seed).normal(1.0, 0.03, len(grid()))
    depth[:: len(depth) // 4] = 3.0
    return micrograph(blobs(np.insert(places, 2, depth, axis=1), seed)), places[depth > 2]


def test_blobs_that_are_much_denser_than_most_are_contaminants():
    sample = [dirty(seed) for seed in range(30)]
    images = [image for image, _ in sample]
    learned = learn_detector(BLOBS, images, DIAMETER, 0.6, TypicalConfig())
    for image, dense in sample:
        found = label_by_detector(image, DIAMETER, learned)
        assert len(found.picks) > 3 * len(dense)
        index = at(dense, found.picks.x, found.picks.y)
        assert set(found.reason[index]) == {"contaminant"}
        others = np.delete(found.reason, index)
        assert (others == "contaminant").mean() < 0.3
        assert (others == "").any()


def test_class_averages_know_no_contaminants():
    images = [dirty(seed)[0] for seed in range(5)]
    disc = -(np.hypot(*np.indices((51, 51)) - 25) <= 12).astype(np.float32)
    filter_ = AverageFilter((top_template(disc[None]),), 3.0)
    learned = learn_detector(filter_, images, DIAMETER, 0.6, TypicalConfig())
    own = learned.limits["top"]
    assert own.found > 50
    assert (own.lowest_contrast, own.highest_contrast) == (0.0, np.inf)
    reasons = {
        reason for image in images for reason in label_by_detector(image, DIAMETER, learned).reason
    }
    assert "" in reasons
    assert "contaminant" not in reasons


def test_class_that_the_sample_did_not_have_is_not_found():
    detector = Detector(BLOBS, 0.6, {"top": limits()}, 0.0)
    image = micrograph(blobs([(100, 100, 1.0)]))
    assert len(label_by_detector(image, DIAMETER, detector).picks) == 0
    assert detect(image, DIAMETER, detector).score.tolist() == [0.0]


def test_weak_neighbours_do_not_touch():
    image = micrograph(blobs([(100, 100, 1.0), (120, 100, 0.3)]))
    assert len(detect(image, DIAMETER, hand_made())) == 2
    found = label_by_detector(image, DIAMETER, hand_made(threshold=0.12, isolation=1.5))
    assert found.reason.tolist() == [""]


def test_invalid_border_holds_nothing_and_cuts_nothing():
    rows = np.insert(grid(), 2, 1.0, axis=1)
    margins = Margins(top=60, left=60)
    picks = label_by_detector(micrograph(blobs(rows), margins=margins), DIAMETER, hand_made()).picks
    assert len(picks) == ((grid() >= 72).all(axis=1)).sum()
    assert min(picks.x.min(), picks.y.min()) >= 71


# Class averages


@pytest.mark.parametrize("shift", [0.0, 7.0, 40.0, 90.0])
def test_boxes_are_found_at_angles_that_were_not_learned(shift):
    detector = learn_detector(
        AverageFilter((box_template([20, 65, 110, 155]),), 3.0),
        [micrograph(boxes(grid(), np.linspace(0, 170, len(grid())), seed=1))],
        DIAMETER, 0.6, TypicalConfig(),
    )  # fmt: skip
    places = grid(seed=5)
    image = micrograph(boxes(places, np.linspace(0, 170, len(places)) + shift, seed=2))
    found = label_by_detector(image, DIAMETER, detector).picks
    assert len(found) == pytest.approx(len(places), abs=1)
    index = at(places, found.x, found.y)
    assert set(found.label[index]) == {"side"}


def test_response_to_boxes_hardly_depends_on_their_angle():
    """A wrong sense of rotation anywhere would make it depend a lot."""
    angles = np.arange(0, 180, 1.5 * ANGLE_STEP)
    filter_ = AverageFilter((box_template([20, 65, 110, 155]),), 3.0)
    heights = [
        find_all(micrograph(boxes([(150, 120)], [a])), filter_, DIAMETER, 0.6)[0].strength[0]
        for a in angles
    ]
    assert min(heights) > 0.55
    assert np.ptp(heights) < 0.1 * max(heights)


@pytest.mark.parametrize("angle", [0, 30, 75, 120])
def test_orientation_is_that_of_the_box(angle):
    filter_ = AverageFilter((box_template([20, 65, 110, 155]),), 3.0)
    peaks, _ = find_all(micrograph(boxes([(150, 120)], [angle])), filter_, DIAMETER, 0.6)
    assert peaks.angle[0] == angle


def test_mask_holds_boxes_as_they_lie():
    side = -(np.abs(np.indices((51, 51)) - 25).max(axis=0) <= 12).astype(np.float32)
    filter_ = AverageFilter((side_template(side[None], np.zeros(1)),), 3.0)
    image = micrograph(boxes([(150, 120)], [30], long=24, short=24))
    found = label_by_detector(image, DIAMETER, hand_made(filter_, threshold=0.5))
    drawn = boxes([(150, 120)], [30], long=24, short=24) < noise() - 1
    assert (found.mask & drawn).sum() / (found.mask | drawn).sum() > 0.85


@cache
def rings_and_squares():
    """Rings and tilted squares in turn, on noise, and a filter for both."""
    row, column = np.indices(SHAPE)
    image = boxes(grid()[::2], np.linspace(0, 170, len(grid()[::2])), long=20, short=20)
    for x, y in grid()[1::2]:
        distance = np.hypot(column - x, row - y)
        image[(distance <= 12) & (distance >= 7)] -= 1.5
    ring = np.hypot(*np.indices((51, 51)) - 25)
    top = top_template(-((ring <= 12) & (ring >= 7)).astype(np.float32)[None])
    square = np.maximum(*np.abs(np.indices((51, 51)) - 25))
    side = side_template(-(square <= 10).astype(np.float32)[None], np.zeros(1))
    return micrograph(image), AverageFilter((top, side), 3.0)


def test_particles_get_the_label_of_the_template_that_fits():
    image, filter_ = rings_and_squares()
    found = label_by_detector(image, DIAMETER, hand_made(filter_, threshold=0.5)).picks
    label = found.label[at(grid(), found.x, found.y)]
    assert set(label[::2]) == {"side"}
    assert set(label[1::2]) == {"top"}


def test_each_class_has_its_own_limits():
    image, filter_ = rings_and_squares()
    learned = learn_detector(filter_, [image], DIAMETER, 0.6, TypicalConfig())
    peaks, _ = find_all(image, filter_, DIAMETER, 0.6)
    for name in ("top", "side"):
        assert learned.limits[name].threshold == part(peaks.strength[peaks.label == name])[0]
    expected = [learned.limits[name].threshold for name in peaks.label]
    np.testing.assert_array_equal(learned.thresholds(peaks.label), expected)


def test_best_comes_first_whatever_its_class():
    image, filter_ = rings_and_squares()
    both = {"top": limits(threshold=0.3), "side": limits(threshold=0.6)}
    picks = detect(image, DIAMETER, Detector(filter_, 0.6, both, 0.0))
    assert (np.diff(picks.score) <= 0).all()
    assert set(picks.label[: len(grid()) // 2]) == {"top"}


# Simulated micrographs


@cache
def simulated(kind, seed):
    """Simulate a micrograph as the network sees it, roughly, and its truth."""
    truth = simulate(KINDS[kind], (800, 960), DOSE, seed)
    scale = DIAMETER / truth.diameter[0]
    working = to_working_scale(Micrograph(kind, Path(kind), truth.image), scale)
    flat = standardise(flatten(working.image, 1.5 * DIAMETER))
    return replace(working, image=flat), truth


@pytest.mark.parametrize(("kind", "scale"), [("ribosome", 0.2), ("beta_galactosidase", 0.18)])
def test_good_candidates_of_simulated_micrographs_are_particles(kind, scale):
    seeds = 1, 3, 5  # without carbon
    sample = [simulated(kind, seed)[0] for seed in seeds]
    detector = learn_detector(BlobFilter(scale, 2.0), sample, DIAMETER, 0.6, TypicalConfig())
    good, hits, particles, found_particles, offsets = 0, 0, 0, 0, []
    for seed in seeds:
        image, truth = simulated(kind, seed)
        found = label_by_detector(image, DIAMETER, detector)
        places = np.column_stack([found.picks.x, found.picks.y])
        centres = np.column_stack([truth.x, truth.y])
        distance, index = KDTree(centres).query(places)
        hit = distance <= 0.4 * truth.diameter[0]
        good, hits = good + found.good.sum(), hits + hit[found.good].sum()
        particles, found_particles = particles + len(centres), found_particles + len({*index[hit]})
        offsets.append((places - centres[index])[hit] / truth.diameter[0])
    assert found_particles >= 0.9 * particles
    assert hits >= 0.9 * good
    assert good >= 0.4 * particles
    np.testing.assert_allclose(np.median(np.concatenate(offsets), axis=0), 0, atol=0.04)
