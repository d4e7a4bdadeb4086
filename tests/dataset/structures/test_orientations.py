"""Orientations: uniform ones, and views near an axis from either side."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from scipy.stats import kstest

from deepcryopicker.dataset.structures.orientations import (
    preferred_orientations,
    uniform_orientations,
)

COUNT = 4000


def views(rotations):
    """Direction of the structure that comes to point along z, (N, 3)."""
    return rotations.inv().apply([0, 0, 1])


def test_uniform_orientations_are_uniform():
    """The cosine of any axis is uniform, and so is the angle in the plane."""
    rotations = uniform_orientations(COUNT, np.random.default_rng(0))
    for seen in (views(rotations), rotations.apply([0, 0, 1])):
        for axis in range(3):
            assert kstest((seen[:, axis] + 1) / 2, "uniform").pvalue > 1e-3
    same = uniform_orientations(5, np.random.default_rng(0))
    assert (same.as_quat() == uniform_orientations(5, np.random.default_rng(0)).as_quat()).all()


@pytest.mark.parametrize("concentration", [2.0, 10.0, 60.0])
def test_views_are_near_the_axis_from_either_side(concentration):
    """The mean cosine of a von Mises-Fisher distribution is coth(k) - 1/k."""
    axis = np.array([1.0, 2.0, -0.5])
    rotations = preferred_orientations(COUNT, axis, concentration, np.random.default_rng(1))
    cosine = views(rotations) @ axis / np.linalg.norm(axis)
    assert 0.45 < (cosine > 0).mean() < 0.55
    if concentration > 2:
        expected = 1 / np.tanh(concentration) - 1 / concentration
        assert np.abs(cosine).mean() == pytest.approx(expected, rel=0.02)
        angle = np.degrees(np.arccos(np.abs(cosine)))
        assert np.sqrt(np.mean(angle**2)) == pytest.approx(81 / np.sqrt(concentration), rel=0.1)


def test_the_angle_in_the_plane_is_uniform():
    rotations = preferred_orientations(COUNT, [0, 0, 1], 50.0, np.random.default_rng(2))
    in_plane = rotations.apply([1, 0, 0])
    angle = np.arctan2(in_plane[:, 1], in_plane[:, 0])
    assert kstest((angle + np.pi) / (2 * np.pi), "uniform").pvalue > 1e-3
    determinants = np.linalg.det(rotations.as_matrix())
    assert determinants == pytest.approx(np.ones(COUNT))


def test_without_concentration_they_are_uniform():
    rotations = preferred_orientations(50, [0, 0, 1], 0.0, np.random.default_rng(3))
    same = uniform_orientations(50, np.random.default_rng(3))
    assert isinstance(rotations, Rotation)
    assert rotations.as_quat() == pytest.approx(same.as_quat())
