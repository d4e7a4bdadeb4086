"""Stacks are averaged over their frames where the user asks for it, and refused otherwise."""

import tracemalloc

import mrcfile
import numpy as np
import pytest
import tifffile

from deepcryopicker.dataset.open_files import open_folder
from deepcryopicker.dataset.schema import FolderConfig
from deepcryopicker.errors import MicrographError
from deepcryopicker.io.files import checks
from deepcryopicker.io.images.reader import micrograph_shape, read_micrograph

SHAPE = (40, 56)
DTYPES = ["int8", "int16", "float32", "uint16", "float16"]


def movie(dtype, frames=5):
    rng = np.random.default_rng(0)
    return rng.integers(0, 120, (frames, *SHAPE)).astype(dtype)


def write(path, stack):
    if path.suffix == ".tif":
        tifffile.imwrite(path, stack, photometric="minisblack")
    else:
        mrcfile.write(path, stack, overwrite=True)
    return path


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["m.mrc", "m.mrcs", "m.tif"])
def test_the_frames_are_averaged(tmp_path, name, dtype):
    stack = movie(dtype)
    path = write(tmp_path / name, stack)
    averaged = read_micrograph(path, average_frames=True).image
    np.testing.assert_allclose(averaged, stack.astype(np.float64).mean(axis=0), rtol=1e-6)
    assert averaged.dtype == np.float32
    assert averaged.shape == SHAPE == micrograph_shape(path, average_frames=True)


def test_a_long_movie_of_large_counts_loses_no_digit(tmp_path):
    stack = np.full((600, 8, 8), 65_001, np.uint16)
    stack[::2] = 65_000
    path = write(tmp_path / "m.mrc", stack)
    assert (read_micrograph(path, average_frames=True).image == 65_000.5).all()


@pytest.mark.parametrize("byte_order", ["<", ">"])
def test_extended_headers_and_byte_orders(tmp_path, byte_order):
    stack = movie(f"{byte_order}i2")
    with mrcfile.new(tmp_path / "m.mrcs") as file:
        file.set_data(stack)
        file.set_extended_header(np.zeros(100, "V1"))
    averaged = read_micrograph(tmp_path / "m.mrcs", average_frames=True).image
    np.testing.assert_allclose(averaged, stack.mean(axis=0), rtol=1e-6)


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_colour_pages_become_grey_first(tmp_path, compression):
    stack = np.random.default_rng(0).integers(0, 255, (3, *SHAPE, 3)).astype(np.uint8)
    tifffile.imwrite(tmp_path / "m.tif", stack, photometric="rgb", compression=compression)
    averaged = read_micrograph(tmp_path / "m.tif", average_frames=True).image
    expected = stack.mean(axis=0) @ [0.299, 0.587, 0.114]
    np.testing.assert_allclose(averaged, expected, rtol=1e-5)


@pytest.mark.parametrize("name", ["m.mrc", "m.tif"])
def test_a_single_frame_is_the_same_either_way(tmp_path, name):
    path = write(tmp_path / name, movie("float32", frames=1)[0])
    one, other = (read_micrograph(path, average_frames=average) for average in (False, True))
    np.testing.assert_array_equal(one.image, other.image)


@pytest.mark.parametrize("name", ["m.mrcs", "m.tif"])
def test_without_asking_a_stack_is_refused_and_the_key_named(tmp_path, name):
    path = write(tmp_path / name, movie("uint16"))
    for reader in (read_micrograph, micrograph_shape):
        with pytest.raises(MicrographError, match=r"stack of 5.*dataset.average_frames=true"):
            reader(path)


@pytest.mark.parametrize("name", ["m.mrcs", "m.tif"])
def test_no_more_than_a_frame_and_the_sum_are_held(tmp_path, name):
    stack = np.ones((24, 300, 400), np.float32)
    path = write(tmp_path / name, stack)
    tracemalloc.start()
    read_micrograph(path, average_frames=True)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 6 * stack[0].nbytes


@pytest.mark.parametrize("name", ["m.mrcs", "m.tif"])
def test_the_limit_counts_the_pixels_of_a_frame(tmp_path, monkeypatch, name):
    path = write(tmp_path / name, movie("uint16"))
    monkeypatch.setattr(checks, "MAX_PIXELS", SHAPE[0] * SHAPE[1])
    assert read_micrograph(path, average_frames=True).image.shape == SHAPE
    monkeypatch.setattr(checks, "MAX_PIXELS", SHAPE[0] * SHAPE[1] - 1)
    with pytest.raises(MicrographError, match="more than the limit"):
        read_micrograph(path, average_frames=True)


def test_a_truncated_stack_is_refused(tmp_path):
    path = write(tmp_path / "m.mrcs", movie("int16"))
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    with pytest.raises(MicrographError, match=f"header promises {len(whole)} bytes"):
        read_micrograph(path, average_frames=True)


def test_pages_of_several_sizes_are_refused(tmp_path):
    with tifffile.TiffWriter(tmp_path / "m.tif") as file:
        for shape in (SHAPE, SHAPE[::-1]):
            file.write(np.zeros(shape, np.uint8))
    with pytest.raises(MicrographError, match="pages of several sizes"):
        read_micrograph(tmp_path / "m.tif", average_frames=True)


def test_stacks_of_imagej_are_averaged(tmp_path):
    stack = movie("uint16")
    tifffile.imwrite(tmp_path / "m.tif", stack, imagej=True)
    averaged = read_micrograph(tmp_path / "m.tif", average_frames=True).image
    np.testing.assert_allclose(averaged, stack.mean(axis=0), rtol=1e-6)


def test_frames_behind_a_single_page_are_refused(tmp_path):
    stack = movie("uint8", frames=16)
    tifffile.imwrite(tmp_path / "m.tif", stack, volumetric=True, tile=(16, 16, 16))
    with pytest.raises(MicrographError, match="16 frames in one TIFF page"):
        read_micrograph(tmp_path / "m.tif", average_frames=True)


@pytest.mark.parametrize("average_frames", [False, True])
def test_the_key_of_the_dataset_reaches_the_reader(tmp_path, average_frames):
    stack = movie("int16")
    write(tmp_path / "m.mrcs", stack)
    # Stacks in a folder are left out unless they are averaged; a file is used as it is given.
    given = tmp_path if average_frames else tmp_path / "m.mrcs"
    config = FolderConfig(micrographs=str(given), average_frames=average_frames)
    (entry,) = open_folder(config).entries
    if average_frames:
        np.testing.assert_allclose(entry.load().image, stack.mean(axis=0), rtol=1e-6)
    else:
        with pytest.raises(MicrographError, match="stack of 5"):
            entry.load()
