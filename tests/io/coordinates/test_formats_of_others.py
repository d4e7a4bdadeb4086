"""crYOLO's CBOX and Topaz's table survive a round trip, and files as those programs write them."""

import csv

import numpy as np
import pytest
import starfile

from deepcryopicker.errors import UsageError
from deepcryopicker.io.coordinates.boxes import write_cbox
from deepcryopicker.io.coordinates.formats import read_by_micrograph, read_picks
from deepcryopicker.io.coordinates.topaz_table import is_topaz, write_topaz
from deepcryopicker.io.star.optics_groups import optics_table, placeholder
from deepcryopicker.io.star.relion_star import write_coordinates_star, write_particles_star
from deepcryopicker.types import Picks

PICKS = Picks.create(
    [10.25, 4095.5, 0.0, 700.0],
    [20.125, 3.0, 4091.75, 800.0],
    [0.999999, 0.5, 0.125, 0.0],
    diameter=[52.5, 61.0, 60.25, 75.0],
)


def same(found, expected, diameter=True):
    for column in ("x", "y", "score", *(("diameter",) if diameter else ())):
        np.testing.assert_allclose(getattr(found, column), getattr(expected, column), atol=1e-3)


@pytest.mark.parametrize("box", [63, 64, None])
def test_cbox(tmp_path, box):
    path = tmp_path / "p.cbox"
    write_cbox(path, PICKS, box)
    same(read_picks(path), PICKS)
    sides = [box] * 4 if box else [52, 61, 60, 75]
    blocks = starfile.read(path, always_dict=True)
    assert blocks["global"] == {"cbox_format_version": 1.0}
    table = blocks["cryolo"]
    assert table["Width"].tolist() == table["Height"].tolist() == sides
    # What the box manager of napari does: the corner and half a box.
    np.testing.assert_allclose(table["CoordinateX"] + table["Width"] / 2, PICKS.x, atol=1e-3)
    np.testing.assert_allclose(table["CoordinateY"] + table["Height"] / 2, PICKS.y, atol=1e-3)
    np.testing.assert_allclose(table["Confidence"], PICKS.score, atol=1e-6)
    first = path.read_bytes()
    write_cbox(path, PICKS, box)
    assert path.read_bytes() == first
    assert [one.name for one in tmp_path.iterdir()] == ["p.cbox"]


def test_cbox_without_diameters(tmp_path):
    with pytest.raises(UsageError, match="need a box size"):
        write_cbox(tmp_path / "p.cbox", Picks.create(1, 2))
    assert not list(tmp_path.iterdir())
    write_cbox(tmp_path / "p.cbox", Picks.create(1, 2, 0.5), 31)
    same(read_picks(tmp_path / "p.cbox"), Picks.create(1, 2, 0.5, diameter=31))


def test_cbox_of_cryolo(tmp_path):
    path = tmp_path / "p.cbox"
    head = (
        "_CoordinateX #1\n_CoordinateY #2\n_CoordinateZ #3\n_Width #4\n_Height #5\n_Depth #6\n"
        "_EstWidth #7\n_EstHeight #8\n_Confidence #9\n_NumBoxes #10\n_Angle #11"
    )
    path.write_text(
        f"\ndata_global\n\n_cbox_format_version 1.0\n\ndata_cryolo\n\nloop_\n{head}\n"
        "90.0 40.0 <NA> 21 31 <NA> 18.5 19.5 0.75 3 <NA>\n"
        "0.5 -3.0 <NA> 20 20 <NA> <NA> <NA> 0.25 1 <NA>\n"
        "\n\ndata_cryolo_include\n\nloop_\n_slice_index #1\n\n"
    )
    same(
        read_picks(path), Picks.create([100.5, 10.5], [55.5, 7], [0.75, 0.25], diameter=[18.5, 20])
    )


NAMED = [("a.b", PICKS[np.array([0, 1])]), ("sub/c", PICKS[np.array([2, 3])])]


