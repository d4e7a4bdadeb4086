"""Augmentation rotates, flips, shifts and shades windows, and changes nothing else."""

import numpy as np
import pytest
import torch

from deepcryopicker.trainer.augment import augment


def symmetries(window):
    """All eight turned and mirrored versions of a square array."""
    return [np.rot90(side, count) for side in (window, window.T) for count in range(4)]


def test_without_jitter_only_pixels_move():
    windows = torch.arange(64 * 25, dtype=torch.float32).reshape(64, 1, 5, 5)
    torch.manual_seed(0)
    found = augment(windows, 0.0, 0)
    for before, after in zip(windows, found, strict=True):
        assert torch.equal(before.flatten(), after.flatten().sort().values)
        assert after[0, 2, 2] == before[0, 2, 2]


def test_all_eight_symmetries_are_reached_equally_often():
    window = np.arange(9, dtype=np.float32).reshape(3, 3)
    windows = torch.from_numpy(window).repeat(2000, 1, 1, 1)
    torch.manual_seed(0)
    found = [tuple(each.flatten().tolist()) for each in augment(windows, 0.0, 0)]
    expected = {tuple(map(float, each.ravel())) for each in symmetries(window)}
    assert set(found) == expected
    counts = [found.count(each) for each in expected]
    # Standard deviation of each count is 14.8.
    assert counts == pytest.approx([250] * 8, abs=60)


def test_each_window_is_turned_on_its_own():
    window = torch.arange(9, dtype=torch.float32).reshape(1, 1, 3, 3).repeat(50, 1, 1, 1)
    torch.manual_seed(0)
    assert len({tuple(each.flatten().tolist()) for each in augment(window, 0.0, 0)}) > 4


@pytest.mark.parametrize("shift", [0, 2])
def test_the_input_is_left_as_it_was(shift):
    windows = torch.randn(20, 1, 7, 7)
    before = windows.clone()
    augment(windows, 0.1, shift)
    assert torch.equal(windows, before)


def test_jitter_is_one_factor_and_offset_per_window():
    torch.manual_seed(0)
    windows = torch.randn(400, 1, 7, 7)
    found = augment(windows, 0.1, 0)
    factor = found.flatten(1).std(dim=1) / windows.flatten(1).std(dim=1)
    offset = found.flatten(1).mean(dim=1) - factor * windows.flatten(1).mean(dim=1)
    assert factor.mean().item() == pytest.approx(1, abs=0.02)
    assert factor.std().item() == pytest.approx(0.1, rel=0.15)
    assert offset.mean().item() == pytest.approx(0, abs=0.02)
    assert offset.std().item() == pytest.approx(0.1, rel=0.15)
    # Beyond factor and offset nothing is added: sorted pixels stay in proportion.
    shaded = windows.flatten(1).sort(dim=1).values * factor[:, None] + offset[:, None]
    torch.testing.assert_close(found.flatten(1).sort(dim=1).values, shaded, atol=1e-4, rtol=1e-4)


def test_a_shift_moves_the_window_over_its_mirrored_surroundings():
    """Every result is one of the symmetries, moved by -2 to 2 pixels along each axis."""
    shift, size = 2, 7
    window = np.random.default_rng(0).normal(size=(size, size)).astype(np.float32)
    offset_of = {}
    for turned in symmetries(window):
        padded = np.pad(turned, shift, mode="reflect")
        for top in range(2 * shift + 1):
            for left in range(2 * shift + 1):
                moved = padded[top : top + size, left : left + size]
                offset_of[moved.tobytes()] = (top - shift, left - shift)
    assert len(offset_of) == 8 * 25
    torch.manual_seed(0)
    found = augment(torch.from_numpy(window).repeat(1500, 1, 1, 1), 0.0, shift).numpy()
    offsets = [offset_of[each.tobytes()] for each in found]  # KeyError if it is anything else
    every = {(y, x) for y in range(-shift, shift + 1) for x in range(-shift, shift + 1)}
    assert set(offsets) == every
    # Standard deviation of each count is 7.6.
    assert [offsets.count(each) for each in every] == pytest.approx([60] * 25, abs=35)


def test_no_shift_leaves_the_centre_in_the_centre():
    windows = torch.zeros(100, 1, 7, 7)
    windows[:, 0, 3, 3] = 1.0
    torch.manual_seed(0)
    assert torch.equal(augment(windows, 0.0, 0), windows)
    assert not torch.equal(augment(windows, 0.0, 1), windows)
