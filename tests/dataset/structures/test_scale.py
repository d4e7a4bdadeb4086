"""The scale of micrographs: what decides it, and what contradicts it."""

import numpy as np
import pytest

from deepcryopicker.dataset.structures.potential import Structure
from deepcryopicker.dataset.structures.scale import Scale, scale_of, seen_diameter
from deepcryopicker.errors import UsageError


def solid(shape):
    """An ellipsoid with the given diameters, z, y, x, as a structure of one Angstrom a voxel."""
    grid = np.indices((70, 70, 70)) - 35
    radii = np.array(shape).reshape(3, 1, 1, 1) / 2
    inside = ((grid / radii) ** 2).sum(axis=0) <= 1
    return Structure(inside.astype(np.float32), 1.0, 1e5, float(max(shape)))


def test_a_ball_is_as_wide_as_it_is_and_a_rod_shorter_than_it_is_long():
    assert seen_diameter(solid((50, 50, 50))) == pytest.approx(50, rel=0.03)
    rod = seen_diameter(solid((60, 12, 12)))
    # The longest width of an ellipsoid's projection, averaged over views by numerical integration.
    cosine = (np.arange(10_000) + 0.5) / 10_000
    expected = np.sqrt(60**2 * (1 - cosine**2) + 12**2 * cosine**2).mean()
    assert rod == pytest.approx(expected, rel=0.04)


def test_a_pixel_size_decides():
    assert scale_of([180.0], pixel_size=1.5) == Scale(1.5, 120.0)
    assert scale_of([180.0, 90.0], pixel_size=1.5).diameter == 120.0
    assert scale_of([180.0], pixel_size=1.5, diameter=100.0) == Scale(1.5, 100.0)


def test_else_the_diameter_of_the_largest_structure_decides():
    assert scale_of([180.0, 90.0], diameter=60.0) == Scale(3.0, 60.0)


@pytest.mark.parametrize(
    ("diameter", "doubted"), [(60, True), (91, False), (159, False), (240, True)]
)
def test_a_contradiction_is_a_doubt(diameter, doubted):
    scale = scale_of([180.0], pixel_size=1.5, diameter=diameter)
    assert (scale.pixel_size, scale.diameter) == (1.5, diameter)
    assert (scale.doubt is not None) == doubted
    if scale.doubt is not None:
        assert "dataset.pixel_size" in scale.doubt
        assert "\n" not in scale.doubt


def test_without_either_it_is_said_what_to_type():
    with pytest.raises(UsageError, match=r"dataset\.pixel_size=ANGSTROM.*dataset\.diameter=PIXELS"):
        scale_of([180.0])
