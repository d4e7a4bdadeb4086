"""RELION's projections of a structure: the map that it is given, its options and its picks."""

import re
import sys
from itertools import pairwise

import mrcfile
import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial import cKDTree

from deepcryopicker.config.schemas import PickConfig
from deepcryopicker.dataset.structures.open_structure import open_structure
from deepcryopicker.dataset.structures.orientations import uniform_orientations
from deepcryopicker.dataset.structures.projections import project_structure
from deepcryopicker.errors import UsageError
from deepcryopicker.pipeline.inputs.given_paths import check_paths
from deepcryopicker.rivals.programs import relion_reference as pickers
from deepcryopicker.rivals.programs.program_inputs import Input, ProgramJob, write_input
from deepcryopicker.rivals.programs.schema import RelionReferenceConfig
from deepcryopicker.types import Micrograph

DIAMETER, PIXEL_SIZE, SIZE = 32.0, 4.0, 320
PLACES = np.stack(np.meshgrid(np.arange(40, 300, 60), np.arange(45, 300, 55)), -1).reshape(-1, 2)


@pytest.fixture(scope="module")
def structure(tmp_path_factory):
    """Two unequal balls that touch, 130 Angstrom long, as a map of 5 Angstrom per voxel."""
    z, y, x = np.mgrid[-20:20, -20:20, -20:20]
    balls = (np.hypot(np.hypot(x + 4, y), z) < 8) | (np.hypot(np.hypot(x - 8, y), z) < 5)
    path = tmp_path_factory.mktemp("structure") / "two_balls.mrc"
    with mrcfile.new(path) as file:
        file.set_data(ndimage.gaussian_filter(balls.astype(np.float32), 1))
        file.set_volume()
        file.voxel_size = 5.0
    return path


def micrographs(structure, contrast, seed=0):
    """Noise of unit deviation with a projection of that contrast, dark, at every place."""
    rng = np.random.default_rng(seed)
    potential = open_structure(structure, PIXEL_SIZE)
    views = project_structure(potential, uniform_orientations(len(PLACES), rng))
    image = rng.normal(0, 1, (SIZE + 160, SIZE + 160)).astype(np.float32)
    half = views.shape[1] // 2
    for (x, y), view in zip(PLACES + 80, views, strict=True):
        rows, columns = slice(y - half, y - half + len(view)), slice(x - half, x - half + len(view))
        image[rows, columns] -= contrast * view
    return image[80:-80, 80:-80], views


def job(folder, images, pixel_size=PIXEL_SIZE):
    inputs = []
    for number, image in enumerate(images):
        write_input(folder, f"n{number}", Micrograph(f"m{number}", None, image))
        inputs.append(Input(f"m{number}", f"n{number}"))
    return ProgramJob(folder, tuple(inputs), (), DIAMETER, pixel_size)


@pytest.mark.parametrize("contrast", [0.002, 0.01])
def test_the_contrast_of_particles_is_measured(structure, contrast):
    image, _ = micrographs(structure, contrast)
    voxel = DIAMETER * PIXEL_SIZE / 24
    views = project_structure(
        open_structure(structure, voxel), uniform_orientations(64, np.random.default_rng(1))
    )
    measured = pickers.measure_contrast([image, 7 * image + 3], views.mean(axis=0), DIAMETER)
    # In deviations of all pixels, which have the particles in them.
    assert 0.85 < measured * image.std() / contrast < 1.5


def test_the_map_projects_to_the_given_contrast(structure, tmp_path):
    potential = open_structure(structure, 5.0)
    pickers.write_reference(tmp_path / "map.mrc", potential, 0.01)
    with mrcfile.open(tmp_path / "map.mrc") as file:
        assert file.is_volume()
        assert file.data.shape == (36, 36, 36)  # one and a half diameters of 24 voxels
        assert float(file.voxel_size.x) == 5.0
        projected = file.data.sum(axis=0)
    expected = potential.potential.sum(axis=0) * potential.voxel * 0.01
    middle, half = expected.shape[0] // 2, projected.shape[0] // 2
    inside = slice(middle - half, middle + half)
    np.testing.assert_allclose(projected, expected[inside, inside], rtol=1e-4, atol=1e-6)
    assert projected.sum() > 0.99 * expected.sum()


