"""Every rule names its reason, in order of precedence; odd shapes go."""

from dataclasses import replace

import numpy as np
import pytest

from deepcryopicker.errors import UsageError
from deepcryopicker.labeler.schema import IbcConfig, SelectionConfig
from deepcryopicker.labeler.selection import judge, reject_odd_shapes
from deepcryopicker.labeler.shapes import Shapes
from deepcryopicker.types import NO_MARGINS, Candidates, Margins, Picks

DIAMETER = 20.0
DISC = np.pi * DIAMETER**2 / 4


def shapes(*rows):
    """Shapes from (x, y, area in discs, overlap)."""
    x, y, area, overlap = np.array(rows, float).T
    count = len(rows)
    return Shapes(x, y, np.full(count, DIAMETER), np.array(["top"] * count), area * DISC, overlap)


def reasons(found, margins=NO_MARGINS, shape=(200, 300), **config):
    return judge(found, shape, margins, DIAMETER, SelectionConfig(**config)).tolist()


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ((100, 100, 1.0, 0.9), ""),
        ((100, 100, 1.0, 0.64), "ill-shaped"),
        ((100, 100, 0.49, 0.9), "too small"),
        ((100, 100, 1.61, 0.9), "too large"),
        ((9.9, 100, 1.0, 0.9), "cut by the edge"),
        ((289.1, 100, 1.0, 0.9), "cut by the edge"),
        ((100, 9.9, 1.0, 0.9), "cut by the edge"),
        ((100, 189.1, 1.0, 0.9), "cut by the edge"),
        ((289, 189, 1.0, 0.9), ""),
        ((10, 10, 1.0, 0.9), ""),
        ((100, 100, 0.1, 0.1), "ill-shaped"),
        ((5, 100, 0.1, 0.1), "cut by the edge"),
    ],
)
def test_each_rule_names_its_reason(row, reason):
    assert reasons(shapes(row)) == [reason]


def test_neighbours_within_the_isolation_touch():
    found = shapes((50, 50, 1, 0.9), (65.9, 50, 1, 0.9), (120, 50, 1, 0.9), (136.1, 50, 1, 0.9))
    assert reasons(found) == ["touching", "touching", "", ""]
    assert reasons(found, isolation=0.0) == [""] * 4


def test_bad_neighbour_touches_as_well():
    found = shapes((50, 50, 1, 0.9), (60, 50, 1, 0.1))
    assert reasons(found) == ["touching", "ill-shaped"]


@pytest.mark.parametrize(
    ("margins", "place"),
    [
        (Margins(top=30), (100, 39)),
        (Margins(bottom=30), (100, 160)),
        (Margins(left=30), (39, 100)),
        (Margins(right=30), (260, 100)),
    ],
)
def test_invalid_border_counts_as_edge(margins, place):
    found = shapes((*place, 1, 0.9))
    assert reasons(found) == [""]
    assert reasons(found, margins) == ["cut by the edge"]


def test_no_shapes_no_reasons():
    assert reasons(Shapes(*[np.zeros(0)] * 6)) == []


def candidates(good, bad=()):
    labels = [*good, *bad]
    picks = Picks.create(np.arange(len(labels)), np.zeros(len(labels)), label=labels)
    accepted = np.arange(len(labels)) < len(good)
    return Candidates(
        picks, accepted, np.where(accepted, "", "touching"), np.zeros((2, 2), np.float32)
    )


def kept(*found, **config):
    judged = reject_odd_shapes(list(found), SelectionConfig(**config))
    return [c.picks.label[c.good].tolist() for c in judged]


def test_leftovers_go_where_most_are_circles():
    assert kept(candidates(["top"] * 6 + ["irregular"] * 4)) == [["top"] * 6]


def test_leftovers_stay_where_they_are_the_rule():
    assert kept(candidates(["irregular"] * 6 + ["top"] * 4)) == [["irregular"] * 6 + ["top"] * 4]
    assert kept(candidates(["irregular"] * 9 + ["top"])) == [["irregular"] * 9]


def test_rare_shape_goes_and_second_shape_stays():
    assert kept(candidates(["top"] * 86 + ["side"] * 14)) == [["top"] * 86]
    assert kept(candidates(["top"] * 85 + ["side"] * 15)) == [["top"] * 85 + ["side"] * 15]


def test_shares_count_over_the_whole_dataset_and_good_ones_only():
    found = [candidates(["top"] * 20), candidates(["side"] * 2, ["side"] * 50)]
    judged = reject_odd_shapes(found, SelectionConfig())
    assert judged[1].good.sum() == 0
    assert judged[1].reason.tolist() == ["odd shape"] * 2 + ["touching"] * 50
    assert judged[0].good.all()
    assert (found[1].reason[:2] == "").all()  # the input is left alone


def test_nothing_found_is_fine():
    assert kept(candidates([]), candidates([], ["top"])) == [[], []]


@pytest.mark.parametrize(
    ("config", "key"),
    [
        ({"overlap": 1.1}, "labeler.selection.overlap"),
        ({"rarest_shape": -0.1}, "labeler.selection.rarest_shape"),
        ({"smallest_area": 2.0}, "labeler.selection.smallest_area"),
    ],
)
def test_absurd_selection_is_refused(config, key):
    with pytest.raises(UsageError, match=key):
        SelectionConfig(**config)


@pytest.mark.parametrize(
    ("config", "key"),
    [
        ({"clusters": 1}, "labeler.clusters"),
        ({"sensitivity": 1.0}, "labeler.sensitivity"),
        ({"smallest_radius": 0.7}, "labeler.smallest_radius"),
    ],
)
def test_absurd_labeler_is_refused(config, key):
    with pytest.raises(UsageError, match=key):
        replace(IbcConfig(), **config)
