"""Painted discs give back the centres and sizes that they were painted with."""

import csv
import io

import cv2
import numpy as np
import pytest
from PIL import Image
from scipy.spatial import cKDTree

from deepcryopicker.dataset.public.painted import find_discs, read_painted, split_discs, yellow
from deepcryopicker.dataset.public.schema import PaintedConfig
from deepcryopicker.errors import MicrographError

SHAPE = (300, 420)
# x, y, radius: alone, touching, overlapping by a third, three that touch.
DISCS = np.array(
    [
        [50, 50, 30],
        [140, 60, 28],
        [198, 60, 30],
        [60, 150, 30],
        [100, 150, 30],
        [220, 160, 29],
        [270, 160, 29],
        [245, 212, 29],
    ]
)
CUT = np.array([[400, 70, 30], [350, 290, 30]])  # by an edge of the picture


def drawn(discs, shape=SHAPE):
    """A mask of filled circles, as OpenCV draws them."""
    mask = np.zeros(shape, np.uint8)
    for x, y, radius in discs:
        cv2.circle(mask, (int(x), int(y)), int(radius), 1, -1)
    return mask.astype(bool)


def check(found, expected, within=1.0):
    """One found disc for each expected one, and no other."""
    assert len(found) == len(expected)
    distance, which = cKDTree(found[:, :2]).query(expected[:, :2])
    assert distance.max() <= within
    assert len(set(which)) == len(expected)
    return found[which]


def test_discs_that_touch_and_overlap_are_split():
    found = check(split_discs(drawn(DISCS)), DISCS)
    np.testing.assert_allclose(found[:, 2], 2 * DISCS[:, 2], atol=1)


def test_discs_that_an_edge_cuts_keep_their_centres():
    check(split_discs(drawn(CUT)), CUT, within=1.5)
    check(find_discs(drawn(CUT), 30.0), CUT)


def test_discs_are_listed_from_the_top():
    for found in (split_discs(drawn(DISCS)), find_discs(drawn(CUT), 30.0)):
        assert (np.diff(found[:, 1]) >= 0).all()


def test_accidental_brush_marks_are_ignored():
    mask = drawn(DISCS[:2])
    mask[250, 100:200] = True
    mask[280:283, 20:23] = True
    check(split_discs(mask), DISCS[:2])


@pytest.mark.parametrize("full", [False, True])
def test_a_mask_without_an_outline_has_no_discs(full):
    mask = np.full(SHAPE, full)
    assert split_discs(mask).shape == find_discs(mask, 30.0).shape == (0, 3)


def test_a_line_alone_has_no_discs():
    mask = np.zeros(SHAPE, bool)
    mask[10, 10:40] = True
    assert split_discs(mask).shape == (0, 3)


def crowd(radius, count, shape, seed=0):
    """Centres at least a radius apart, so that most discs overlap others."""
    rng = np.random.default_rng(seed)
    placed = np.empty((0, 2))
    while len(placed) < count:
        x, y = rng.integers(radius // 2, shape[1]), rng.integers(radius // 2, shape[0])
        if len(placed) == 0 or np.hypot(*(placed - [x, y]).T).min() >= radius:
            placed = np.vstack([placed, [x, y]])
    return np.column_stack([placed, np.full(count, radius)])


def test_a_crowd_of_discs_of_known_radius_is_found():
    shape = (900, 1000)
    discs = crowd(54, 70, shape)
    apart = cKDTree(discs[:, :2]).query(discs[:, :2], 2)[0][:, 1]
    assert np.median(apart) < 90  # most of them do overlap
    found = check(find_discs(drawn(discs, shape), 54.0), discs)
    assert set(found[:, 2]) == {108.0}


def painting(discs, grey):
    """Yellow discs over a grey picture, (H, W, 3) uint8."""
    picture = np.repeat(grey[..., None], 3, axis=2)
    picture[drawn(discs, grey.shape)] = [255, 255, 0]
    return picture


@pytest.fixture
def grey():
    return np.random.default_rng(1).integers(0, 256, SHAPE).astype(np.uint8)


def test_yellow_is_distinguished_from_grey(grey):
    np.testing.assert_array_equal(yellow(painting(DISCS, grey)), drawn(DISCS))


def test_yellow_discs_are_read_in_pixels_of_the_micrograph(grey, tmp_path):
    path = tmp_path / "painted.png"
    Image.fromarray(painting(DISCS, grey)).save(path)
    same = read_painted(path, PaintedConfig(label="top"), SHAPE[1])
    check(same.positions, DISCS)
    assert set(same.label) == {"top"}
    # Painted at half the size: the first pixel there is the first two here.
    twice = read_painted(path, PaintedConfig(), 2 * SHAPE[1])
    np.testing.assert_allclose(twice.positions, 2 * same.positions + 0.5)
    np.testing.assert_allclose(twice.diameter, 2 * same.diameter)


def test_white_discs_are_read_from_a_mask_with_compression_artefacts(tmp_path):
    path = tmp_path / "mask.jpg"
    discs = crowd(54, 30, (700, 800), seed=3)
    Image.fromarray(255 * drawn(discs, (700, 800)).astype(np.uint8)).save(path, quality=75)
    picks = read_painted(path, PaintedConfig(paint="white", radius=54.0), 800)
    check(picks.positions, discs)
    assert set(picks.diameter) == {108.0}


def test_files_other_than_pictures_are_refused(tmp_path):
    path = tmp_path / "page.png"
    path.write_text("<html>log in first</html>")
    with pytest.raises(MicrographError, match="PNG"):
        read_painted(path, PaintedConfig(), 100)


@pytest.mark.real
def test_real_particles_painted_as_they_are_published_are_found_again(real_data):
    """The published mask is not at hand, but the positions in it are: paint and read it again."""
    coordinates = sorted((real_data / "beta_galactosidase" / "coordinates").glob("*.csv"))[0]
    rows = csv.DictReader(io.StringIO(coordinates.read_text()))
    truth = np.array([[float(row["x"]), float(row["y"]), 54] for row in rows])
    check(find_discs(drawn(truth, (4096, 4096)), 54.0), truth)
