"""Micrographs of a structure like given ones: what was put in is measured, and put in again."""

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial import KDTree
from scipy.spatial.distance import pdist

from deepcryopicker.dataset.pasting.crowds import gaps, like, paste
from deepcryopicker.dataset.pasting.radial import radial_mean
from deepcryopicker.dataset.pasting.spectra import (
    Spectrum,
    block_spectra,
    noise,
    noise_spectrum,
)
from deepcryopicker.dataset.pasting.transfer import (
    fit_profile,
    refine_transfer,
    shift_of,
    window_side,
)
from deepcryopicker.dataset.pasting.views import Transfer, boxed, enlarged
from deepcryopicker.detection.windows import cut

DIAMETER = 24.0
SIDE = 96


@pytest.fixture(scope="module")
def views():
    """Lumps of unequal size at random places within a particle, of largest value 1."""
    rng = np.random.default_rng(0)
    images = np.zeros((80, SIDE, SIDE), np.float32)
    lumps = rng.uniform(-7, 7, (5, 3))
    for image in images:
        turn, _ = np.linalg.qr(rng.standard_normal((3, 3)))
        for size, (x, y, _) in zip((3, 2, 4, 3, 2), lumps @ turn, strict=True):
            row, column = np.mgrid[:SIDE, :SIDE] - SIDE // 2
            image += size * np.exp(-((row - y) ** 2 + (column - x) ** 2) / 10)
    return images / images.max()


def true_transfer(curve=0.1):
    k = np.arange(0, 12.5, 0.1)
    high_pass = 1 - np.exp(-((k / 0.6) ** 2))
    return Transfer(k, -3 * np.sin(curve * k**2 + 0.3) * np.exp(-0.03 * k**2) * high_pass)


def scene(views, transfer, spread=0.0, deviation=0.3, seed=1):
    """A micrograph of 600 pixels with 130 particles, and where they are."""
    rng = np.random.default_rng(seed)
    places = gaps(np.zeros((0, 2)), (600, 600), 20, 1.6 * DIAMETER, rng)
    chosen = rng.integers(len(views), size=len(places))
    contrast = rng.lognormal(0, spread, len(places))
    image = rng.normal(0, deviation, (600, 600)).astype(np.float32)
    image = paste(image, transfer.apply(views, DIAMETER)[chosen], places, contrast)
    return image, places, contrast


@pytest.mark.parametrize(
    "curve",
    [
        pytest.param(0.03, marks=pytest.mark.thorough),
        0.1,
        pytest.param(0.2, marks=pytest.mark.thorough),
    ],
)
def test_a_known_transfer_is_recovered(views, curve):
    truth = true_transfer(curve)
    image, places, _ = scene(views, truth)
    around = cut(image, places, SIDE + 1, beyond="mean")
    first = fit_profile(radial_mean(around.mean(axis=0)), views.mean(axis=0), DIAMETER, False)
    assert first.enlargement == 1
    # Found without knowing the centres exactly, with projections in other orientations.
    rng = np.random.default_rng(2)
    near = places + rng.integers(-2, 3, places.shape)
    windows = cut(image, near, window_side(DIAMETER), beyond="mean")
    found, _ = refine_transfer(windows, views, first, DIAMETER)
    k = np.arange(1, 3.3, 0.25)  # the views hold nothing finer
    wanted = np.interp(k, truth.frequency, truth.value)
    measured = np.interp(k, found.frequency, found.value)
    assert np.corrcoef(wanted, measured)[0, 1] > 0.97
    assert 0.8 < np.vdot(wanted, measured) / np.vdot(wanted, wanted) < 1.15


@pytest.mark.thorough
def test_an_unknown_size_is_fitted(views):
    truth = true_transfer()
    image, places, _ = scene(enlarged(views, 1.25), truth)
    around = cut(image, places, SIDE + 1, beyond="mean")
    profile = radial_mean(around.mean(axis=0))
    found = fit_profile(profile, views.mean(axis=0), DIAMETER, True)
    assert found.enlargement == pytest.approx(1.25, rel=0.08)


