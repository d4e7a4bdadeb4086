"""Pixel sizes of headers against given ones."""

import mrcfile
import numpy as np
import pytest

from deepcryopicker.dataset.pixel_sizes import (
    given_doubt,
    known_pixel_size,
    refuse_contradiction,
    spread_sample,
)
from deepcryopicker.errors import UsageError


@pytest.fixture
def files(tmp_path):
    """Thirty micrographs of 1.77 Angstrom a pixel, the 22nd of 3.54; the first is damaged."""
    paths = []
    for number in range(30):
        path = tmp_path / f"m{number:02d}.mrc"
        size = 3.54 if number == 21 else 1.77
        mrcfile.write(path, np.zeros((8, 8), np.float32), voxel_size=size)
        paths.append(path)
    paths[0].write_bytes(b"broken")
    return paths


def test_a_sample_is_spread_over_all(files):
    assert spread_sample(files[:3]) == files[:3]
    assert [files.index(path) for path in spread_sample(files, 4)] == [0, 10, 19, 29]
    assert spread_sample([]) == []


def test_a_later_file_may_contradict(files):
    listed = [(path, 1.77) for path in files]
    with pytest.raises(UsageError, match=r"m21\.mrc: .* 3\.54 .* 1\.77 \(a factor of 2"):
        refuse_contradiction(listed)
    refuse_contradiction([one for one in listed if one[0] != files[21]])


@pytest.mark.parametrize(
    ("given", "remark"),
    [(1.77, None), (1.78, None), (0.885, "a factor of 2"), (5.31, "of 3"), (2, "")],
)
def test_a_given_pixel_size_is_doubted_if_the_header_has_another(files, given, remark):
    text = given_doubt([(files[1], given)])
    if remark is None:
        assert text is None
    else:
        assert text.startswith(f"dataset.pixel_size={given:g} is used, but the header of")
        assert "1.77" in text
        assert remark in text


def test_the_given_pixel_size_comes_first(files):
    assert known_pixel_size(files[1], 2.5) == 2.5
    assert known_pixel_size(files[1], None) == pytest.approx(1.77)
    assert known_pixel_size(files[0], None) is None
