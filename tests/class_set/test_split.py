"""Splits: nothing empty, strata respected, blocks apart."""

from itertools import combinations

import numpy as np
import pytest

from deepcryopicker.class_set.split import (
    assign_splits,
    block_of,
    blocks_per_micrograph,
    needs_blocks,
)

NAMES = ["train", "validation", "test"]


@pytest.mark.parametrize("count", [3, 4, 7, 16, 100])
@pytest.mark.parametrize("seed", range(5))
def test_no_split_is_empty_and_shares_are_kept(count, seed):
    splits = assign_splits(["a"] * count, 0.16, 0.2, seed)
    counts = {name: (splits == name).sum() for name in NAMES}
    assert sum(counts.values()) == count
    assert min(counts.values()) >= 1
    assert counts["validation"] == max(1, round(0.16 * count))
    assert counts["test"] == max(1, round(0.2 * count))


def test_small_strata_are_split_together():
    splits = assign_splits(["a", "a", "b", "b"], 0.16, 0.2, 0)
    assert set(splits.tolist()) == set(NAMES)


def test_every_stratum_is_split_and_small_ones_train():
    strata = ["a", "b", "a", "c", "b", "a", "b", "c", "a"]
    splits = assign_splits(strata, 0.2, 0.2, 0)
    for name in "ab":
        members = splits[np.array(strata) == name]
        assert set(members) == set(NAMES)
    assert set(splits[np.array(strata) == "c"]) == {"train"}


def test_splits_are_drawn_by_the_seed():
    draws = [assign_splits(["a"] * 30, 0.2, 0.2, s) for s in (0, 0, 1)]
    assert draws[0].tolist() == draws[1].tolist() != draws[2].tolist()


def test_shares_of_zero_give_none():
    assert set(assign_splits(["a"] * 10, 0.2, 0, 0)) == set(NAMES[:2])


def test_fewer_than_three_need_blocks():
    assert [needs_blocks(n) for n in (1, 2, 3, 4)] == [True, True, False, False]


@pytest.mark.parametrize("shape", [(400, 400), (300, 520)])
def test_blocks_are_a_guard_band_apart(shape):
    guard = 24.0
    rng = np.random.default_rng(0)
    x, y = rng.uniform(-0.5, shape[1] - 0.5, 1500), rng.uniform(-0.5, shape[0] - 0.5, 1500)
    block = block_of(x, y, shape, guard)
    assert set(block) == {-1, *range(blocks_per_micrograph())}
    smallest = np.inf
    for one, other in combinations(range(blocks_per_micrograph()), 2):
        a, b = block == one, block == other
        apart = np.hypot(x[a][:, None] - x[b], y[a][:, None] - y[b])
        smallest = min(smallest, apart.min())
    assert guard <= smallest < guard + 10
    # Nothing but the bands is lost.
    for position, length in ((x, shape[1]), (y, shape[0])):
        assert position.max() < length
    lost = 1 - np.prod([(length - 3 * guard) / length for length in shape])
    assert (block == -1).mean() == pytest.approx(lost, abs=0.05)


def test_blocks_tile_the_image_row_by_row():
    x = np.array([10.0, 60.0, 110.0, 190.0, 10.0, 190.0])
    y = np.array([10.0, 10.0, 10.0, 10.0, 40.0, 90.0])
    assert block_of(x, y, (100, 200), 2.0).tolist() == [0, 1, 2, 3, 4, 15]
