"""Every published rule on cases worked by hand, and against other programs' geometry."""

import numpy as np
import pytest
import torch
from scipy import ndimage
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import average_precision_score
from torchvision.ops import box_iou

from deepcryopicker.errors import UsageError
from deepcryopicker.evaluation.matching import assign_by_overlap
from deepcryopicker.evaluation.protocols.painting import (
    canvas_shape,
    count_blobs,
    paint,
    painted_at,
)
from deepcryopicker.evaluation.protocols.rules import PROTOCOLS, score_protocols
from deepcryopicker.evaluation.scores import evaluate_micrograph, summarise
from deepcryopicker.io.coordinates.formats import read_picks
from deepcryopicker.types import Picks

NONE = Picks.empty()
COUNTS = ("hits", "false", "missed")


def picks_at(*positions, score=1.0, diameter=np.nan):
    x, y = zip(*positions, strict=True)
    return Picks.create(x, y, score, diameter=diameter)


def scored(picks, truth, uncertain=NONE, radius=5.0, threshold=0.5, shape=None):
    one = evaluate_micrograph("a", picks, truth, uncertain, radius, shape)
    return score_protocols([one], threshold)


def counts(scores):
    return tuple(scores[key] for key in COUNTS)


@pytest.fixture(scope="module")
def crowd():
    """Two micrographs with hits at all distances, false picks and uncertain places."""
    rng = np.random.default_rng(5)
    crowd = []
    for name in "ab":
        truth = rng.uniform(0, 400, (80, 2))
        places = np.vstack([truth + rng.normal(0, 6, truth.shape), rng.uniform(0, 400, (70, 2))])
        crowd.append(
            evaluate_micrograph(
                name,
                Picks.create(*places.T, score=rng.random(150).round(2)),
                Picks.create(*truth.T, diameter=rng.uniform(18, 26, 80)),
                Picks.create(*rng.uniform(0, 400, (2, 5))),
                11.0,
                (400, 400),
            )
        )
    return crowd


def test_rules_are_named_and_described():
    assert [one.name for one in PROTOCOLS] == [
        "half", "quarter", "iou_0.5", "iou_0.6", "authors", "dice",
        "closest", "nearest_0.3", "shared_0.6",
    ]  # fmt: skip
    scores = scored(picks_at((5, 5)), picks_at((5, 5), diameter=10))
    assert {name: one["rule"] for name, one in scores.items()} == {
        one.name: one.rule for one in PROTOCOLS
    }
    assert all(one["f1"] == 1 for one in scores.values())
    assert [one["best_f1"] for one in scores.values()] == 6 * [1] + 3 * [None]
    assert all(one["macro"]["f1"] == 1 for one in scores.values())


def test_distances_set_the_rules_apart():
    # Diameter 20, shift along x only: the overlap of boxes is (20 - s) / (20 + s).
    truth, hit = picks_at((50, 50), diameter=20), (1, 0, 0)
    expected = {4.9: "half quarter iou_0.5 iou_0.6", 5.1: "half iou_0.5", 6.6: "half iou_0.5",
                6.7: "half", 9.9: "half", 10.1: ""}  # fmt: skip
    for shift, rules in expected.items():
        scores = scored(picks_at((50 + shift, 50)), truth, radius=10)
        found = [one for one in list(scores)[:4] if counts(scores[one]) == hit]
        assert found == rules.split(), shift


def test_half_is_what_the_headline_says(crowd):
    headline, half = summarise(crowd, 0.4, 11.0), score_protocols(crowd, 0.4)["half"]
    for key in set(half) - {"rule", "macro"}:
        assert half[key] == pytest.approx(headline[key], abs=1e-12), key
    assert half["macro"] == pytest.approx(headline["macro"])


def test_uncertain_places_excuse_only_in_one_to_one_rules():
    picks = picks_at((50, 50), (80, 80), score=[0.9, 0.8])
    scores = scored(picks, picks_at((50, 50), diameter=10), picks_at((81, 80)))
    for name in ("half", "quarter", "iou_0.5", "iou_0.6"):
        assert counts(scores[name]) == (1, 0, 0)
    assert counts(scores["authors"]) == (1, 1, 0)
    assert scores["dice"]["precision"] == 0.5