@pytest.mark.parametrize("suffix", ["txt", "tsv"])
def test_topaz(tmp_path, suffix):
    path = tmp_path / f"p.{suffix}"
    write_topaz(path, iter([*NAMED, ("none", Picks.empty())]))
    found = read_by_micrograph(path)
    assert list(found) == ["a.b", "sub/c"]
    for name, picks in NAMED:
        same(found[name], picks, diameter=False)
    same(read_picks(path), PICKS, diameter=False)
    with path.open(newline="") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t"))
    assert list(rows[0]) == ["image_name", "x_coord", "y_coord", "score"]
    assert [float(row["x_coord"]) for row in rows] == PICKS.x.tolist()
    assert is_topaz(path)


def test_topaz_of_topaz(tmp_path):
    path = tmp_path / "p.txt"
    path.write_text(
        "image_name\tx_coord\ty_coord\tscore\nm1\t7\t8\t-5.25\nm0\t1\t2\t3.5\nm1\t9\t9\t0\n"
    )
    found = read_by_micrograph(path)
    same(found["m1"], Picks.create([7, 9], [8, 9], [-5.25, 0]), diameter=False)
    same(found["m0"], Picks.create(1, 2, 3.5), diameter=False)
    path.write_text("y_coord\timage_name\tx_coord\n2\tm0\t1\n")  # what Topaz trains on: no scores
    same(read_picks(path), Picks.create(1, 2), diameter=False)


def test_nothing_picked(tmp_path):
    write_cbox(tmp_path / "p.cbox", Picks.empty())
    write_topaz(tmp_path / "p.txt", [])
    assert len(read_picks(tmp_path / "p.cbox")) == len(read_picks(tmp_path / "p.txt")) == 0
    assert read_by_micrograph(tmp_path / "p.txt") == {}


def test_particles_star_by_micrograph(tmp_path):
    path = tmp_path / "p.star"
    located = [(name, 1, picks) for name, picks in NAMED]
    write_particles_star(path, located, optics_table([placeholder(1.0)]))
    found = read_by_micrograph(path)
    assert list(found) == ["a.b", "sub/c"]
    same(found["sub/c"], NAMED[1][1], diameter=False)
    write_coordinates_star(path, PICKS)
    with pytest.raises(UsageError, match=r"no table with .*rlnMicrographName"):
        read_by_micrograph(path)
    with pytest.raises(
        UsageError, match=r"no reader for '.box' tables of many micrographs\nconvert"
    ):
        read_by_micrograph(tmp_path / "p.box")


def test_other_texts_are_not_tables(tmp_path):
    for text in ("", "read me\n", "image_names\n"):
        (tmp_path / "p.txt").write_text(text)
        assert not is_topaz(tmp_path / "p.txt")


CBOX = "data_cryolo\n\nloop_\n_CoordinateX\n_CoordinateY\n_Width\n_Height\n_Confidence\n"
BAD = {
    "empty.cbox": ("", "no table with CoordinateX/CoordinateY/Width/Height in"),
    "ragged.cbox": (CBOX + "1 2 3 4 5\n1 2 3 4 5 6\n", "damaged STAR table"),
    "text.cbox": (CBOX + "1 2 3 four 5\n", "Height must be a number, line 9 has 'four'"),
    "score.cbox": (CBOX + "1 2 3 4 high\n", "Confidence must be a number, line 9"),
    "size.cbox": (
        CBOX.replace("Confidence", "EstWidth") + "1 2 3 4 big\n",
        "EstWidth must be a number, line 9 has 'big'",
    ),
    "empty.txt": ("", "empty file"),
    "spaces.txt": ("image_name x_coord y_coord score\n", "needs columns image_name, x_coord and"),
    "ragged.txt": ("image_name\tx_coord\ty_coord\na\t1\n", "line 2 has 2 cells, the header 3"),
    "text.tsv": ("image_name\tx_coord\ty_coord\na\t1\tb\n", "y_coord must be a number, line 2"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files(tmp_path, name):
    content, reason = BAD[name]
    (tmp_path / name).write_text(content)
    with pytest.raises(UsageError, match=reason) as error:
        read_picks(tmp_path / name)
    assert str(tmp_path / name) in str(error.value)
    assert str(error.value).count("\n") <= 1
