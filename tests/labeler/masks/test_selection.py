"""Every rule names its reason, in order of precedence; odd shapes go."""

from dataclasses import replace

import numpy as np
import pytest

from deepcryopicker.errors import UsageError
from deepcryopicker.labeler.masks.selection import odd_shapes, reject_shapes, rejection_reasons
from deepcryopicker.labeler.masks.shapes import Shapes
from deepcryopicker.labeler.schema import MODES, IbcConfig, SelectionConfig
from deepcryopicker.types import NO_MARGINS, Candidates, Margins, Picks

DIAMETER = 20.0
DISC = np.pi * DIAMETER**2 / 4


def shapes(*rows):
    """Shapes from (x, y, area in discs, overlap)."""
    x, y, area, overlap = np.array(rows, float).T
    count = len(rows)
    return Shapes(
        x=x,
        y=y,
        diameter=np.full(count, DIAMETER),
        label=np.array(["top"] * count),
        area=area * DISC,
        overlap=overlap,
        circularity=np.full(count, 1.1),
        angle=np.zeros(count),
    )


def measured(label, circularity=np.nan, area=300.0, overlap=0.9):
    """Shapes far apart from (N,) columns; scalars are repeated."""
    count = max(np.size(label), np.size(circularity), np.size(area), np.size(overlap))
    wide = {"circularity": circularity, "area": area, "overlap": overlap}
    columns = {key: np.broadcast_to(np.asarray(value, float), count) for key, value in wide.items()}
    label = np.broadcast_to(np.asarray(label, np.str_), count)
    place = 50.0 * (1 + np.arange(count))
    size, angle = np.full(count, DIAMETER), np.zeros(count)
    return Shapes(x=place, y=place, diameter=size, label=label, angle=angle, **columns)


def reasons(found, margins=NO_MARGINS, shape=(200, 300), **config):
    return rejection_reasons(found, shape, margins, DIAMETER, SelectionConfig(**config)).tolist()


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


@pytest.mark.parametrize("mode", MODES)
def test_no_shapes_no_reasons(mode):
    assert reasons(measured(np.zeros(0, np.str_), *[np.zeros(0)] * 3), mode=mode) == []


def test_average_circles_are_kept():
    """Eq. 5: the mean of 1.0, 1.2, 1.4 and 4.4 is 2.0."""
    found = measured("top", [1.0, 4.4, 1.2, 1.4])
    assert reasons(found, mode="paper_mean") == ["", "less round than average", "", ""]
    assert reasons(measured("top", [1.5]), mode="paper_mean") == [""]


def test_clump_counts_once_in_the_average():
    """Mean of 1.0, 1.6 and 2.0, which three circles share: 1.53; over the circles it is 1.72."""
    found = measured("top", [1.0, 1.6, 2.0, 2.0, 2.0])
    assert reasons(found, mode="paper_mean") == ["", *["less round than average"] * 4]


def test_circle_without_a_component_is_bad_and_has_no_say():
    found = measured("top", [1.0, np.nan, 1.4])
    assert reasons(found, mode="paper_mean") == ["", "outside the mask", "less round than average"]
    assert reasons(found, mode="code") == ["", "outside the mask", ""]
    assert reasons(measured("top", [np.nan]), mode="paper_mean") == ["outside the mask"]


def test_irregular_ones_are_compared_by_area():
    """Eq. 6: the mean of 100, 200, 240 and 300 is 210."""
    found = measured("irregular", area=[100, 200, 240, 300])
    assert reasons(found, mode="paper_mean") == ["smaller than average"] * 2 + [""] * 2


def test_side_views_are_compared_by_how_they_fill_their_rectangle():
    found = measured("side", overlap=[0.8, 0.9, 1.0, 1.0])
    assert reasons(found, mode="paper_mean") == ["less square than average"] * 2 + [""] * 2


def test_each_kind_has_its_own_average():
    found = measured(
        ["top", "irregular", "side", "irregular", "top", "side"],
        circularity=[1.1, 9.0, 1.3, 9.0, 1.2, 1.3],
        area=[900, 100, 900, 120, 900, 900],
        overlap=[0.1, 0.1, 0.9, 0.1, 0.1, 0.8],
    )
    less = "less round than average", "less square than average"
    expected = ["", "smaller than average", "", "", *less]
    assert reasons(found, mode="paper_mean") == expected


