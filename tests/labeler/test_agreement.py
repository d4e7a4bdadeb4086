"""Labels that labeler and network agree on, on places worked out by hand."""

import numpy as np
import pytest

from deepcryopicker.labeler.agreement import agreed, corrected, heeded
from deepcryopicker.types import Picks

DIAMETER = 100.0
NONE = Picks.empty()
NO_REASON = np.array([], dtype="<U24")


def updated(*rows):
    """Update labels (x, reason, score of a network's pick `away` from there)."""
    x, reason, score, away = zip(*rows, strict=True)
    labels = Picks.create(x, np.zeros(len(x)), label="side")
    picks = Picks.create(np.add(x, away), np.zeros(len(x)), score=score)
    return agreed(picks, labels, np.array(reason, dtype="<U24"), DIAMETER)


@pytest.mark.parametrize(
    ("reason", "score", "expected"),
    [
        ("", 0.99, ""),
        ("", 0.5, ""),
        ("", 0.49, "uncertain"),
        ("weak", 0.95, ""),
        ("weak", 0.89, "weak"),
        ("touching", 0.95, ""),
        ("touching", 0.6, "touching"),
        ("too much contrast", 0.99, "too much contrast"),
        ("too little contrast", 0.99, "too little contrast"),
        ("contaminant", 0.99, "contaminant"),
        ("cut by the edge", 0.99, "cut by the edge"),
        ("uncertain", 0.99, "uncertain"),
    ],
)
def test_a_reason_is_updated_by_the_score_of_the_network(reason, score, expected):
    labels, found = updated((1000.0, reason, score, 10.0))
    assert found.tolist() == [expected]
    assert (labels.x.tolist(), labels.label.tolist()) == ([1000.0], ["side"])


def test_the_nearest_pick_speaks_for_a_place_within_three_tenths_of_a_diameter():
    rows = [(0.0, "", 0.9, 29.0), (1000.0, "", 0.9, 31.0), (2000.0, "weak", 0.95, 31.0)]
    labels, found = updated(*rows)
    # The picks too far from the last two are finds of the network's own.
    assert found.tolist() == ["", "uncertain", "weak", "uncertain", "uncertain"]
    assert labels.x.tolist() == [0, 1000, 2000, 1031, 2031]
    picks = Picks.create([5.0, -20.0], [0.0, 0.0], score=[0.2, 0.95])
    _, found = agreed(picks, Picks.create([0.0], [0.0]), np.array([""]), DIAMETER)
    assert found.tolist() == ["uncertain"]


def test_what_the_network_alone_finds_is_uncertain_if_it_is_likely():
    labels = Picks.create([0.0], [0.0])
    picks = Picks.create([1.0, 500.0, 900.0], [0.0, 0.0, 0.0], score=[0.8, 0.5, 0.49])
    both, found = agreed(picks, labels, np.array([""]), DIAMETER)
    assert both.x.tolist() == [0, 500]
    assert found.tolist() == ["", "uncertain"]


def test_reasons_are_not_cut_short():
    _, found = agreed(NONE, Picks.create([0.0, 9.0], [0.0, 0.0]), np.array(["", "weak"]), DIAMETER)
    assert found.tolist() == ["uncertain", "weak"]


def test_given_labels_stay_and_false_picks_are_contaminants():
    labels = Picks.create([0.0, 300.0], [0.0, 0.0], label="top")
    reason = np.array(["", "uncertain"])
    # Beside a label, beside an uncertain place, just outside, far and likely, far and not.
    picks = Picks.create([49.0, 340.0, 0.0, 600.0, 900.0], [0.0, 0.0, 51.0, 0.0, 0.0])
    picks.score[:] = 0.9, 0.9, 0.89, 0.3, 0.29
    both, found = corrected(picks, labels, reason, DIAMETER)
    assert list(zip(both.x, both.y, strict=True)) == [(0, 0), (300, 0), (0, 51), (600, 0)]
    assert found.tolist() == ["", "uncertain", "contaminant", "contaminant"]


def test_a_false_pick_as_sure_as_most_labels_may_be_an_unmarked_particle():
    labels = Picks.create([0.0, 300.0, 600.0], [0.0, 0.0, 0.0])
    # Of the labels, in the order above; then false ones.
    picks = Picks.create([0.0, 300.0, 600.0, 900.0, 1200.0], np.zeros(5))
    picks.score[:] = 0.6, 0.8, 0.9, 0.8, 0.79
    _, found = corrected(picks, labels, np.array(["", "", ""]), DIAMETER)
    assert found.tolist() == ["", "", "", "uncertain", "contaminant"]


def test_nothing_found_by_one_or_the_other():
    some = Picks.create([0.0, 500.0], [0.0, 0.0], score=0.9)
    for both, found in (
        agreed(NONE, NONE, NO_REASON, DIAMETER),
        corrected(NONE, NONE, NO_REASON, DIAMETER),
    ):
        assert len(both) == len(found) == 0
    assert agreed(some, NONE, NO_REASON, DIAMETER)[1].tolist() == ["uncertain"] * 2
    assert corrected(some, NONE, NO_REASON, DIAMETER)[1].tolist() == ["contaminant"] * 2
    reason = np.array(["", "touching"])
    assert agreed(NONE, some, reason, DIAMETER)[1].tolist() == ["uncertain", "touching"]
    assert corrected(NONE, some, reason, DIAMETER)[1].tolist() == ["", "touching"]


def test_a_witness_spares_what_it_finds_from_the_background():
    labels = Picks.create([0.0, 200.0, 400.0, 600.0, 1000.0], np.zeros(5), label="side")
    reason = np.array(["", "contaminant", "contaminant", "weak", "weak"], dtype="<U24")
    witness = Picks.create(
        [40.0, 240.0, 460.0, 800.0, 900.0, 1010.0],
        np.zeros(6),
        score=[0.1, 0.5, 0.9, 0.6, 0.49, 0.7],
    )
    both, found = heeded(witness, labels, reason, DIAMETER)
    # The third is farther than half a diameter from the second contaminant.
    assert both.x.tolist() == [0, 200, 400, 600, 1000, 460, 800]
    known = ["", "uncertain", "contaminant", "weak", "weak but confirmed"]
    assert found.tolist() == [*known, "uncertain", "uncertain"]
    unchanged, found = heeded(NONE, labels, reason, DIAMETER)
    assert unchanged.x.tolist() == labels.x.tolist()
    assert found.tolist() == reason.tolist()