def test_overlap_agrees_with_torchvision(crowd):
    for least in (0.3, 0.5, 0.6):
        one = crowd[0]
        picks, truth, side = one.picks.positions, one.truth.positions, one.diameters
        shares = np.stack(
            [
                box_iou(
                    torch.tensor(np.hstack([picks - half, picks + half])),
                    torch.tensor([[*(centre - half), *(centre + half)]]),
                )[:, 0].numpy()
                for centre, half in zip(truth, side / 2, strict=True)
            ],
            axis=1,
        )
        free, expected = np.ones(len(truth), bool), np.full(len(picks), -1)
        for pick in np.argsort(-one.picks.score, kind="stable"):
            best = np.argmax(np.where(free, shares[pick], -1.0))
            if free[best] and shares[pick, best] >= least:
                expected[pick], free[best] = best, False
        found = assign_by_overlap(one.picks, one.truth, side, least)
        np.testing.assert_array_equal(found, expected)
        near = shares >= least
        optimal = near[linear_sum_assignment(near, maximize=True)].sum()
        assert 0.9 * optimal <= (found >= 0).sum() <= optimal


def test_no_pick_and_no_particle_overlap_with_nothing():
    some = picks_at((1, 1), (2, 2))
    assert assign_by_overlap(NONE, some, np.full(2, 5.0), 0.5).tolist() == []
    assert assign_by_overlap(some, NONE, np.zeros(0), 0.5).tolist() == [-1, -1]


def test_discs_by_hand():
    mask = paint((5, 6), np.array([1.0, 5.0]), np.array([2.0, 0.0]), np.array([1.0, 1.5]))
    assert mask.astype(int).tolist() == [
        [0, 0, 0, 0, 1, 1],
        [0, 1, 0, 0, 1, 1],
        [1, 1, 1, 0, 0, 0],
        [0, 1, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0],
    ]
    assert count_blobs(mask) == 2
    x, y = np.array([0.49, 0.5, -0.5, -0.6, 5.5, 9e9]), np.array([2.0, 1.5, 2, 2, 0, 0])
    assert painted_at(mask, x, y).tolist() == [True, True, True, False, False, False]


def test_discs_off_the_canvas_paint_nothing():
    x, y = np.array([-50.0, 500.0, 1e300]), np.array([10.0, -1e300, 10.0])
    assert not paint((20, 30), x, y, 8.0).any()


@pytest.mark.parametrize("count", [0, 30, 300])
def test_blobs_agree_with_scipy(count):
    x, y, radius = np.random.default_rng(count).uniform(1, 300, (3, count))
    mask = paint((300, 280), x, y, radius / 40)
    rows, columns = np.mgrid[:300, :280]
    brute = np.zeros_like(mask)
    for column, row, size in zip(x, y, radius / 40, strict=True):
        brute |= np.hypot(rows - row, columns - column) <= size
    np.testing.assert_array_equal(mask, brute)
    assert count_blobs(mask) == ndimage.label(mask, np.ones((3, 3)))[1]


def test_a_blob_inside_a_ring_and_blobs_at_edges_count():
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:40, :40] - 20
    away = np.hypot(rows, columns)
    assert count_blobs((away < 4) | ((away > 8) & (away < 11)) | ((away > 14) & (away < 17))) == 3
    for share in (0.1, 0.3, 0.6, 1.0):
        mask = rng.random((50, 60)) < share
        assert count_blobs(mask) == ndimage.label(mask, np.ones((3, 3)))[1]


def test_authors_count_every_pick_in_a_blob_and_take_touching_discs_for_one():
    # Two discs that touch, one apart. Three picks in the first blob, one beside it, none right on
    # the third disc; 2 blobs, 3 hits: one "missed", although a particle was missed and another
    # found twice.
    truth = picks_at((20, 20), (31, 20), (60, 60), diameter=10)
    picks = picks_at((20, 20), (21, 20), (31, 20), (20, 40), score=[0.9, 0.8, 0.7, 0.6])
    scores = scored(picks, truth)["authors"]
    assert scores["truth"] == 2
    assert counts(scores) == (3, 1, 1)
    assert scores["accuracy"] == 3 / 5
    assert scores["average_precision"] is None
    assert scores["macro"]["average_precision"] is None
    # The flaw: two picks in one blob make up for the blob that nobody found.
    assert counts(scored(picks, truth, threshold=0.75)["authors"]) == (2, 0, 0)
    assert (scores["best_f1"], scores["best_threshold"]) == (1.0, 0.8)


def test_authors_miss_by_micrograph():
    # 1 blob and 2 hits, then 2 blobs and no hit: |1 - 2| + |2 - 0|, not |3 - 2|.
    first = evaluate_micrograph(
        "a", picks_at((20, 20), (21, 20)), picks_at((20, 20), diameter=10), NONE, 5
    )
    second = evaluate_micrograph("b", NONE, picks_at((20, 20), (50, 20), diameter=10), NONE, 5)
    scores = score_protocols([first, second], 0.5)["authors"]
    assert counts(scores) == (2, 0, 3)
    assert scores["macro"]["recall"] == (2 / 3 + 0) / 2


