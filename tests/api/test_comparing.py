"""Picks beside the truth."""

import json

import numpy as np
import pytest

import deepcryopicker as d
from deepcryopicker.config.sections import EvaluateSection
from deepcryopicker.errors import UsageError
from deepcryopicker.evaluation.all_rules import describe
from deepcryopicker.pipeline.scoring.external import match_coordinates

TRUTH = d.Picks.create([10.0, 50.0], [10.0, 50.0], diameter=20.0)
PICKS = d.Picks.create([11.0, 90.0, 70.0], [10.0, 90.0, 50.0], score=[0.9, 0.8, 0.3])


def test_hits_false_picks_and_misses_are_distinguished():
    matched = d.match_picks(PICKS, TRUTH)
    assert matched.outcome.tolist() == [1, 0, 0]
    assert matched.missed.positions.tolist() == [[50.0, 50.0]]
    vague = d.Picks.create([90.0], [92.0])
    assert d.match_picks(PICKS, TRUTH, uncertain=vague).outcome.tolist() == [1, -1, 0]
    assert d.match_picks(PICKS, TRUTH, radius=25.0).outcome.tolist() == [1, 0, 1]


def test_scores_of_one_micrograph():
    scores = d.score_picks(PICKS, TRUTH)
    assert (scores["hits"], scores["false"], scores["missed"]) == (1, 1, 1)
    assert scores["radius"] == 10.0
    assert d.score_picks(PICKS, TRUTH, threshold=0.85)["false"] == 0


def test_scores_are_those_of_evaluate(tmp_path):
    picks = {"a": PICKS, "b": TRUTH}
    truth = {"a": TRUTH, "b": TRUTH}
    for name, one in picks.items():
        d.write_coordinates(tmp_path / "picks" / f"{name}.csv", one)
        d.write_coordinates(tmp_path / "truth" / f"{name}.csv", truth[name])
    matched = match_coordinates(EvaluateSection(str(tmp_path / "picks"), str(tmp_path / "truth")))
    expected = describe(matched.picks, 0.5, matched.radius)
    assert json.dumps(d.score_picks(picks, truth)) == json.dumps(expected)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ((PICKS, TRUTH, -1), "radius must be > 0 pixels, got -1"),
        ((PICKS, PICKS, None), "the truth has no diameters; give radius=PIXELS"),
        (({"a": PICKS}, {"a": TRUTH, "b": TRUTH}, None), "picks: nothing for micrograph 'b'"),
        (({"a": PICKS, "b": PICKS}, {"a": TRUTH}, None), "truth: nothing for micrograph 'b'"),
    ],
)
def test_what_cannot_be_scored_is_refused(given, message):
    picks, truth, radius = given
    with pytest.raises(UsageError, match=f"^{message}"):
        d.score_picks(picks, truth, radius=radius)


def test_no_picks_score_nothing():
    assert d.score_picks(d.Picks.empty(), TRUTH)["recall"] == 0
    np.testing.assert_array_equal(d.match_picks(d.Picks.empty(), TRUTH).outcome, [])
