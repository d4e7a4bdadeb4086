"""Grey-level operators against scipy, scikit-image and plain re-derivations."""

import numpy as np
import pytest
from scipy import stats
from skimage import exposure

from deepcryopicker.preprocessing.contrast import clahe, equalise, normalise, standardise, stretch


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


@pytest.mark.parametrize("operator", [normalise, standardise, stretch, equalise, clahe])
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


def test_clahe_of_one_unclipped_tile_is_the_global_rayleigh_mapping(noise):
    target = stats.rayleigh(scale=0.4)
    levels = np.round(noise * 255)
    share = stats.ecdf(levels.ravel()).cdf.evaluate(levels)
    expected = target.ppf(target.cdf(1) * share)
    np.testing.assert_allclose(clahe(noise, clip=1, tiles=1), expected, atol=1e-5)


def test_clahe_stays_in_range_and_is_monotone_at_one_pixel_position(noise):
    result = clahe(noise)
    assert result.min() >= 0
    assert result.max() <= 1
    one_tile = clahe(noise, clip=0.02, tiles=1)
    order = np.argsort(noise.ravel())
    assert (np.diff(one_tile.ravel()[order]) >= 0).all()


def test_clahe_uses_the_tile_alone_in_the_corner_and_blends_between():
    """In half a tile at the corner the corner tile decides; elsewhere neighbours count."""
    rng = np.random.default_rng(0)
    image = rng.random((128, 128)).astype(np.float32)
    other = image.copy()
    other[32:, :] **= 3
    before, after = clahe(image, tiles=4), clahe(other, tiles=4)
    np.testing.assert_array_equal(before[:16], after[:16])
    assert (before[17:32] != after[17:32]).mean() > 0.5
    corner = clahe(image[:32, :32], tiles=1)[:16, :16]
    np.testing.assert_allclose(before[:16, :16], corner, atol=1e-6)


def test_clahe_clip_limits_the_gain_of_contrast():
    """A narrow peak of the histogram is spread to the full range unless it is clipped."""
    rng = np.random.default_rng(1)
    narrow = np.clip(rng.normal(0.5, 0.01, (128, 128)), 0, 1).astype(np.float32)
    widths = [clahe(narrow, clip=clip, tiles=1).std() for clip in (0.0, 0.01, 0.05, 1.0)]
    assert widths == sorted(widths)
    assert widths[0] < 0.5 * widths[-1]


def test_clahe_hands_the_clipped_pixels_to_the_other_bins():
    """By hand: 4096 pixels at level 100; a bin may hold 16 + 82, the other 3998 are excess.

    Each of the 255 other bins gets 15, the first 173 of them one more.
    """
    share = (100 * 16 + 98) / 4096
    target = stats.rayleigh(scale=0.4)
    found = clahe(np.full((64, 64), 100 / 255, np.float32), clip=0.02, tiles=1)
    np.testing.assert_allclose(found, target.ppf(target.cdf(1) * share), atol=1e-6)


def test_clahe_clipped_histogram_keeps_every_pixel():
    """Excess is handed out without loss, so that the brightest level still maps to 1."""
    rng = np.random.default_rng(2)
    image = np.clip(rng.normal(0.5, 0.02, (100, 100)), 0, 1).astype(np.float32)
    image[0, 0] = 1
    assert clahe(image, clip=0.01, tiles=1)[0, 0] == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("shape", [(101, 77), (128, 96), (43, 300)])
def test_clahe_keeps_odd_shapes(shape):
    image = np.random.default_rng(0).random(shape).astype(np.float32)
    assert clahe(image).shape == shape
