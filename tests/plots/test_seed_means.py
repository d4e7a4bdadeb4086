"""Jobs that differ in their seed alone are one row: mean, range, interval."""

import pytest

from deepcryopicker.plots.seed_means import means_over_seeds
from deepcryopicker.plots.sweep_table import headlines

ROWS = [
    {"job": 0, "status": "done", "model": "a", "seed": "0", "f1": 0.9, "f1_low": 0.1, "note": "x"},
    {"job": 1, "status": "done", "model": "a", "seed": "1", "f1": 0.8, "f1_low": 0.1, "note": "x"},
    {"job": 2, "status": "done", "model": "b", "seed": "0", "f1": 0.5, "f1_low": 0.1, "note": "x"},
    {"job": 3, "status": "failed", "model": "b", "seed": "1", "f1": None, "error": "no"},
]


def test_rows_of_other_choices_stay_apart():
    first, second = means_over_seeds(ROWS, ["model", "seed"])
    assert (first["job"], first["model"], first["seeds"], first["status"]) == (
        "0,1",
        "a",
        2,
        "done",
    )
    assert (second["job"], second["seeds"], second["status"]) == ("2,3", 1, "1 of 2 done")
    assert second["error"] == "no"
    assert (first["note"], "seed" in first) == ("x", False)


def test_the_interval_is_that_of_the_mean():
    first, second = means_over_seeds(ROWS, ["model", "seed"])
    assert first["f1"] == pytest.approx(0.85)
    assert (first["f1_lowest"], first["f1_highest"]) == (0.8, 0.9)
    # t of one degree of freedom is 12.706; the standard error of 0.9 and 0.8 is 0.05.
    assert first["f1_low"] == pytest.approx(0.85 - 12.706 * 0.05, abs=1e-4)
    assert first["f1_high"] == pytest.approx(0.85 + 12.706 * 0.05, abs=1e-4)
    assert (second["f1"], second["f1_low"], second["f1_high"]) == (0.5, None, None)


def test_without_several_seeds_there_are_no_means():
    assert means_over_seeds(ROWS, ["model"]) == []


def test_published_numbers_stay_as_they_are():
    rows = [
        {"job": job, "status": "done", "seed": job, "f1": 0.8 + job / 10, "paper.f1": 0.955}
        for job in range(2)
    ]
    (mean,) = means_over_seeds(rows, ["seed"])
    assert mean["f1"] == pytest.approx(0.85)
    assert [key for key in mean if key.startswith("paper.")] == ["paper.f1"]
    assert mean["paper.f1"] == 0.955
    assert [one.heading for one in headlines([mean])] == ["F1"]
