"""Adaptive equalisation against scipy's Rayleigh distribution and plain re-derivations."""

import numpy as np
import pytest
from scipy import interpolate, stats

from deepcryopicker.preprocessing.operators.clahe import clahe


@pytest.fixture
def noise():
    rng = np.random.default_rng(3)
    return np.clip(rng.normal(0.5, 0.12, (160, 208)), 0, 1).astype(np.float32)


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


def test_clahe_blends_the_tiles_linearly_between_their_centres():
    """On a constant grey level the result is a surface through one value a tile."""
    image = np.full((96, 64), 120 / 255)
    image[::2] = np.random.default_rng(0).random((48, 64))
    values = np.array(
        [
            [clahe(image[y : y + 24, x : x + 16], tiles=1)[1, 0] for x in range(0, 64, 16)]
            for y in range(0, 96, 24)
        ]
    )
    centres = np.arange(12, 96, 24), np.arange(8, 64, 16)
    surface = interpolate.RegularGridInterpolator(centres, values)
    row, column = np.meshgrid(np.arange(96), np.arange(64), indexing="ij")
    clamped = np.clip(row, 12, 84), np.clip(column, 8, 56)  # at the border the last tile alone
    expected = surface(np.stack(clamped, axis=-1))
    found = clahe(image, tiles=4)
    np.testing.assert_allclose(found[1::2], expected[1::2], atol=1e-12)


def shared_out(counts, limit):
    """Clip one histogram pixel by pixel, as METHOD.md 1.2 (iii) words it."""
    excess = sum(max(count - limit, 0) for count in counts)
    share = excess // 256
    result = []
    for count in counts:
        taken = min(count + share, limit) if count <= limit else limit
        excess -= max(taken - count, 0)
        result.append(taken)
    start = 0
    while excess:
        for bin_ in range(start, 256, max(256 // excess, 1)):
            if excess and result[bin_] < limit:
                result[bin_] += 1
                excess -= 1
        start = (start + 1) % 256
    return result


@pytest.mark.parametrize("clip", [0.0, 0.001, 0.02, 0.3])
@pytest.mark.parametrize("width", [0.01, 0.1])
def test_clipped_pixels_are_shared_out_like_one_by_one(clip, width):
    rng = np.random.default_rng(7)
    image = np.clip(rng.normal(0.4, width, (64, 80)), 0, 1)
    levels = np.floor(image * 255 + 0.5).astype(int)
    limit = 20 + int(np.floor(clip * (64 * 80 - 20) + 0.5))
    share = np.cumsum(shared_out(np.bincount(levels.ravel(), minlength=256).tolist(), limit))
    target = stats.rayleigh(scale=0.4)
    expected = target.ppf(target.cdf(1) * share / levels.size)
    np.testing.assert_allclose(clahe(image, clip, tiles=1), expected[levels], atol=1e-9)
