"""Sizes of drawn shells, discs and ellipsoids."""

import numpy as np
import pytest

from deepcryopicker.labeler.detectors.averages import radial_profile
from deepcryopicker.labeler.size import blob_lengths, round_diameter


def radius(size=97):
    offset = np.arange(size) - size // 2
    return np.hypot(offset[:, None], offset)


def shell(outer):
    """Project a thin hollow sphere, darkest along its inner wall: chord lengths, negative."""
    inner = 0.9 * outer
    chord = np.sqrt(np.maximum(outer**2 - radius() ** 2, 0))
    return (np.sqrt(np.maximum(inner**2 - radius() ** 2, 0)) - chord).astype(np.float32)


def ellipsoids(rows, shape=(160, 200)):
    """Draw paraboloids of depth one, (x, y, half lengths a and b, angle of a)."""
    image = np.zeros(shape, np.float32)
    row, column = np.indices(shape)
    for x, y, a, b, angle in rows:
        cosine, sine = np.cos(np.radians(angle)), np.sin(np.radians(angle))
        along, across = (
            (column - x) * cosine + (row - y) * sine,
            (row - y) * cosine - (column - x) * sine,
        )
        image -= np.maximum(1 - (along / a) ** 2 - (across / b) ** 2, 0).astype(np.float32)
    return image


def lengths(rows, diameter, image=None):
    x, y = np.array([row[:2] for row in rows], float).T
    return blob_lengths(ellipsoids(rows) if image is None else image, x, y, diameter)


@pytest.mark.parametrize("outer", [10, 16, 25, 40])
def test_shell_is_measured_at_its_wall(outer):
    assert round_diameter(radial_profile(shell(outer))) == pytest.approx(2 * outer, rel=0.1)


@pytest.mark.parametrize("size", [8, 15, 30])
def test_solid_particle_is_measured_from_half_its_depth(size):
    paraboloid = np.minimum((radius() / size) ** 2 - 1, 0).astype(np.float32)
    assert round_diameter(radial_profile(paraboloid)) == pytest.approx(2 * size, rel=0.03)


def test_depth_does_not_matter():
    profile = radial_profile(shell(20))
    assert round_diameter(7 * profile) == pytest.approx(round_diameter(profile))


@pytest.mark.parametrize("profile", [[0.0, 0.0, 0.0], [1.0, 0.5, 0.2], [0.0, 1.0, 0.0]])
def test_nothing_dark_has_no_diameter(profile):
    assert round_diameter(np.array(profile)) == 0.0


def test_wall_that_does_not_end_extends_to_the_last_radius():
    assert round_diameter(-np.arange(10.0)) == 18.0
    assert round_diameter(np.full(10, -1.0)) <= 18.0 * np.sqrt(2)


@pytest.mark.parametrize("angle", [0, 30, 45, 100])
@pytest.mark.parametrize(("a", "b"), [(12, 12), (14, 9), (20, 12)])
def test_length_is_the_longest_axis(a, b, angle):
    found = lengths([(80.3, 70.6, a, b, angle)], 2 * a)
    np.testing.assert_allclose(found, 2 * a, rtol=0.12)


def test_each_particle_has_its_own_length():
    rows = [(40, 40, 10, 10, 0), (120, 40, 15, 10, 60), (80, 110, 18, 14, 20)]
    np.testing.assert_allclose(lengths(rows, 28), [20, 30, 36], rtol=0.1)


@pytest.mark.parametrize("diameter", [22, 28, 35])
def test_rough_diameter_matters_little(diameter):
    np.testing.assert_allclose(lengths([(80, 70, 14, 10, 30)], diameter), 28, rtol=0.1)


def test_distant_neighbour_is_not_measured():
    rows = [(60, 60, 12, 12, 0), (90, 60, 12, 12, 0)]
    np.testing.assert_allclose(lengths(rows, 24), 24, rtol=0.1)


def test_bright_places_have_no_length():
    rows = [(40, 40, 10, 10, 0), (120, 40, 12, 12, 0)]
    image = ellipsoids(rows[:1]) - ellipsoids(rows[1:])
    np.testing.assert_allclose(lengths(rows, 20, image), [20], rtol=0.1)
    assert len(lengths(rows, 20, -ellipsoids(rows))) == 0


def test_no_places_no_lengths():
    none = np.zeros(0)
    assert blob_lengths(np.zeros((50, 50), np.float32), none, none, 20).shape == (0,)
