"""Scores of picked micrographs: which radius is recorded, groups, and micrographs without truth."""

import pytest

from deepcryopicker.pipeline.scoring.pick_curves import curve_of
from deepcryopicker.pipeline.scoring.score import score, tabulate
from deepcryopicker.types import Picks

from .common import make_entry, make_picked

PICKS = Picks.create([30.0, 60.0, 100.0], [50.0] * 3, [0.9, 0.8, 0.3])


def made(folder, name, true_diameter, group="g", estimated=True, snr=None):
    """Picked with an estimate of 45.7 pixels; the particles are of another size."""
    truth = Picks.create([30.0, 100.0], [50.0, 50.0], diameter=true_diameter)
    entry = make_entry(folder, name, truth, group=group, estimated=estimated)
    return make_picked(folder, entry, PICKS, 45.7, snr)


@pytest.mark.parametrize(("estimated", "radius"), [(True, 29.55), (False, 22.85)])
def test_the_recorded_radius_is_the_one_of_the_matching(tmp_path, estimated, radius):
    picked = [made(tmp_path, name, 59.1, estimated=estimated) for name in "ab"]
    scores = score(picked, 0.5)
    assert {one.evaluated.radius for one in picked} == {radius}
    assert scores["radius"] == radius
    assert scores["groups"]["g"]["radius"] == radius


def test_each_group_records_its_own_radius(tmp_path):
    picked = [made(tmp_path, "a", 30.0, "small"), made(tmp_path, "b", 60.0, "large")]
    scores = score(picked, 0.5)
    assert scores["groups"]["small"]["radius"] == 15.0
    assert scores["groups"]["large"]["radius"] == 30.0
    assert scores["radius"] == 22.5


def test_scores_are_of_the_micrographs_with_truth(tmp_path):
    alone = make_picked(tmp_path, make_entry(tmp_path, "c"), PICKS, 45.7, snr=9.0)
    picked = [made(tmp_path, "a", 20.0, snr=1.0), made(tmp_path, "b", 20.0), alone]
    scores = score(picked, 0.5)
    assert (scores["micrographs"], scores["micrographs_without_truth"]) == (2, 1)
    assert [scores[key] for key in ("hits", "false", "missed")] == [2, 2, 2]
    assert scores["snr"] == 1.0
    assert scores["groups"]["g"]["snr"] == 1.0
    assert len(curve_of(picked).recall) > 0


def test_without_any_truth_picks_are_counted(tmp_path):
    picked = [make_picked(tmp_path, make_entry(tmp_path, name), PICKS, 20.0) for name in "ab"]
    assert score(picked, 0.5) == {"micrographs": 2, "candidates": 6, "picks": 4}
    assert curve_of(picked) is None


def test_a_row_for_each_group_and_one_for_all(tmp_path):
    picked = [made(tmp_path, "a", 20.0, "small"), made(tmp_path, "b", 20.0, "large")]
    table = tabulate({"network": score(picked, 0.5)}, "scores")
    assert list(table.columns[0].cells) == ["small, network", "large, network", "overall, network"]
