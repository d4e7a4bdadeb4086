"""Pickers beside the best of them, by the same test as ``evaluate``; hits beside chance."""

from pathlib import Path

import pytest

from deepcryopicker.evaluation.significance import compare_paired
from deepcryopicker.reporting.content.differences import differences_table, placing_table
from deepcryopicker.reporting.content.scored_pickers import score_picker
from deepcryopicker.reporting.page.page_model import Cell
from deepcryopicker.reporting.reading.pick_sets import PickSet, list_pick_sets
from deepcryopicker.reporting.reading.run_folders import find_runs

from .common import HOSTILE, evaluated_in, make_dataset, make_pick_run, names_of


@pytest.fixture(scope="module")
def micrographs(runs):
    """Of the good and the poor picker, both scored on the same three micrographs."""
    pick_sets = list_pick_sets(find_runs([str(runs["good"]), str(runs["poor"])]))
    return [score_picker(pick_set, None) for pick_set in pick_sets]


def named(*scored_pickers, dataset="invented"):
    return {one.pick_set.name: dataset for one in scored_pickers}


def test_the_others_are_compared_with_the_best(micrographs, runs, data):
    (row,) = differences_table(micrographs, named(*micrographs)).rows
    poor, good = (list(evaluated_in(runs[name], data).values()) for name in ("poor", "good"))
    expected = compare_paired(poor, good, 0.5, 0.5)
    assert [cell.text for cell in row.cells[:3]] == ["poor", "good", "3"]
    f1, p = row.cells[3:5]
    assert f1.number == pytest.approx(expected["f1"]["difference"])
    assert f1.number < 0
    low, high = expected["f1"]["difference_interval"]
    assert f1.note == f"[{low:+.3f}, {high:+.3f}]"
    assert p.number == expected["f1"]["p"] >= 2 / 2**3
    assert row.cells[5].number == expected["macro_average_precision"]["difference"]


def test_pickers_of_different_datasets_are_not_compared(micrographs):
    assert differences_table(micrographs, {"good": "one", "poor": "other"}) is None


def test_one_that_picked_fewer_micrographs_is_compared_on_those(tmp_path, data, runs):
    few = make_pick_run(tmp_path / "few", data, names_of(1))
    pick_sets = list_pick_sets(find_runs([str(runs["poor"]), str(few)]))
    micrographs = [score_picker(pick_set, None) for pick_set in pick_sets]
    (row,) = differences_table(micrographs, named(*micrographs)).rows
    # However good it is, the best is sought among those that picked the most.
    assert [cell.text for cell in row.cells[:3]] == ["few", "poor", "1"]
    assert row.cells[3].note == ""  # one micrograph has no interval


def test_truth_of_another_size_is_not_compared(tmp_path, runs):
    other = make_dataset(tmp_path / "data", names_of(2))
    for path in (other / "coordinates").iterdir():
        path.write_text("\n".join(path.read_text().splitlines()[:-3]) + "\n")
    run = make_pick_run(tmp_path / "other", other, names_of(2))
    pick_sets = list_pick_sets(find_runs([str(runs["poor"]), str(run)]))
    micrographs = [score_picker(pick_set, None) for pick_set in pick_sets]
    assert differences_table(micrographs, named(*micrographs)) is None


def test_what_evaluate_has_compared_is_shown(runs):
    (run,) = find_runs([str(runs["good"])])
    scores = {"difference": 0.25, "difference_interval": [0.1, 0.4], "p": 0.03125}
    compared = {"against": "outputs/theirs", "micrographs": 6, "f1": scores}
    scored = score_picker(
        PickSet("ours", run, Path("nowhere"), 0.5, {"comparison": compared}), None
    )
    (row,) = differences_table([scored], {"ours": "a"}).rows
    assert row.cells == [
        Cell("ours"),
        Cell("theirs"),
        Cell("6", 6.0),
        Cell("+0.250", 0.25, "[+0.100, +0.400]"),
        Cell("0.031", 0.03125),
        Cell("–"),
        Cell("–"),
    ]


def test_distances_of_hits_stand_beside_chance(runs):
    (run,) = find_runs([str(runs["good"])])
    distances = {"pixels": {"median": 3.26, "rms": 4.5}, "diameters": {"median": 0.0543}}
    metrics = {
        "localisation": {**distances, "offset": {"x": -2.0, "y": 1.04}},
        "chance": {"random": {"f1": 0.2787}, "grid": {"f1": 0.345}},
    }
    (row,) = placing_table([PickSet("ours", run, run.path, 0.5, metrics)]).rows
    texts = [cell.text for cell in row.cells]
    assert texts == ["ours", "3.3", "0.054", "4.5", "-2.0", "+1.0", "0.279", "0.345"]
    assert placing_table([PickSet("ours", run, run.path, 0.5, {})]) is None


def test_both_are_on_the_page(page):
    text = page.read_text(encoding="utf-8")
    assert "Is the difference real?" in text
    assert "Localisation and chance level" in text
    assert HOSTILE not in text
