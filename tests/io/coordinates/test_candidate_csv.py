"""Files of candidates are read at once, and mean what they mean to the careful reader."""

from dataclasses import replace

import numpy as np
import pytest

from deepcryopicker.io.coordinates import formats
from deepcryopicker.io.coordinates.candidate_csv import as_written, read_as_written, write_csv
from deepcryopicker.types import SHAPES, Picks
from deepcryopicker.types.picks import COLUMNS

ROWS = "x,y,score,class,diameter\n10.000,-2.500,0.500000,side,3.00\n"


def random_picks(count, sized=False, seed=0):
    rng = np.random.default_rng(seed)
    diameter, size = np.where(rng.random((2, count)) < 0.3, np.nan, rng.uniform(5, 900, (2, count)))
    x, y = rng.uniform(-50, 9000, (2, count))
    measured = {"size": size, "contrast": rng.normal(0, 2, count)} if sized else {}
    return Picks.create(x, y, rng.random(count), rng.choice(SHAPES, count), diameter, **measured)


def carefully(path, monkeypatch):
    """Read line by line."""
    with monkeypatch.context() as patch:
        patch.setattr(formats, "read_as_written", lambda *_: None)
        return formats.read_csv_with(path, "raw_score")


@pytest.mark.parametrize("sized", [False, True])
@pytest.mark.parametrize("raw", [False, True])
@pytest.mark.parametrize("count", [0, 1, 200])
def test_both_readers_return_what_was_written(tmp_path, monkeypatch, count, raw, sized):
    picks = random_picks(count, sized)
    scores = np.round(np.random.default_rng(1).random(count), 6) if raw else None
    path = tmp_path / "a.csv"
    write_csv(path, picks, scores)
    at_once, slowly = read_as_written(path), carefully(path, monkeypatch)
    for found, found_raw in (at_once, slowly):
        for column in COLUMNS:
            np.testing.assert_array_equal(
                getattr(found, column), getattr(as_written(picks), column)
            )
        assert (found_raw is None) == (scores is None)
        np.testing.assert_array_equal(scores, found_raw)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("0.500000", "0.5"),
        ("0.500000", "-999.000000"),
        ("0.500000", ""),
        ("0.500000", "1.500000"),
        ("10.000", "1e1"),
        ("10.000", "nan"),
        ("10.000", " 10.000"),
        ("side", '"side"'),
        ("side", "a b"),
        ("side", "s\u00efde"),
        ("3.00\n", "3.00"),
        ("3.00\n", "3.00,\n"),
        ("3.00\n", "3.00\r\n"),
        ("x,y", "y,x"),
        ("diameter\n", "diameter,raw_score\n"),
        ("x,y", "# a comment\nx,y"),
        ("\n10", "\n\n10"),
    ],
)
def test_anything_else_is_left_to_the_careful_reader(tmp_path, old, new):
    path = tmp_path / "a.csv"
    path.write_text(ROWS)
    assert read_as_written(path) is not None
    assert old in ROWS
    path.write_text(ROWS.replace(old, new))
    assert read_as_written(path) is None


def test_a_word_with_a_comma_is_quoted_and_read_back(tmp_path):
    picks = replace(random_picks(2), label=np.array(["top", 'a,"b'], np.str_))
    write_csv(tmp_path / "a.csv", picks)
    assert read_as_written(tmp_path / "a.csv") is None
    assert formats.read_picks(tmp_path / "a.csv").label.tolist() == ["top", 'a,"b']


def test_missing_files_and_folders_are_left_to_the_careful_reader(tmp_path):
    assert read_as_written(tmp_path / "missing.csv") is None
    assert read_as_written(tmp_path) is None


def test_columns_of_others_called_size_are_ignored(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("x,y,size\n1,2,large\n3,4,small\n")
    picks = formats.read_picks(path)
    assert picks.positions.tolist() == [[1, 2], [3, 4]]
    assert np.isnan(picks.size).all()
