"""Regions, thresholds and percentiles, against scipy and scikit-image."""

import numpy as np
import pytest
from scipy import ndimage
from skimage.filters import apply_hysteresis_threshold, threshold_otsu

from deepcryopicker.picker.masking.regions import (
    hysteresis,
    labelled,
    local_percentile,
    otsu_threshold,
)


@pytest.fixture(params=range(3))
def value(request):
    rng = np.random.default_rng(request.param)
    smooth = ndimage.gaussian_filter(rng.normal(size=(61, 74)), 2)
    return (10 * smooth + rng.normal(0, 0.2, smooth.shape)).astype(np.float32)


def test_regions_share_sides(value):
    number, count = labelled(value > 0.5)
    theirs, expected = ndimage.label(value > 0.5)
    assert count == expected
    assert len(np.unique(np.stack([number.ravel(), theirs.ravel()]), axis=1).T) == count + 1


def test_hysteresis(value):
    np.testing.assert_array_equal(
        hysteresis(value, 0.5, 1.5), apply_hysteresis_threshold(value, 0.5, 1.5)
    )
    assert not hysteresis(value, 100, 200).any()
    assert hysteresis(value, -100, -100).all()


def test_otsu(value):
    mixed = np.where(np.arange(74) < 30, value, value + 6).astype(np.float32)
    for one in (value, mixed):
        bin_width = float(np.ptp(one)) / 256
        assert otsu_threshold(one) == pytest.approx(threshold_otsu(one), abs=1.1 * bin_width)


@pytest.mark.parametrize(("percent", "side"), [(20, 5), (50, 3), (0, 3), (99, 5)])
def test_local_percentiles(value, percent, side):
    expected = ndimage.percentile_filter(value, percent, size=side, mode="nearest")
    np.testing.assert_array_equal(local_percentile(value, percent, side), expected)
