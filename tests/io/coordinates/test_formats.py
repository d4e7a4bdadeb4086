"""Coordinates survive every format, and an independent reader finds them in the text."""

import csv
from dataclasses import replace

import numpy as np
import pytest

from deepcryopicker.errors import UsageError
from deepcryopicker.io.coordinates.boxes import write_box
from deepcryopicker.io.coordinates.candidate_csv import as_written, write_csv
from deepcryopicker.io.coordinates.formats import read_picks
from deepcryopicker.io.star import relion_star
from deepcryopicker.io.star.optics_groups import optics_notes, optics_table, placeholder
from deepcryopicker.types import SHAPES, Picks

PICKS = Picks.create(
    [10.25, 4095.5, 0.0, 700.0],
    [20.125, 3.0, 4091.75, 800.0],
    [0.999999, 0.5, 0.125, 0.0],
    ["top", "side", "irregular", "side"],
    [52.5, 61.0, 60.25, 75.0],
)


def same(found, expected, diameter=True):
    columns = ("x", "y", "score") + (("diameter",) if diameter else ())
    for column in columns:
        np.testing.assert_allclose(getattr(found, column), getattr(expected, column), atol=1e-6)
    assert found.label.tolist() == expected.label.tolist()


def star_tables(path):
    """Read loop tables in plain text: {block: [{column: cell}]}."""
    tables, columns, rows = {}, [], []
    for line in path.read_text().splitlines():
        words = line.split()
        if not words or line.startswith("#") or line.startswith("loop_"):
            continue
        if words[0].startswith("data_"):
            columns, rows = [], []
            tables[words[0].removeprefix("data_")] = rows
        elif words[0].startswith("_"):
            columns.append(words[0])
            assert words[1] == f"#{len(columns)}"
        else:
            rows.append(dict(zip(columns, words, strict=True)))
    return tables


def column(rows, name):
    return [float(row[name]) for row in rows]


def test_csv(tmp_path):
    write_csv(tmp_path / "p.csv", PICKS)
    same(read_picks(tmp_path / "p.csv"), PICKS)
    text = (tmp_path / "p.csv").read_text()
    assert text.startswith("x,y,score,class,diameter\n10.250,20.125,0.999999,top,52.50\n")
    rows = list(csv.DictReader(text.splitlines()))
    assert column(rows, "x") == PICKS.x.tolist()
    assert column(rows, "y") == PICKS.y.tolist()


def test_csv_of_cryoppp(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("X-Coordinate,Y-Coordinate,Diameter\n3752,693,108\n3474,182,108\n")
    picks = read_picks(path)
    assert (picks.x.tolist(), picks.y.tolist()) == ([3752, 3474], [693, 182])
    assert set(picks.diameter) == {108.0}


def test_csv_bytes_repeat_and_nothing_else_is_left(tmp_path):
    for name in ("a.csv", "b.csv"):
        write_csv(tmp_path / name, PICKS)
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "b.csv"]


def test_csv_columns_in_any_order_with_bom_crlf_and_extras(tmp_path):
    path = tmp_path / "p.csv"
    path.write_bytes(b"\xef\xbb\xbfclass, Y ,note,X\r\nside_long,2,hello,1\r\n")
    same(read_picks(path), Picks.create(1, 2, 1, "side_long"), diameter=False)
    path.write_text("x,y,diameter\n1,2,\n3,4,5\n")
    np.testing.assert_array_equal(read_picks(path).diameter, [np.nan, 5])


def test_unknown_diameters_are_empty_cells(tmp_path):
    write_csv(tmp_path / "p.csv", Picks.create(1, 2))
    assert (tmp_path / "p.csv").read_text().endswith("1.000,2.000,1.000000,irregular,\n")
    assert np.isnan(read_picks(tmp_path / "p.csv").diameter).all()


