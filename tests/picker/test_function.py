"""What is put round every picker: blank images, and pictures that are turned over."""

from pathlib import Path

import numpy as np
import pytest

from deepcryopicker.config.options import read_option
from deepcryopicker.dataset.catalogue import Entry
from deepcryopicker.picker.function import as_mrc_files
from deepcryopicker.preprocessing.preprocessed import Preprocessed
from deepcryopicker.types import Micrograph, Picks


def darkest(_, preprocessed):
    """Pick the darkest pixel, half a pixel too low: the bias of a network that is not symmetric."""
    row, column = np.unravel_index(
        preprocessed.micrograph.image.argmin(), preprocessed.micrograph.image.shape
    )
    return Picks.create([float(column)], [row + 0.5])


@pytest.mark.parametrize(
    ("turned_over", "lean", "y"), [(False, False, 3.5), (True, False, 2.5), (True, True, 2.5)]
)
def test_pictures_are_picked_in_the_frame_of_their_mrc_file(turned_over, lean, y):
    image = np.ones((20, 30), np.float32)
    image[3, 7] = 0
    path = Path("x.jpg")
    entry = Entry("x", path, "g", diameter=8.0, turned_over=turned_over)
    micrograph = Micrograph("x", path, image, None)
    seen = Preprocessed(micrograph, 8.0, read_option("preprocessing", "default"))
    if lean:
        seen = seen.without_pixels(lambda: micrograph)
    picks = as_mrc_files(darkest)(entry, seen)
    assert (picks.x.tolist(), picks.y.tolist()) == ([7.0], [y])
    assert image[3, 7] == 0  # the micrograph itself stays as it is
