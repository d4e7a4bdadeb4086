"""Windows hold what they say, also beyond the edge."""

import numpy as np
import pytest

from deepcryopicker.detection.windows import cut, extend


@pytest.fixture
def image():
    return np.arange(60 * 80, dtype=np.float32).reshape(60, 80)


@pytest.mark.parametrize("size", [8, 9, 43])
def test_centre_pixel_is_the_one_asked_for(image, size):
    centres = np.array([[0, 0], [79, 59], [30, 20], [30.4, 19.6], [29.5, 19.5]])
    found = cut(image, centres, size)
    assert found.shape == (5, size, size)
    expected = [image[0, 0], image[59, 79], *[image[20, 30]] * 3]
    assert found[:, size // 2, size // 2].tolist() == expected


def test_window_is_a_piece_of_the_image(image):
    np.testing.assert_array_equal(cut(image, np.array([[30, 20]]), 7)[0], image[17:24, 27:34])


def test_edge_is_mirrored(image):
    expected = np.pad(image, 10, mode="reflect")
    centres = np.array([[0, 0], [79, 0], [3, 58]])
    for found, (x, y) in zip(cut(image, centres, 21), centres, strict=True):
        np.testing.assert_array_equal(found, expected[y : y + 21, x : x + 21])


def test_beyond_the_edge_there_may_be_the_mean(image):
    expected = np.pad(image, 10, mode="constant", constant_values=image.mean())
    centres = np.array([[0, 0], [79, 0], [3, 58]])
    found = cut(image, centres, 21, beyond="mean")
    for window, (x, y) in zip(found, centres, strict=True):
        np.testing.assert_array_equal(window, expected[y : y + 21, x : x + 21])


def test_each_edge_is_extended_by_its_own_width(image):
    widths = (1, 2), (3, 4)
    mirrored = np.pad(image, widths, mode="reflect")
    np.testing.assert_array_equal(extend(image, (1, 2, 3, 4), "reflect"), mirrored)
    filled = np.pad(image, widths, mode="constant", constant_values=image.mean())
    np.testing.assert_array_equal(extend(image, (1, 2, 3, 4), "mean"), filled)


def test_no_centres_no_windows(image):
    assert cut(image, np.zeros((0, 2)), 9).shape == (0, 9, 9)
