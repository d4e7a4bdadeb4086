"""The two pixel frames against the geometry of a resized image."""

import cv2
import numpy as np
import pytest

from deepcryopicker.frames import AS_THEY_ARE, Reading, to_original, to_working
from deepcryopicker.types import Picks

SCALES = (0.5, 0.27, 2.0, 3.7)


@pytest.mark.parametrize("scale", SCALES)
def test_round_trip(scale):
    position = np.array([-3.0, 0.0, 0.5, 17.25, 4095.0])
    np.testing.assert_allclose(to_original(to_working(position, scale), scale), position, atol=1e-9)
    np.testing.assert_allclose(to_working(to_original(position, scale), scale), position, atol=1e-9)


@pytest.mark.parametrize("scale", SCALES)
def test_outer_edges_stay_outer_edges(scale):
    assert to_working(-0.5, scale) == pytest.approx(-0.5)
    assert to_working(399.5, scale) == pytest.approx(400 * scale - 0.5)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("shape", [(400, 400), (400, 600), (600, 400)])
def test_corner_marks_of_a_resized_image(scale, shape):
    height, width = shape
    rows, columns = np.mgrid[:height, :width]
    size = round(width * scale), round(height * scale)
    for x, y in [(31, 42), (width - 55, 36), (28, height - 47), (width - 39, height - 33)]:
        spot = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * 8.0**2))
        small = cv2.resize(spot, size, interpolation=cv2.INTER_AREA if scale < 1 else 1)
        r, c = np.mgrid[: size[1], : size[0]]
        found = (small * c).sum() / small.sum(), (small * r).sum() / small.sum()
        assert found == pytest.approx((to_working(x, scale), to_working(y, scale)), abs=0.1)
        back = to_original(np.array(found), scale)
        assert back == pytest.approx((x, y), abs=0.3)


def test_a_reading_scales_then_swaps_then_counts_from_the_other_side():
    """Each on its own, and all together; diameters are scaled as well."""
    picks, shape = Picks.create([3.0], [4.0], diameter=10.0), (30, 40)

    def place(**reading):
        return Reading(**reading).apply(picks, shape).positions.tolist()

    assert AS_THEY_ARE.apply(picks, shape) is picks
    assert place(scale=2.0) == [[6.5, 8.5]]
    assert Reading(scale=2.0).apply(picks, shape).diameter.tolist() == [20.0]
    assert place(swapped=True) == [[4.0, 3.0]]
    assert place(from_bottom=True) == [[3.0, 25.0]]
    assert place(from_right=True) == [[36.0, 4.0]]
    assert place(scale=2.0, swapped=True, from_bottom=True) == [[8.5, 29 - 6.5]]
