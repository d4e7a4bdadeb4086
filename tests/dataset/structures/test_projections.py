"""Projections against other ways to compute them: Gaussians and a ball in closed form, sums."""

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial.transform import Rotation

from deepcryopicker.dataset.structures.open_structure import open_structure
from deepcryopicker.dataset.structures.orientations import uniform_orientations
from deepcryopicker.dataset.structures.potential import (
    EXCESS_PER_DALTON,
    Structure,
    interaction,
    phase_shift,
)
from deepcryopicker.dataset.structures.projections import project_structure
from tests.dataset.structures.molecules import VOLUME, lumps, pdb, protein, write_map

VOXEL = 4.0
# Gaussians at places x, y, z, in voxels from the middle, their weights and standard deviations.
PLACES = np.array([[0.0, 0, 0], [9, 0, 2], [-2, 7, -4], [-3, -5, 8]])
WEIGHTS = (3.0, 2.0, 1.0, 1.5)
WIDTHS = (3.0, 2.0, 1.6, 2.4)


def gaussians(side):
    """Structure that is a sum of Gaussians."""
    z, y, x = np.indices((side,) * 3) - side // 2
    volume = sum(
        weight * np.exp(-((x - a) ** 2 + (y - b) ** 2 + (z - c) ** 2) / (2 * width**2))
        for (a, b, c), weight, width in zip(PLACES, WEIGHTS, WIDTHS, strict=True)
    )
    return Structure(np.asarray(volume, np.float32), VOXEL, 1e5, 100.0)


def projected(side, rotation):
    """Their projection in closed form: columns are x, rows are y."""
    y, x = np.indices((side, side)) - side // 2
    return VOXEL * sum(
        weight
        * np.sqrt(2 * np.pi)
        * width
        * np.exp(-((x - a) ** 2 + (y - b) ** 2) / (2 * width**2))
        for (a, b, _), weight, width in zip(rotation.apply(PLACES), WEIGHTS, WIDTHS, strict=True)
    )


def relative(found, expected):
    """Root mean square error over the root mean square."""
    return np.sqrt(np.mean((found - expected) ** 2) / np.mean(expected**2))


@pytest.mark.parametrize(("side", "most"), [(32, 0.03), (48, 0.01)])
def test_projections_of_gaussians_are_those_of_theory(side, most):
    """Frame, handedness and scale; the tighter the cube, the larger the error."""
    structure = gaussians(side)
    rotations = uniform_orientations(20, np.random.default_rng(1))
    for found, rotation in zip(project_structure(structure, rotations), rotations, strict=True):
        expected = projected(side, rotation)
        assert relative(found, expected) < most
        assert relative(found[1:, :0:-1], expected[1:, 1:]) > 0.1  # mirrored


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("lumps") / "model.pdb"
    path.write_text(pdb(*lumps()))
    return open_structure(path, VOXEL)


def test_without_rotation_it_is_the_sum_along_z(model):
    (found,) = project_structure(model, Rotation.identity(1))
    assert found.dtype == np.float32
    # No slice is interpolated, and the correction for interpolation is too much.
    assert relative(found, model.potential.sum(axis=0) * model.voxel) < 0.06


def test_a_rotated_model_gives_the_rotated_projection(tmp_path, model):
    """The atoms are rotated in the file, and the potential is sampled anew."""
    names, places = lumps()
    for rotation in uniform_orientations(3, np.random.default_rng(4)):
        path = tmp_path / "rotated.pdb"
        path.write_text(pdb(names, rotation.apply(places)))
        expected = open_structure(path, VOXEL).potential.sum(axis=0) * VOXEL
        found = project_structure(model, rotation)[0]
        assert found.shape == expected.shape
        # Random atoms have detail of a voxel, which no two samplings share.
        smooth = [ndimage.gaussian_filter(one, 1) for one in (found, expected)]
        assert relative(*smooth) < 0.04


def test_the_centre_and_the_sum_do_not_depend_on_the_orientation(model):
    images = project_structure(model, uniform_orientations(20, np.random.default_rng(3)))
    total = model.potential.sum(dtype=float) * model.voxel
    for image in images:
        assert ndimage.center_of_mass(image) == pytest.approx([len(image) // 2] * 2, abs=0.15)
        assert image.sum(dtype=float) == pytest.approx(total, rel=0.03)


@pytest.mark.parametrize("kilovolts", [200, 300])
@pytest.mark.parametrize(("kind", "tolerance"), [("model", 0.08), ("map", 0.3)])
def test_the_phase_of_a_ball_of_protein_is_that_of_its_chords(tmp_path, kilovolts, kind, tolerance):
    """``sigma * V * 2 sqrt(r^2 - rho^2)``, V of 1.37 g per cubic centimetre less that of ice.

    A map has the error of its mass.
    """
    radius = 32.0
    path = tmp_path / "ball.pdb"
    path.write_text(pdb(*protein(radius)))
    structure = open_structure(path, 3.0)
    if kind == "map":
        write_map(tmp_path / "ball.mrc", structure.potential, 3.0)
        structure = open_structure(tmp_path / "ball.mrc", 3.0)
    inner = EXCESS_PER_DALTON / VOLUME
    assert 3.3 < inner < 4.0  # volt: protein of about 8 less ice of 4.5
    rotations = uniform_orientations(8, np.random.default_rng(0))
    phase = phase_shift(project_structure(structure, rotations).mean(axis=0), kilovolts)
    middle = len(phase) // 2
    rows, columns = np.indices(phase.shape)
    rho = 3.0 * np.hypot(rows - middle, columns - middle)
    chord = 2 * np.sqrt(np.clip(radius**2 - rho**2, 0, None))
    inside = rho < 0.8 * radius
    ratio = phase[inside].mean() / (interaction(kilovolts) * inner * chord[inside]).mean()
    assert ratio == pytest.approx(1, abs=tolerance)


def test_large_stacks_are_cut_into_batches_without_a_difference(model, monkeypatch):
    rotations = uniform_orientations(7, np.random.default_rng(5))
    whole = project_structure(model, rotations)
    monkeypatch.setattr("deepcryopicker.dataset.structures.projections._SAMPLES", 1)
    np.testing.assert_allclose(project_structure(model, rotations), whole, atol=1e-3)
