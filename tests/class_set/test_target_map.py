"""The class of every position, as far as labels say it."""

import numpy as np
import pytest

from deepcryopicker.class_set.sampling_sites import Sites
from deepcryopicker.class_set.schema import ClassSetConfig
from deepcryopicker.class_set.target_map import UNKNOWN, target_map, used_for_training

CLASSES = ["top", "side", "background"]
TOP, SIDE, BACKGROUND = range(3)
DIAMETER, SCALE, STRIDE = 48.0, 0.5, 2
CONFIG = ClassSetConfig(CLASSES)


def sites_at(*places, block=0, guard=False):
    """Sites of (x, y, kind)."""
    x, y, kind = zip(*places, strict=True)
    count = len(places)
    return Sites(
        np.array(x, float),
        np.array(y, float),
        np.array(kind, "<U11"),
        np.array(["" for _ in kind], "<U11"),
        np.ones(count),
        np.broadcast_to(np.int64(block), count).copy(),
        np.broadcast_to(np.asarray(guard, bool), count).copy(),
    )


def map_of(sites, used=None, shape=(60, 80), config=CONFIG):
    used = np.ones(len(sites.x), bool) if used is None else np.array(used)
    return target_map(sites, used, shape, SCALE, DIAMETER, STRIDE, config)


def distances(x, y, shape=(60, 80)):
    """Of every output from a position in original pixels, diameters."""
    row, column = np.indices(shape) * STRIDE
    return np.hypot((column + 0.5) / SCALE - 0.5 - x, (row + 0.5) / SCALE - 0.5 - y) / DIAMETER


def test_a_particle_is_found_at_its_centre_and_not_beside_it():
    found = map_of(sites_at((120, 100, "side")))
    away = distances(120, 100)
    assert (found[away <= 0.17] == SIDE).all()
    assert (found[(away > 0.17) & (away < 0.35)] == UNKNOWN).all()
    assert (found[(away >= 0.35) & (away < 0.75)] == BACKGROUND).all()
    assert (found[away > 0.75] == UNKNOWN).all()


@pytest.mark.parametrize("seed", range(3))
def test_the_nearest_candidate_decides(seed):
    """Against a loop over positions."""
    rng = np.random.default_rng(seed)
    kinds = ["top", "side", "contaminant", "doubtful", "empty", "off-centre", "between"]
    places = [(*rng.uniform(0, [320, 240]), rng.choice(kinds)) for _ in range(40)]
    sites = sites_at(*places)
    used = rng.random(40) < 0.8
    away = np.stack([distances(x, y) for x, y, _ in places])
    expected = np.full((60, 80), UNKNOWN)
    for place in np.ndindex(60, 80):
        here = [(away[(i, *place)], kind, used[i]) for i, (_, _, kind) in enumerate(places)]
        if any(r < 0.75 and kind == "empty" and use for r, kind, use in here):
            expected[place] = BACKGROUND
        near = [one for one in here if one[1] in kinds[:4] and one[0] < 0.75]
        if not near:
            continue
        r, kind, use = min(near)
        expected[place] = UNKNOWN
        if use and kind == "contaminant":
            expected[place] = BACKGROUND
        if use and kind in CLASSES:
            centre = CLASSES.index(kind) if r <= 0.17 else UNKNOWN
            expected[place] = BACKGROUND if r >= 0.35 else centre
    np.testing.assert_array_equal(map_of(sites, used), expected)


def test_negatives_are_a_class_of_their_own_where_there_is_one():
    config = ClassSetConfig(["top", "side", "irregular", "negative", "background"])
    found = map_of(
        sites_at((60, 60, "top"), (200, 60, "contaminant"), (60, 190, "empty")), config=config
    )
    assert set(found[distances(60, 60) < 0.75]) == {0, UNKNOWN, 3}
    assert set(found[distances(200, 60) < 0.75]) == {3}
    assert set(found[distances(60, 190) < 0.7]) == {4}


def test_particles_of_any_shape_are_one_class_where_there_is_one():
    config = ClassSetConfig(["particle", "background"])
    found = map_of(sites_at((60, 60, "irregular")), config=config)
    assert set(found[distances(60, 60) < 0.17]) == {0}


def test_without_sites_nothing_is_known():
    nothing = sites_at((0, 0, "empty"))
    assert (map_of(nothing, [False]) == UNKNOWN).all()


def test_whole_micrographs_are_learned_from_or_not():
    micrographs = [sites_at((50, 50, "top"), (90, 90, "empty"), guard=[True, False])] * 8
    config = ClassSetConfig(CLASSES, test=0.25, validation=0.25)
    used = used_for_training(micrographs, ["one"] * 8, config, seed=0)
    assert {tuple(each) for each in used} == {(True, True), (False, False)}
    assert 3 <= sum(each.all() for each in used) <= 5


def test_blocks_of_one_micrograph_keep_apart():
    blocks = np.arange(16)
    places = [(10.0 * i, 10.0, "top") for i in blocks]
    guard = blocks % 4 == 3
    sites = sites_at(*places, block=blocks, guard=guard)
    config = ClassSetConfig(CLASSES, test=0.25, validation=0.25)
    [used] = used_for_training([sites], ["one"], config, seed=0)
    assert 0 < used.sum() < 12
    assert not used[guard].any()
    everywhere = sites_at(*places, block=blocks, guard=True)
    [used] = used_for_training([everywhere], ["one"], config, seed=0)
    assert 4 < used.sum() < 14


def test_copies_are_split_and_not_places():
    sites = sites_at((50, 50, "top"), guard=True)
    config = ClassSetConfig(CLASSES, split_by="copy")
    [used] = used_for_training([sites], ["one"], config, seed=0)
    assert used.all()
