"""From score maps to picks: places, classes, cleaning, frames."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from deepcryopicker.errors import UsageError
from deepcryopicker.frames import to_original
from deepcryopicker.model.network import Network
from deepcryopicker.model.schema import CompactConfig
from deepcryopicker.model.weights import Trained
from deepcryopicker.picker import dense
from deepcryopicker.picker.dense import find_particles
from deepcryopicker.picker.schema import DenseConfig, LabelerPickerConfig
from deepcryopicker.types import NO_MARGINS, Margins, Micrograph, ScoreMap

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
    picks = find_particles(scores, DIAMETER, DenseConfig(smoothing=0.0))
    picks = picks[picks.score > 0.2]
    np.testing.assert_allclose(picks.x, [x for x, *_ in PLACES], atol=0.35)
    np.testing.assert_allclose(picks.y, [y for _, y, *_ in PLACES], atol=0.35)
    assert picks.label.tolist() == [name for _, _, name, _ in PLACES]
    np.testing.assert_allclose(picks.score, [height for *_, height in PLACES], atol=0.03)
    assert (picks.diameter == DIAMETER).all()


def test_score_is_the_probability_of_any_particle():
    places = [(80.0, 90.0, "top", 0.5), (80.0, 90.0, "side", 0.4)]
    picks = find_particles(score_map(places), DIAMETER, DenseConfig(smoothing=0.0))
    assert picks.score[0] == pytest.approx(0.9, abs=0.02)
    assert picks.label[0] == "top"


def test_background_and_negatives_are_no_particles():
    scores = score_map([(80.0, 90.0, "negative", 0.9), (150.0, 60.0, "background", 0.9)])
    scores.probability[:3] = 0
    assert len(find_particles(scores, DIAMETER, DenseConfig())) == 0


def test_neighbours_are_suppressed_by_distance():
    pair = [(80.0, 90.0, "top", 0.9), (94.0, 90.0, "top", 0.8)]
    scores = score_map(pair, sigma=3.0)
    for distance, count in ((0.7, 1), (0.5, 2)):
        config = DenseConfig(smoothing=0.0, distance=distance)
        assert len(find_particles(scores, DIAMETER, config)) == count


def test_large_plateau_is_no_particle():
    scores = score_map(PLACES[:1])
    row, column = np.mgrid[60:85, 60:105]
    # One maximum in 1125 map pixels: ten particle areas.
    dome = 0.95 - 1e-4 * np.hypot(row - 72, column - 82)
    scores.probability[0, 60:85, 60:105] = dome
    for largest, count in ((4.0, 1), (11.0, 2)):
        config = DenseConfig(smoothing=0.0, largest_area=largest, floor=0.3)
        picks = find_particles(scores, DIAMETER, config)
        assert len(picks) == count
        assert np.hypot(picks.x - 40, picks.y - 50).min() < 1


@pytest.mark.parametrize("stride", [1.0, 2.0])
def test_saturated_area_is_no_crowd_of_particles(stride):
    probability = np.zeros((4, 200, 200), np.float32)
    probability[3] = 1.0
    probability[3, 40:160, 40:160], probability[0, 40:160, 40:160] = 0.0, 1.0
    scores = ScoreMap(probability, ("top", "side", "irregular", "background"), stride, 0.0)
    picks = find_particles(scores, DIAMETER, DenseConfig(largest_area=0.6))
    assert (picks.score >= 0.5).sum() == 0


def test_floor_drops_weak_candidates():
    scores = score_map([*PLACES, (180.0, 150.0, "top", 0.1)])
    counts = [
        len(find_particles(scores, DIAMETER, DenseConfig(floor=f, smoothing=0.0)))
        for f in (0.05, 0.2, 0.75)
    ]
    assert counts == [4, 3, 2]


def test_picks_are_best_first():
    scores = find_particles(score_map(PLACES[::-1]), DIAMETER, DenseConfig()).score
    assert (np.diff(scores) <= 0).all()
    assert len(scores) == 3


class Darkness(Network):
    """The darker the middle pixel of a window, the likelier a particle."""

    window, stride = 5, 2

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(8.0))

    def forward(self, image):
        middle = image[:, :, 2:-2:2, 2:-2:2]
        return torch.cat([-self.weight * middle - 4, torch.zeros_like(middle)], dim=1)


def pick_darkness(places, scale, margins=NO_MARGINS):
    """Pick a micrograph of 110 x 150 working pixels with dark spots at `places`."""
    row, column = np.indices((110, 150))
    image = -sum(np.exp(-((column - x) ** 2 + (row - y) ** 2) / 60) for x, y in places)
    image = image.astype(np.float32)
    micrograph = Micrograph("m", Path("m"), image, scale=scale, margins=margins)
    trained = Trained(Darkness().eval(), CompactConfig(), ("top", "background"), {}, 1.0, {})
    return dense.pick(micrograph, trained, DIAMETER, DenseConfig(floor=0.2))


@pytest.mark.parametrize("scale", [0.5, 0.1, 1.0])
def test_picks_come_in_original_pixels(scale):
    places = np.array([(40.0, 30.0), (110.5, 80.25), (60.0, 85.0)])  # working pixels
    picks = pick_darkness(places, scale)
    found = sorted(zip(picks.x, picks.y, strict=True))
    np.testing.assert_allclose(found, sorted(to_original(places, scale).tolist()), atol=0.3 / scale)
    np.testing.assert_allclose(picks.diameter, DIAMETER / scale)


@pytest.mark.parametrize("side", Margins._fields)
def test_particles_cut_by_an_invalid_border_are_left_out(side):
    """A particle reaches 12 pixels from its centre; the border is 8 wide."""
    cut = {"left": (17, 55), "right": (132, 55), "top": (75, 17), "bottom": (75, 92)}
    whole = [(40, 30), (110, 30), (40, 80), (110, 80)]  # farther from every side
    margins = Margins(**{side: 8})
    assert len(pick_darkness([*cut.values(), *whole], 0.5)) == 8
    left = pick_darkness([*cut.values(), *whole], 0.5, margins)
    assert len(left) == 7
    x, y = cut[side]
    assert np.hypot(left.x * 0.5 - x, left.y * 0.5 - y).min() > 20


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        (DenseConfig, {"threshold": 1.1}),
        (DenseConfig, {"floor": -0.1}),
        (DenseConfig, {"smoothing": -1.0}),
        (DenseConfig, {"tile": 255}),
        (DenseConfig, {"distance": -1.0}),
        (DenseConfig, {"largest_area": -1.0}),
        (LabelerPickerConfig, {"threshold": -0.1}),
        (LabelerPickerConfig, {"threshold": 1.1}),
    ],
)
def test_absurd_settings_are_refused(kind, changes):
    with pytest.raises(UsageError, match=f"picker.{next(iter(changes))}"):
        kind(**changes)
