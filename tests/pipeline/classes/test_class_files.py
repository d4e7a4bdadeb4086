"""STAR files of classes: places, units and the marks that readers need."""

import numpy as np
import pytest
import starfile

from deepcryopicker.dataset.catalogue import Entry
from deepcryopicker.errors import UsageError
from deepcryopicker.io.star.relion_folder import refuse_turned_over
from deepcryopicker.pipeline.classes.class_files import table_of, write_class_files
from deepcryopicker.pipeline.classes.classify_dataset import PickClasses
from deepcryopicker.pipeline.classes.cut_dataset import PickedWindows
from deepcryopicker.types import Picks

HEIGHT = 400


def given(tmp_path, suffix=".mrc", pixel_size=1.5):
    """Three picks of one micrograph in two classes."""
    entry = Entry("m", tmp_path / f"m{suffix}", "g", 48.0)
    picks = Picks.create([100.0, 200.2, 300.0], [50.0, 60.0, 70.0], score=[0.9, 0.8, 0.7])
    none = np.zeros((0, 36, 36), np.float16)
    scales = np.array([0.5])
    cut = PickedWindows((entry,), (picks,), none, none, 24.0, scales, (pixel_size,), (HEIGHT,))
    shifts = np.array([[0.0, 0.0], [2.0, -1.0], [0.0, 0.0]])
    averages = np.zeros((2, 36, 36), np.float32)
    finest, contrast = np.array([4.0, 0.0]), np.array([0.5, 0.1])
    found = PickClasses(
        np.array([0, 0, 1]),
        shifts,
        np.zeros(3),
        averages,
        np.array([2, 1]),
        finest,
        contrast,
        np.array([False, True]),
    )
    return cut, found


def test_particles_are_where_their_classes_are_centred(tmp_path):
    write_class_files(tmp_path, *given(tmp_path))
    tables = starfile.read(tmp_path / "particles.star")
    rows = tables["particles"]
    assert rows["rlnClassNumber"].tolist() == [1, 1, 2]
    # Windows are cut at whole pixels of half the scale: 200.2 is in pixel 100, from 199.5 to 201.5.
    assert rows["rlnCoordinateX"].tolist() == pytest.approx([100.5, 204.5, 300.5])
    assert rows["rlnCoordinateY"].tolist() == pytest.approx([50.5, 58.5, 70.5])
    assert tables["optics"]["rlnMicrographPixelSize"].tolist() == pytest.approx([1.5])


def test_particles_of_tiff_files_are_marked_as_turned_over(tmp_path):
    write_class_files(tmp_path, *given(tmp_path, ".tif"))
    rows = starfile.read(tmp_path / "particles.star")["particles"]
    assert rows["rlnCoordinateY"].tolist() == pytest.approx(
        [HEIGHT - 1 - y for y in (50.5, 58.5, 70.5)]
    )
    with pytest.raises(UsageError):
        refuse_turned_over(tmp_path / "particles.star")


@pytest.mark.parametrize(("pixel_size", "expected"), [(1.5, "18"), (None, "0.25")])
def test_the_resolution_is_in_angstrom_or_diameters(tmp_path, pixel_size, expected):
    rows = table_of(*given(tmp_path, pixel_size=pixel_size))
    assert [row["resolution"] for row in rows] == [expected, "nan"]
    assert [row["like_random"] for row in rows] == [0, 1]
