"""Noise with the spectrum of a micrograph."""

from pathlib import Path

import numpy as np
import pytest

from deepcryopicker.picker.folder.noise_image import noise_like, random_phases
from deepcryopicker.preprocessing.preprocessed import Preprocessed
from deepcryopicker.preprocessing.schema import PreprocessingConfig
from deepcryopicker.types import Margins, Micrograph

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
