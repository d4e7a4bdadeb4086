"""What is printed about given coordinates: counts that are not those of the files."""

from dataclasses import replace
from pathlib import Path

import pytest

from deepcryopicker.dataset.catalogue import Catalogue, Entry
from deepcryopicker.errors import UsageError
from deepcryopicker.io.coordinates.selected_picks import UNLIMITED, Selection
from deepcryopicker.pipeline.inputs.given_coordinates import select_coordinates


def catalogue(folder, texts):
    entries = []
    for name, text in texts.items():
        path = folder / f"{name}.csv"
        if text is not None:
            path.write_text(text)
        truth = path if text is not None else None
        entries.append(Entry(name, Path(f"{name}.mrc"), "g", truth=truth))
    return Catalogue("g", tuple(entries))


SCORES = "x,y,score\n1,1,0.9\n2,2,0.4\n3,3,\n"


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ({"a": "x,y\n1,1\n"}, ""),
        ({"a": "x,y,score\n1,1,1\n2,2,1\n"}, ""),
        (
            {"a": SCORES, "b": SCORES},
            "coordinates: 4 of 6 have a score of 0.5 or more (dataset.coordinates_threshold); "
            "the others are left out\n",
        ),
        (
            {"a": "x,y\n1,1\n", "b": None, "c": None},
            "coordinates: 2 of 3 micrographs have none, for example b\n",
        ),
        (
            {"a": "x,y,score\n1,1,-4\n2,2,0.4\n"},
            "coordinates: all 2 count, whatever their scores (-4 to 0.4); "
            "dataset.coordinates_threshold=SCORE leaves out weaker ones\n",
        ),
        (
            {"a": "x,y,score,good\n1,1,0.1,1\n2,2,0.9,0\n"},
            "coordinates: 1 of 2 are marked as good; the others are left out\n",
        ),
    ],
)
def test_a_line_for_what_is_not_counted(tmp_path, capsys, texts, said):
    select_coordinates(catalogue(tmp_path, texts))
    assert capsys.readouterr().out == said


def test_scores_of_a_set_are_of_one_kind(tmp_path, capsys):
    texts = {"a": "x,y,score\n1,1,0.1\n2,2,0.9\n", "b": "x,y,score\n1,1,-3\n2,2,7\n"}
    given = select_coordinates(catalogue(tmp_path, texts))
    assert [one.selection.own_threshold for one in given.entries] == [UNLIMITED] * 2
    assert "all 4 count, whatever their scores (-3 to 7)" in capsys.readouterr().out


def test_nothing_that_counts_is_an_error(tmp_path):
    given = catalogue(tmp_path, {"a": "x,y,score\n1,1,0.1\n"})
    with pytest.raises(UsageError, match=r"of 1 position, none have a score of 0.5 or more \(data"):
        select_coordinates(given)
    given = catalogue(tmp_path, {"a": SCORES.replace(",\n", ",0.2\n")})
    entries = [replace(one, selection=Selection(threshold=0.95)) for one in given.entries]
    with pytest.raises(UsageError, match=r"the highest score is 0\.9"):
        select_coordinates(Catalogue("g", tuple(entries)))


def test_a_damaged_file_is_refused_before_any_work(tmp_path):
    with pytest.raises(UsageError, match=r"a.csv: y must be a number, line 2 has 'two'"):
        select_coordinates(catalogue(tmp_path, {"a": "x,y\n1,two\n"}))