def test_dice_counts_pixels_once():
    # A disc of diameter 2 has 5 pixels. Two picks on one particle, and one two pixels beside
    # another particle, which share one pixel.
    truth = picks_at((10, 10), (20, 10), diameter=2)
    picks = picks_at((10, 10), (10, 10), (22, 10), score=[0.9, 0.8, 0.7])
    scores = scored(picks, truth, radius=1)["dice"]
    assert scores["truth"] == 10
    assert counts(scores) == (6, 4, 4)
    assert scores["f1"] == 2 * 6 / (10 + 10)
    assert counts(scored(picks, truth, radius=1, threshold=0.75)["dice"]) == (5, 0, 5)


def test_dice_agrees_with_masks_and_scikit_learn(crowd):
    target, painted = [], []
    for one in crowd:
        target.append(paint((400, 400), one.truth.x, one.truth.y, one.diameters / 2))
        score = np.full((400, 400), -1.0)
        for index in np.argsort(one.picks.score):
            x, y = one.picks.x[[index]], one.picks.y[[index]]
            score[paint((400, 400), x, y, np.median(one.diameters) / 2)] = one.picks.score[index]
        painted.append(score)
    target, painted = np.stack(target), np.stack(painted)
    scores = score_protocols(crowd, 0.4)["dice"]
    both = (target & (painted >= 0.4)).sum()
    assert scores["f1"] == pytest.approx(2 * both / (target.sum() + (painted >= 0.4).sum()))
    assert scores["recall"] == pytest.approx(both / target.sum())
    best = max(
        2 * (target & (painted >= level)).sum() / (target.sum() + (painted >= level).sum())
        for level in np.unique(painted[painted >= 0])
    )
    assert scores["best_f1"] == pytest.approx(best)
    # Without the envelope and without pixels that no pick reaches.
    covered = painted >= 0
    plain = average_precision_score(target[covered], painted[covered])
    plain *= (target & covered).sum() / target.sum()
    assert plain <= scores["average_precision"] < plain + 0.03


def test_unknown_diameters_are_twice_the_radius():
    truth, picks = picks_at((20, 20)), picks_at((22, 21))
    known = picks_at((20, 20), diameter=12)
    assert scored(picks, truth, radius=6) == scored(picks, known, radius=6)


def test_the_shape_cuts_discs_at_the_edge():
    truth = picks_at((9, 5), diameter=6)
    assert scored(truth, truth)["dice"]["truth"] == 29
    assert scored(truth, truth, shape=(10, 10))["dice"]["truth"] == 18


@pytest.mark.parametrize("far", [1e5, 1e300])
def test_no_canvas_for_hostile_coordinates(far):
    truth = picks_at((10, 10), diameter=10)
    with pytest.raises(UsageError, match=r"^a: coordinates extend to .*\ncorrect or remove"):
        scored(picks_at((far, far)), truth)
    assert counts(scored(picks_at((far, far)), truth, shape=(50, 50))["dice"])[:2] == (0, 0)


def test_canvas_by_hand():
    x, y, radius = np.array([3.0, 9.5]), np.array([4.0, 1.0]), np.array([2.0, 1.0])
    assert canvas_shape("a", x, y, radius) == (7, 11)
    assert canvas_shape("a", *np.zeros((3, 0))) == (1, 1)


def test_nothing_picked_and_nothing_there():
    scores = scored(NONE, NONE)
    assert all(counts(one) == (0, 0, 0) for one in scores.values())
    assert score_protocols([], 0.5).keys() == scores.keys()
    scores = scored(NONE, picks_at((5, 5), diameter=4))
    assert all(one["recall"] == 0 and not one["best_f1"] for one in scores.values())


@pytest.mark.real
def test_the_authors_own_picks_score_as_published(real_data):
    picks = read_picks(real_data / "golden" / "apoferritin" / "circles.csv")
    name = "May08_03.13.02.bin_avg.csv"
    truth = read_picks(real_data / "apoferritin" / "coordinates" / name)
    half = Picks.create(
        (truth.x + 0.5) / 2 - 0.5, (truth.y + 0.5) / 2 - 0.5, diameter=truth.diameter / 2
    )
    scores = scored(picks, half, radius=15, shape=(600, 620))["authors"]
    assert scores["truth"] == 160
    assert counts(scores) == (160, 6, 0)
    assert scores["precision"] == pytest.approx(0.964, abs=5e-4)
    assert scores["recall"] == 1
