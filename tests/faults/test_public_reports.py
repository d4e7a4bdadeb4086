"""Files of other programs that public reports describe, and that are read as they are meant.

The numbers are those of docs/robustness.md. Reports that needed a change are tested where they
belong, see the table there.
"""

import struct

import numpy as np
import pytest

from deepcryopicker.dataset.listing import list_micrographs
from deepcryopicker.errors import MicrographError
from deepcryopicker.io.coordinates.boxes import read_box, write_box
from deepcryopicker.io.coordinates.formats import read_by_micrograph
from deepcryopicker.io.coordinates.topaz_table import write_topaz
from deepcryopicker.io.images.reader import read_micrograph
from deepcryopicker.io.star.relion_star import micrograph_names
from deepcryopicker.types import Picks

from .common import mrc_bytes, pixels, write_mrc


@pytest.mark.parametrize(
    ("kind", "length"), [(b"FEI1", 131_072), (b"FEI2", 15_360), (b"SERI", 70), (b"AGAR", 1)]
)
def test_report_17_extended_headers_of_any_length_are_skipped(tmp_path, kind, length):
    whole = mrc_bytes(next_bytes=(92, "i", (length,)), kind=(104, "4s", (kind,)))
    path = tmp_path / "x.mrc"
    path.write_bytes(whole[:1024] + b"\x7f" * length + whole[1024:])
    np.testing.assert_array_equal(read_micrograph(path).image, pixels())


@pytest.mark.parametrize(
    ("field", "size"),
    [
        ((88, "i", (1,)), 1.5),  # ispg: a volume rather than an image
        ((88, "i", (401,)), 1.5),
        ((64, "3i", (2, 1, 3)), 1.5),  # mapc, mapr, maps
        ((16, "3i", (-5, -7, 0)), 1.5),  # nxstart
        ((196, "3f", (1e3, -1e3, 0.0)), 1.5),  # origin
        ((108, "i", (20141,)), 1.5),  # nversion
        ((220, "i", (10,)), 1.5),  # ten labels
        ((28, "3i", (0, 0, 0)), None),  # mx: the pixel size is unknown
        ((28, "3i", (12, 9, 1)), 8.0),  # mx of another image, as RELION takes it
    ],
)
def test_report_18_other_fields_of_the_header_change_no_pixel(tmp_path, field, size):
    micrograph = read_micrograph(write_mrc(tmp_path / "x.mrc", field=field))
    np.testing.assert_array_equal(micrograph.image, pixels())
    assert micrograph.pixel_size == (None if size is None else pytest.approx(size))


@pytest.mark.parametrize("factor", [1e-42, 1e-30, 1e-8, 1e30])
def test_report_19_values_of_any_magnitude_are_read(tmp_path, factor):
    data = (pixels().astype(np.float64) * factor).astype(np.float32)
    image = read_micrograph(write_mrc(tmp_path / "x.mrc", data)).image
    np.testing.assert_array_equal(image, data)


@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_report_19_half_precision_is_read(tmp_path, offset):
    data = (pixels() + offset).astype(np.float16)
    image = read_micrograph(write_mrc(tmp_path / "x.mrc", data, mode=12)).image
    np.testing.assert_array_equal(image, data.astype(np.float32))


@pytest.mark.parametrize("names", [("66494", "0007", "1e5"), ("nan", "-1", "True")])
def test_report_22_names_that_are_numbers_stay_text(tmp_path, names):
    write_topaz(tmp_path / "t.txt", [(name, Picks.create([1.0], [2.0])) for name in names])
    assert tuple(read_by_micrograph(tmp_path / "t.txt")) == names


def test_report_23_boxes_with_fractions_and_outside_the_image(tmp_path):
    path = tmp_path / "x.box"
    path.write_text("10.5 -20.25 31 31 -3\n-7\t4\t30\t30\n")
    picks = read_box(path)
    assert (picks.x.tolist(), picks.y.tolist()) == ([26.0, 8.0], [-4.75, 19.0])
    assert np.isnan(picks.score).all()  # EMAN 1 marks helices there: no score
    write_box(tmp_path / "again.box", picks)
    again = read_box(tmp_path / "again.box")
    np.testing.assert_array_equal(np.stack([again.x, again.y]), np.stack([picks.x, picks.y]))


def test_report_24_blanks_in_names(tmp_path):
    write_mrc(tmp_path / "grid 1" / "my file.mrc")
    listing = tmp_path / "list.star"
    listing.write_text('data_\n\nloop_\n_rlnMicrographName #1\n"grid 1/my file.mrc"\n')
    assert micrograph_names(listing) == ["grid 1/my file.mrc"]
    ((name, path),) = list_micrographs(str(listing)).micrographs
    assert (name, path.is_file()) == ("my file", True)


@pytest.mark.parametrize(
    "name", ["000001@Extract/job007/x.mrcs", "raw\\x.mrc", "ctf.ctf:mrc", "gone/x.mrc"]
)
def test_report_32_names_that_lead_nowhere_do_not_stop_the_others(tmp_path, name):
    write_mrc(tmp_path / "here.mrc")
    listing = tmp_path / "list.star"
    listing.write_text(f"data_\n\nloop_\n_rlnMicrographName #1\n{name}\nhere.mrc\n")
    paths = [path for _, path in list_micrographs(str(listing)).micrographs]
    assert sorted(path.is_file() for path in paths) == [False, True]


def test_report_33_a_pixel_size_in_metres_is_unknown(tmp_path):
    fields = {"length": (40, "3f", (64 * 4e-10, 48 * 4e-10, 4e-10))}
    assert read_micrograph(write_mrc(tmp_path / "x.mrc", **fields)).pixel_size is None


def test_report_34_without_sections_nothing_is_read(tmp_path):
    data = bytearray(mrc_bytes())
    struct.pack_into("<i", data, 8, 0)
    (tmp_path / "x.mrc").write_bytes(data)
    with pytest.raises(MicrographError, match="image has no pixels"):
        read_micrograph(tmp_path / "x.mrc")
