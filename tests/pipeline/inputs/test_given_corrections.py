"""What a person has decided holds in the picks of a network."""

from pathlib import Path

import numpy as np
import pytest

from deepcryopicker.dataset.catalogue import Catalogue, Entry
from deepcryopicker.io.coordinates.corrections import Correction, Corrections
from deepcryopicker.pipeline.inputs.given_corrections import (
    as_corrected,
    by_entry,
    without_excluded,
)
from deepcryopicker.types import Picks

FOUND = Picks.create(
    [10, 50, 90, 130], [10, 10, 10, 10], [0.9, 0.8, 0.3, 0.2], ["side"] * 4, diameter=20.0
)
NONE = Picks.empty()


def places(picks):
    return dict(zip(picks.x.tolist(), picks.score.tolist(), strict=True))


def test_removed_picks_have_a_score_of_zero():
    correction = Correction(FOUND[:1], NONE, Picks.create([52], [10]))
    found = as_corrected(FOUND, correction, 20.0)
    assert places(found) == {10: 0.9, 50: 0.0, 90: 0.3, 130: 0.2}
    assert found.score.tolist() == sorted(found.score, reverse=True)


def test_a_moved_pick_is_none_that_was_removed():
    correction = Correction(NONE, Picks.create([55], [10]), Picks.create([50], [10]))
    assert places(as_corrected(FOUND, correction, 20.0))[50] == 1.0


def test_neighbours_of_a_removed_pick_stay_where_they_are_particles():
    kept = Picks.create([61], [10], 0.7)
    found = FOUND.joined(Picks.create(kept.x, kept.y, 0.7, "side", 20.0))
    correction = Correction(kept, NONE, Picks.create([46], [10], 0.8))
    assert places(as_corrected(found, correction, 20.0)) == {
        **{10: 0.9, 61: 0.7, 90: 0.3, 130: 0.2},
        50: 0.0,
    }


def test_added_picks_are_the_nearest_candidate_or_new():
    correction = Correction(NONE, Picks.create([95, 200], [12, 30]), NONE)
    found = as_corrected(FOUND, correction, 20.0)
    assert places(found) == {10: 0.9, 50: 0.8, 90: 1.0, 130: 0.2, 200: 1.0}
    new = found[found.x == 200]
    assert (new.y[0], new.label[0], new.diameter[0]) == (30, "side", 20.0)
    alone = as_corrected(NONE, correction, 20.0)
    assert alone.positions.tolist() == [[95, 12], [200, 30]]


def test_corrections_are_matched_by_name_and_excluded_micrographs_left_out(capsys):
    entries = tuple(Entry(name, Path(f"{name}.mrc"), "g") for name in ("s1/a", "s2/a", "b"))
    catalogue = Catalogue("g", entries)
    one, excluded = Correction(NONE, NONE, NONE), Correction(NONE, NONE, NONE, excluded=True)
    corrections = Corrections({"s1/a": one, "b": excluded})
    assert by_entry(corrections, catalogue) == {"s1/a": one, "b": excluded}
    kept = without_excluded(catalogue, corrections)
    assert [entry.name for entry in kept.entries] == ["s1/a", "s2/a"]
    assert "1 excluded micrograph left out" in capsys.readouterr().out
    for none in (Corrections(), None):
        assert without_excluded(catalogue, none) is catalogue
        assert by_entry(none, catalogue) == {}


@pytest.mark.parametrize("diameter", [1.0, 20.0, 1000.0])
def test_without_changes_picks_stay_as_they_are(diameter):
    correction = Correction(FOUND, NONE, NONE)
    found = as_corrected(FOUND, correction, diameter)
    np.testing.assert_array_equal(found.score, FOUND.score)
    np.testing.assert_array_equal(found.positions, FOUND.positions)