def test_coordinates_star(tmp_path):
    path = tmp_path / "p.star"
    relion_star.write_coordinates_star(path, PICKS)
    same(read_picks(path), PICKS, diameter=False)
    ((block, rows),) = star_tables(path).items()
    assert block == ""
    assert column(rows, "_rlnCoordinateX") == PICKS.x.tolist()
    assert column(rows, "_rlnCoordinateY") == PICKS.y.tolist()
    assert column(rows, "_rlnAutopickFigureOfMerit") == PICKS.score.tolist()
    assert [row["_rlnClassNumber"] for row in rows] == ["1", "2", "3", "2"]
    assert column(rows, "_rlnAnglePsi") == [0] * 4
    first = path.read_bytes()
    relion_star.write_coordinates_star(path, PICKS)
    assert path.read_bytes() == first  # no date in it


def test_particles_star(tmp_path):
    path = tmp_path / "particles.star"
    one, other = PICKS[np.array([True, True, False, False])], PICKS[np.array([2, 3])]
    named = [("data_1.mrc", 1, one), ("my grid/b.mrc", 2, other), ("none.mrc", 1, Picks.empty())]
    both = [placeholder(1.5), replace(placeholder(1.5), group=2)]
    relion_star.write_particles_star(path, iter(named), optics_table(both))
    found = relion_star.read_star_by_micrograph(path)
    assert list(found) == ["data_1.mrc", "my grid/b.mrc"]
    same(found["data_1.mrc"], one, diameter=False)
    same(found["my grid/b.mrc"], other, diameter=False)
    same(read_picks(path), PICKS, diameter=False)

    seventh = replace(placeholder(1.5), group=7)
    relion_star.write_particles_star(path, [("0001", 7, PICKS)], optics_table([seventh]))
    tables = star_tables(path)
    assert tables["optics"][0]["_rlnMicrographPixelSize"] == "1.500000"
    assert [row["_rlnMicrographName"] for row in tables["particles"]] == ["0001"] * 4
    assert column(tables["particles"], "_rlnCoordinateX") == PICKS.x.tolist()
    assert {row["_rlnOpticsGroup"] for row in tables["particles"]} == {"7"}
    assert list(relion_star.read_star_by_micrograph(path)) == ["0001"]


def test_micrographs_star(tmp_path):
    path = tmp_path / "micrographs.star"
    names = ["0001", "0002.mrc", "data_3.mrc", "a b/4 #1.mrc", "it's.mrc"]
    unknown = [placeholder(None)]
    grouped = [(name, 1) for name in names]
    relion_star.write_micrographs_star(path, grouped, optics_table(unknown), optics_notes(unknown))
    assert relion_star.micrograph_names(path) == names
    assert "_rlnMicrographPixelSize" not in star_tables_header(path)
    assert "pixel size unknown" in path.read_text().splitlines()[1]
    relion_star.write_micrographs_star(path, grouped[:1], optics_table([placeholder(0.66)]))
    assert relion_star.micrograph_names(path) == ["0001"]
    assert star_tables(path)["micrographs"] == [
        {"_rlnOpticsGroup": "1", "_rlnMicrographName": "0001"}
    ]
    path.write_text("data_\n\nloop_\n_rlnMicrographName #1\n_rlnVoltage\n007 300\n")  # RELION 3.0
    assert relion_star.micrograph_names(path) == ["007"]


def star_tables_header(path):
    return [line.split()[0] for line in path.read_text().splitlines() if line.startswith("_")]


def test_autopick_star(tmp_path):
    path = tmp_path / "autopick.star"
    relion_star.write_autopick_star(path, [("m/1.mrc", "out/m/1_autopick.star")])
    assert star_tables(path) == {
        "coordinate_files": [
            {
                "_rlnMicrographName": "m/1.mrc",
                "_rlnMicrographCoordinates": "out/m/1_autopick.star",
            }
        ]
    }


def test_star_without_score_and_class_as_single_values(tmp_path):
    path = tmp_path / "p.star"
    path.write_text("data_optics\n\nloop_\n_rlnOpticsGroup\n1\n\ndata_p\n\n"
                    "_rlnCoordinateY 7\n_rlnCoordinateX 5.5\n")  # fmt: skip
    same(read_picks(path), Picks.create(5.5, 7), diameter=False)


def test_star_classes_of_others_are_not_views_unless_asked(tmp_path):
    path = tmp_path / "p.star"
    rows = "".join(f"1 2 {number}\r\n" for number in (0, 1, 2, 3, 4, -999))
    path.write_text("data_\nloop_\n_rlnCoordinateX\n_rlnCoordinateY\n_rlnClassNumber\n" + rows)
    labels = ["irregular", *SHAPES, "irregular", "irregular"]
    assert read_picks(path).label.tolist() == ["irregular"] * 6
    assert relion_star.read_star(path, classes=True).label.tolist() == labels


