"""The radius of a hit is half a diameter, and picks are matched once."""

import numpy as np
import pytest

from deepcryopicker.dataset.catalogue import Block
from deepcryopicker.evaluation import scores
from deepcryopicker.evaluation.scores import Evaluated
from deepcryopicker.pipeline.scoring.pick_outcomes import write_outcomes
from deepcryopicker.pipeline.scoring.picked import evaluate_picks, scoring_radius
from deepcryopicker.types import Picks

from .common import SHAPE, make_entry, make_picked

TRUTH = Picks.create([30.0, 100.0], [50.0, 50.0], diameter=24.0)
PICKS = Picks.create([31.0, 60.0, 101.0], [50.0, 50.0, 50.0], [0.9, 0.8, 0.7], diameter=24.0)


@pytest.mark.parametrize(
    ("estimated", "true", "radius"),
    [
        (False, [30.0, 40.0], 10.0),  # the user's
        (True, [30.0, np.nan, 40.0], 17.5),  # the truth's
        (True, [np.nan, np.nan], 10.0),  # a truth without diameters
        (True, [], 10.0),
    ],
)
def test_the_radius_is_half_a_diameter(tmp_path, estimated, true, radius):
    entry = make_entry(tmp_path, "a", estimated=estimated)
    truth = Picks.create(np.zeros(len(true)), np.zeros(len(true)), diameter=true)
    assert scoring_radius(entry, 20.0, truth) == radius


def test_a_hit_lies_within_half_a_diameter(tmp_path):
    entry, truth = make_entry(tmp_path, "a"), Picks.create([50.0], [50.0])
    for shift, outcome in ((9.9, 1), (10.1, 0), (19.0, 0)):
        picks = Picks.create([50.0 + shift], [50.0])
        found = evaluate_picks(entry, picks, (truth, Picks.empty()), 20.0, SHAPE)
        assert found.outcome.tolist() == [outcome]
        assert (found.radius, found.shape) == (10.0, SHAPE)


def test_without_truth_nothing_is_evaluated(tmp_path):
    assert make_picked(tmp_path, make_entry(tmp_path, "a"), PICKS, 24.0).evaluated is None


@pytest.fixture
def matched(monkeypatch):
    """How often picks were matched."""
    calls, evaluate = [], scores.evaluate_micrograph

    def count(*arguments):
        calls.append(arguments)
        return evaluate(*arguments)

    monkeypatch.setattr(scores, "evaluate_micrograph", count)
    return calls


def test_outcomes_are_read_and_not_matched_again(tmp_path, matched):
    one = make_picked(tmp_path, make_entry(tmp_path, "a", TRUTH), PICKS, 24.0)
    # Nobody would match so: it is what was written that counts.
    outcome, found = np.array([0, -1, 1], np.int8), np.array([-1, -1, 1])
    write_outcomes(one.outcomes, Evaluated("a", PICKS, outcome, found, TRUTH, Picks.empty(), 7.25))
    assert one.evaluated.outcome.tolist() == [0, -1, 1]
    assert one.evaluated.found.tolist() == [-1, -1, 1]
    assert (one.evaluated.radius, one.evaluated.shape) == (7.25, SHAPE)
    assert one.evaluated.missed.x.tolist() == [30.0]
    assert matched == []


@pytest.mark.parametrize(
    "text", [None, "", "# matched within 12 pixels\noutcome,particle\nhit,0\n"]
)
def test_lost_and_damaged_outcomes_are_matched_again(tmp_path, matched, text):
    one = make_picked(tmp_path, make_entry(tmp_path, "a", TRUTH), PICKS, 24.0)
    if text is not None:
        one.outcomes.parent.mkdir()
        one.outcomes.write_text(text)
    assert one.evaluated.outcome.tolist() == [1, 0, 1]
    assert one.evaluated.radius == 12.0
    assert len(matched) == 1


def test_picks_of_a_block_lie_in_its_frame(tmp_path, matched):
    block = Block("a", top=20, left=10, height=60, width=60)
    entry = make_entry(tmp_path, "a", TRUTH, block=block)
    inside = PICKS[:2]
    one = make_picked(tmp_path, entry, inside, 24.0)
    evaluated = evaluate_picks(entry, inside, entry.load_truth(), 24.0, SHAPE)
    write_outcomes(one.outcomes, evaluated)
    matched.clear()
    assert one.evaluated.truth.positions.tolist() == [[20.0, 30.0]]
    assert one.evaluated.picks.positions.tolist() == [[21.0, 30.0], [50.0, 30.0]]
    assert one.evaluated.outcome.tolist() == [1, 0]
    assert matched == []
