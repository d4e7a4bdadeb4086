"""Stacks of windows in a run folder, ours and damaged ones."""

import mrcfile
import numpy as np
import pytest

from deepcryopicker.picker.folder.window_features import SIDE
from deepcryopicker.pipeline.picking.results.window_files import read_windows, write_windows


def test_what_is_written_is_read(tmp_path):
    windows = np.random.default_rng(0).integers(-127, 128, (7, SIDE, SIDE)).astype(np.int8)
    path = tmp_path / "deep" / "one.mrcs"
    write_windows(path, windows)
    np.testing.assert_array_equal(read_windows(path), windows)
    write_windows(path, windows[:0])
    assert not path.exists()
    assert read_windows(path).shape == (0, SIDE, SIDE)


@pytest.mark.parametrize("damage", ["text", "short", "other type", "other size", "folder"])
def test_other_files_have_no_windows(tmp_path, damage):
    path = tmp_path / "one.mrcs"
    write_windows(path, np.ones((7, SIDE, SIDE), np.int8))
    if damage == "text":
        path.write_text("not an image")
    elif damage == "short":
        path.write_bytes(path.read_bytes()[:-99])
    elif damage == "folder":
        path.unlink()
        path.mkdir()
    else:
        other = np.ones((7, 9, 9), np.int8) if damage == "other size" else np.ones((7, SIDE, SIDE))
        with mrcfile.new(path, overwrite=True) as file:
            file.set_data(other.astype(other.dtype if other.dtype == np.int8 else np.float32))
    assert len(read_windows(path)) == 0