@pytest.mark.parametrize("label", ["top", "side"])
def test_code_has_fixed_limits(label):
    found = measured(label, [1.0, 4.99, 5.0, 1.0, 9.0], area=[300, 300, 300, 5e5, 5e5])
    expected = ["", "", "far from round", "too large", "far from round"]
    assert reasons(found, mode="code") == expected


def test_code_drops_the_smallest_irregular_ones():
    """MATLAB: prctile(10:10:100, 30) is 35, halfway between the third and the fourth."""
    area = np.arange(10, 101, 10)
    expected = ["among the smallest"] * 3 + [""] * 7
    assert reasons(measured("irregular", 9.0, area), mode="code") == expected
    # Tops have no say in the percentile.
    mixed = measured(["irregular"] * 10 + ["top"] * 10, 2.0, np.append(area, np.full(10, 1000)))
    assert reasons(mixed, mode="code") == expected + [""] * 10


@pytest.mark.parametrize("mode", ["paper_mean", "code"])
def test_paper_and_code_know_no_edges_or_neighbours(mode):
    found = shapes((0, 0, 1, 0.9), (3, 0, 1, 0.9))
    assert reasons(found, mode=mode) == ["", ""]
    assert reasons(found, mode="robust") == ["cut by the edge"] * 2


def candidates(good, bad=()):
    labels = [*good, *bad]
    picks = Picks.create(np.arange(len(labels)), np.zeros(len(labels)), label=labels)
    accepted = np.arange(len(labels)) < len(good)
    return Candidates(
        picks,
        good=accepted,
        reason=np.where(accepted, "", "touching"),
        coverage=np.zeros((2, 2), np.float32),
        clusters=np.zeros((2, 2), np.uint8),
        mask=np.zeros((2, 2), bool),
        scale=1.0,
    )


def odd(*found, **config):
    return odd_shapes(found, SelectionConfig(**config))


def test_leftovers_are_odd_where_most_are_circles():
    assert odd(candidates(["top"] * 6 + ["irregular"] * 4)) == ("irregular",)


def test_leftovers_are_not_odd_where_they_are_the_rule():
    assert odd(candidates(["irregular"] * 6 + ["top"] * 4)) == ()
    assert odd(candidates(["irregular"] * 9 + ["top"])) == ("top",)


def test_rare_shape_is_odd_and_second_shape_is_not():
    assert odd(candidates(["top"] * 86 + ["side"] * 14)) == ("side", "irregular")
    assert odd(candidates(["top"] * 85 + ["side"] * 15)) == ("irregular",)
    assert odd(candidates(["top"] * 86 + ["side"] * 14), rarest_shape=0.1) == ("irregular",)


def test_shares_count_over_the_whole_dataset_and_good_ones_only():
    found = candidates(["top"] * 20), candidates(["side"] * 2, ["side"] * 50)
    assert odd(*found) == ("side", "irregular")


def test_nothing_found_is_fine():
    assert set(odd(candidates([]), candidates([], ["top"]))) <= {"irregular"}
    assert not reject_shapes(candidates([], ["top"]), ("top",)).good.any()


def test_good_ones_of_odd_shapes_are_rejected():
    found = candidates(["side", "top", "side"], ["side", "top"])
    rejected = reject_shapes(found, ("side", "irregular"))
    assert rejected.good.tolist() == [False, True, False, False, False]
    assert rejected.reason.tolist() == ["odd shape", "", "odd shape", "touching", "touching"]
    assert found.good.tolist() == [True, True, True, False, False]  # the input is left alone


def test_without_odd_shapes_nothing_is_rejected():
    found = candidates(["side", "top"], ["irregular"])
    rejected = reject_shapes(found, ())
    assert rejected.good.tolist() == found.good.tolist()
    assert rejected.reason.tolist() == found.reason.tolist()


@pytest.mark.parametrize(
    ("config", "key"),
    [
        ({"mode": "paper"}, "labeler.selection.mode"),
        ({"overlap": 1.1}, "labeler.selection.overlap"),
        ({"rarest_shape": -0.1}, "labeler.selection.rarest_shape"),
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
    ],
)
def test_absurd_labeler_is_refused(config, key):
    with pytest.raises(UsageError, match=key):
        replace(IbcConfig(), **config)