def fake(folder, monkeypatch):
    """As much of RELION's picker as we speak to: two picks, one of them below its default."""
    path = folder / "relion_autopick"
    path.write_text(
        f"#!{sys.executable}\n"
        "from pathlib import Path\n"
        "words = open('micrographs.star').read().split()\n"
        "names = [word for word in words if word.endswith('.mrc')]\n"
        "Path('found/reference_projections.mrcs').touch()\n"
        "for name in names:\n"
        "    out = Path('found') / name.replace('.mrc', '_autopick.star')\n"
        "    out.parent.mkdir(exist_ok=True)\n"
        "    columns = 'rlnCoordinateX rlnCoordinateY rlnAutopickFigureOfMerit'.split()\n"
        "    head = ['data_', '', 'loop_', *(f'_{c} #{n}' for n, c in enumerate(columns, 1))]\n"
        "    out.write_text('\\n'.join([*head, '50 60 0.75', '90 80 0.125', '']))\n"
    )
    path.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


@pytest.mark.parametrize("pixel_size", [4.0, None])
def test_options_and_scores(structure, tmp_path, monkeypatch, pixel_size):
    """Without a pixel size, the structure as wide as the given diameter decides all lengths."""
    fake(tmp_path, monkeypatch)
    image, _ = micrographs(structure, 0.01)
    batch = job(tmp_path, [image], pixel_size)
    picks = pickers.pick_by_reference(RelionReferenceConfig(structure=str(structure)), batch)["m0"]
    assert (picks.x.tolist(), picks.y.tolist()) == ([50, 90], [60, 80])
    assert picks.score.tolist() == pytest.approx([0.75, 1 / 3])  # 0.25 is RELION's default
    assert (picks.diameter == DIAMETER).all()
    command = (tmp_path / "relion_autopick.log").read_text().split()
    value = dict(pairwise(command))
    assert (value["--ref"], value["--lowpass"], value["--shrink"]) == (
        "reference.mrc",
        "20.00",
        "0",
    )
    assert "--invert" in command
    assert value["--ang"] == "5"
    size = float(value["--angpix"])
    if pixel_size is None:  # 125 Angstrom seen from the side, less along the axis
        assert 95 < size * DIAMETER < 135
    else:
        assert size == pixel_size
    assert float(value["--particle_diameter"]) == pytest.approx(1.1 * DIAMETER * size, abs=0.1)
    assert float(value["--angpix_ref"]) == pytest.approx(DIAMETER * size / 24, abs=1e-4)


def test_one_structure_exactly(tmp_path):
    one = RelionReferenceConfig(structure=["a.pdb"])
    assert one.structure == "a.pdb"
    with pytest.raises(UsageError, match=r"picker\.structure: RELION takes one structure, not 2"):
        RelionReferenceConfig(structure=["a.pdb", "b.mrc"])


@pytest.mark.parametrize(
    ("structure", "message"),
    [
        (None, "picker=relion_reference needs the structure of the particle: dataset.structure="),
        ("nowhere.pdb", "nowhere.pdb"),
        ("map.txt", "map.txt is neither a model"),
    ],
)
def test_a_missing_structure_is_refused_before_anything_is_read(structure, message):
    config = PickConfig(picker=RelionReferenceConfig(structure=structure))
    with pytest.raises(UsageError, match=re.escape(message)):
        check_paths(config)


@pytest.mark.relion
@pytest.mark.thorough
def test_projections_of_the_structure_are_found(structure, relion, tmp_path):
    images = [micrographs(structure, 0.008, seed)[0] for seed in (1, 2)]
    picked = pickers.pick_by_reference(
        RelionReferenceConfig(structure=str(structure)), job(tmp_path, images)
    )
    assert list(picked) == ["m0", "m1"]
    for picks in picked.values():
        best = picks[np.argsort(-picks.score)[: len(PLACES)]]
        distance, _ = cKDTree(best.positions).query(PLACES)
        assert np.mean(distance < DIAMETER / 4) > 0.9
