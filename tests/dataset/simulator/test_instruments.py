"""Cameras and export: each leaves what it says, and grey values stay in [0, 255]."""

import numpy as np
import pytest
from scipy import fft, ndimage

from deepcryopicker.dataset.schema import INSTRUMENTS as NAMED
from deepcryopicker.dataset.simulator.instruments import cameras, export
from deepcryopicker.dataset.simulator.instruments.catalogued import INSTRUMENTS
from deepcryopicker.dataset.simulator.surroundings.canvas import smooth_noise

NOISE = 100 + 10 * np.random.default_rng(0).standard_normal((200, 220)).astype(np.float32)


def rng(seed=0):
    return np.random.default_rng(seed)


def test_the_configuration_knows_every_instrument():
    assert set(NAMED) == set(INSTRUMENTS)
    assert sum(one.share for one in INSTRUMENTS.values()) == pytest.approx(1)


@pytest.mark.parametrize("name", sorted(INSTRUMENTS))
def test_grey_values_lie_within_a_byte(name):
    for seed in range(3):
        stored, border = INSTRUMENTS[name].store(NOISE, 20.0, rng(seed))
        assert stored.shape == NOISE.shape
        assert stored.dtype == np.float32
        assert 0 <= stored.min() < stored.max() <= 255
        assert border == 0 or name == "any"
        again, _ = INSTRUMENTS[name].store(NOISE, 20.0, rng(seed))
        np.testing.assert_array_equal(stored, again)


@pytest.mark.parametrize("name", ["ccd", "film", "leginon", "processed"])
def test_pictures_of_8_bits_have_whole_numbers(name):
    stored, _ = INSTRUMENTS[name].store(NOISE, 20.0, rng())
    np.testing.assert_array_equal(stored, np.round(stored))


def test_contrast_by_the_standard_deviation():
    picture = export.eight_bits(NOISE, 3.0)
    assert picture.mean() == pytest.approx(127.5, abs=0.5)
    assert picture.std() == pytest.approx(127.5 / 3, rel=0.01)
    # Of a Gaussian, 0.27 % lie beyond three standard deviations.
    assert np.mean((picture == 0) | (picture == 255)) == pytest.approx(0.0027, abs=0.002)


def test_contrast_between_percentiles():
    picture = export.between_percentiles(NOISE, 2.0)
    assert np.mean(picture == 0) == pytest.approx(0.02, abs=0.002)
    assert np.mean(picture == 255) == pytest.approx(0.02, abs=0.002)


def test_averaging_over_a_pixel_agrees_with_binning():
    """A wave of four pixels' length, averaged over a pixel of its own finer samples."""
    fine = np.cos(2 * np.pi * (np.arange(1600) - 12) / 100)
    binned = fine.reshape(64, 25).mean(axis=1)
    coarse = np.tile(np.cos(2 * np.pi * np.arange(64) / 4), (64, 1)).astype(np.float32)
    np.testing.assert_allclose(export.averaged(coarse)[0], binned, atol=2e-3)


def test_high_pass_removes_what_is_slow_and_keeps_what_is_fast():
    slow = 20 * smooth_noise(NOISE.shape, 60, rng())
    filtered = export.high_passed(NOISE + slow, 10.0)
    assert ndimage.gaussian_filter(filtered, 30).std() < 0.1 * slow.std()
    assert filtered.std() == pytest.approx(10, rel=0.1)


@pytest.mark.parametrize("seed", range(6))
def test_text_covers_little_and_has_one_grey_value(seed):
    written = export.with_text(NOISE, rng(seed))
    changed = written != NOISE
    assert 0.0005 < changed.mean() < 0.06
    assert len(np.unique(written[changed])) == 1
    rows = np.flatnonzero(changed.any(axis=1))
    assert rows.min() > 0.7 * NOISE.shape[0]


def test_gain_errors_are_constant_along_stripes_and_within_blocks():
    found = cameras.gain_errors(NOISE, rng(1)) - NOISE
    assert found.std() > 0.01
    # Few values: stripes times blocks; noise would have one for each pixel.
    assert len(np.unique(np.round(found, 3))) < NOISE.size / 20


def test_bad_pixels_are_few_and_far_from_the_rest():
    for seed in range(10):
        changed = cameras.bad_pixels(NOISE, rng(seed)) != NOISE
        assert changed.mean() < 0.05


def test_a_scintillator_blurs_noise_as_well():
    assert cameras.scintillator(NOISE, rng()).std() < 0.95 * NOISE.std()


def test_film_has_grain_and_gradients():
    flat = np.full((200, 200), 1.0, np.float32)
    flat += 0.01 * rng().standard_normal(flat.shape).astype(np.float32)
    film = cameras.scanned_film(flat, 20.0, rng(3))
    neighbours = np.corrcoef(film[:, :-1].ravel(), film[:, 1:].ravel())[0, 1]
    assert neighbours > 0.1
    assert film.std() > flat.std()


@pytest.mark.parametrize("seed", range(12))
def test_spoiled_micrographs_are_finite_and_other_than_before(seed):
    spoiled = export.spoiled(NOISE, 20.0, rng(seed))
    assert spoiled.shape == NOISE.shape
    assert np.isfinite(spoiled).all()
    assert not np.array_equal(spoiled, NOISE)


def test_denoised_pictures_have_less_power_at_high_frequency():
    def high(image):
        power = np.abs(fft.rfft2(image - image.mean())) ** 2
        return power[60:140, 60:].mean() / power.mean()

    stored = [INSTRUMENTS["processed"].store(NOISE, 20.0, rng(seed))[0] for seed in range(12)]
    assert min(high(image) for image in stored) < 0.3
