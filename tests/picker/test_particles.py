"""From score maps to picks: places, classes, cleaning, suppression."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision.ops import batched_nms

from deepcryopicker.errors import UsageError
from deepcryopicker.picker.particles import find_particles, locate, make_surfaces
from deepcryopicker.picker.schema import MapConfig
from deepcryopicker.types import Margins, Micrograph, ScoreMap

CLASSES = ("top", "side", "irregular", "background", "negative")
DIAMETER = 24.0
PLACES = [(40.0, 50.0, "top", 0.9), (120.6, 60.2, "side", 0.8), (80.0, 130.0, "irregular", 0.7)]


def score_map(places, stride=2.0, offset=0.0, shape=(90, 110), sigma=6.0):
    row, column = np.indices(shape) * stride + offset
    probability = np.zeros((len(CLASSES), *shape), np.float32)
    for x, y, name, height in places:
        blob = height * np.exp(-((column - x) ** 2 + (row - y) ** 2) / (2 * sigma**2))
        probability[CLASSES.index(name)] += blob
    rest = 1 - probability.sum(axis=0)
    probability[3], probability[4] = 0.75 * rest, 0.25 * rest
    return ScoreMap(probability, CLASSES, stride, offset)


@pytest.mark.parametrize(("stride", "offset"), [(2.0, 0.0), (2.0, 7.0), (3.0, -1.5), (1.0, 0.0)])
def test_particles_are_found_where_they_are(stride, offset):
    scores = score_map(PLACES, stride, offset, (int(200 / stride), int(220 / stride)))
    picks = find_particles(scores, DIAMETER, MapConfig(smoothing=0.0))
    picks = picks[picks.score > 0.2]
    np.testing.assert_allclose(picks.x, [x for x, *_ in PLACES], atol=0.35)
    np.testing.assert_allclose(picks.y, [y for _, y, *_ in PLACES], atol=0.35)
    assert picks.label.tolist() == [name for _, _, name, _ in PLACES]
    np.testing.assert_allclose(picks.score, [height for *_, height in PLACES], atol=0.03)
    assert (picks.diameter == DIAMETER).all()


def test_score_is_the_probability_of_any_particle():
    places = [(80.0, 90.0, "top", 0.5), (80.0, 90.0, "side", 0.4)]
    picks = find_particles(score_map(places), DIAMETER, MapConfig(smoothing=0.0))
    assert picks.score[0] == pytest.approx(0.9, abs=0.02)
    assert picks.label[0] == "top"


def test_background_and_negatives_are_not_picked():
    scores = score_map([(80.0, 90.0, "negative", 0.9), (150.0, 60.0, "background", 0.9)])
    scores.probability[:3] = 0
    assert len(find_particles(scores, DIAMETER, MapConfig())) == 0


@pytest.mark.parametrize(("most", "count"), [(None, 3), (2, 2), (9, 3)])
def test_only_the_best_are_written(most, count):
    """A pick cut by a border is dropped, and does not count towards the limit."""
    scores = score_map([*PLACES, (10.0, 100.0, "top", 0.95)])
    image = np.zeros((180, 220), np.float32)
    micrograph = Micrograph("m", Path("m.mrc"), image, margins=Margins(left=8))
    config = MapConfig(smoothing=0.0, floor=0.2, max_picks=most)
    picks = locate(scores, micrograph, DIAMETER, config)
    np.testing.assert_allclose(picks.score, [0.9, 0.8, 0.7][:count], atol=0.03)


def test_neighbours_are_suppressed_by_distance():
    pair = [(80.0, 90.0, "top", 0.9), (94.0, 90.0, "top", 0.8)]
    scores = score_map(pair, sigma=3.0)
    for distance, count in ((0.7, 1), (0.5, 2)):
        config = MapConfig(smoothing=0.0, distance=distance)
        assert len(find_particles(scores, DIAMETER, config)) == count


def carbon(scores, height=0.95):
    """Put a dome of 1125 map pixels with a single maximum, ten particle areas, into a map."""
    row, column = np.mgrid[60:85, 60:105]
    dome = height - 1e-4 * np.hypot(row - 72, column - 82)
    scores.probability[0, 60:85, 60:105] = dome
    return scores


@pytest.mark.parametrize("maps", ["joint", "per_class"])
def test_a_large_plateau_is_lowered_but_written(maps):
    scores = carbon(score_map(PLACES[:1]))
    for largest, expected in ((1.0, 0.095), (20.0, 0.95), (None, 0.95)):
        config = MapConfig(smoothing=0.0, max_area=largest, floor=0.3, maps=maps)
        picks = find_particles(scores, DIAMETER, config)
        particle = np.hypot(picks.x - 40, picks.y - 50) < 1
        assert len(picks) == 2
        assert picks.score[particle] == pytest.approx(0.9, abs=0.02)
        assert picks.score[~particle] == pytest.approx(expected, rel=0.02)
        assert (np.diff(picks.score) < 0).all()


@pytest.mark.parametrize("stride", [1.0, 2.0])
def test_saturated_area_is_not_a_crowd_of_particles(stride):
    probability = np.zeros((4, 200, 200), np.float32)
    probability[3] = 1.0
    probability[3, 40:160, 40:160], probability[0, 40:160, 40:160] = 0.0, 1.0
    scores = ScoreMap(probability, ("top", "side", "irregular", "background"), stride, 0.0)
    picks = find_particles(scores, DIAMETER, MapConfig())
    assert len(picks) > 0
    assert (picks.score >= 0.5).sum() == 0


def test_cleaning_can_be_switched_off():
    (surface,) = make_surfaces(carbon(score_map(PLACES)), DIAMETER, MapConfig(max_area=None))
    np.testing.assert_array_equal(surface.cleaned, surface.score)


def test_floor_drops_weak_candidates():
    scores = score_map([*PLACES, (180.0, 150.0, "top", 0.1)])
    counts = [
        len(find_particles(scores, DIAMETER, MapConfig(floor=f, smoothing=0.0)))
        for f in (0.05, 0.2, 0.75)
    ]
    assert counts == [4, 3, 2]


def test_picks_are_best_first():
    scores = find_particles(score_map(PLACES[::-1]), DIAMETER, MapConfig()).score
    assert (np.diff(scores) <= 0).all()
    assert len(scores) == 3


def test_classes_have_surfaces_of_their_own():
    scores = score_map(PLACES)
    (joint,) = make_surfaces(scores, DIAMETER, MapConfig(smoothing=0.0))
    np.testing.assert_allclose(joint.score, scores.probability[:3].sum(axis=0), atol=1e-6)
    each = make_surfaces(scores, DIAMETER, MapConfig(smoothing=0.0, maps="per_class"))
    assert [surface.names.tolist() for surface in each] == [["top"], ["side"], ["irregular"]]
    for surface, probability in zip(each, scores.probability, strict=False):
        np.testing.assert_array_equal(surface.score, probability)


def test_a_class_of_its_own_has_its_own_probability():
    """A place that is half top and half side: surely a particle, but of neither class surely."""
    scores = score_map([(80.0, 90.0, "top", 0.5), (80.0, 90.0, "side", 0.4)])
    picks = find_particles(scores, DIAMETER, MapConfig(smoothing=0.0, maps="per_class"))
    assert len(picks) == 1  # suppressed across classes
    assert picks.label[0] == "top"
    assert picks.score[0] == pytest.approx(0.5, abs=0.02)


def test_classes_are_suppressed_one_by_one_and_then_together():
    """The best of each class may be dropped by a better one of another, as by torchvision's."""
    near = [
        (60.0, 60.0, "top", 0.9),
        (72.0, 60.0, "side", 0.8),
        (150.0, 100.0, "irregular", 0.7),
    ]
    scores = score_map(near, sigma=3.0)
    config = MapConfig(smoothing=0.0, maps="per_class", suppression="iou", iou=0.2, floor=0.1)
    found = find_particles(scores, DIAMETER, config)
    every = find_particles(scores, DIAMETER, MapConfig(**vars(config) | {"suppression": "none"}))
    half = DIAMETER / 2
    boxes = torch.tensor([[x - half, y - half, x + half, y + half] for x, y, *_ in near])
    height = torch.tensor([height for *_, height in near])
    within = batched_nms(boxes, height, torch.arange(3), 0.2)  # boxes of three classes all stay
    across = batched_nms(boxes, height, torch.zeros(3), 0.2)
    assert (len(within), len(across)) == (3, 2)
    assert every.label.tolist() == [near[i][2] for i in within]
    assert found.label.tolist() == [near[i][2] for i in across]


