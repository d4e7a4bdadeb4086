"""Every stage of the authors' chain, each from their own previous picture (METHOD.md 1.3)."""

import cv2
import numpy as np
import pytest

from deepcryopicker.preprocessing.contrast import clahe, equalise, normalise, stretch
from deepcryopicker.preprocessing.restore import guided, opening, wiener

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def read(real_data):
    """Read one of the authors' pictures as grey levels."""

    def read(name):
        path = real_data / "golden" / "apoferritin" / f"{name}.png"
        picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        assert picture is not None, f"{path} is missing"
        return picture

    return read


def to_unit(picture):
    return picture.astype(np.float32) / np.float32(np.iinfo(picture.dtype).max)


def to_bytes(image):
    return np.floor(255 * np.clip(image.astype(np.float64), 0, 1) + 0.5).astype(int)


def correlation(image, picture):
    return np.corrcoef(image.ravel(), picture.ravel())[0, 1]


def test_normalised(read):
    found = normalise(read("originalImage").astype(np.float32))
    np.testing.assert_array_equal(to_bytes(found), read("Normalized"))


def test_contrast_enhancement(read):
    assert correlation(stretch(to_unit(read("Normalized"))), read("CEC")) >= 0.999


def test_contrast_enhancement_from_sixteen_bits(read):
    found = stretch(normalise(read("originalImage").astype(np.float32)))
    assert (to_bytes(found) == read("CEC")).mean() >= 0.999


def test_histogram_equalisation(read):
    np.testing.assert_array_equal(to_bytes(equalise(to_unit(read("CEC")))), read("HE"))


def test_restoration(read):
    difference = to_bytes(wiener(to_unit(read("HE")), 5)) - read("Restored")
    assert np.abs(difference).max() <= 1


def test_adaptive_equalisation(read):
    image = equalise(to_unit(read("Restored")))
    found = clahe(clahe(image, 0.02), 0.99)
    assert correlation(found, read("Adaptive_Histogram_Equlaizer")) >= 0.9998
    assert (to_bytes(found) == read("Adaptive_Histogram_Equlaizer")).mean() >= 0.999


def test_guided_filter(read):
    image = to_unit(read("Adaptive_Histogram_Equlaizer"))
    difference = to_bytes(stretch(guided(image, 5, 0.01, 4))) - read("Gaudided")
    assert np.abs(difference).max() <= 1


def test_morphology(read):
    found = opening(to_unit(read("Gaudided")), radius=1, passes=5)
    np.testing.assert_array_equal(to_bytes(found), read("Morphological"))