@pytest.mark.parametrize("box", [63, 64, None])
def test_box(tmp_path, box):
    path = tmp_path / "p.box"
    write_box(path, PICKS, box)
    found = read_picks(path)
    sides = [box] * 4 if box else [52, 61, 60, 75]
    np.testing.assert_allclose(found.x, PICKS.x, atol=1e-3)
    np.testing.assert_allclose(found.y, PICKS.y, atol=1e-3)
    np.testing.assert_allclose(found.score, PICKS.score, atol=1e-6)
    assert found.diameter.tolist() == sides
    for line, x, y, side in zip(
        path.read_text().splitlines(), PICKS.x, PICKS.y, sides, strict=True
    ):
        x0, y0, width, height, _ = map(float, line.split("\t"))
        assert (width, height) == (side, side)
        assert (x0 + width / 2, y0 + height / 2) == (x, y)


def test_whole_corners_of_a_box_are_integers(tmp_path):
    write_box(tmp_path / "p.box", Picks.create([100, -3], [50, 8], 0.5), 20)
    assert (tmp_path / "p.box").read_text() == (
        "90\t40\t20\t20\t0.500000\n-13\t-2\t20\t20\t0.500000\n"
    )


def test_box_of_eman(tmp_path):
    (tmp_path / "p.box").write_text("90 40 20 30 -3\n0 0 21 21\n")
    found = read_picks(tmp_path / "p.box")
    assert (found.x.tolist(), found.y.tolist()) == ([100, 10.5], [55, 10.5])
    assert found.score.tolist() == [1, 1]


def test_box_needs_a_size(tmp_path):
    with pytest.raises(UsageError, match="need a box size"):
        write_box(tmp_path / "p.box", Picks.create(1, 2))
    assert not list(tmp_path.iterdir())


def test_no_picks_round_trip(tmp_path):
    none = Picks.empty()
    write_csv(tmp_path / "p.csv", none)
    write_box(tmp_path / "p.box", none)
    relion_star.write_coordinates_star(tmp_path / "p.star", none)
    relion_star.write_particles_star(
        tmp_path / "q.star", [("m.mrc", 1, none)], optics_table([placeholder(1.0)])
    )
    for name in ("p.csv", "p.box", "p.star", "q.star"):
        assert len(read_picks(tmp_path / name)) == 0
    assert relion_star.read_star_by_micrograph(tmp_path / "q.star") == {}


