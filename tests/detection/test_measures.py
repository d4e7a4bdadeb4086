"""Sizes and contrasts of particles whose size is known."""

import cv2
import numpy as np
import pytest

from deepcryopicker.detection.measures import measure

DIAMETER = 24.0
SPACING = 60


def height(rho, kind):
    """Darkness at a distance from the centre, radii of the particle."""
    ball = np.sqrt(np.clip(1 - rho**2, 0, 1))
    if kind == "disc":
        return (rho < 1).astype(float)
    if kind == "shell":
        return ball - 0.7 * np.sqrt(np.clip(1 - (rho / 0.7) ** 2, 0, 1))
    return ball


def micrograph(kind, sizes, noise=0.0, seed=0):
    """Draw dark particles on a grid, off the centres of pixels; smoothed like micrographs."""
    rng = np.random.default_rng(seed)
    side = int(np.ceil(np.sqrt(len(sizes))))
    image = np.zeros((side * SPACING,) * 2)
    row, column = np.divmod(np.arange(len(sizes)), side)
    x, y = (SPACING * (at + 0.5) + rng.uniform(-3, 3, len(sizes)) for at in (column, row))
    rows, columns = np.indices(image.shape)
    for one in range(len(sizes)):
        away = np.hypot(columns - x[one], rows - y[one]) / (sizes[one] / 2)
        image -= height(away, kind)
    image += rng.normal(0, 1, image.shape) * noise
    return cv2.GaussianBlur(image.astype(np.float32), (0, 0), 0.7), x, y


@pytest.mark.parametrize(("kind", "share"), [("disc", 1.0), ("shell", 0.98), ("ball", 0.9)])
@pytest.mark.parametrize("size", [12.0, 18.0, 24.0, 33.0])
def test_the_size_is_that_of_the_outline(kind, share, size):
    image, x, y = micrograph(kind, np.full(9, size))
    found = measure(image, x, y, DIAMETER).size
    np.testing.assert_allclose(found, share * size, rtol=0.12)


def test_two_sizes_are_distinguished_in_noise():
    sizes = np.where(np.arange(64) % 2, 24.0, 14.0)
    image, x, y = micrograph("ball", sizes, noise=1.0)
    found = measure(image, x, y, DIAMETER).size
    large = sizes > 20
    assert (found[large][:, None] > found[~large][None]).mean() > 0.97


def test_the_contrast_is_ring_less_disc():
    """Of the given diameter, against means over pixels, where the image is not reduced."""
    image, x, y = micrograph("disc", [12.0, 12.0, 7.0, 10.0])
    rows, columns = np.indices(image.shape)
    for at, found in enumerate(measure(image, np.rint(x), np.rint(y), 12.0).contrast):
        away = np.hypot(columns - np.rint(x[at]), rows - np.rint(y[at]))
        ring = image[(away >= 6) & (away < 9)].mean()
        assert found == pytest.approx(ring - image[away < 6].mean(), abs=0.04)


@pytest.mark.parametrize("factor", [0.5, 2.0, 7.3])
def test_sizes_scale_with_the_image(factor):
    image, x, y = micrograph("disc", np.full(4, 20.0))
    grid = np.array([[factor, 0, factor / 2 - 0.5], [0, factor, factor / 2 - 0.5]])
    side = int(np.ceil(len(image) * factor))
    scaled = cv2.warpAffine(image, grid, (side, side), flags=cv2.INTER_AREA)
    there = ((at + 0.5) * factor - 0.5 for at in (x, y))
    found = measure(scaled, *there, DIAMETER * factor)
    np.testing.assert_allclose(found.size / factor, 20.0, rtol=0.12)


def test_places_at_the_edge_and_none():
    image, _, _ = micrograph("disc", [24.0])
    found = measure(image, np.array([0.0, 59.0]), np.array([0.0, 30.0]), DIAMETER)
    assert np.isfinite(found.size).all()
    assert np.isfinite(found.contrast).all()
    none = measure(image, np.zeros(0), np.zeros(0), DIAMETER)
    assert none.size.shape == none.contrast.shape == (0,)
