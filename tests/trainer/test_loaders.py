"""Batches hold the windows of one split, shuffled anew in every epoch and always alike."""

import numpy as np
import pytest
import torch

from deepcryopicker.errors import UsageError
from deepcryopicker.trainer.loaders import EpochShuffle, make_loader
from deepcryopicker.trainer.schema import TrainerConfig
from deepcryopicker.types import TrainingSet

SIDE, BATCH = 5, 8
CONFIG = TrainerConfig(batch_size=BATCH)


def order(shuffle, epoch):
    shuffle.set_epoch(epoch)
    return list(shuffle)


def numbered(train, validation=0, test=0):
    """Windows that show their own number; their targets and heat maps follow from it."""
    split = np.repeat(["train", "validation", "test"], [train, validation, test])
    split = np.random.default_rng(0).permutation(split)
    number = np.arange(len(split))
    windows = np.broadcast_to(number[:, None, None], (len(split), SIDE, SIDE)).astype(np.float32)
    target = number % 3
    heat = np.eye(3, dtype=np.float32)[target] * 0.5 + number[:, None].astype(np.float32)
    group = np.full(len(split), "a")
    return TrainingSet(windows, target, heat, split, group, number, number, ("a", "b", "c"))


def test_every_epoch_is_a_permutation():
    shuffle = EpochShuffle(50, seed=3)
    assert len(shuffle) == 50
    for epoch in range(4):
        assert sorted(order(shuffle, epoch)) == list(range(50))


def test_orders_depend_on_epoch_and_seed_alone():
    one, other, stranger = (EpochShuffle(50, seed) for seed in (3, 3, 4))
    epochs = [order(one, epoch) for epoch in range(5)]
    # Another sampler without the epochs before, as in a resumed training.
    assert order(other, 3) == epochs[3]
    assert order(one, 1) == epochs[1] == list(one)
    strange = [order(stranger, epoch) for epoch in range(5)]
    assert len({tuple(each) for each in epochs + strange}) == 10


def test_global_random_numbers_play_no_part():
    shuffle = EpochShuffle(50, seed=3)
    first = list(shuffle)
    np.random.seed(0)
    torch.manual_seed(0)
    state = torch.get_rng_state()
    assert list(shuffle) == first
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_a_loader_gives_every_window_of_its_split_once(split):
    data = numbered(train=20, validation=70, test=37)
    batches = list(make_loader(data, split, CONFIG, seed=0))
    windows, target, heat = (torch.cat(part) for part in zip(*batches, strict=True))
    count = int((data.split == split).sum())
    assert windows.shape == (count, 1, SIDE, SIDE)
    assert (windows.dtype, target.dtype, heat.dtype) == (
        torch.float32,
        torch.int64,
        torch.float32,
    )
    number = windows[:, 0, 0, 0].numpy().astype(int)
    members = np.flatnonzero(data.split == split)
    np.testing.assert_array_equal(np.sort(number), members)
    assert np.array_equal(number, members) == (split != "train")
    # Windows, targets and heat maps stay together.
    np.testing.assert_array_equal(target, data.target[number])
    np.testing.assert_array_equal(heat, data.heat[number])
    largest = BATCH if split == "train" else 4 * BATCH
    assert [len(batch[0]) for batch in batches][:-1] == [largest] * (len(batches) - 1)


def test_loaders_copy_no_windows():
    data = numbered(train=20, validation=7)
    for split in ("train", "validation"):
        windows = make_loader(data, split, CONFIG, seed=0).dataset.dataset.tensors[0]
        assert np.shares_memory(windows.numpy(), data.windows)


@pytest.mark.parametrize(
    ("windows", "sizes"),
    [
        (24, [8, 8, 8]),
        (25, [8, 8, 8]),  # a last batch of one stops batch normalisation
        (26, [8, 8, 8, 2]),
        (31, [8, 8, 8, 7]),
        (9, [8]),
        (7, [7]),
    ],
)
def test_a_last_batch_of_one_is_left_out_in_training(windows, sizes):
    loader = make_loader(numbered(train=windows), "train", CONFIG, seed=0)
    assert [len(batch[0]) for batch in loader] == sizes
    assert len(loader) == len(sizes)


@pytest.mark.parametrize(
    ("windows", "devices", "left_out"),
    [(32, 2, False), (33, 2, True), (34, 2, True), (35, 2, False), (34, 1, False), (2, 2, False)],
)
def test_it_is_the_part_of_a_device_that_counts(windows, devices, left_out):
    """Of 33 or 34 windows each of two devices gets 17, padded: two batches of 8 and one window."""
    config = TrainerConfig(batch_size=BATCH, devices=devices)
    assert make_loader(numbered(train=windows), "train", config, seed=0).drop_last is left_out


def test_it_is_another_window_that_is_left_out_in_every_epoch():
    loader = make_loader(numbered(train=25), "train", CONFIG, seed=0)
    left_out = set()
    for epoch in range(8):
        loader.sampler.set_epoch(epoch)
        seen = {int(number) for batch in loader for number in batch[0][:, 0, 0, 0]}
        left_out |= set(range(25)) - seen
    assert len(left_out) > 3


def test_a_last_batch_of_one_is_kept_elsewhere():
    loader = make_loader(numbered(train=4, validation=33), "validation", CONFIG, seed=0)
    assert [len(batch[0]) for batch in loader] == [32, 1]


def test_repeats_are_permutations_of_their_own():
    shuffle = EpochShuffle(50, seed=3, repeats=3)
    assert len(shuffle) == 150
    first, again, next_one = order(shuffle, 0), order(shuffle, 0), order(shuffle, 1)
    passes = [tuple(first[start : start + 50]) for start in (0, 50, 100)]
    assert [sorted(each) for each in passes] == [list(range(50))] * 3
    assert len(set(passes)) == 3
    assert first == again != next_one
    assert first[:50] == order(EpochShuffle(50, seed=3), 0)


@pytest.mark.parametrize(
    ("train", "least", "repeats"),
    [(20, 1, 1), (20, 20, 1), (20, 21, 2), (20, 50, 3), (20, 60, 3), (1, 5, 5)],
)
def test_an_epoch_has_at_least_so_many_windows(train, least, repeats):
    config = TrainerConfig(batch_size=BATCH, epoch_windows=least)
    data = numbered(train=train, validation=7)
    loader = make_loader(data, "train", config, seed=0)
    numbers = [int(number) for batch in loader for number in batch[0][:, 0, 0, 0]]
    expected = np.repeat(np.flatnonzero(data.split == "train"), repeats)
    assert sorted(numbers) == expected.tolist()
    assert len(loader) == -(-len(numbers) // BATCH)
    # Validation is gone through once.
    assert sum(len(batch[0]) for batch in make_loader(data, "validation", config, seed=0)) == 7


def test_a_last_batch_of_one_is_left_out_of_repeats_too():
    """Three times eleven windows are four batches and one window."""
    config = TrainerConfig(batch_size=BATCH, epoch_windows=33)
    loader = make_loader(numbered(train=11), "train", config, seed=0)
    assert [len(batch[0]) for batch in loader] == [BATCH] * 4


def test_an_epoch_without_windows_is_refused():
    with pytest.raises(UsageError, match=r"trainer\.epoch_windows must be at least 1, got 0"):
        TrainerConfig(epoch_windows=0)
