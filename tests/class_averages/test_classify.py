"""Noisy copies of known shapes in random orientations are sorted, centred and averaged."""

import numpy as np
import pytest
from scipy import ndimage

from deepcryopicker.class_averages.classify import (
    classify,
    number_of_classes,
    without_background,
)
from deepcryopicker.class_averages.resolution import soft_disc

SIDE, DIAMETER = 48, 30.0


def shapes():
    """Return a bar, a ring and a triangle of discs, particles positive."""
    y, x = np.mgrid[:SIDE, :SIDE] - SIDE // 2
    bar = (np.abs(x) < 4) & (np.abs(y) < 14)
    radius = np.hypot(x, y)
    ring = (radius > 9) & (radius < 14)
    discs = np.zeros_like(bar)
    for angle in np.radians([90, 210, 330]):
        discs |= np.hypot(x - 9 * np.cos(angle), y - 9 * np.sin(angle)) < 5
    return [ndimage.gaussian_filter(one.astype(np.float32), 1.5) for one in (bar, ring, discs)]


def noisy(seed, number, noise, shift=0.0):
    rng = np.random.default_rng(seed)
    kind, moved = rng.integers(3, size=number), rng.uniform(-shift, shift, (number, 2))
    drawn = shapes()
    windows = np.stack(
        [
            ndimage.shift(
                ndimage.rotate(drawn[which], angle, reshape=False, order=1), offset[::-1], order=1
            )
            for which, angle, offset in zip(kind, rng.uniform(0, 360, number), moved, strict=True)
        ]
    )
    windows += rng.normal(0, noise, windows.shape).astype(np.float32)
    return windows.astype(np.float32), kind, moved


def purity(label, kind):
    return sum(np.bincount(kind[label == k]).max() for k in set(label)) / len(label)


def test_shapes_are_sorted_in_noise():
    windows, kind, _ = noisy(0, 300, 0.7)
    found = classify(windows, DIAMETER, 6, np.random.default_rng(0))
    assert purity(found.label, kind) > 0.97
    assert (np.diff(found.averages.count) <= 0).all()
    assert found.averages.count.sum() == 300


def test_averages_show_the_shapes():
    windows, kind, _ = noisy(1, 300, 0.7)
    found = classify(windows, DIAMETER, 3, np.random.default_rng(1))
    mask = soft_disc(SIDE, 0.55 * DIAMETER, 3.0)
    clean = without_background(np.stack(shapes()), mask)
    averages = without_background(found.averages.image, mask)
    for label, average in enumerate(averages):
        shown = np.bincount(kind[found.label == label]).argmax()
        best = max(
            np.corrcoef(
                ndimage.rotate(clean[shown], angle, reshape=False, order=1).ravel(), average.ravel()
            )[0, 1]
            for angle in range(0, 360, 5)
        )
        assert best > 0.9


def test_particles_off_the_centre_are_centred():
    windows, kind, moved = noisy(2, 300, 0.5, shift=3.0)
    found = classify(windows, DIAMETER, 6, np.random.default_rng(0))
    assert purity(found.label, kind) > 0.95
    before = np.hypot(*moved.T).mean()
    assert np.hypot(*(moved - found.shifts).T).mean() < 0.5 * before


def test_equal_windows_and_seeds_have_equal_classes():
    windows, _, _ = noisy(3, 120, 0.7)
    one, other = (classify(windows, DIAMETER, 4, np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(one.label, other.label)
    np.testing.assert_array_equal(one.averages.image, other.averages.image)


@pytest.mark.parametrize("number", [2, 3, 7])
def test_few_windows_are_classified_too(number):
    windows, _, _ = noisy(4, number, 0.1)
    found = classify(windows, DIAMETER, 2, np.random.default_rng(0))
    assert len(found.label) == number
    assert found.averages.count.sum() == number


def test_blank_windows_are_one_class():
    found = classify(np.zeros((9, SIDE, SIDE), np.float32), DIAMETER, 3, np.random.default_rng(0))
    assert found.averages.count.tolist() == [9]


def test_more_windows_make_more_classes():
    counts = [number_of_classes(number) for number in (10, 1000, 3000, 10**6)]
    assert counts == sorted(counts)
    assert counts[0] == 2
    assert counts[-1] == 50
