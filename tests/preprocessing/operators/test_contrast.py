"""Grey-level operators against scipy, scikit-image and plain re-derivations."""

import numpy as np
import pytest
from scipy import stats
from skimage import exposure, util

from deepcryopicker.preprocessing.operators.clahe import clahe
from deepcryopicker.preprocessing.operators.contrast import (
    complement,
    equalise,
    normalise,
    normalise_by_maximum,
    standardise,
    stretch,
    window,
)


@pytest.fixture
def noise():
    rng = np.random.default_rng(3)
    return np.clip(rng.normal(0.5, 0.12, (160, 208)), 0, 1).astype(np.float32)


def test_normalise_spans_zero_to_one_linearly(noise):
    result = normalise(5 - 3 * noise)
    assert (result.min(), result.max()) == (0, 1)
    expected = (noise.max() - noise) / (noise.max() - noise.min())
    np.testing.assert_allclose(result, expected, atol=1e-5)
    assert result.dtype == np.float32


def test_normalise_by_percentiles_ignores_a_hot_pixel(noise):
    hot = noise.copy()
    hot[0, 0] = 1e6
    low, high = np.percentile(noise, [1, 99])
    expected = np.clip((noise - low) / (high - low), 0, 1)
    np.testing.assert_allclose(normalise(hot, 1, 99)[1:], expected[1:], atol=1e-2)


def test_standardise_divides_by_the_robust_deviation(noise):
    result = standardise(noise * 40 - 7)
    assert np.median(result) == pytest.approx(0, abs=1e-5)
    assert stats.median_abs_deviation(result, axis=None, scale="normal") == pytest.approx(
        1, abs=1e-3
    )
    np.testing.assert_allclose(standardise(noise), result, atol=1e-3)


def test_standardise_clips_a_hot_pixel_and_keeps_the_rest(noise):
    hot = noise.copy()
    hot[4, 5] = 1e5
    result = standardise(hot)
    assert result[4, 5] == 8
    np.testing.assert_allclose(
        np.delete(result, 4, 0), np.delete(standardise(noise), 4, 0), atol=0.01
    )


def test_standardise_of_mostly_constant_image_uses_the_plain_deviation():
    image = np.zeros((10, 10), np.float32)
    image[0, :10] = 1
    np.testing.assert_allclose(standardise(image)[0], 1 / image.std(), rtol=1e-2)


@pytest.mark.parametrize("low", [0, 2])
def test_normalise_inverts_where_low_is_above_high(noise, low):
    np.testing.assert_allclose(
        normalise(noise, 100 - low, low), 1 - normalise(noise, low, 100 - low), atol=1e-6
    )


def test_normalise_by_maximum_is_that_of_a_file_with_bright_particles(noise):
    file = 40_000 * noise
    np.testing.assert_allclose(normalise_by_maximum(-file), file / file.max(), rtol=1e-6)


@pytest.mark.parametrize("shift", [0, 5, -0.5])
def test_normalise_by_maximum_makes_dark_particles_bright(noise, shift):
    found = normalise_by_maximum(noise + np.float32(shift))
    expected = exposure.rescale_intensity(-noise, out_range=(0, 1))
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_complement_is_scikit_images(noise):
    np.testing.assert_allclose(complement(noise), util.invert(noise), atol=1e-7)


def test_window_is_scikit_images(noise):
    expected = exposure.rescale_intensity(noise, (0.1, 0.9), (0, 1))
    np.testing.assert_allclose(window(noise, 0.1, 0.9), expected, atol=1e-6)
    assert window(np.array([[0.1, 0.9, 0.05, 1]]), 0.1, 0.9).tolist() == [[0, 1, 0, 1]]


OPERATORS = [
    clahe,
    complement,
    equalise,
    normalise,
    normalise_by_maximum,
    standardise,
    stretch,
    lambda image: window(image, 0.1, 0.9),
]


@pytest.mark.parametrize("operator", OPERATORS)
def test_the_type_is_kept_and_doubles_are_more_exact(operator, noise):
    single, double = operator(noise), operator(noise.astype(np.float64))
    assert (single.dtype, double.dtype) == (np.float32, np.float64)
    np.testing.assert_allclose(single, double, atol=1e-5)
    assert np.abs(double - double.astype(np.float32)).max() > 0


@pytest.mark.parametrize("operator", OPERATORS)
def test_constant_image_stays_constant_and_finite(operator):
    result = operator(np.full((64, 48), 0.4, np.float32))
    assert result.dtype == np.float32
    assert result.shape == (64, 48)
    assert np.isfinite(result).all()
    assert np.ptp(result) < 1e-6


def test_constant_image_becomes_zeros():
    constant = np.full((20, 20), 7, np.float32)
    assert not normalise(constant).any()
    assert not standardise(constant).any()
    assert not normalise_by_maximum(constant).any()
    assert not normalise_by_maximum(0 * constant).any()


def test_stretch_limits_are_the_first_bins_past_the_quantiles(noise):
    levels = np.sort(np.round(noise.ravel().astype(np.float64) * 65535))
    # First level whose cumulative share exceeds 0.01, and first whose share reaches 0.99.
    low = levels[int(np.floor(0.01 * levels.size))] / 65535
    high = levels[int(np.ceil(0.99 * levels.size)) - 1] / 65535
    expected = np.clip((noise - low) / (high - low), 0, 1)
    np.testing.assert_allclose(stretch(noise), expected, atol=1e-5)


def test_stretch_agrees_with_scikit_image(noise):
    limits = tuple(np.percentile(noise, [1, 99]))
    expected = exposure.rescale_intensity(noise, limits, (0, 1))
    np.testing.assert_allclose(stretch(noise), expected, atol=2e-3)


def test_stretch_counts_what_lies_outside_as_black_or_white(noise):
    outside = 3 * noise - 1
    expected = stretch(np.clip(outside, 0, 1))
    np.testing.assert_allclose(stretch(outside), expected, atol=1e-6)


def test_equalise_has_64_equally_spaced_and_equally_used_levels():
    ramp = np.linspace(0, 1, 256 * 256, dtype=np.float32).reshape(256, 256) ** 2
    levels, counts = np.unique(np.round(equalise(ramp) * 63), return_counts=True)
    assert set(levels) <= set(range(64))
    assert len(levels) >= 48  # the darkest input levels hold more pixels than an output level
    result = equalise(np.linspace(0, 1, 256 * 64, dtype=np.float32).reshape(64, 256))
    levels, counts = np.unique(result, return_counts=True)
    np.testing.assert_allclose(levels, np.arange(64) / 63, atol=1e-6)
    assert np.ptp(counts[1:-1]) <= 64  # one input level


def test_equalise_takes_the_first_level_that_reaches_the_middle_of_the_bin(noise):
    result = equalise(noise)
    levels = np.round(noise * 255)
    for level in (90, 120, 128, 150, 161):
        middle = (levels < level).mean() + (levels == level).mean() / 2
        expected = (np.ceil(64 * middle) - 1) / 63
        np.testing.assert_allclose(result[levels == level], expected, atol=1e-6)


def test_equalise_is_monotone(noise):
    order = np.argsort(noise.ravel())
    assert (np.diff(equalise(noise).ravel()[order]) >= 0).all()


def test_equalise_agrees_with_scikit_image(noise):
    expected = exposure.equalize_hist(noise, 256)
    assert np.corrcoef(equalise(noise).ravel(), expected.ravel())[0, 1] > 0.999