def test_the_spread_of_contrasts_is_measured(views):
    truth = true_transfer()
    spreads = []
    for spread in (0.0, 0.3):
        image, places, _ = scene(views, truth, spread)
        windows = cut(image, places, window_side(DIAMETER), beyond="mean")
        _, contrast = refine_transfer(windows, views, truth, DIAMETER, rounds=1)
        assert np.median(contrast) == pytest.approx(1, abs=0.15)
        spreads.append(np.std(np.log(contrast.clip(0.05))))
    assert spreads[0] < 0.12
    assert spreads[1] == pytest.approx(0.3, abs=0.06)


def test_windows_are_wider_than_the_farthest_shift():
    assert shift_of(24) == 3
    assert window_side(24) == 48 + 6
    assert shift_of(48) == 6


def test_noise_has_the_spectrum_that_was_asked_for():
    spectrum = Spectrum(np.arange(0, 13, 0.5), np.exp(-np.arange(0, 13, 0.5) / 3) + 0.1)
    image = noise(spectrum, (700, 640), DIAMETER, np.random.default_rng(0))
    whole, _ = block_spectra(image, np.zeros(image.shape), DIAMETER)
    inside = (whole.frequency > 0.9) & (whole.frequency < 11)
    wanted = np.interp(whole.frequency, spectrum.frequency, spectrum.power)
    np.testing.assert_allclose(whole.power[inside], wanted[inside], rtol=0.12)


def test_the_noise_between_particles_is_found_in_a_crowd(views):
    """By what the particles explain, and where there are few by the quiet blocks."""
    truth, rng = true_transfer(), np.random.default_rng(3)
    places = rng.integers(0, 600, (400, 2)).astype(np.float64)
    flat = Spectrum(np.array([0.0, 20.0]), np.array([0.5, 0.5]))
    image = noise(flat, (600, 600), DIAMETER, rng)
    seen = truth.apply(views, DIAMETER)[rng.integers(len(views), size=400)]
    image = paste(image, seen, places, np.ones(400))
    density = np.full(image.shape, 400 / image.size)
    whole, quiet = block_spectra(image, density, DIAMETER)
    found = noise_spectrum(whole, quiet, views, truth, 400 / image.size, DIAMETER)
    middle = (whole.frequency >= 1) & (whole.frequency <= 4)
    assert whole.power[middle].max() > 1.1
    np.testing.assert_allclose(found.power[middle], 0.5, atol=0.35)
    assert abs(found.power[middle].mean() - 0.5) < 0.2


def test_particles_are_pasted_exactly_where_the_labels_say():
    view = np.zeros((2, 9, 9), np.float32)
    view[:, 4, 4] = 1
    places = np.array([[5.0, 7.0], [0.0, 19.0]])
    image = paste(np.zeros((20, 30), np.float32), view, places, np.array([2.0, 3.0]))
    assert np.argwhere(image).tolist() == [[7, 5], [19, 0]]
    assert (image[7, 5], image[19, 0]) == (2, 3)


def test_gaps_are_far_from_every_candidate_and_from_each_other():
    rng = np.random.default_rng(0)
    taken = rng.uniform(0, 300, (40, 2))
    found = gaps(taken, (300, 280), 12, 24, rng)
    assert len(found) > 10
    assert KDTree(taken).query(found)[0].min() >= 24
    assert pdist(found).min() >= 24 * (1 - 1e-6)
    assert found.min() >= 6
    assert (found < [280 - 6, 300 - 6]).all()


def test_crowds_are_those_of_the_micrograph():
    rng = np.random.default_rng(0)
    places = rng.uniform(0, 200, (60, 2)) * [1, 0.5]  # the upper half only
    score = np.r_[np.full(30, 0.9), np.full(30, 0.1)]
    crowded = like(places, score, (200, 200), 20, rng)
    assert 27 <= len(crowded) <= 48
    rows = crowded[:, 1]
    assert (rows < 106).all() or (rows > 94).all()  # mirrored or not, still one half
    assert (crowded == np.rint(crowded)).all()


def test_boxes_keep_the_middle_pixel():
    view = np.zeros((1, 11, 11), np.float32)
    view[0, 5, 5] = 1
    for side in (8, 9, 16, 17):
        assert np.argwhere(boxed(view, side)[0]).tolist() == [[side // 2, side // 2]]
    wide = boxed(ndimage.gaussian_filter(view, (0, 2, 2)), 48)
    larger = enlarged(wide, 2.0)
    assert np.unravel_index(larger[0].argmax(), (48, 48)) == (24, 24)
    assert larger.sum() == pytest.approx(4 * wide.sum(), rel=0.02)
