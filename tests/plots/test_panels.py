"""Six titled tiles: what is drawn lies where it should, in the colour it should have."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deepcryopicker.plots.overlays import BLUE, CLASS_COLOURS, VERMILLION
from deepcryopicker.plots.panels import draw_panel, draw_stages, save_panel, save_stages
from deepcryopicker.types import Candidates, Micrograph, Picks

TILE = 300
TITLE, GAP = 24, 4
SCALE = 0.5  # working pixels per original pixel
TILES = ("original", "preprocessed", "clusters", "mask", "shapes", "verdicts")


def scene(height=600, width=600, picks=None, good=None, mask=None):
    """Arguments of draw_panel; `mask` in working pixels."""
    rng = np.random.default_rng(0)
    image = rng.normal(0, 1, (height, width)).astype(np.float32)
    small = (round(height * SCALE), round(width * SCALE))
    micrograph = Micrograph("one", Path("one.mrc"), image)
    work = rng.uniform(0, 1, small).astype(np.float32)
    preprocessed = Micrograph("one", Path("one.mrc"), work, scale=SCALE)
    clusters = rng.integers(0, 4, small).astype(np.uint8)
    picks = Picks.empty() if picks is None else picks
    good = np.ones(len(picks), bool) if good is None else np.array(good)
    mask = np.zeros(small, bool) if mask is None else mask
    candidates = Candidates(
        picks=picks,
        good=good,
        reason=np.where(good, "", "touching"),
        coverage=np.zeros(small, np.float32),
        clusters=clusters,
        mask=mask,
        scale=SCALE,
    )
    return micrograph, preprocessed, clusters, mask, candidates


def tiles(panel, height, width):
    """Cut the panel into its tiles by name."""
    cut = {}
    for i, name in enumerate(TILES):
        top = i // 3 * (height + TITLE + GAP) + TITLE
        left = i % 3 * (width + GAP)
        cut[name] = panel[top : top + height, left : left + width].astype(int)
    return cut


def pixels(tile, colour):
    """Rows and columns of a tile with that colour."""
    return np.nonzero(np.abs(tile - np.array(colour)).max(axis=2) < 12)


def colourful(tile):
    return (np.ptp(tile, axis=2) > 20).any()


@pytest.mark.parametrize(
    ("shape", "size"),
    [((600, 600), (300, 300)), ((400, 1200), (100, 300)), ((900, 450), (300, 150))],
)
def test_grid_of_six_tiles(shape, size):
    panel = draw_panel(*scene(*shape), tile=TILE)
    assert panel.dtype == np.uint8
    assert panel.shape == (2 * (size[0] + TITLE + GAP), 3 * size[1] + 2 * GAP, 3)
    cut = tiles(panel, *size)
    assert {name for name in TILES if colourful(cut[name])} == {"clusters"}
    for name in ("original", "preprocessed"):
        assert cut[name].std() > 20, name


@pytest.mark.parametrize(("shape", "size"), [((600, 600), (300, 300)), ((400, 1200), (100, 300))])
@pytest.mark.parametrize(("good", "colour"), [(True, BLUE), (False, VERMILLION)])
def test_verdict_is_a_circle_at_the_candidate(shape, size, good, colour):
    x, y, diameter = 351.5, 201.5, 100.0
    picks = Picks.create([x], [y], label="irregular", diameter=diameter)
    tile = tiles(draw_panel(*scene(*shape, picks, [good]), tile=TILE), *size)["verdicts"]
    factor = size[1] / shape[1]
    row, column = pixels(tile, colour)
    assert len(row) > 10
    distance = np.hypot(column - ((x + 0.5) * factor - 0.5), row - ((y + 0.5) * factor - 0.5))
    np.testing.assert_allclose(distance, diameter * factor / 2, atol=2.5)
    other = {BLUE, VERMILLION} - {colour}
    assert len(pixels(tile, other.pop())[0]) == 0


def test_good_and_bad_ones_keep_apart():
    picks = Picks.create([150, 450], [300, 300], label="top", diameter=100)
    tile = tiles(draw_panel(*scene(picks=picks, good=[False, True]), tile=TILE), 300, 300)
    assert pixels(tile["verdicts"], VERMILLION)[1].max() < 150
    assert pixels(tile["verdicts"], BLUE)[1].min() > 150
    # Among the shapes, both are tops.
    assert set(pixels(tile["shapes"], CLASS_COLOURS["top"])[1] > 150) == {True, False}


def test_circle_of_a_top_view_on_the_mask():
    picks = Picks.create([300], [200], label="top", diameter=120)
    tile = tiles(draw_panel(*scene(picks=picks), tile=TILE), 300, 300)["shapes"]
    row, column = pixels(tile, CLASS_COLOURS["top"])
    np.testing.assert_allclose(np.hypot(column - 149.75, row - 99.75), 30, atol=2.5)


@pytest.mark.parametrize("angle", [0, 30])
def test_rectangle_of_a_side_view_follows_the_mask(angle):
    row, column = np.indices((300, 300))
    cosine, sine = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    along = (column - 150) * cosine + (row - 100) * sine
    across = (row - 100) * cosine - (column - 150) * sine
    mask = (np.abs(along) <= 30) & (np.abs(across) <= 25)
    mask[:, 250:] = True  # another component
    picks = Picks.create([300.5], [200.5], label="side", diameter=110)
    tile = tiles(draw_panel(*scene(picks=picks, mask=mask), tile=TILE), 300, 300)["shapes"]
    y, x = pixels(tile, CLASS_COLOURS["side"])
    assert len(y) > 150
    along, across = (x - 150) * cosine + (y - 100) * sine, (y - 100) * cosine - (x - 150) * sine
    border = np.maximum(np.abs(along) - 30, np.abs(across) - 25)
    np.testing.assert_allclose(border, 0, atol=3)


def test_outline_of_an_irregular_one_is_the_masks():
    mask = np.zeros((300, 300), bool)
    mask[80:120, 130:150] = mask[100:120, 130:180] = True  # an L
    mask[105:109, 180:300] = True  # joined to something far away
    picks = Picks.create([300], [210], label="irregular", diameter=120)
    tile = tiles(draw_panel(*scene(picks=picks, mask=mask), tile=TILE), 300, 300)["shapes"]
    row, column = pixels(tile, CLASS_COLOURS["irregular"])
    assert (np.abs(row[column == 140][:3] - 80) < 3).all()
    assert not ((column > 155) & (row < 96)).any()  # the notch is left out
    assert column.max() < 190  # and so is what is not the candidate's own


def test_candidate_without_a_mask_is_accepted():
    picks = Picks.create(
        [300, 2, 598], [210, 2, 598], label=["side", "irregular", "top"], diameter=60
    )
    assert draw_panel(*scene(picks=picks), tile=TILE).ndim == 3


def test_mask_and_clusters_lie_where_they_should():
    arguments = list(scene())
    arguments[2] = np.repeat([0, 1, 2, 3], 75).astype(np.uint8)[:, None].repeat(300, axis=1)
    arguments[3] = np.arange(300)[:, None].repeat(300, axis=1) >= 200
    cut = tiles(draw_panel(*arguments, tile=600), 600, 600)
    assert (cut["mask"][:400] == 0).all()
    assert (cut["mask"][400:] == 255).all()
    colours = [np.unique(cut["clusters"][top : top + 150], axis=1) for top in range(0, 600, 150)]
    firsts = [tuple(part[0, 0]) for part in colours]
    assert len(set(firsts)) == 4
    brightness = [sum(colour) for colour in firsts]
    assert brightness == sorted(brightness)


def test_every_tile_has_a_title():
    """White, or in the colours of what it counts; the counts change with the candidates."""
    picks = Picks.create([300], [300], label="top", diameter=100)
    panel, counted = (draw_panel(*scene(picks=p), tile=TILE) for p in (Picks.empty(), picks))
    second = 300 + TITLE + GAP
    strips = {
        name: np.s_[i // 3 * second : i // 3 * second + TITLE, i % 3 * 304 : i % 3 * 304 + 300]
        for i, name in enumerate(TILES)
    }
    colours = {name: [(255, 255, 255)] for name in TILES}
    colours |= {"shapes": list(CLASS_COLOURS.values()), "verdicts": [BLUE, VERMILLION]}
    for name, strip in strips.items():
        for colour in colours[name]:
            assert len(pixels(panel[strip].astype(int), colour)[0]) > 5, (name, colour)
    changed = {name for name, strip in strips.items() if (panel[strip] != counted[strip]).any()}
    assert changed == {"shapes", "verdicts"}


def test_small_micrographs_are_enlarged():
    assert draw_panel(*scene(60, 90), tile=TILE).shape == (2 * (200 + TITLE + GAP), 908, 3)


def test_stages_are_stretched_and_in_order():
    ramp = np.linspace(0, 1, 200, dtype=np.float32)[None].repeat(100, axis=0)
    stages = {
        "raw": 1e4 * ramp - 7,
        "flat": 0 * ramp,
        "up": ramp.T.copy(),
        "again": ramp,
        "e": ramp,
    }
    picture = draw_stages(stages, tile=200)
    # Five tiles in rows of three; the upright one makes every cell 200 x 200.
    assert picture.shape == (2 * (200 + TITLE + GAP), 3 * 200 + 2 * GAP, 3)
    first = picture[TITLE : TITLE + 100, :200, 0]
    assert first[:, :2].max() == 0
    assert first[:, -2:].min() == 255
    assert (np.diff(first[50].astype(int)) >= 0).all()
    np.testing.assert_array_equal(first, picture[2 * TITLE + GAP + 200 :][:100, :200, 0])
    upright = picture[TITLE : TITLE + 200, 408:508, 0].astype(int)
    assert (np.diff(upright[:, 50]) >= 0).all()
    assert upright[-1, 50] == 255
    assert (picture[:TITLE, :200].min(axis=2) > 200).sum() > 20


def test_hot_pixel_does_not_darken_a_stage():
    image = np.random.default_rng(0).uniform(0, 1, (100, 100)).astype(np.float32)
    image[3, 3] = 1e6
    assert 100 < draw_stages({"hot": image}, tile=100)[TITLE:-GAP].mean() < 155


def test_files_are_the_pictures(tmp_path):
    arguments = scene()
    save_panel(tmp_path / "sub" / "panel.png", *arguments, tile=TILE)
    stages = {"one": arguments[0].image, "two": arguments[1].image}
    save_stages(tmp_path / "sub" / "stages.png", stages, tile=TILE)
    panel = np.asarray(Image.open(tmp_path / "sub" / "panel.png"))
    np.testing.assert_array_equal(panel, draw_panel(*arguments, tile=TILE))
    both = np.asarray(Image.open(tmp_path / "sub" / "stages.png"))
    np.testing.assert_array_equal(both, draw_stages(stages, tile=TILE))
    assert sorted(f.name for f in (tmp_path / "sub").iterdir()) == ["panel.png", "stages.png"]
