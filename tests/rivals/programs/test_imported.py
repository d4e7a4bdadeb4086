"""Picks from files: found by name, whatever the format, with scores between 0 and 1."""

import numpy as np
import pytest

from deepcryopicker.errors import MicrographError, UsageError
from deepcryopicker.io.coordinates.boxes import write_box
from deepcryopicker.io.coordinates.candidate_csv import write_csv
from deepcryopicker.io.coordinates.topaz_table import write_topaz
from deepcryopicker.io.star.optics_groups import optics_table, placeholder
from deepcryopicker.io.star.relion_star import write_particles_star
from deepcryopicker.rivals.programs.imported import Imported
from deepcryopicker.types import Picks

PICKS = Picks.create([10.0, 20.5], [30.0, 40.0], [0.9, 0.4], diameter=12.0)


def test_a_folder_has_a_file_for_each_micrograph(tmp_path):
    write_csv(tmp_path / "a.csv", PICKS)
    write_box(tmp_path / "session" / "b.box", PICKS)
    source = Imported(tmp_path, ["a", "session/b"])
    for name in ("a", "session/b"):
        found = source.find(name, 99.0)
        assert found.positions.tolist() == PICKS.positions.tolist()
        assert found.score.tolist() == [0.9, 0.4]
        assert found.diameter.tolist() == [12.0, 12.0]


@pytest.mark.parametrize("name", ["all.txt", "particles.star"])
def test_a_table_has_all_micrographs(tmp_path, name):
    named = [("a", PICKS), ("b", PICKS[np.array([True, False])])]
    if name == "all.txt":
        write_topaz(tmp_path / name, named)
    else:
        located = [(each, 1, picks) for each, picks in named]
        write_particles_star(tmp_path / name, located, optics_table([placeholder(1.0)]))
    source = Imported(tmp_path / name, ["a", "session/b"])
    assert len(source.find("a", 50.0)) == 2
    found = source.find("session/b", 50.0)  # such tables name no folders
    assert found.positions.tolist() == [[10.0, 30.0]]
    assert found.diameter.tolist() == [50.0]


def test_no_file_is_not_the_same_as_no_picks(tmp_path):
    write_csv(tmp_path / "empty.csv", Picks.empty())
    source = Imported(tmp_path, ["empty", "other"])
    assert len(source.find("empty", 50.0)) == 0
    with pytest.raises(MicrographError, match="has no picks for it"):
        source.find("other", 50.0)


def test_what_is_not_there_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"picker\.picks: .*nowhere does not exist"):
        Imported(tmp_path / "nowhere", ["a"])
    write_csv(tmp_path / "b.csv", PICKS)
    with pytest.raises(UsageError, match=r"belongs to a micrograph.*\nmicrographs: a; .*: b.csv"):
        Imported(tmp_path, ["a"])


@pytest.mark.parametrize(
    ("score", "expected"),
    [
        ([0.2, 1.0], [0.2, 1.0]),
        ([-999.0, -999.0], [1.0, 1.0]),  # no scores
        ([0.3, -999.0, np.nan], [0.3, 1.0, 1.0]),
        ([0.0, np.log(3.0), -np.log(3.0)], [0.5, 0.75, 0.25]),  # log-odds
        ([0.0, np.log(3.0), -999.0], [0.5, 0.75, 1.0]),
        ([], []),
    ],
)
def test_scores_become_probabilities(tmp_path, score, expected):
    text = "".join(f"1,2,{value}\n" for value in score)
    (tmp_path / "a.csv").write_text(f"x,y,score\n{text}")
    found = Imported(tmp_path, ["a"]).find("a", 50.0)
    assert found.score.tolist() == pytest.approx(expected)


def test_scores_of_one_table_are_mapped_alike(tmp_path):
    write_topaz(tmp_path / "t.txt", [("a", Picks.create(1, 2, 0.0)), ("b", Picks.create(1, 2, -3))])
    source = Imported(tmp_path / "t.txt", ["a", "b"])
    assert source.find("a", 9.0).score.tolist() == [0.5]
