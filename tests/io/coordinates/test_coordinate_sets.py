"""Whose coordinates are whose, in folders and files of other programs."""

import pytest

from deepcryopicker.errors import UsageError
from deepcryopicker.io.coordinates.assigned_coordinates import assign_sources
from deepcryopicker.io.coordinates.coordinate_sets import find_sources
from deepcryopicker.io.coordinates.topaz_table import write_topaz
from deepcryopicker.io.star.optics_groups import optics_table, placeholder
from deepcryopicker.io.star.relion_star import write_particles_star
from deepcryopicker.types import Picks
from tests.relion_folder import write_relion_folder

ONE, TWO = Picks.create(1, 10), Picks.create(2, 20)


def positions(given, names):
    """The x of the first pick of each micrograph."""
    found = assign_sources(find_sources("key", str(given)), names)
    return {name: float(source.read().x[0]) for name, source in found.items()}


def write(folder, **texts):
    folder.mkdir(exist_ok=True)
    for name, text in texts.items():
        path = folder / name.replace("__", "/").replace("_DOT_", ".")
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(text)


def test_a_folder_with_sub_folders(tmp_path):
    write(tmp_path, a_DOT_csv="x,y\n1,1\n", s1__a_DOT_csv="x,y\n2,1\n", s2__a_DOT_csv="x,y\n3,1\n")
    assert positions(tmp_path, ["a", "s1/a", "s2/a"]) == {"a": 1, "s1/a": 2, "s2/a": 3}
    assert positions(tmp_path, ["s1/a", "s3/b"]) == {"s1/a": 2}


def test_the_tree_of_relion(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    named = [(tmp_path / "elsewhere" / sub / "x.y.mrc", 100, picks)
             for sub, picks in (("s1", ONE), ("s2", TWO))]  # fmt: skip
    write_relion_folder(tmp_path / "relion", named, 1.0)
    expected = {"s1/x.y": 1, "s2/x.y": 2}
    assert positions("relion", ["s1/x.y", "s2/x.y"]) == expected
    assert positions("relion/particles.star", ["s1/x.y", "s2/x.y"]) == expected
    with pytest.raises(UsageError, match=r"both match x.y\ngive a folder"):
        positions("relion", ["x.y"])


def test_coordinates_turned_over_for_relion_are_refused(tmp_path):
    write_relion_folder(tmp_path / "relion", [(tmp_path / "x.tif", 100, ONE)], 1.0)
    with pytest.raises(UsageError, match=r"turned over.*\ngive the folder picks"):
        positions(tmp_path / "relion", ["x"])
    with pytest.raises(UsageError, match=r"turned over.*\ngive the folder picks"):
        positions(tmp_path / "relion" / "particles.star", ["x"])


def test_tables_of_many_micrographs(tmp_path):
    write_topaz(tmp_path / "t.txt", [("a.b", ONE), ("c", TWO)])
    assert positions(tmp_path / "t.txt", ["sub/a.b", "c"]) == {"sub/a.b": 1, "c": 2}
    located = [("job/a.b.mrc", 1, ONE), ("job/c.png", 1, TWO)]
    write_particles_star(tmp_path / "p.star", located, optics_table([placeholder(1.0)]))
    assert positions(tmp_path / "p.star", ["a.b", "c", "d"]) == {"a.b": 1, "c": 2}


def test_two_for_one_and_one_for_two(tmp_path):
    write(tmp_path, box__a_DOT_box="1 1 5 5\n", picks__a_DOT_csv="x,y\n1,1\n")
    with pytest.raises(UsageError, match=r"a.box and .*a.csv both match a\n"):
        positions(tmp_path, ["a"])
    write_topaz(tmp_path / "t.txt", [("a", ONE)])
    with pytest.raises(UsageError, match=r"a in .* matches both s1/a and s2/a"):
        positions(tmp_path / "t.txt", ["s1/a", "s2/a"])
    write(tmp_path / "f", a_DOT_csv="x,y\n1,1\n", a_DOT_box="1 1 5 5\n", b_DOT_csv="x,y\n1,1\n")
    assert positions(tmp_path / "f", ["b"]) == {"b": 1}
    with pytest.raises(UsageError, match="both match a"):
        positions(tmp_path / "f", ["a", "b"])


def test_texts_that_are_not_tables_are_left_alone(tmp_path):
    write(tmp_path, a_DOT_csv="x,y\n1,1\n", a_DOT_txt="of this micrograph I think that\n")
    assert positions(tmp_path, ["a"]) == {"a": 1}
    (tmp_path / "a.csv").unlink()
    write_topaz(tmp_path / "a.txt", [("a", TWO)])
    assert positions(tmp_path, ["a"]) == {"a": 2}


def test_nothing_there(tmp_path):
    with pytest.raises(UsageError, match=r"key: .* does not exist"):
        find_sources("key", str(tmp_path / "none"))