HEADER = "data_\n\nloop_\n_rlnCoordinateX #1\n_rlnCoordinateY #2\n"
BAD = {
    "no-y.csv": ("x,score\n1,1\n", "needs columns x and y, found: x, score"),
    "empty.csv": ("", "empty file"),
    "ragged.csv": ("x,y\n1,2\n3\n", "line 3 has 1 cells, the header 2"),
    "text.csv": ("x,y\n1,2\n3,four\n", "y must be a number, line 3 has 'four'"),
    "underscore.csv": ("x,y\n1,2_0\n", "y must be a number, line 2 has '2_0'"),
    "nan.csv": ("x,y\nnan,2\n", "x must be a number, line 2 has 'nan'"),
    "infinite.csv": ("x,y\n1,inf\n", "y must be a number, line 2 has 'inf'"),
    "blank.csv": ("x,y\n1,\n", "y must be a number, line 2 has ''"),
    "diameter.csv": ("x,y,diameter\n1,2,\n1,2,big\n", "diameter must be a number, line 3"),
    "binary.csv": (b"\xff\xfe\x00\x81", "not a text file"),
    "empty.star": ("", "no table with rlnCoordinateX/rlnCoordinateY in"),
    "garbage.star": ("what is this\nno idea\n", "no table with rlnCoordinateX/rlnCoordinateY in"),
    "binary.star": (b"\xff\xfe\x00\x81", "not a text file"),
    "no-y.star": (
        "data_\nloop_\n_rlnCoordinateX\n_rlnVoltage\n1 300\n",
        "found: rlnCoordinateX, r",
    ),
    "long.star": (HEADER + "1 2\n3 4 5\n", "damaged STAR table: line 7 has 3 cells"),
    "wide.star": (HEADER + "1 2 3\n4 5 6\n", "damaged STAR table: line 6 has 3 cells"),
    "short.star": (HEADER + "1 2\n3\n", "damaged STAR table: line 7 has 1 cells"),
    "text.star": (HEADER + "1 2\n3 four\n", "rlnCoordinateY must be a number, line 7 has 'four'"),
    "nan.star": (HEADER + "nan 2\n3 4\n", "rlnCoordinateX must be a number, line 6"),
    "no-rows.star": ("data_\n", "it holds no STAR table"),
    "three.box": ("1 2 3\n", "line 1 has 3 cells"),
    "text.box": ("1 2 20 20\n1 b 20 20\n", "y0 must be a number, line 2 has 'b'"),
    "picks.doc": ("1 2\n", "no reader for '.doc' coordinates"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files(tmp_path, name):
    content, reason = BAD[name]
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(UsageError, match=reason) as error:
        read_picks(tmp_path / name)
    assert str(tmp_path / name) in str(error.value)
    assert str(error.value).count("\n") <= 1


def test_a_corrected_file_is_read_anew(tmp_path):
    path = tmp_path / "p.star"
    path.write_text(HEADER + "1 2\n3 4 5\n")
    with pytest.raises(UsageError):
        read_picks(path)
    path.write_text(HEADER + "1 2\n3 4\n")
    assert len(read_picks(path)) == 2


@pytest.mark.parametrize("suffix", ["csv", "star", "box"])
def test_missing_files_and_folders(tmp_path, suffix):
    with pytest.raises(UsageError, match="No such file"):
        read_picks(tmp_path / f"p.{suffix}")
    (tmp_path / f"d.{suffix}").mkdir()
    with pytest.raises(UsageError, match="not a regular file"):
        read_picks(tmp_path / f"d.{suffix}")


def test_names_are_needed_where_asked_for(tmp_path):
    path = tmp_path / "p.star"
    relion_star.write_coordinates_star(path, PICKS)
    with pytest.raises(UsageError, match="no table with rlnMicrographName in"):
        relion_star.micrograph_names(path)
    with pytest.raises(UsageError, match="columns found: rlnAnglePsi, rlnAutopick"):
        relion_star.read_star_by_micrograph(path)


@pytest.mark.parametrize("name", ['a"b.mrc', "a\nb.mrc", "a\tb.mrc"])
def test_names_that_no_star_file_can_hold(tmp_path, name):
    with pytest.raises(UsageError, match="rename the file"):
        relion_star.write_micrographs_star(tmp_path / "m.star", [(name, 1)], optics_table([]))
    assert not list(tmp_path.iterdir())


def test_a_failed_write_keeps_the_old_file(tmp_path, monkeypatch):
    write_csv(tmp_path / "p.csv", PICKS)
    before = (tmp_path / "p.csv").read_bytes()
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        write_csv(tmp_path / "p.csv", Picks.empty())
    assert (tmp_path / "p.csv").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["p.csv"]


def test_picks_as_written_are_those_that_are_read_again(tmp_path):
    rng = np.random.default_rng(0)
    x, y = rng.normal(0, 3000, (2, 500))
    diameter = np.where(rng.random(500) < 0.2, np.nan, rng.uniform(5, 300, 500))
    # Halves of the last decimal, most of which are not exact binary numbers.
    x[:100], diameter[:100] = np.arange(100) + 0.0005, np.arange(100) + 0.125
    picks = Picks.create(x, y, rng.random(500), rng.choice(SHAPES, 500), diameter)
    write_csv(tmp_path / "raw.csv", picks)
    written, found = as_written(picks), read_picks(tmp_path / "raw.csv")
    for column in ("x", "y", "score", "diameter", "label"):
        np.testing.assert_array_equal(getattr(written, column), getattr(found, column))
    write_csv(tmp_path / "again.csv", written)
    assert (tmp_path / "again.csv").read_bytes() == (tmp_path / "raw.csv").read_bytes()
    assert len(as_written(Picks.empty())) == 0
