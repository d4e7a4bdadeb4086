"""Training on micrographs simulated with the particle's structure, like the given ones."""

import mrcfile
import numpy as np
import pytest
import yaml
from scipy import ndimage

from deepcryopicker.dataset.pasting.crowds import gaps, paste
from deepcryopicker.dataset.structures.open_structure import open_structure
from deepcryopicker.dataset.structures.orientations import uniform_orientations
from deepcryopicker.dataset.structures.projections import project_structure
from deepcryopicker.io.coordinates.candidate_csv import write_csv
from deepcryopicker.io.coordinates.formats import read_picks
from deepcryopicker.pipeline.training import from_structure
from deepcryopicker.types import Picks

DIAMETER, PIXEL_SIZE, SIDE = 32, 4.0, 480
SHORT = (
    "trainer.epochs=3",
    "trainer.epoch_windows=600",
    "class_set.samples_per_class=300",
    "logger=csv",
    "overlays=0",
)


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    """Three micrographs of two unequal balls that touch, their places, and the structure."""
    folder = tmp_path_factory.mktemp("given")
    z, y, x = np.mgrid[-20:20, -20:20, -20:20]
    balls = (np.hypot(np.hypot(x + 4, y), z) < 8) | (np.hypot(np.hypot(x - 8, y), z) < 5)
    with mrcfile.new(folder / "structure.mrc") as file:
        file.set_data(ndimage.gaussian_filter(balls.astype(np.float32), 1))
        file.set_volume()
        file.voxel_size = 5.0
    structure = open_structure(folder / "structure.mrc", PIXEL_SIZE)
    rng = np.random.default_rng(0)
    for number in range(3):
        places = gaps(np.zeros((0, 2)), (SIDE, SIDE), 20, 1.3 * DIAMETER, rng)
        views = project_structure(structure, uniform_orientations(len(places), rng))
        image = rng.normal(0, 1, (SIDE, SIDE)).astype(np.float32)
        image = paste(image, views / views.max(), places, np.full(len(places), -1.5))
        path = folder / "micrographs" / f"m{number}.mrc"
        path.parent.mkdir(exist_ok=True)
        with mrcfile.new(path) as file:
            file.set_data(image)
            file.voxel_size = PIXEL_SIZE
        picks = Picks.create(places[:, 0], places[:, 1], diameter=DIAMETER)
        write_csv(folder / "coordinates" / f"m{number}.csv", picks)
    return folder


@pytest.mark.thorough
def test_a_network_is_trained_without_labels(shell, given, monkeypatch):
    monkeypatch.setattr(from_structure, "_SIMULATED_PIXELS", 5e5)
    answer = shell(
        "train",
        "+experiment=from_structure",
        f"dataset.micrographs={given}/micrographs",
        f"dataset.coordinates={given}/coordinates",
        f"dataset.structure={given}/structure.mrc",
        f"dataset.diameter={DIAMETER}",
        *SHORT,
        run="from_structure",
    )
    assert (answer.code, answer.err) == (0, "")
    assert answer.metrics["average_precision"] > 0.95
    simulated = sorted((answer.folder / "simulated").glob("*.mrc"))
    assert len(simulated) >= 3
    labels = read_picks(simulated[0].with_suffix(".csv"))
    assert 40 < len(labels) < 200
    # The card is about the given micrographs, not about those at the working scale.
    card = yaml.safe_load((answer.folder / "model.yaml").read_text())
    assert (card["diameter"], card["diameter_angstrom"]) == (DIAMETER, DIAMETER * PIXEL_SIZE)


def test_without_a_structure_the_key_is_named(shell, given):
    answer = shell(
        "train",
        "+experiment=from_structure",
        f"dataset.micrographs={given}/micrographs",
        run="no_structure",
    )
    assert answer.code == 2
    assert "labeler=structure needs the structure of the particle: dataset.structure=" in answer.err


@pytest.mark.thorough
@pytest.mark.parametrize("command", ["label", "pick"])
def test_the_labeler_labels_nothing_by_itself(shell, given, command):
    named = "labeler" if command == "label" else "labeler@picker.labeler"
    answer = shell(
        command,
        *(["picker=log"] if command == "pick" else []),
        f"{named}=structure",
        "dataset=folder",
        f"dataset.micrographs={given}/micrographs",
        f"dataset.diameter={DIAMETER}",
        run=f"structure_{command}",
    )
    assert answer.code == 2
    assert "structure" in answer.err
    assert "Traceback" not in answer.err
