"""Bytes of MRC mode 0 are read signed or unsigned as the pixels show, whatever the header says."""

import gzip
import logging

import mrcfile
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from deepcryopicker.io.images.byte_sign import Stated, is_unsigned
from deepcryopicker.io.images.mrc import IMOD_STAMP
from deepcryopicker.io.images.reader import micrograph_shape, read_micrograph

SHAPE = (160, 192)
SAYING_NOTHING = Stated(unsigned=False, low=0, high=0)
IMOD = Stated(unsigned=True, low=0, high=0)


def micrograph(rng):
    """Return an image of noise, particles and ice of any proportion, mean 0 and deviation 1."""
    particles = np.zeros(SHAPE)
    places = rng.integers(0, SHAPE, (rng.integers(5, 50), 2))
    particles[tuple(places.T)] = -1
    particles = gaussian_filter(particles, rng.uniform(3, 8))
    ice = gaussian_filter(rng.normal(size=SHAPE), 20)
    image = rng.normal(size=SHAPE) * rng.uniform(0.05, 1)
    image += particles / particles.std() * rng.uniform(0, 2) + ice / ice.std() * rng.uniform(0, 1)
    return (image - image.mean()) / image.std()


def as_bytes(image, unsigned, mean, deviation):
    low, high = (0, 255) if unsigned else (-128, 127)
    grey = np.clip(np.round(image * deviation + mean), low, high)
    return grey.astype(np.uint8 if unsigned else np.int8).view(np.uint8)


def range_of(pixels, unsigned):
    grey = pixels if unsigned else pixels.view(np.int8)
    return Stated(False, float(grey.min()), float(grey.max()))


@pytest.mark.parametrize("header", ["none", "right", "wrong", "imod"])
@pytest.mark.parametrize(
    ("unsigned", "mean", "deviation"),
    [
        (True, 128, 30),
        (True, 128, 2),
        (True, 128, 70),
        (True, 75, 30),
        (True, 200, 30),
        (False, 0, 30),
        (False, 0, 0.7),
        (False, 0, 70),
        (False, -50, 25),
        (False, 40, 20),
    ],
)
def test_pixels_decide(unsigned, mean, deviation, header):
    pixels = as_bytes(micrograph(np.random.default_rng(1)), unsigned, mean, deviation)
    stated = {
        "none": SAYING_NOTHING,
        "right": range_of(pixels, unsigned),
        "wrong": range_of(pixels, not unsigned),
        "imod": Stated(not unsigned, 0, 0),
    }[header]
    assert is_unsigned(pixels, stated) == unsigned


def error_rate(count, stated):
    """Return the fraction read wrongly of images with 0.5 % of the bytes on either side of 128."""
    rng = np.random.default_rng(0)
    wrong = tried = 0
    while tried < count:
        unsigned = bool(rng.integers(2))
        mean = rng.uniform(20, 235) - (0 if unsigned else 128)
        deviation = np.exp(rng.uniform(np.log(2), np.log(60)))
        pixels = as_bytes(micrograph(rng), unsigned, mean, deviation)
        if 0.005 < (pixels > 127).mean() < 0.995:
            tried += 1
            wrong += is_unsigned(pixels, stated) != unsigned
    return wrong / count


def test_hardly_any_image_is_read_wrongly():
    assert error_rate(24, SAYING_NOTHING) == 0


@pytest.mark.slow
@pytest.mark.parametrize("stated", [SAYING_NOTHING, IMOD])
def test_of_many_images_one_percent_at_most_is_read_wrongly(stated):
    assert error_rate(400, stated) <= 0.01


def test_without_neighbours_that_show_it_the_header_counts():
    few = np.full(SHAPE, 20, np.uint8)
    few[5, 5] = 200
    assert is_unsigned(few, Stated(False, 20, 200))
    assert not is_unsigned(few, Stated(False, -56, 20))
    assert not is_unsigned(few, SAYING_NOTHING)
    assert is_unsigned(few, IMOD)


def write(path, frames, **header):
    with mrcfile.new(path, overwrite=True) as file:
        file.set_data(frames.view(np.int8))
        for name, value in header.items():
            file.header[name] = value
    return path


def test_what_is_read_is_said(tmp_path, caplog):
    image = micrograph(np.random.default_rng(0))
    pixels = as_bytes(image, True, 128, 30)
    path = write(tmp_path / "a.mrc", pixels, dmin=0, dmax=255, dmean=128)
    assert micrograph_shape(path) == SHAPE
    assert caplog.text == ""  # the header alone decides nothing
    np.testing.assert_array_equal(read_micrograph(path).image, pixels)
    assert f"{path}: its bytes (MRC mode 0) are unsigned although its header says signed" in (
        caplog.text
    )
    packed = tmp_path / "a.mrc.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    np.testing.assert_array_equal(read_micrograph(packed).image, pixels)
    caplog.clear()
    signed = as_bytes(image, False, 0, 30)
    read = read_micrograph(write(tmp_path / "b.mrc", signed)).image
    np.testing.assert_array_equal(read, signed.view(np.int8))
    low = as_bytes(image, True, 40, 8)
    np.testing.assert_array_equal(read_micrograph(write(tmp_path / "c.mrc", low)).image, low)
    assert caplog.text == ""


@pytest.mark.parametrize(("flag", "unsigned"), [(0, False), (1, True)])
def test_a_stamp_of_imod_that_is_wrong_is_said_too(tmp_path, caplog, flag, unsigned):
    pixels = as_bytes(micrograph(np.random.default_rng(0)), unsigned, 128 if unsigned else 0, 30)
    path = write(tmp_path / "a.mrc", pixels)
    data = bytearray(path.read_bytes())
    data[152:160] = np.array([IMOD_STAMP, flag], "<i4").tobytes()
    path.write_bytes(data)
    expected = pixels if unsigned else pixels.view(np.int8)
    np.testing.assert_array_equal(read_micrograph(path).image, expected)
    assert "although its header says" in caplog.text


def test_frames_of_a_stack_are_read_alike(tmp_path, caplog):
    image = micrograph(np.random.default_rng(0))
    frames = np.stack([as_bytes(image, True, mean, 12) for mean in (50, 120, 140)])
    path = write(tmp_path / "a.mrcs", frames)
    with caplog.at_level(logging.WARNING):
        read = read_micrograph(path, average_frames=True).image
    np.testing.assert_allclose(read, frames.mean(0), rtol=1e-6)
    assert caplog.text.count("are unsigned") == 1
