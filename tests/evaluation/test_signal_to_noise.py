"""Signal-to-noise ratio of images whose ratio is known."""

from functools import cache

import numpy as np
import pytest

from deepcryopicker.evaluation.signal_to_noise import signal_to_noise

DIAMETER = 40.0


@cache
def synthetic(ratio: float):
    """White noise of power 4; more white noise of power 4 * ratio within the particles."""
    shape = 500, 700
    rng = np.random.default_rng(0)
    x, y = (
        grid.ravel() for grid in np.meshgrid(np.arange(60, 660, 97.3), np.arange(50, 460, 83.7))
    )
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    image = rng.normal(0, 2, shape)
    for column, row in zip(x, y, strict=True):
        inside = np.hypot(rows - row, columns - column) <= DIAMETER / 2
        image[inside] += rng.normal(0, 2 * np.sqrt(ratio), inside.sum())
    return image.astype(np.float32), x, y


@pytest.mark.parametrize("ratio", [0.5, 1.0, 4.0])
def test_known_ratio(ratio):
    image, x, y = synthetic(ratio)
    assert signal_to_noise(image, x, y, DIAMETER) == pytest.approx(ratio, rel=0.1)


def test_pure_noise_is_zero():
    image, x, y = synthetic(0.0)
    assert signal_to_noise(image, x, y, DIAMETER) == pytest.approx(0.0, abs=0.05)


def test_slope_gain_and_offset_do_not_matter():
    image, x, y = synthetic(1.0)
    ratio = signal_to_noise(image, x, y, DIAMETER)
    slope = np.linspace(0, 10, image.shape[1], dtype=np.float32)
    assert signal_to_noise(image + slope, x, y, DIAMETER) == pytest.approx(ratio, rel=0.05)
    assert signal_to_noise(1000 - 7 * image, x, y, DIAMETER) == pytest.approx(ratio, rel=0.01)


def test_wrong_places_lose_the_signal():
    image, x, y = synthetic(1.0)
    assert signal_to_noise(image, x + 45, y + 40, DIAMETER) < 0.1


def test_undefined_without_particles_background_or_noise():
    image, x, y = synthetic(1.0)
    assert np.isnan(signal_to_noise(image, [], [], DIAMETER))
    assert np.isnan(signal_to_noise(image[:30, :30], [15], [15], DIAMETER))
    assert np.isnan(signal_to_noise(np.zeros_like(image), x, y, DIAMETER))


def test_particles_over_the_edge_or_outside():
    image, x, y = synthetic(1.0)
    x, y = np.append(x, [-5.0, 699.0, 5000.0, -900.0]), np.append(y, [250.0, 499.0, 10.0, -900.0])
    assert signal_to_noise(image, x, y, DIAMETER) == pytest.approx(1.0, rel=0.1)
