"""Invalid borders: streaks and frames of known widths are found, and nothing else."""

import numpy as np
import pytest
from scipy import ndimage

from deepcryopicker.preprocessing.operators.borders import fill_margins, find_margins, inner_slices
from deepcryopicker.types import NO_MARGINS, Margins


def noise(shape=(400, 500), sigma=1.0, seed=0):
    image = np.random.default_rng(seed).standard_normal(shape)
    return ndimage.gaussian_filter(image, sigma).astype(np.float32)


def pad(image, widths, **how):
    top, bottom, left, right = widths
    return np.pad(image, ((top, bottom), (left, right)), **how)


@pytest.mark.parametrize("widths", [(20, 30, 12, 25), (40, 0, 0, 0), (0, 9, 0, 33), (0, 0, 50, 0)])
def test_streaks_of_known_widths_are_found(widths):
    padded = pad(noise(), widths, mode="edge")
    for seed in range(3):
        grain = 1e-4 * noise(padded.shape, 0, seed)
        found = find_margins(padded + grain)
        np.testing.assert_allclose(found, widths, atol=3)


@pytest.mark.parametrize("widths", [(20, 30, 12, 25), (0, 0, 17, 0)])
def test_constant_frames_of_known_widths_are_found(widths):
    padded = pad(noise() + 5, widths, mode="constant")
    np.testing.assert_allclose(find_margins(padded), widths, atol=3)


@pytest.mark.parametrize("sigma", [0, 1, 3])
@pytest.mark.parametrize("seed", range(4))
def test_plain_noise_has_no_margins(sigma, seed):
    assert find_margins(noise(sigma=sigma, seed=seed)) == NO_MARGINS


def test_constant_image_has_no_margins():
    assert find_margins(np.full((100, 80), 2, np.float32)) == NO_MARGINS


@pytest.mark.parametrize("times", [2, 3, 4])
def test_an_image_enlarged_by_repetition_has_no_margins(times):
    enlarged = np.kron(noise((120, 130), 0), np.ones((times, times), np.float32))
    assert find_margins(enlarged) == NO_MARGINS
    grain = 1e-4 * noise(enlarged.shape, 0, 1)
    assert find_margins(enlarged + grain) == NO_MARGINS


def test_at_most_a_quarter_is_given_up():
    padded = pad(noise((100, 100)), (300, 0, 0, 0), mode="edge")
    assert find_margins(padded).top <= 100


def test_order_is_top_bottom_left_right():
    found = find_margins(pad(noise(), (0, 0, 30, 0), mode="edge"))
    assert found.left > 0
    assert found._replace(left=0) == NO_MARGINS


def test_fill_puts_the_median_of_the_rest_into_the_border():
    image = noise((50, 60)) + 3
    margins = Margins(4, 5, 6, 7)
    expected = image.copy()
    expected[:4] = expected[-5:] = expected[:, :6] = expected[:, -7:] = 0
    inner = expected != 0
    expected[~inner] = np.median(image[4:45, 6:53])
    np.testing.assert_array_equal(fill_margins(image, margins), expected)
    assert image[inner_slices(image.shape, margins)].shape == (41, 47)


def test_fill_keeps_whole_numbers_whole():
    image = np.array([[9, 9, 9, 9], [1, 2, 5, 8]], np.float32)
    assert fill_margins(image, Margins(top=1)).tolist() == [[2, 2, 2, 2], [1, 2, 5, 8]]


def test_fill_without_margins_changes_nothing():
    image = noise((20, 20))
    np.testing.assert_array_equal(fill_margins(image, NO_MARGINS), image)


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (2, 2)])
def test_tiny_images_have_no_margins(shape):
    assert find_margins(noise(shape)) == NO_MARGINS


def values(kind, shape):
    image = noise(shape)
    if kind == "whole numbers":
        return np.rint(5 * image)
    if kind == "two values":
        return (image > 0.1).astype(np.float32)
    if kind == "misleading":  # what a regular sample sees is unlike the rest
        image[::16, ::16] += 100
    return image.astype(np.float64) if kind == "double" else image


@pytest.mark.parametrize("shape", [(300, 271), (40, 33), (3, 4), (1, 1)])
@pytest.mark.parametrize("kind", ["plain", "whole numbers", "two values", "misleading", "double"])
def test_fill_is_the_lower_median_whatever_the_values(kind, shape):
    inner = values(kind, shape)
    padded = pad(inner, (2, 0, 0, 0), mode="constant")
    filled = fill_margins(padded, Margins(top=2))
    assert filled.dtype == inner.dtype
    assert (filled[:2] == np.percentile(inner, 50, method="lower")).all()
    np.testing.assert_array_equal(filled[2:], inner)
