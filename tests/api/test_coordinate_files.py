"""Every format of coordinates, written and read again."""

import numpy as np
import pytest

import deepcryopicker as d
from deepcryopicker.errors import UsageError
from deepcryopicker.io.coordinates.formats import READERS, READERS_OF_MANY

PICKS = d.Picks.create(
    [10.125, 200.5, 33.0],
    [50.0, 8.25, 0.75],
    score=[0.9, 0.5, 0.125],
    label=["top", "side", "irregular"],
    diameter=60.0,
)
KEPT = {
    ".csv": ("score", "label", "diameter"),
    ".box": ("score", "diameter"),
    ".cbox": ("score", "diameter"),
    ".star": ("score", "label"),
    ".tsv": ("score",),
    ".txt": ("score",),
}


def test_every_format_that_is_read_is_written():
    assert KEPT.keys() == READERS.keys() - {".cs"}  # cryoSPARC reads STAR files as well


@pytest.mark.parametrize("suffix", KEPT)
def test_a_round_trip_keeps_what_the_format_holds(suffix, tmp_path):
    path = tmp_path / f"picks{suffix}"
    named = {"micrograph": "m"} if suffix in (".tsv", ".txt") else {}
    d.write_coordinates(path, PICKS, **named)
    read = d.read_coordinates(str(path))
    np.testing.assert_allclose(read.positions, PICKS.positions, atol=1e-9)
    for column in KEPT[suffix]:
        assert getattr(read, column).tolist() == getattr(PICKS, column).tolist()


@pytest.mark.parametrize("suffix", sorted(READERS_OF_MANY.keys() - {".cs", ".csv", ".json"}))
def test_tables_of_many_keep_micrographs_apart(suffix, tmp_path):
    path = tmp_path / f"all{suffix}"
    d.write_coordinates(path, {"b": PICKS[PICKS.score > 0.3], "a": PICKS})
    read = d.read_coordinates(path, by_micrograph=True)
    assert {name: len(picks) for name, picks in read.items()} == {"b": 2, "a": 3}
    assert len(d.read_coordinates(path)) == 5


def test_coordinates_of_given_micrographs(tmp_path):
    d.write_coordinates(tmp_path / "job" / "raw" / "a_autopick.star", PICKS)
    d.write_coordinates(tmp_path / "job" / "raw" / "b_autopick.star", PICKS[PICKS.score > 0.3])
    read = d.read_coordinates(tmp_path / "job", micrographs=["b_DW.mrc", "raw/a.mrc", "c"])
    assert {name: len(picks) for name, picks in read.items()} == {"b_DW.mrc": 2, "raw/a.mrc": 3}
    every = d.read_coordinates(tmp_path / "job", by_micrograph=True)
    assert list(every) == ["raw/a_autopick", "raw/b_autopick"]
    with pytest.raises(UsageError, match=r"belongs to a micrograph.*\nmicrographs: c; "):
        d.read_coordinates(tmp_path / "job", micrographs=["c"])
    with pytest.raises(UsageError, match=r"is a folder: give by_micrograph=True"):
        d.read_coordinates(tmp_path / "job")


@pytest.mark.parametrize("suffix", [".box", ".cbox"])
def test_boxes_have_the_side_that_is_asked_for(suffix, tmp_path):
    path = tmp_path / f"picks{suffix}"
    d.write_coordinates(path, d.Picks.create([10.0], [20.0]), box=64)
    read = d.read_coordinates(path)
    assert (read.x[0], read.y[0], read.diameter[0]) == (10.0, 20.0, 64.0)


def test_a_particles_star_holds_the_pixel_size(tmp_path):
    path = tmp_path / "particles.star"
    d.write_coordinates(path, PICKS, micrograph="m.mrc", pixel_size=1.25)
    assert "1.250000" in path.read_text()
    assert list(d.read_coordinates(path, by_micrograph=True)) == ["m.mrc"]


@pytest.mark.parametrize(
    ("name", "picks", "message"),
    [
        ("a.csv", {"m": PICKS}, "a .csv file is of one micrograph and does not name it"),
        ("a.box", {"m": PICKS}, "a .box file is of one micrograph"),
        ("a.txt", PICKS, "a table of Topaz names micrographs; give micrograph=NAME"),
        ("a.cvs", PICKS, "no format called '.cvs'. Did you mean .csv?"),
        ("a.box", d.Picks.create([1.0], [1.0]), "picks without a diameter need a box size"),
    ],
)
def test_what_a_format_cannot_hold_is_refused(name, picks, message, tmp_path):
    with pytest.raises(UsageError, match=message.replace(".", r"\.").replace("?", r"\?")):
        d.write_coordinates(tmp_path / name, picks)
    assert list(tmp_path.iterdir()) == []


def test_our_star_files_that_are_turned_over_are_refused(tmp_path):
    from deepcryopicker.io.star.relion_folder import write_coordinates

    (tmp_path / "x.tif").touch()
    write_coordinates(tmp_path / "relion", tmp_path / "x.tif", 100, PICKS)
    (path,) = (tmp_path / "relion").rglob("*.star")
    with pytest.raises(UsageError, match="y is turned over"):
        d.read_coordinates(path)
