"""Rounding to 8 and 16 bits loses nothing that the other would have kept."""

import numpy as np
import pytest

from deepcryopicker.preprocessing.operators.quantise import to_8_bits, to_16_bits, whole_numbers


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_8_bits_are_the_nearest_levels(dtype):
    image = np.random.default_rng(0).uniform(-0.2, 1.2, (50, 60)).astype(dtype)
    nearest = np.abs(np.arange(256) / 255 - np.clip(image, 0, 1)[..., None]).argmin(-1)
    np.testing.assert_array_equal(to_8_bits(image), nearest)


def test_16_bits_round_to_the_same_8_bits():
    """Also at the values between two levels, where rounding twice usually goes wrong."""
    between = (np.arange(255) + 0.5) / 255
    image = np.concatenate([between, between - 1e-9, between + 1e-9, np.linspace(0, 1, 10_001)])
    levels = to_16_bits(image)
    np.testing.assert_array_equal(to_8_bits(levels / 65_535), to_8_bits(image))
    np.testing.assert_allclose(levels / 65_535, image, atol=0.5001 / 65_535)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_16_bits_of_16_bits_are_unchanged(dtype):
    levels = np.arange(65_536).reshape(256, 256)
    for image in (levels, levels[3:90] + 2, levels[:1]):
        np.testing.assert_array_equal(to_16_bits(image.astype(dtype)), image)


@pytest.mark.parametrize(
    "image",
    [
        np.linspace(-8, 8, 50),
        np.linspace(0, 2, 50),
        -np.arange(50.0),
        np.arange(60.0) * 1200,
        np.array([0, 1e-9, 70_000.5]),
    ],
)
def test_anything_else_is_stretched_to_its_range(image):
    found = to_16_bits(image)
    assert found.dtype == np.uint16
    assert (found.min(), found.max()) == (0, 65_535)
    expected = np.interp(image, [image.min(), image.max()], [0, 65_535])
    np.testing.assert_allclose(found, expected, atol=0.5001)


def test_a_constant_outside_the_range_is_black():
    assert not to_16_bits(np.full((4, 5), -3.5)).any()


def test_whole_numbers():
    assert whole_numbers(np.array([[0, -3, 65_535]], np.float32))
    assert not whole_numbers(np.array([[0, -3, 0.5]], np.float32))
