"""Classes of picks beside classes of random places."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from deepcryopicker.dataset.catalogue import Entry
from deepcryopicker.pipeline.classes import classify_dataset as module
from deepcryopicker.pipeline.classes.classify_dataset import classify_dataset, has_power
from deepcryopicker.pipeline.classes.cut_dataset import PickedWindows
from deepcryopicker.types import Picks

SIDE, DIAMETER = 36, 24.0
Y, X = np.mgrid[:SIDE, :SIDE] - SIDE // 2
BAR = ((np.abs(X) < 3) & (np.abs(Y) < 11)).astype(float)
RING = (np.abs(np.hypot(X, Y) - 8) < 2.5).astype(float)


def windows(seed, number, shape):
    rng = np.random.default_rng(seed)
    stack = rng.normal(0, 1, (number, SIDE, SIDE))
    for window, angle in zip(stack, rng.uniform(0, 360, number), strict=True):
        window += 1.5 * ndimage.rotate(shape, angle, reshape=False, order=1)
    return stack.astype(np.float16)


@pytest.fixture
def cut(tmp_path):
    """Windows of 120 rings, 80 bars and 60 picks of nothing."""
    stack = np.concatenate([windows(0, 120, RING), windows(1, 80, BAR), windows(2, 60, 0 * BAR)])
    number = np.arange(len(stack))
    picks = Picks.create(number, 2 * number)
    entry = Entry("m", tmp_path / "m.mrc", "g", 48.0)
    elsewhere = windows(3, 100, 0 * BAR)
    return PickedWindows(
        (entry,), (picks,), stack, elsewhere, DIAMETER, np.array([0.5]), (1.5,), (300,)
    )


def test_particles_and_picks_of_nothing_have_classes_of_their_own(cut):
    found = classify_dataset(cut, 5, 0)
    kind = np.repeat([0, 1, 2], [120, 80, 60])
    pure = sum(np.bincount(kind[found.label == k]).max() for k in range(len(found.count)))
    assert pure > 0.9 * len(kind)
    assert found.count.sum() == len(kind)
    for k, like_random in enumerate(found.like_random):
        mostly = np.bincount(kind[found.label == k], minlength=3).argmax()
        if mostly < 2:
            assert not like_random
            assert found.contrast[k] > 0.1
            assert found.finest[k] > 1.0  # finer than a diameter
    assert np.median(found.contrast[found.label[kind == 2]]) < 0.1


def test_windows_beyond_the_sample_are_assigned(cut, monkeypatch):
    monkeypatch.setattr(module, "_SAMPLE", 200)
    monkeypatch.setattr(module, "_CHUNK", 25)
    found = classify_dataset(cut, 5, 0)
    kind = np.repeat([0, 1, 2], [120, 80, 60])
    pure = sum(np.bincount(kind[found.label == k]).max() for k in range(len(found.count)))
    assert pure > 0.85 * len(kind)
    assert found.count.sum() == len(kind)


def test_rings_beyond_the_band_of_the_micrographs_hold_nothing():
    rng = np.random.default_rng(0)
    noise = rng.standard_normal((40, SIDE, SIDE)).astype(np.float32)
    edges = np.arange(0.5, SIDE // 2) / SIDE
    assert has_power(noise, edges).all()
    smooth = ndimage.gaussian_filter(noise, (0, 2, 2), mode="wrap")
    band = has_power(smooth, edges)
    # A Gaussian of 2 pixels leaves a thousandth of the power at 0.21 cycles per pixel.
    assert band[: int(0.15 * SIDE)].all()
    assert not band[int(0.27 * SIDE) :].any()
    assert has_power(noise[:0], edges).all()


def test_classes_without_random_places_are_described_too(cut):
    found = classify_dataset(replace(cut, elsewhere=cut.elsewhere[:0]), None, 0)
    assert not found.like_random.any()
    assert np.isfinite(found.contrast).all()
