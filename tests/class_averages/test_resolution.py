"""Fourier ring correlation against its definition, and against known signal-to-noise ratios."""

from itertools import pairwise

import numpy as np
import pytest

from deepcryopicker.class_averages.resolution import resolution, ring_correlation, soft_disc

EDGES = np.array([0.05, 0.15, 0.25, 0.4])


@pytest.mark.parametrize("side", [32, 33])
def test_it_is_the_correlation_of_the_full_transforms(side):
    rng = np.random.default_rng(0)
    one, other = rng.standard_normal((2, 3, side, side)).astype(np.float32)
    a, b = np.fft.fft2(one), np.fft.fft2(other)
    radius = np.hypot(*np.meshgrid(np.fft.fftfreq(side), np.fft.fftfreq(side)))
    found = ring_correlation(one, other, EDGES)
    for ring, (low, high) in enumerate(pairwise(EDGES)):
        inside = (radius >= low) & (radius < high)
        cross = (a * b.conj())[:, inside].sum(axis=1).real
        norm = np.sqrt(
            (np.abs(a[:, inside]) ** 2).sum(axis=1) * (np.abs(b[:, inside]) ** 2).sum(axis=1)
        )
        np.testing.assert_allclose(found[:, ring], cross / norm, rtol=1e-4)


def test_equal_images_correlate_fully_and_nothing_with_noise():
    image = np.random.default_rng(1).standard_normal((1, 64, 64)).astype(np.float32)
    assert ring_correlation(image, image, EDGES) == pytest.approx(1.0)
    assert ring_correlation(image, np.zeros_like(image), EDGES).tolist() == [[0, 0, 0]]


def test_it_is_the_share_of_the_signal():
    rng = np.random.default_rng(2)
    signal = rng.standard_normal((20, 64, 64))
    halves = [(signal + 2 * rng.standard_normal(signal.shape)).astype(np.float32) for _ in "ab"]
    assert ring_correlation(*halves, EDGES).mean() == pytest.approx(1 / 5, abs=0.02)


def test_the_resolution_is_where_it_first_falls_below_the_limit():
    edges = np.array([0.0, 2.0, 4.0, 6.0])
    correlation = np.array([[0.9, 0.7, 0.3], [0.4, 0.9, 0.9], [0.9, 0.8, 0.7]])
    assert resolution(correlation, edges) == pytest.approx([4.0, 1.0, 5.0])


def test_the_disc_is_one_half_at_its_radius():
    disc = soft_disc(33, 10.0, 4.0)
    assert disc[16, 16] == 1.0
    assert disc[16, 26] == pytest.approx(0.5)
    assert disc[16, 28] == pytest.approx(0.0)
