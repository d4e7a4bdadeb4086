"""A score map beside its micrograph: everything lies where it does on the micrograph."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deepcryopicker.frames import to_working
from deepcryopicker.picker.particles import make_surfaces
from deepcryopicker.picker.schema import MapConfig
from deepcryopicker.plots.overlays import CLASS_COLOURS
from deepcryopicker.plots.score_maps import draw_score_maps, save_score_maps
from deepcryopicker.types import Micrograph, Picks, ScoreMap

TILE, TITLE, GAP = 300, 24, 4
SCALE = 0.4
CLASSES = ("top", "side", "irregular", "background")
DIAMETER = 24.0  # working pixels


def scan_of(places, stride, offset, shape):
    """A map with a narrow peak of a class at each place (x, y), original pixels."""
    row, column = np.indices(shape) * stride + offset
    probability = np.zeros((4, *shape), np.float32)
    for x, y, index in places:
        x, y = to_working(x, SCALE), to_working(y, SCALE)
        probability[index] += 0.9 * np.exp(-((column - x) ** 2 + (row - y) ** 2) / 32)
    probability[3] = 1 - probability[:3].sum(axis=0)
    return ScoreMap(probability, CLASSES, stride, offset)


def draw(places, stride=2.0, offset=0.0, picks=None, **changes):
    image = np.random.default_rng(0).normal(0, 1, (500, 600)).astype(np.float32)
    micrograph = Micrograph("one", Path("one.mrc"), image)
    shape = int(200 / stride), int(240 / stride)
    scores = scan_of(places, stride, offset, shape)
    surfaces = make_surfaces(scores, DIAMETER, MapConfig(smoothing=0.0, **changes))
    picks = Picks.empty() if picks is None else picks
    return micrograph, scores, SCALE, surfaces, picks, 0.5


def tiles(picture):
    return [
        picture[TITLE : TITLE + 250, i * (TILE + GAP) : i * (TILE + GAP) + TILE] for i in range(3)
    ]


def yellow(tile):
    """Brightness of the map's colours: more red, more score."""
    return tile[:, :, 0].astype(int)


@pytest.mark.parametrize(("stride", "offset"), [(2.0, 0.0), (4.0, 1.5), (1.0, -3.0)])
def test_scores_lie_on_their_particles(stride, offset):
    places = [(100.0, 400.0, 0), (450.0, 120.0, 1)]
    picture = draw_score_maps(*draw(places, stride, offset), tile=TILE)
    assert picture.shape == (TITLE + 250 + GAP, 3 * TILE + 2 * GAP, 3)
    _, before, after = tiles(picture)
    np.testing.assert_array_equal(before, after)  # nothing to clean, no picks
    for x, y, _ in places:
        near = yellow(before)[round(y / 2) - 25 : round(y / 2) + 25, round(x / 2) - 25 :][:, :50]
        row, column = np.nonzero(near >= near.max() - 8)
        assert np.hypot(row.mean() - 25, column.mean() - 25) < 1.0
    assert np.median(yellow(before)) < 20


def test_picks_are_circled_in_the_colours_of_their_classes():
    places = [(100.0, 400.0, 0), (450.0, 120.0, 1)]
    picks = Picks.create(
        [100, 450, 300], [400, 120, 250], [0.9, 0.8, 0.4], ["top", "side", "top"], 60
    )
    _, before, after = tiles(draw_score_maps(*draw(places, picks=picks), tile=TILE))
    changed = (before != after).any(axis=2)
    for x, y, name in ((50, 200, "top"), (225, 60, "side")):
        assert after[y, x + 15].tolist() == pytest.approx(list(CLASS_COLOURS[name]), abs=40)
        changed[y - 20 : y + 20, x - 20 : x + 20] = False
    assert not changed.any()  # the third is below the threshold


def test_cleaning_shows_in_the_last_tile():
    arguments = list(draw([(100.0, 400.0, 0)]))
    scores = arguments[1]
    scores.probability[:, 10:50, 60:110] = np.array([0.95, 0, 0, 0.05], np.float32)[:, None, None]
    arguments[3] = make_surfaces(scores, DIAMETER, MapConfig(smoothing=0.0))
    _, before, after = tiles(draw_score_maps(*arguments, tile=TILE))
    assert yellow(before)[70, 200] > 200
    assert yellow(after)[70, 200] < 60
    np.testing.assert_array_equal(before[150:], after[150:])


def test_of_several_surfaces_the_highest_score_is_shown():
    places = [(100.0, 400.0, 0), (450.0, 120.0, 1)]
    joint = draw_score_maps(*draw(places), tile=TILE)
    each = draw_score_maps(*draw(places, maps="per_class"), tile=TILE)
    np.testing.assert_allclose(joint.astype(int), each.astype(int), atol=2)


def test_the_picture_is_written(tmp_path):
    save_score_maps(tmp_path / "deep" / "one.png", *draw([(100.0, 400.0, 0)]))
    with Image.open(tmp_path / "deep" / "one.png") as picture:
        assert picture.size[0] == 3 * 512 + 2 * GAP
