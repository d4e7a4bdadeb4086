"""Files that STAR files name instead of the copies that were picked."""

from pathlib import Path

import cv2
import mrcfile
import numpy as np
import pytest
import tifffile

from deepcryopicker.dataset.catalogue import Entry
from deepcryopicker.dataset.named_files import SAME, NamedFiles
from deepcryopicker.errors import MicrographError, UsageError
from deepcryopicker.types import Picks

SHAPE = (30, 40)


@pytest.fixture
def entry(tmp_path):
    path = tmp_path / "jpg" / "grid" / "a.jpg"
    path.parent.mkdir(parents=True)
    cv2.imwrite(str(path), np.zeros(SHAPE, np.uint8))
    return Entry("grid/a", path, "g")


def write(path, shape, pixel_size=0.0):
    path.parent.mkdir(parents=True, exist_ok=True)
    mrcfile.write(path, np.zeros(shape, np.float32), voxel_size=pixel_size)
    return path


def test_the_micrograph_itself_is_named_unless_another_is_given(entry):
    names = NamedFiles(None)
    assert not names.others
    named = names.find(entry, SHAPE, 1.5)
    assert (named.path, named.height, named.scale, named.pixel_size) == (entry.path, 30, SAME, 1.5)


@pytest.mark.parametrize(
    ("suffix", "name"), [(".mrc", "a.mrc"), ("_DW.mrc", "a_DW.mrc"), (".mrc.gz", "a.mrc.gz")]
)
def test_a_suffix_replaces_that_of_the_copy(entry, suffix, name):
    assert NamedFiles(suffix).path(entry) == entry.path.with_name(name)


@pytest.mark.parametrize("place", ["mrc/grid/a.mrc", "mrc/a.mrc", "mrc/a.tif", "mrc/grid/a.mrcs"])
def test_a_folder_is_searched_at_the_same_depth_and_flat(entry, tmp_path, place):
    path = tmp_path / place
    path.parent.mkdir(parents=True)
    path.touch()
    assert NamedFiles(str(tmp_path / "mrc")).path(entry) == path


def test_a_file_that_is_not_there_is_named_all_the_same(entry, tmp_path, capsys):
    (tmp_path / "mrc").mkdir()
    names = NamedFiles(str(tmp_path / "mrc"))
    assert names.find(entry, SHAPE, 1.5).path == tmp_path / "mrc/grid/a.mrc"
    assert names.find(entry, SHAPE, 1.5).scale == SAME
    names.check([entry])
    assert "1 of 1 files do not exist, such as" in capsys.readouterr().out


def test_picks_are_converted_to_the_pixels_of_the_named_file(entry):
    write(entry.path.with_name("a.mrc"), (90, 120), 0.5)
    named = NamedFiles(".mrc").find(entry, SHAPE, 7.0)
    assert (named.height, named.scale, named.pixel_size) == (90, (3.0, 3.0), 0.5)
    moved = named.to_its_pixels(Picks.create([0.0, 39.0], [0.0, 29.0], diameter=8.0))
    assert moved.x.tolist() == [1.0, 118.0]  # the middle of three pixels
    assert moved.y.tolist() == [1.0, 88.0]
    assert moved.diameter.tolist() == [24.0, 24.0]


def test_the_pixel_size_of_the_copy_is_scaled_where_the_header_has_none(entry):
    write(entry.path.with_name("a.mrc"), (60, 80))
    assert NamedFiles(".mrc").find(entry, SHAPE, 3.0).pixel_size == 1.5
    assert NamedFiles(".mrc").find(entry, SHAPE, None).pixel_size is None


@pytest.mark.parametrize("shape", [(61, 81), (59, 79), (121, 159), (30, 40)])
def test_binning_may_cut_a_row(entry, shape):
    write(entry.path.with_name("a.mrc"), shape)
    scale = NamedFiles(".mrc").find(entry, SHAPE, None).scale
    assert scale == (shape[1] / 40, shape[0] / 30)


@pytest.mark.parametrize("shape", [(40, 30), (60, 90), (30, 60)])
def test_other_proportions_are_refused(entry, shape):
    write(entry.path.with_name("a.mrc"), shape)
    names = NamedFiles(".mrc")
    with pytest.raises(MicrographError, match=f"40x30 pixels, but .* has {shape[1]}x{shape[0]}"):
        names.find(entry, SHAPE, None)
    with pytest.raises(UsageError, match="correct picker"):
        names.check([entry])


def test_a_tiff_file_can_be_named(entry):
    tifffile.imwrite(entry.path.with_name("a.tif"), np.zeros((60, 80), np.uint8))
    assert NamedFiles(".tif").find(entry, SHAPE, None).scale == (2.0, 2.0)


@pytest.mark.parametrize("given", [".xyz", "nowhere", "nowhere/x", "mrc"])
def test_what_is_neither_a_suffix_nor_a_folder_is_refused(given, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("mrc.txt").touch()
    with pytest.raises(UsageError, match=r"give \.mrc, or the folder"):
        NamedFiles(given)