@pytest.mark.parametrize(("suppression", "count"), [("distance", 1), ("iou", 1), ("none", 3)])
def test_maxima_of_one_particle_are_one_pick_unless_nothing_is_suppressed(suppression, count):
    """Three within a third of a diameter."""
    near = [(80.0, 90.0, "top", 0.9), (87.0, 90.0, "top", 0.8), (80.0, 97.0, "top", 0.7)]
    scores = score_map(near, sigma=1.5)
    config = MapConfig(smoothing=0.0, suppression=suppression, floor=0.5)
    picks = find_particles(scores, DIAMETER, config)
    assert len(picks) == count
    assert (picks.x[0], picks.y[0]) == pytest.approx((80, 90), abs=0.5)


@pytest.mark.parametrize(
    "changes",
    [
        {"threshold": 1.1},
        {"floor": -0.1},
        {"smoothing": -1.0},
        {"distance": -1.0},
        {"iou": 1.1},
        {"max_area": 0.0},
        {"maps": "each"},
        {"suppression": "nms"},
        {"scale_factor": 0.2},
        {"scale_factor": 5.0},
    ],
    ids=str,
)
def test_absurd_settings_are_refused(changes):
    with pytest.raises(UsageError, match=f"picker.{next(iter(changes))}"):
        MapConfig(**changes)


def test_what_is_dropped_is_not_a_candidate():
    """A plateau of four particle areas, and a particle; lowered, the plateau stays a candidate."""
    scores = score_map([(60.0, 100.0, "top", 0.9)])
    scores.probability[0, 20:50, 70:100] = 0.95
    found = {
        how: find_particles(
            scores, DIAMETER, MapConfig(smoothing=0.0, cleaning=how, max_area=2.0, floor=0.1)
        )
        for how in ("drop", "lower")
    }
    assert [len(picks) for picks in found.values()] == [1, 2]
    np.testing.assert_allclose((found["drop"].x[0], found["drop"].y[0]), (60, 100), atol=0.35)
    assert found["drop"].score[0] == found["lower"].score[0] > 0.8
