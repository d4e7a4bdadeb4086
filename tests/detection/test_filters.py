"""Filters against brute force and against the physics of blobs."""

import numpy as np
import pytest

from deepcryopicker.detection.filters import correlate, difference_of_gaussians, disc_mask

RADIUS = 6.3


def noise(seed=0, shape=(60, 70)):
    return np.random.default_rng(seed).normal(3, 2, shape).astype(np.float32)


def dark_disc(radius, size=201):
    offset = np.arange(size) - size // 2
    return -(np.hypot(offset[:, None], offset) <= radius).astype(np.float32)


def bumpy(size=15):
    """Draw a template without any symmetry."""
    return np.random.default_rng(9).normal(size=(size, size)).astype(np.float32)


@pytest.mark.parametrize(("size", "radius"), [(9, 3.0), (13, 6.4), (5, 0.0)])
def test_disc_holds_the_pixels_within_its_radius(size, radius):
    disc = disc_mask(size, radius)
    for row, column in np.ndindex(size, size):
        inside = (row - size // 2) ** 2 + (column - size // 2) ** 2 <= radius**2
        assert disc[row, column] == inside


@pytest.mark.parametrize(("x", "y"), [(20, 30), (45, 12), (62, 52)])
def test_correlation_is_the_coefficient_within_the_disc(x, y):
    image, template = noise(), bumpy()
    inside = disc_mask(15, RADIUS) > 0
    window = image[y - 7 : y + 8, x - 7 : x + 8]
    expected = np.corrcoef(window[inside], template[inside])[0, 1]
    found = correlate(image, template, RADIUS)[y, x]
    # The constant that keeps flat areas down also takes a seventh off everything else.
    assert found == pytest.approx(expected / 1.15, rel=0.05)


def test_correlation_ignores_what_is_outside_the_disc():
    template, other = bumpy(), bumpy()
    other[disc_mask(15, RADIUS) == 0] += 100
    found, changed = (correlate(noise(), t, RADIUS) for t in (template, other))
    np.testing.assert_allclose(found, changed, atol=1e-4)


def test_correlation_ignores_brightness_and_contrast():
    image, template = noise(), bumpy()
    expected = correlate(image, template, RADIUS)
    np.testing.assert_allclose(
        correlate(5 * image - 20, 3 * template + 7, RADIUS), expected, atol=1e-3
    )


def test_correlation_tops_where_the_template_lies():
    image = noise()
    image[20:35, 40:55] = 3 + 2 * bumpy()
    found = correlate(image, bumpy(), RADIUS)
    assert np.unravel_index(found.argmax(), found.shape) == (27, 47)
    assert found.max() > 0.8
    assert np.abs(found).max() <= 1


def test_correlation_is_near_zero_where_the_image_is_flat():
    image = noise()
    template = bumpy()
    image[:, :35] = 3 + 0.01 * (image[:, :35] - 3)
    found = np.abs(correlate(image, template, RADIUS))
    assert found[:, :25].max() < 0.2 * found[:, 45:].max()


@pytest.mark.parametrize("value", [0.0, 1.0, -3.0])
def test_correlation_with_a_constant_image_is_zero(value):
    found = correlate(np.full((40, 50), value, np.float32), bumpy() + 2, RADIUS)
    np.testing.assert_allclose(found, 0, atol=1e-2)


def test_correlation_with_a_constant_template_is_zero():
    found = correlate(noise(), np.full((15, 15), 4, np.float32), RADIUS)
    np.testing.assert_allclose(found, 0, atol=1e-2)


@pytest.mark.parametrize("radius", [6.0, 10.0, 20.0])
def test_dark_disc_responds_most_at_its_centre(radius):
    response = difference_of_gaussians(dark_disc(radius), radius / 1.8)
    assert np.unravel_index(response.argmax(), response.shape) == (100, 100)
    assert response.max() > 0.15


def test_bright_disc_responds_negatively():
    disc = dark_disc(10)
    np.testing.assert_allclose(
        difference_of_gaussians(-disc, 5), -difference_of_gaussians(disc, 5), atol=1e-6
    )
    assert difference_of_gaussians(-disc, 5)[100, 100] < -0.15


def test_brightness_alone_responds_nowhere():
    flat = np.full((50, 60), 7, np.float32)
    np.testing.assert_allclose(difference_of_gaussians(flat, 4), 0, atol=1e-5)


def test_response_at_a_blob_does_not_depend_on_its_scale():
    heights = [difference_of_gaussians(dark_disc(r), 0.5 * r)[100, 100] for r in (8, 12, 16, 24)]
    np.testing.assert_allclose(heights, heights[0], rtol=0.02)


def test_best_sigma_is_the_radius_over_one_point_eight():
    sigmas = np.linspace(5, 20, 61)
    heights = [difference_of_gaussians(dark_disc(20), sigma)[100, 100] for sigma in sigmas]
    assert 20 / sigmas[np.argmax(heights)] == pytest.approx(1.8, abs=0.1)
