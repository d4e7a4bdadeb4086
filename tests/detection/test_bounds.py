"""What lies in the valid part of an image, by hand."""

import numpy as np
import pytest

from deepcryopicker.detection.bounds import clear_of_edges, clear_of_margins
from deepcryopicker.types import NO_MARGINS, Margins

SHAPE = (50, 80)
CORNERS = np.array([(0, 0), (79, 0), (0, 49), (79, 49)], float)

# The last valid place and the first invalid one on either side of an invalid border of 10 pixels,
# for a distance of 5.
SIDES = [
    (Margins(left=10), (15, 25), (14.9, 25)),
    (Margins(right=10), (64, 25), (64.1, 25)),
    (Margins(top=10), (40, 15), (40, 14.9)),
    (Margins(bottom=10), (40, 34), (40, 34.1)),
]


def is_clear(clear_of, place, margins=NO_MARGINS, distance=5.0):
    x, y = np.array([place], float).T
    (clear,) = clear_of(x, y, SHAPE, margins, distance)
    return bool(clear)


@pytest.mark.parametrize("clear_of", [clear_of_margins, clear_of_edges])
@pytest.mark.parametrize(("margins", "valid", "invalid"), SIDES)
def test_the_distance_from_an_invalid_border_is_kept(clear_of, margins, valid, invalid):
    assert is_clear(clear_of, valid, margins)
    assert not is_clear(clear_of, invalid, margins)


def test_margins_do_not_restrict_the_true_edge_of_the_image():
    x, y = CORNERS.T
    assert clear_of_margins(x, y, SHAPE, NO_MARGINS, 5.0).all()
    assert is_clear(clear_of_margins, (79, 49), Margins(top=10, left=10))


@pytest.mark.parametrize(
    ("valid", "invalid"),
    [
        ((5, 25), (4.9, 25)),
        ((74, 25), (74.1, 25)),
        ((40, 5), (40, 4.9)),
        ((40, 44), (40, 44.1)),
    ],
)
def test_the_distance_from_the_true_edge_is_kept(valid, invalid):
    assert is_clear(clear_of_edges, valid)
    assert not is_clear(clear_of_edges, invalid)


@pytest.mark.parametrize("clear_of", [clear_of_margins, clear_of_edges])
def test_margins_that_leave_nothing_leave_nothing(clear_of):
    x, y = np.meshgrid(np.arange(80.0), np.arange(50.0))
    margins = Margins(top=25, bottom=25)
    assert not clear_of(x.ravel(), y.ravel(), SHAPE, margins, 1.0).any()


@pytest.mark.parametrize("clear_of", [clear_of_margins, clear_of_edges])
def test_no_places_no_answers(clear_of):
    assert clear_of(np.zeros(0), np.zeros(0), SHAPE, Margins(3, 3, 3, 3), 5.0).shape == (0,)
