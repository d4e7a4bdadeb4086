"""Noise with the spectrum of a micrograph."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from deepcryopicker.dataset.catalogue import Entry
from deepcryopicker.picker.folder.noise_image import (
    find_in_noise,
    noise_like,
    pick_noise_like,
    random_phases,
    share_in_noise,
    without_particles,
)
from deepcryopicker.preprocessing.preprocessed import Preprocessed
from deepcryopicker.preprocessing.schema import PreprocessingConfig
from deepcryopicker.types import Margins, Micrograph, Picks

CHAIN = PreprocessingConfig(24.0, model_input="n", steps={"n": {"operation": "normalise"}})


def discs(shape=(200, 240)):
    """Dark discs on a grid, which noise of the same spectrum does not show."""
    row, column = np.indices(shape)
    far = (row % 40 - 20) ** 2 + (column % 40 - 20) ** 2 > 64
    return far.astype(np.float32)


@pytest.mark.parametrize("shape", [(200, 240), (201, 239)])
def test_the_amplitudes_stay_and_the_phases_do_not(shape):
    image = discs(shape)
    noise = random_phases(image, np.random.default_rng(0))
    assert (noise.shape, noise.dtype) == (image.shape, np.float32)
    theirs, ours = (abs(np.fft.fft2(each)) for each in (image - image.mean(), noise))
    np.testing.assert_allclose(ours, theirs, atol=0.02 * theirs.max())
    assert abs(np.corrcoef(noise.ravel(), image.ravel())[0, 1]) < 0.3
    skew = [float((((each - each.mean()) / each.std()) ** 3).mean()) for each in (image, noise)]
    assert skew[0] < -1.5
    assert abs(skew[1]) < 0.5


def preprocessed(name="a", side=1000, seed=0, factor=1.0):
    image = factor * np.random.default_rng(seed).normal(size=(side, side)).astype(np.float32)
    micrograph = Micrograph(name, Path(f"{name}.mrc"), image, 1.2, margins=Margins(5, 5, 5, 5))
    return Preprocessed(micrograph, 30.0, CHAIN)


def test_the_noise_is_at_working_scale_and_small():
    noise = noise_like(preprocessed())
    assert noise.diameter == noise.working_diameter == 24.0
    assert noise.micrograph.image.shape == noise.flat.image.shape == (384, 384)
    assert noise.micrograph.scale == 1.0
    assert noise.micrograph.margins == Margins()
    assert noise_like(preprocessed(side=300)).micrograph.image.shape == (240, 240)


def test_equal_micrographs_have_equal_noise():
    first = noise_like(preprocessed()).micrograph.image
    same = noise_like(preprocessed("b", factor=1.0 + 1e-6)).micrograph.image
    other = noise_like(preprocessed(seed=1)).micrograph.image
    np.testing.assert_allclose(first, same, atol=1e-3)
    assert abs(np.corrcoef(first.ravel(), other.ravel())[0, 1]) < 0.05


def test_the_noise_of_a_micrograph_without_pixels_has_its_own():
    whole = preprocessed()
    _ = whole.flat
    lean = whole.without_pixels(lambda: whole.micrograph)
    noise, expected = noise_like(lean), noise_like(whole)
    np.testing.assert_array_equal(noise.micrograph.image, expected.micrograph.image)
    np.testing.assert_array_equal(noise.flat.image, expected.flat.image)


def crowd(side=480, size=24.0, number=300, seed=3):
    """Touching particles in noise, the noise alone, and the centres of the particles, (x, y)."""
    rng = np.random.default_rng(seed)
    noise = ndimage.gaussian_filter(rng.normal(size=(side, side)), 1.0).astype(np.float32)
    centres = rng.integers(0, side, (number, 2)).astype(float)
    row, column = np.indices(noise.shape)
    image = noise.copy()
    for x, y in centres:
        squared = ((column - x) ** 2 + (row - y) ** 2) / (size / 2) ** 2
        image -= 0.5 * np.maximum(1 - squared, 0).astype(np.float32)
    return image, noise, centres


def slow_power(image):
    """Power of waves longer than twelve pixels."""
    spectrum = np.abs(np.fft.fft2(image - image.mean())) ** 2
    frequency = np.hypot(np.fft.fftfreq(len(image)), np.fft.fftfreq(len(image))[:, None])
    return spectrum[frequency < 1 / 12].sum()


def test_without_particles_the_power_is_that_of_the_noise():
    image, noise, centres = crowd()
    left = without_particles(image, centres, 24.0)
    assert slow_power(image) > 3 * slow_power(noise)
    assert slow_power(left) == pytest.approx(slow_power(noise), rel=0.15)
    assert np.corrcoef(left.ravel(), noise.ravel())[0, 1] > 0.95


def picks_at(centres, score):
    return Picks.create(*centres.T, score=np.full(len(centres), score))


def in_crowd():
    image, _, centres = crowd()
    micrograph = Micrograph("a", Path("a.mrc"), image, 1.2)
    return Preprocessed(micrograph, 24.0, CHAIN), centres


def test_particles_that_stand_out_are_taken_out_of_the_noise():
    seen, centres = in_crowd()
    shown = []

    def find(noise):
        shown.append(noise.micrograph.image)
        return picks_at(np.tile([[9.0, 9.0]], (200, 1)), 0.01)

    noise, in_noise = find_in_noise(find, seen, picks_at(centres, 0.99))
    assert len(shown) == 2
    assert len(in_noise) == 200
    np.testing.assert_array_equal(shown[1], noise.micrograph.image)
    assert slow_power(shown[1]) < 0.5 * slow_power(shown[0])


@pytest.mark.parametrize(
    ("number", "score", "standing_out"),
    [(200, 0.99, 300), (19, 0.01, 300), (200, 0.01, 4)],
    ids=["found in noise as well", "little found in noise", "few stand out"],
)
def test_what_does_not_stand_out_for_sure_stays_in_the_noise(number, score, standing_out):
    seen, centres = in_crowd()
    shown = []

    def find(noise):
        shown.append(noise)
        return picks_at(centres[:number], score)

    noise, in_noise = find_in_noise(find, seen, picks_at(centres[:standing_out], 0.99))
    assert shown == [noise]
    assert len(in_noise) == number


def test_picture_has_the_noise_of_the_mrc_file_that_it_was_made_of():
    seen, centres = in_crowd()
    image = seen.micrograph.image
    turned = replace(
        seen, micrograph=replace(seen.micrograph, image=image[::-1].copy()), again=None
    )
    picks = picks_at(centres, 0.99)
    images = []
    for found, own, turned_over in ((picks, seen, False), (picks.flipped(480), turned, True)):
        entry = Entry("a", Path("a"), "", 24.0, turned_over=turned_over)
        noise, _ = pick_noise_like(lambda *_: picks_at(centres[:30], 0.01), entry, own, found)
        images.append(noise.micrograph.image)
    np.testing.assert_allclose(*images, atol=1e-4)


@pytest.mark.parametrize("side", [71, 107, 239, 383, 389, 480])
def test_noise_has_the_share_that_picks_in_noise_are_scaled_by(side):
    image = np.random.default_rng(0).normal(size=(side, side)).astype(np.float32)
    noise = noise_like(Preprocessed(Micrograph("a", Path("a.mrc"), image, 1.2), 24.0, CHAIN))
    share = noise.micrograph.image.size / side**2
    assert share == pytest.approx(share_in_noise((side, side), 24.0))
