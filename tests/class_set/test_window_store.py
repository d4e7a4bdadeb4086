"""Windows in memory or in a file: equal values, no file left, a clear error on a full disk."""

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from deepcryopicker.class_set import window_store
from deepcryopicker.class_set.window_store import empty_windows, selected
from deepcryopicker.errors import UsageError


def mapped(array):
    """Whether an array lies in a file."""
    return isinstance(array.base, np.memmap)


@pytest.fixture
def in_file(monkeypatch):
    monkeypatch.setattr(window_store, "_MOST_MEMORY", 1000)


def test_few_windows_are_in_memory(tmp_path):
    windows = empty_windows(10, 43, tmp_path)
    assert (windows.shape, windows.dtype) == ((10, 43, 43), np.float32)
    assert not mapped(windows)


def test_many_windows_are_in_a_file_without_a_name(in_file, tmp_path):
    windows = empty_windows(10, 43, tmp_path)
    windows[:] = np.arange(10)[:, None, None]
    assert mapped(windows)
    assert list(tmp_path.iterdir()) == []
    maps = Path("/proc/self/maps")
    assert str(tmp_path) in maps.read_text()
    part = selected(windows, np.array([7, 2]), tmp_path)
    assert part[:, 0, 0].tolist() == [7, 2]
    del windows, part
    assert str(tmp_path) not in maps.read_text()


def test_half_precision_is_kept_in_a_selection(monkeypatch, tmp_path):
    monkeypatch.setattr(window_store, "_MOST_SINGLE", 4 * 9 * 43**2)
    assert empty_windows(9, 43).dtype == np.float32
    windows = empty_windows(10, 43)
    windows[:] = 1.5
    assert windows.dtype == selected(windows, np.array([3])).dtype == np.float16


@pytest.mark.parametrize("chunk", [1, 4, 100])
def test_a_selection_is_what_indexing_gives(in_file, monkeypatch, chunk):
    monkeypatch.setattr(window_store, "_AT_ONCE", chunk)
    windows = np.random.default_rng(0).random((30, 9, 9)).astype(np.float32)
    index = np.random.default_rng(1).permutation(30)[:13]
    np.testing.assert_array_equal(selected(windows, index), windows[index])


def test_a_full_disk_is_named_before_windows_are_cut(in_file, monkeypatch, tmp_path):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(UsageError, match=r"need 0\.0 GB there: No space.*\n.*samples_per_class"):
        empty_windows(10, 43, tmp_path)
