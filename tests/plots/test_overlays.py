"""Circles land where the picks are, in the colour they should have."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deepcryopicker.plots.overlays import (
    BLUE,
    CLASS_COLOURS,
    GREY,
    VERMILLION,
    YELLOW,
    draw_overlay,
    save_overlay,
)
from deepcryopicker.types import Margins, Micrograph, Picks

NONE = Picks.empty()


def micrograph(height=600, width=1600, **more) -> Micrograph:
    image = np.random.default_rng(0).normal(0, 1, (height, width)).astype(np.float32)
    return Micrograph("one", Path("one.mrc"), image, **more)


def coloured(overlay: np.ndarray, height: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the image part (without the legend) that are not grey."""
    part = overlay[:height].astype(int)
    return np.nonzero(part.max(axis=2) - part.min(axis=2) > 20)


def has_colour(overlay: np.ndarray, colour, height: int) -> bool:
    distance = np.abs(overlay[:height].astype(int) - np.array(colour)).max(axis=2)
    return bool((distance < 12).any())


@pytest.mark.parametrize(
    ("shape", "scale", "longest", "factor"),
    [
        ((600, 1600), 1.0, 400, 0.25),
        ((1600, 600), 1.0, 400, 0.25),
        ((300, 800), 0.5, 400, 0.25),
        ((300, 800), 0.5, 1024, 0.5),
    ],
)
def test_circle_is_at_the_pick_and_nowhere_else(shape, scale, longest, factor):
    x, y, diameter = 421.5, 189.5, 80.0
    picks = Picks.create([x], [y], diameter=diameter)
    one = micrograph(*shape, scale=scale)
    height = round(shape[0] * factor / scale)
    overlay = draw_overlay(one, picks, 0.5, longest=longest)
    assert overlay.dtype == np.uint8
    assert overlay.shape[1] == round(shape[1] * factor / scale)
    assert height < overlay.shape[0] < height + 60
    rows, columns = coloured(overlay, height)
    centre = (x + 0.5) * factor - 0.5, (y + 0.5) * factor - 0.5
    distance = np.hypot(columns - centre[0], rows - centre[1])
    assert len(rows) > 40
    np.testing.assert_allclose(distance, diameter * factor / 2, atol=3.0)
    assert np.mean(columns) == pytest.approx(centre[0], abs=0.3)
    assert np.mean(rows) == pytest.approx(centre[1], abs=0.3)


@pytest.mark.parametrize(("outcome", "colour"), [(1, BLUE), (0, VERMILLION)])
def test_colour_shows_the_outcome(outcome, colour):
    picks = Picks.create([300.0], [200.0], diameter=100)
    overlay = draw_overlay(micrograph(), picks, 0.5, np.array([outcome], np.int8), NONE)
    others = {BLUE, VERMILLION, YELLOW} - {colour}
    assert has_colour(overlay, colour, 384)
    assert not any(has_colour(overlay, other, 384) for other in others)


def test_dont_care_is_a_grey_circle():
    picks = Picks.create([300.0], [200.0], diameter=100)
    with_it = draw_overlay(micrograph(), picks, 0.5, np.array([-1], np.int8), NONE)
    without = draw_overlay(micrograph(), NONE, 0.5, np.zeros(0, np.int8), NONE)
    rows, _ = coloured(with_it, 384)
    assert len(rows) == 0
    changed = (with_it[:384] != without[:384]).any(axis=2)
    assert changed.sum() > 100
    assert np.any(np.all(with_it[:384][changed] == GREY, axis=1))


def test_missed_particles_are_dashed():
    missed = Picks.create([300.0], [200.0], diameter=200)
    overlay = draw_overlay(micrograph(), NONE, 0.5, np.zeros(0, np.int8), missed)
    rows, columns = coloured(overlay, 384)
    assert has_colour(overlay, YELLOW, 384)
    angle = np.arctan2(rows - 200 * 0.64, columns - 300 * 0.64)
    occupied = np.histogram(angle, bins=120, range=(-np.pi, np.pi))[0] > 0
    gaps = np.count_nonzero(np.diff(occupied.astype(int)) == -1)
    assert 10 <= gaps <= 13


def test_threshold_hides_weak_picks():
    picks = Picks.create([100.0, 900.0], [300.0, 300.0], [0.5, 0.49], diameter=80)
    _, columns = coloured(draw_overlay(micrograph(), picks, 0.5), 384)
    assert len(columns) > 0
    assert columns.max() < 150 * 0.64


def test_without_truth_each_class_has_its_colour():
    labels = ["top", "side", "irregular"]
    picks = Picks.create([300, 700, 1100], [300] * 3, 0.9, labels, diameter=100)
    overlay = draw_overlay(micrograph(), picks, 0.5)
    for label, x in zip(labels, (300, 700, 1100), strict=True):
        part = overlay[:, round((x - 80) * 0.64) : round((x + 80) * 0.64)]
        assert has_colour(part, CLASS_COLOURS[label], 384)
        assert not any(
            has_colour(part, colour, 384)
            for other, colour in CLASS_COLOURS.items()
            if other != label
        )


def test_dark_particles_stay_dark_and_the_border_has_no_say():
    one = micrograph(800, 800, margins=Margins(left=100))
    one.image[:, :100] = 1e6
    one.image[350:450, 350:450] -= 3.0
    overlay = draw_overlay(one, NONE, 0.5, longest=800)
    assert overlay[360:440, 360:440].mean() + 60 < overlay[100:300, 200:700].mean()


@pytest.mark.parametrize("shape", [(1, 1), (40, 2000), (64, 64)])
def test_odd_images_and_picks_do_not_fail(shape):
    everything = Margins(top=shape[0])
    image = np.full(shape, 7.0, np.float32)
    one = Micrograph("flat", Path("flat.mrc"), image, margins=everything)
    picks = Picks.create([-50.0, 1e12, 3.0], [2.0, 1e12, 3.0], label=["", "x", "top"])
    assert draw_overlay(one, picks, 0.0).shape[1] <= 1024
    assert draw_overlay(one, NONE, 0.0, np.zeros(0, np.int8), NONE).ndim == 3


def test_saved_file_is_the_drawing(tmp_path):
    picks = Picks.create([300.0], [200.0], diameter=100)
    path = tmp_path / "sub" / "one.png"
    save_overlay(path, draw_overlay(micrograph(), picks, 0.5))
    np.testing.assert_array_equal(
        np.asarray(Image.open(path)), draw_overlay(micrograph(), picks, 0.5)
    )
    assert [file.name for file in path.parent.iterdir()] == ["one.png"]
