"""Windows of given picks and of random places."""

import numpy as np
import pytest
from scipy import ndimage

from deepcryopicker.dataset.catalogue import Entry
from deepcryopicker.pipeline.classes.cut_dataset import cut_dataset, places_between
from deepcryopicker.runs.folder import Run

DIAMETER = 30
DISC = (np.hypot(*np.mgrid[-10:11, -10:11]) < 9).astype(float)


@pytest.fixture
def entries(tmp_path):
    """Three micrographs with dark discs, the last of another scale, and one without picks."""
    import mrcfile

    made = []
    for number, scale in enumerate((1, 1, 2, 1)):
        rng = np.random.default_rng(number)
        image = rng.normal(0, 0.3, (300, 300))
        places = 30 + 40 * np.argwhere(np.ones((7, 6)))[:: number + 1]
        for row, column in places:
            image[row - 10 : row + 11, column - 10 : column + 11] -= 3 * DISC
        if scale > 1:
            image = ndimage.zoom(image, scale, order=1, grid_mode=True, mode="nearest")
            image += rng.normal(0, 0.3, image.shape)
        path, coordinates = tmp_path / f"m{number}.mrc", tmp_path / f"m{number}.csv"
        with mrcfile.new(path) as file:
            file.set_data(image.astype(np.float32))
            file.voxel_size = 4.0 / scale
        x, y = (places.T[::-1] + 0.5) * scale - 0.5
        coordinates.write_text("x,y\n" + "".join(f"{a},{b}\n" for a, b in zip(x, y, strict=True)))
        truth = coordinates if number < 3 else None
        made.append(Entry(path.stem, path, "g", DIAMETER * scale, truth=truth))
    return made


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    return Run(folder, None, "run", {"seed": 0})


def test_particles_are_positive_centred_and_of_one_size(entries, run):
    cut = cut_dataset(entries, 0, run)
    assert [len(picks) for picks in cut.picks] == [42, 21, 14, 0]
    assert (len(cut.windows), cut.diameter) == (77, 30.0)
    assert cut.scales.tolist() == [1.0, 1.0, 0.5, 1.0]
    assert cut.pixel_size == pytest.approx(4.0)
    assert cut.heights == (300, 300, 600, 300)
    side = cut.windows.shape[1]
    y, x = np.mgrid[:side, :side] - side // 2
    for part in (slice(0, 42), slice(42, 63), slice(63, 77)):
        average = cut.windows[part].astype(float).mean(axis=0)
        bright = average > average.max() / 2
        assert bright.sum() == pytest.approx(np.pi * 9**2, rel=0.15)
        assert np.hypot(x[bright].mean(), y[bright].mean()) < 0.6


def test_random_places_hold_no_particle(entries, run):
    cut = cut_dataset(entries, 0, run)
    centre = cut.elsewhere.shape[1] // 2
    middle = cut.elsewhere[:, centre - 3 : centre + 4, centre - 3 : centre + 4].astype(float)
    assert len(middle) >= 12
    assert middle.mean(axis=(1, 2)).max() < 1.0


def test_a_micrograph_that_cannot_be_read_is_left_out(entries, run):
    entries[0].path.write_bytes(b"damaged")
    cut = cut_dataset(entries, 0, run)
    assert [entry.name for entry in cut.entries] == ["m1", "m2", "m3"]
    assert [row["path"] for row in run.failures] == [str(entries[0].path)]


def test_places_keep_their_distance():
    rng = np.random.default_rng(0)
    given = rng.uniform(0, 300, (20, 2))
    found = places_between(given, (300, 400), 30.0, 50, rng)
    assert 20 < len(found) <= 50
    distance = np.hypot(*(found[:, None] - given).transpose(2, 0, 1))
    assert distance.min() >= 30.0
    assert (found >= 15).all()
    assert (found <= [385, 285]).all()
    crowded = np.argwhere(np.ones((20, 20))) * 15.0
    assert len(places_between(crowded, (300, 300), 30.0, 50, rng)) == 0


def test_blank_micrographs_have_no_windows(entries, run):
    import mrcfile

    with mrcfile.open(entries[3].path, "r+") as file:
        file.set_data(np.zeros((300, 300), np.float32))
    cut = cut_dataset(entries[3:], 0, run)
    assert len(cut.windows) == len(cut.elsewhere) == 0
