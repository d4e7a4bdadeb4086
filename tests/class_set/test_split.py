"""Splits: nothing empty, strata respected, blocks apart."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from deepcryopicker.class_set.schema import ClassSetConfig
from deepcryopicker.class_set.split import (
    BLOCKS,
    assign_splits,
    block_of,
    near_seam,
)

NAMES = ["train", "validation", "test"]
CONFIG = ClassSetConfig(["top", "background"])


@pytest.mark.parametrize("count", [3, 4, 7, 16, 100])
@pytest.mark.parametrize("seed", range(5))
def test_no_split_is_empty_and_shares_are_kept(count, seed):
    splits = assign_splits(["a"] * count, CONFIG, seed)
    assert splits.shape == (count, BLOCKS)
    assert (splits == splits[:, :1]).all()
    counts = {name: (splits[:, 0] == name).sum() for name in NAMES}
    assert sum(counts.values()) == count
    assert counts["validation"] == max(1, round(0.16 * count))
    assert counts["test"] == max(1, round(0.2 * count))


@pytest.mark.parametrize("count", [1, 2])
def test_few_micrographs_are_split_block_by_block(count):
    splits = assign_splits(["a"] * count, CONFIG, 0)
    assert {name: (splits == name).sum() for name in NAMES} == {
        "train": {1: 10, 2: 21}[count],
        "validation": {1: 3, 2: 5}[count],
        "test": {1: 3, 2: 6}[count],
    }


def test_every_stratum_is_split_for_itself():
    strata = ["a", "b", "a", "c", "b", "a", "b", "c", "a"]
    splits = assign_splits(strata, CONFIG, 0)
    for name in "abc":
        members = splits[np.array(strata) == name]
        assert set(members.ravel().tolist()) == set(NAMES)
        assert (members == members[:, :1]).all() == (name != "c")


def test_splits_are_drawn_by_the_seed():
    draws = [assign_splits(["a"] * 30, CONFIG, s) for s in (0, 0, 1)]
    assert draws[0].tolist() == draws[1].tolist() != draws[2].tolist()


def test_shares_of_zero_give_none():
    assert set(assign_splits(["a"] * 10, replace(CONFIG, test=0.0), 0).ravel()) == set(NAMES[:2])


@pytest.mark.parametrize(
    ("count", "test", "blocks"), [(2, 0.2, True), (3, 0.2, False), (5, 0.0, True), (6, 0.0, False)]
)
def test_without_a_test_few_micrographs_are_all_trained_on(count, test, blocks):
    config = ClassSetConfig(["top", "background"], test=test)
    splits = assign_splits(["one"] * count, config, 0)
    whole = (splits == splits[:, :1]).all(axis=1)
    assert whole.all() != blocks
    if blocks and not test:
        assert (splits == "train").any(axis=1).all()
    assert (splits == "validation").any()


@pytest.mark.parametrize("shape", [(400, 400), (300, 520)])
def test_blocks_are_a_guard_band_apart(shape):
    guard = 24.0
    rng = np.random.default_rng(0)
    x, y = rng.uniform(-0.5, shape[1] - 0.5, 1500), rng.uniform(-0.5, shape[0] - 0.5, 1500)
    near = near_seam(x, y, shape, guard)
    block = np.where(near, -1, block_of(x, y, shape))
    assert set(block) == {-1, *range(BLOCKS)}
    smallest = np.inf
    for one, other in combinations(range(BLOCKS), 2):
        a, b = block == one, block == other
        apart = np.hypot(x[a][:, None] - x[b], y[a][:, None] - y[b])
        smallest = min(smallest, apart.min())
    assert guard <= smallest < guard + 10
    # Nothing but the bands is lost.
    lost = 1 - np.prod([(length - 3 * guard) / length for length in shape])
    assert near.mean() == pytest.approx(lost, abs=0.05)


def test_blocks_tile_the_image_row_by_row():
    x = np.array([10.0, 60.0, 110.0, 190.0, 10.0, 190.0])
    y = np.array([10.0, 10.0, 10.0, 10.0, 40.0, 90.0])
    assert block_of(x, y, (100, 200)).tolist() == [0, 1, 2, 3, 4, 15]
