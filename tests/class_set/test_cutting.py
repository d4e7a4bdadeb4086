"""Windows are turned as asked, and smoothed as the paper augments."""

from pathlib import Path

import cv2
import numpy as np

from deepcryopicker.class_set.cutting import cut_windows, matched, smoothed
from deepcryopicker.detection.windows import cut
from deepcryopicker.types import Micrograph

from .common import SCALE, SIZE, candidates, configure, draw

RNG = np.random.default_rng(0)
IMAGE = RNG.normal(size=(260, 300)).astype(np.float32)


def test_copies_are_quarter_turns_of_the_window():
    samples = draw([candidates()] * 3, configure("five", rotations="all"))
    samples = samples[samples.micrograph == samples.micrograph[0]]
    found = cut_windows(samples, Micrograph("m", Path("m"), IMAGE, scale=SCALE), SIZE)
    x, y = ((position + 0.5) * SCALE - 0.5 for position in (samples.x, samples.y))
    plain = cut(IMAGE, np.column_stack([x, y]), SIZE, beyond="mean")
    assert set(samples.quarter_turns) == {0, 1, 2, 3}
    for window, before, count in zip(found, plain, samples.quarter_turns, strict=True):
        np.testing.assert_array_equal(window, np.rot90(before, count))


def test_smoothing_is_one_of_the_papers_gaussians():
    """For every window there is a mask and a width in (0, 1] that give it."""

    def cut_of(size):
        return cut(IMAGE, np.full((12, 2), 130.0), size)

    found = smoothed(cut_of, 9, np.random.default_rng(1))
    assert found.shape == (12, 9, 9)
    blurs = [
        cv2.GaussianBlur(IMAGE, (mask, mask), sigma)[126:135, 126:135]
        for mask in (3, 5)
        for sigma in np.linspace(0.01, 1, 400)
    ]
    nearest = [min(np.abs(window - blur).max() for blur in blurs) for window in found]
    assert max(nearest) < 0.02
    assert len({window.tobytes() for window in found}) > 6  # widths differ


def test_versions_are_matched_to_what_the_network_sees():
    version = 40.0 + 7.0 * RNG.normal(size=(50, 60)).astype(np.float32)
    seen = (3.0 + 0.05 * version + 0.5 * RNG.normal(size=(50, 60))).astype(np.float32)
    found = matched(version, seen)
    np.testing.assert_allclose([found.mean(), found.std()], [seen.mean(), seen.std()], rtol=1e-5)
    np.testing.assert_allclose(np.corrcoef(found.ravel(), version.ravel())[0, 1], 1, rtol=1e-6)
    np.testing.assert_allclose(matched(-version, seen), found, rtol=1e-4)
    np.testing.assert_array_equal(
        matched(np.ones_like(seen), seen), np.full_like(seen, seen.mean())
    )
