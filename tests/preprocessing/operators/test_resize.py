"""Resampling keeps the promise of ``deepcryopicker.frames`` over the whole image."""

import numpy as np
import pytest

from deepcryopicker.frames import to_working
from deepcryopicker.preprocessing.operators.borders import fill_margins
from deepcryopicker.preprocessing.operators.resize import rescale
from deepcryopicker.types import Margins

SCALES = [0.5, 0.27, 0.731, 2.0]
SHAPES = [(200, 200), (173, 261)]


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("shape", SHAPES)
def test_ramps_are_read_at_pixel_centres(shape, scale):
    row, column = np.indices(shape).astype(np.float32)
    rows, columns = rescale(row, scale), rescale(column, scale)
    height, width = rows.shape
    edge = int(np.ceil(3 * max(scale, 1)))
    for found, length in ((rows[:, width // 2], height), (columns[height // 2], width)):
        expected = (np.arange(length) + 0.5) / scale - 0.5
        np.testing.assert_allclose(found[edge:-edge], expected[edge:-edge], atol=0.03)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("shape", SHAPES)
def test_marks_in_the_corners_land_where_frames_says(shape, scale):
    height, width = shape
    blob = 6 / min(scale, 1)  # sigma, original pixels
    inset = 4 * blob
    for x in (inset, width - 1 - inset):
        for y in (inset, height - 1 - inset):
            row, column = np.ogrid[:height, :width]
            distance = (row - y) ** 2 + (column - x) ** 2
            image = np.exp(-distance / (2 * (blob / 4) ** 2)).astype(np.float32)
            result = rescale(image, scale)
            rows, columns = np.indices(result.shape)
            found = [(axis * result).sum() / result.sum() for axis in (columns, rows)]
            np.testing.assert_allclose(found, to_working([x, y], scale), atol=0.05)
            top = np.unravel_index(result.argmax(), result.shape)
            np.testing.assert_allclose(top[::-1], to_working([x, y], scale), atol=0.51)


@pytest.mark.parametrize("scale", [*SCALES, 1.0, 0.1])
def test_constant_stays_constant(scale):
    result = rescale(np.full((57, 91), 3.25, np.float32), scale)
    np.testing.assert_allclose(result, 3.25, rtol=1e-5)
    assert result.dtype == np.float32


@pytest.mark.parametrize(
    ("scale", "shape"), [(0.5, (51, 60)), (0.27, (28, 33)), (2.0, (202, 240)), (1.0, (101, 120))]
)
def test_size_is_rounded_up(scale, shape):
    assert rescale(np.zeros((101, 120), np.float32), scale).shape == shape


def test_rounding_errors_of_the_scale_add_no_row():
    assert rescale(np.zeros((30, 300), np.float32), 0.1).shape == (3, 30)  # 30 * 0.1 > 3 in floats
    assert rescale(np.zeros((90, 3000), np.float32), 0.7).shape == (63, 2100)


def test_fine_detail_is_averaged_rather_than_aliased():
    board = np.indices((200, 200)).sum(axis=0).astype(np.float32) % 2
    np.testing.assert_allclose(rescale(board, 0.27)[4:-4, 4:-4], 0.5, atol=0.02)
    np.testing.assert_allclose(rescale(board, 0.5)[4:-4, 4:-4], 0.5, atol=0.02)


def test_halving_has_the_kernel_of_antialiased_bicubic_interpolation():
    """Keys' kernel (a = -0.5), stretched twofold."""
    image = np.zeros((40, 41), np.float32)
    image[:, 20] = 1
    distance = np.abs(20 - (2 * np.arange(8, 13) + 0.5)) / 2
    near = 1.5 * distance**3 - 2.5 * distance**2 + 1
    far = -0.5 * distance**3 + 2.5 * distance**2 - 4 * distance + 2
    expected = np.where(distance < 1, near, np.where(distance < 2, far, 0)) / 2
    np.testing.assert_allclose(rescale(image, 0.5)[10, 8:13], expected, atol=1e-5)


def by_hand(image, scale, size):
    """One pass over the rows in double precision, every tap on its own."""
    result = np.zeros((size, image.shape[1]))
    for row in range(size):
        centre = (row + 0.5) / scale - 0.5
        total = 0.0
        for tap in range(int(centre - 2 / scale) - 2, int(centre + 2 / scale) + 3):
            x = abs(tap - centre) * scale
            near, far = 1.5 * x**3 - 2.5 * x**2 + 1, -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
            weight = near if x < 1 else far if x < 2 else 0
            # Mirrored so that the edge pixel is repeated.
            inside = tap if tap >= 0 else -1 - tap
            inside = inside if inside < len(image) else 2 * len(image) - 1 - inside
            result[row] += weight * image[inside]
            total += weight
        result[row] /= total
    return result


@pytest.mark.parametrize("scale", [0.5, 0.37])
def test_double_precision_is_kept(scale):
    image = np.random.default_rng(0).normal(size=(31, 24))
    expected = by_hand(
        by_hand(image, scale, int(np.ceil(31 * scale))).T, scale, int(np.ceil(24 * scale))
    ).T
    found = rescale(image, scale)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, expected, atol=1e-13)


LIMITS = {"uint8": (0, 255), "uint16": (0, 65_535), "int16": (-32_768, 32_767)}


@pytest.mark.parametrize("kind", LIMITS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_whole_numbers_are_rounded_and_clipped_after_each_pass(kind, dtype):
    """Black and white blocks, so that the kernel overshoots what the format holds."""
    low, high = LIMITS[kind]
    rng = np.random.default_rng(0)
    blocks = np.kron(rng.choice([low, high], (6, 5)), np.ones((7, 8), int))
    image = np.where(rng.random(blocks.shape) < 0.2, rng.integers(low, high, blocks.shape), blocks)
    rows = np.clip(np.floor(by_hand(image, 0.5, 21) + 0.5), low, high)
    expected = np.clip(np.floor(by_hand(rows.T, 0.5, 20).T + 0.5), low, high)
    found = rescale(image.astype(dtype), 0.5, integers=True)
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, expected)
    assert np.abs(rescale(image.astype(dtype), 0.5) - expected).max() > 0.05 * (high - low)


def test_a_change_of_sign_does_not_matter():
    levels = np.random.default_rng(0).integers(0, 65_535, (60, 40)).astype(np.float64)
    dark, bright = rescale(levels, 0.5, integers=True), rescale(-levels, 0.5, integers=True)
    np.testing.assert_allclose(bright, -dark, atol=2)  # exact halves are rounded upwards
    assert (bright == -dark).mean() > 0.9


def test_broken_values_and_large_ones_are_not_rounded():
    image = np.random.default_rng(0).integers(0, 255, (40, 40)).astype(np.float64)
    for other in (image + 0.5, image + 70_000):
        np.testing.assert_array_equal(rescale(other, 0.5, integers=True), rescale(other, 0.5))


@pytest.mark.parametrize("integers", [False, True])
@pytest.mark.parametrize("margins", [(0, 0, 0, 0), (20, 9, 31, 0), (0, 0, 0, 40), (1, 1, 1, 1)])
@pytest.mark.parametrize("scale", [0.22, 0.6, 1.0, 1.7])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_margins_are_resampled_as_if_they_were_filled(integers, margins, scale, dtype):
    rng = np.random.default_rng(0)
    image = rng.integers(0, 255, (150, 171)).astype(dtype) + (0.0 if integers else rng.random())
    borders = Margins(*margins)
    streaks = image.copy()
    streaks[: borders.top] = 1e5  # has no influence
    streaks[:, : borders.left] = -0.5
    expected = rescale(fill_margins(image, borders), scale, integers)
    found = rescale(streaks, scale, integers, borders)
    assert found.dtype == dtype
    np.testing.assert_allclose(found, expected, atol=2e-4, rtol=0)
