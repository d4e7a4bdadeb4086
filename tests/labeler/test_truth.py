"""The user's picks become candidates; those cut by the edge train nothing."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from deepcryopicker.io.coordinates.corrections import Correction
from deepcryopicker.labeler.truth import as_candidates, label_by_correction, label_by_picks
from deepcryopicker.preprocessing.preprocessed import Preprocessed
from deepcryopicker.preprocessing.schema import PreprocessingConfig
from deepcryopicker.types import Micrograph, Picks

DIAMETER = 60.0
PLACES = np.array([(100.0, 80.0), (300.5, 150.0), (210.0, 260.0)])
NONE = Picks.empty()
CHAIN = PreprocessingConfig(
    working_diameter=24,
    model_input="standardise",
    steps={"standardise": {"operation": "standardise"}},
)


@pytest.fixture
def preprocessed():
    image = np.random.default_rng(0).normal(size=(320, 420)).astype(np.float32)
    return Preprocessed(Micrograph("m", Path("m"), image), DIAMETER, CHAIN)


def test_picks_are_the_candidates_in_original_pixels(preprocessed):
    picks = Picks.create(*PLACES.T, score=[0.9, 0.5, 0.1], label=["top", "side", "irregular"])
    found = label_by_picks(preprocessed, picks, NONE)
    for column in ("x", "y", "score", "label"):
        np.testing.assert_array_equal(getattr(found.picks, column), getattr(picks, column))
    assert found.good.all()
    assert (found.reason == "").all()
    assert found.scale == 0.4


def test_diameter_is_that_of_the_micrograph(preprocessed):
    found = label_by_picks(
        preprocessed, Picks.create(*PLACES.T, diameter=[1.0, 99.0, np.nan]), NONE
    )
    assert found.picks.diameter.tolist() == [DIAMETER] * 3


@pytest.mark.parametrize("label", ["", "particle", "junk"])
def test_class_other_than_a_shape_becomes_irregular(preprocessed, label):
    found = label_by_picks(
        preprocessed, Picks.create(*PLACES.T, label=["top", label, "side"]), NONE
    )
    assert found.picks.label.tolist() == ["top", "irregular", "side"]


@pytest.mark.parametrize("place", [(25, 100), (100, 25), (395, 100), (100, 295)])
def test_picks_at_the_edge_train_nothing(preprocessed, place):
    found = label_by_picks(preprocessed, Picks.create([100.0, place[0]], [80.0, place[1]]), NONE)
    assert found.good.tolist() == [True, False]
    assert found.reason.tolist() == ["", "cut by the edge"]


def test_mask_holds_discs_of_the_diameter(preprocessed):
    found = label_by_picks(preprocessed, Picks.create(*PLACES.T), NONE)
    row, column = np.indices(preprocessed.flat.image.shape)
    x, y = ((PLACES + 0.5) * 0.4 - 0.5).T
    distance = np.hypot(column[..., None] - x, row[..., None] - y).min(axis=-1)
    assert found.mask[distance < 10.5].all()
    assert not found.mask[distance > 13.5].any()
    np.testing.assert_array_equal(found.clusters == 0, found.mask)
    assert (found.coverage[distance < 2] > 0.8).all()
    assert (found.coverage[distance > 40] < 0.01).all()


def test_no_picks_no_candidates(preprocessed):
    found = label_by_picks(preprocessed, NONE, NONE)
    assert len(found.picks) == len(found.good) == len(found.reason) == 0
    assert not found.mask.any()


def test_picks_outside_the_image_are_left_out(preprocessed):
    found = label_by_picks(
        preprocessed, Picks.create([100.0, -50.0, 5000.0], [80.0, 90.0, 70.0]), NONE
    )
    assert found.picks.x.tolist() == [100.0]
    assert found.good.tolist() == [True]


def test_uncertain_places_are_candidates_to_keep_away_from(preprocessed):
    found = label_by_picks(
        preprocessed, Picks.create(*PLACES.T), Picks.create([50.0, 999.0], [200.0, 9.0])
    )
    assert found.good.tolist() == [True, True, True, False]  # the last lies outside
    assert found.reason.tolist() == ["", "", "", "uncertain"]
    assert (found.picks.x[3], found.picks.y[3]) == (50, 200)


def test_reasons_stay_with_their_picks(preprocessed):
    """The second lies outside, the fourth is cut by the edge; so is the last, but uncertain."""
    picks = Picks.create([100.0, 999.0, 300.0, 210.0, 200.0], [80.0, 9.0, 150.0, 5.0, 310.0])
    picks.score[:] = 0.1, 0.2, 0.3, 0.4, 0.5
    reason = np.array(["", "weak", "contaminant", "", "uncertain"])
    found = as_candidates(preprocessed, picks, reason)
    assert found.picks.score.tolist() == [0.1, 0.3, 0.4, 0.5]
    assert found.reason.tolist() == ["", "contaminant", "cut by the edge", "uncertain"]
    assert found.good.tolist() == [True, False, False, False]


def test_without_picks_there_are_no_candidates(preprocessed):
    found = as_candidates(preprocessed, NONE, np.array([], "<U1"))
    assert len(found.picks) == len(found.good) == len(found.reason) == 0
    assert not found.coverage.any()


def test_corrections_are_particles_contaminants_and_places_that_nobody_looked_at(preprocessed):
    correction = Correction(
        kept=Picks.create([100.0, 300.0], [80.0, 250.0]),
        added=Picks.create([100.0], [200.0]),
        # Moved by less than half a diameter, and false.
        removed=Picks.create([110.0, 180.0], [200.0, 140.0]),
        seen=((0.0, 0.0, 209.0, 319.0),),
    )
    found = label_by_correction(preprocessed, correction)
    rows = dict(zip(map(tuple, found.picks.positions.tolist()), found.reason, strict=True))
    assert rows == {
        (100, 80): "",
        (100, 200): "",
        (300, 250): "uncertain",
        (180, 140): "contaminant",
    }
    half = found.coverage.shape[1] // 2
    assert (found.coverage[:, half + 1 :] == 1.0).all()  # nothing there is background
    assert found.coverage[:, : half - 1].min() < 0.1
    whole = label_by_correction(preprocessed, replace(correction, seen=None))
    assert sorted(whole.reason) == ["", "", "", "contaminant"]
    assert whole.coverage[:, half + 1 :].min() < 0.1
