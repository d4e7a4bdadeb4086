"""Filters against scipy and scikit-image."""

import numpy as np
import pytest
import scipy.signal
from scipy import ndimage
from skimage import morphology

from deepcryopicker.preprocessing.operators.restore import (
    closing,
    flatten,
    gaussian,
    guided,
    opening,
    wiener,
)


@pytest.fixture
def image():
    rng = np.random.default_rng(5)
    noise = rng.normal(0, 0.08, (90, 120))
    row, column = np.ogrid[:90, :120]
    disc = np.hypot(row - 40, column - 70) < 20
    return np.clip(0.6 - 0.3 * disc + noise, 0, 1).astype(np.float32)


@pytest.mark.parametrize("size", [3, 5])
def test_wiener_is_scipys(image, size):
    exact = image.astype(np.float64)
    expected = scipy.signal.wiener(exact, (size, size))
    np.testing.assert_allclose(wiener(image, size), expected, atol=1e-5)
    np.testing.assert_allclose(wiener(exact, size), expected, atol=1e-12)


def test_wiener_of_constant_image_is_constant_inside():
    result = wiener(np.full((20, 20), 3, np.float32))
    np.testing.assert_allclose(result[2:-2, 2:-2], 3, atol=1e-5)


@pytest.mark.parametrize("passes", [1, 4])
def test_guided_is_the_box_filter_formula(image, passes):
    expected = image.astype(np.float64)
    for _ in range(passes):
        mean = ndimage.uniform_filter(expected, 5, mode="nearest")
        variance = ndimage.uniform_filter(expected**2, 5, mode="nearest") - mean**2
        slope = variance / (variance + 0.01)
        offset = mean - slope * mean
        expected = ndimage.uniform_filter(slope, 5, mode="nearest") * expected
        expected += ndimage.uniform_filter(offset, 5, mode="nearest")
    np.testing.assert_allclose(guided(image, 5, 0.01, passes), expected, atol=1e-5)


def test_guided_keeps_a_strong_edge_and_smooths_the_rest():
    image = np.zeros((40, 40), np.float32)
    image[:, 20:] = 1
    image += np.random.default_rng(0).normal(0, 0.03, image.shape).astype(np.float32)
    result = guided(image, 5, 0.01, 4)
    assert result[:, 10:15].std() < 0.5 * image[:, 10:15].std()
    assert (result[:, 21] - result[:, 18]).mean() > 0.9


DISKS = [(1, morphology.diamond(1)), (3, np.ones((5, 5))), (5, morphology.octagon(5, 2))]


@pytest.mark.parametrize(("radius", "element"), DISKS)
def test_opening_is_the_grey_opening(image, radius, element):
    expected = morphology.opening(image, element)
    np.testing.assert_array_equal(opening(image, radius), expected)
    inner = (slice(8, -8),) * 2
    reference = ndimage.grey_opening(image, footprint=element)
    np.testing.assert_array_equal(opening(image, radius)[inner], reference[inner])
    np.testing.assert_array_equal(opening(image, radius, passes=5), expected)


@pytest.mark.parametrize(("radius", "element"), DISKS)
def test_closing_is_the_grey_closing(image, radius, element):
    expected = morphology.closing(image, element)
    np.testing.assert_array_equal(closing(image, radius), expected)


@pytest.mark.parametrize("operator", [opening, closing])
def test_a_disk_that_is_not_known_is_refused(image, operator):
    with pytest.raises(ValueError, match="radius must be one of 1, 3, 5, got 2"):
        operator(image, 2)


OPERATORS = [closing, guided, opening, wiener, lambda i: flatten(i, 3), lambda i: gaussian(i, 3)]


@pytest.mark.parametrize("operator", OPERATORS)
def test_the_type_is_kept_and_doubles_are_more_exact(image, operator):
    exact = image + np.random.default_rng(0).normal(0, 0.01, image.shape)
    single, double = operator(exact.astype(np.float32)), operator(exact)
    assert (single.dtype, double.dtype) == (np.float32, np.float64)
    np.testing.assert_allclose(single, double, atol=2e-6)
    assert np.abs(double - double.astype(np.float32)).max() > 0


def test_opening_removes_bright_specks_and_keeps_dark_ones():
    image = np.full((20, 20), 0.5, np.float32)
    image[5, 5], image[12, 12] = 1, 0
    result = opening(image)
    assert result[5, 5] == 0.5
    assert result[12, 12] == 0


def test_gaussian_is_scipys(image):
    expected = ndimage.gaussian_filter(image, 3, mode="mirror", truncate=5)
    np.testing.assert_allclose(gaussian(image, 3), expected, atol=2e-3)


def test_gaussian_of_zero_sigma_leaves_the_image(image):
    np.testing.assert_array_equal(gaussian(image, 0), image)


def test_flatten_removes_a_slope_and_keeps_particles(image):
    slope = (
        np.linspace(-4, 4, 240, dtype=np.float32)[None, :]
        + np.linspace(0, 5, 200, dtype=np.float32)[:, None]
    )
    row, column = np.ogrid[:200, :240]
    disc = np.where(np.hypot(row - 100, column - 120) < 5, -1, 0).astype(np.float32)
    result = flatten(slope + disc, 12)
    inner = result[40:-40, 40:-40].copy()
    assert inner[60, 80] < -0.85
    np.testing.assert_allclose(inner[:10], 0, atol=0.01)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("sigma", [16.0, 36.0, 77.5, 98.0])
@pytest.mark.parametrize("shape", [(301, 402), (400, 97)])
def test_wide_gaussians_are_scipys(shape, sigma, dtype):
    noise = np.random.default_rng(0).normal(size=shape) + np.linspace(0, 3, shape[1])
    expected = ndimage.gaussian_filter(noise, sigma, mode="mirror", truncate=4)
    found = gaussian(noise.astype(dtype), sigma)
    assert found.dtype == dtype
    np.testing.assert_allclose(found, expected, atol=1e-4 * noise.std())


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (7, 3)])
def test_a_gaussian_may_be_wider_than_the_image(shape):
    image = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    blurred = gaussian(image, 200.0)
    assert blurred.shape == shape
    assert blurred.std() < 0.05
