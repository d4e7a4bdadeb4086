"""Polar sampling and correlation over all rotations, against images rotated by scipy."""

import numpy as np
import pytest
from scipy import ndimage

from deepcryopicker.class_averages.polar import (
    correlate_rotated,
    polar_grid,
    polar_spectra,
    powers,
    rotate_spectra,
)

SIDE, RADIUS = 33, 12.0
GRID = polar_grid(RADIUS, 1.0)


def smooth(seed, number):
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((number, SIDE, SIDE))
    return ndimage.gaussian_filter(noise, (0, 2, 2)).astype(np.float32)


def spectra(windows, shifts=None):
    return polar_spectra(windows, np.zeros((len(windows), 2)) if shifts is None else shifts, GRID)


def rotated(window, degrees):
    """Rotate from the x axis towards the y axis, which is from columns towards rows."""
    return ndimage.rotate(window, -degrees, axes=(0, 1), reshape=False, order=3, mode="nearest")


def test_points_are_on_rings_a_step_apart():
    assert (np.diff(GRID.radii) == 1.0).all()
    assert GRID.radii[0] == 0.5
    assert GRID.radii[-1] < RADIUS <= GRID.radii[-1] + 1.0
    assert GRID.points >= 2 * np.pi * RADIUS


def test_a_shift_moves_the_centre():
    windows = smooth(0, 3)
    moved = np.roll(windows, (2, -3), axis=(1, 2))
    shifts = np.tile([-3.0, 2.0], (3, 1))
    np.testing.assert_allclose(spectra(moved, shifts), spectra(windows), atol=1e-5)


@pytest.mark.parametrize("degrees", [0, 37, 90, 200])
def test_the_best_rotation_is_found(degrees):
    windows = smooth(1, 4)
    turned = np.stack([rotated(window, degrees) for window in windows])
    product, rotation = correlate_rotated(spectra(windows), spectra(turned), GRID.points)
    found = 360.0 * rotation.diagonal() / GRID.points
    difference = (found - degrees + 180) % 360 - 180
    assert np.abs(difference).max() <= 360 / GRID.points
    assert (product.argmax(axis=1) == np.arange(4)).all()


def test_products_are_those_of_all_rotations():
    one, other = spectra(smooth(2, 1)), spectra(smooth(3, 1))
    product, rotation = correlate_rotated(one, other, GRID.points)
    values = []
    for step in range(GRID.points):
        turned = rotate_spectra(one, np.array([step]), GRID.points)
        # |a + b|^2 = |a|^2 + |b|^2 + 2 ab
        both = powers(turned + other, GRID.points)
        apart = powers(turned, GRID.points) + powers(other, GRID.points)
        values.append(float((both - apart)[0]) / 2)
    assert rotation[0, 0] == np.argmax(values)
    assert product[0, 0] == pytest.approx(max(values), rel=1e-4)


def test_powers_are_those_of_the_samples():
    values = np.random.default_rng(0).standard_normal((2, len(GRID.radii), GRID.points))
    transformed = np.fft.rfft(values, axis=2)[:, :, : GRID.frequencies].astype(np.complex64)
    limited = np.fft.irfft(
        np.pad(transformed, ((0, 0), (0, 0), (0, GRID.points // 2 + 1 - GRID.frequencies))),
        n=GRID.points,
    )
    np.testing.assert_allclose(
        powers(transformed, GRID.points), (limited**2).sum(axis=(1, 2)), rtol=1e-4
    )
