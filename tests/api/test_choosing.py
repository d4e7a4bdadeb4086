"""``filter_picks``: each rule alone, and all in order."""

import numpy as np
import pytest

import deepcryopicker
from deepcryopicker import Picks
from deepcryopicker.errors import UsageError

PICKS = Picks.create(
    [10, 50, 52, 90],
    [10, 50, 50, 90],
    score=[0.4, 0.9, 0.8, 0.7],
    label=["top", "side", "top", "top"],
    diameter=[20, 30, 40, np.nan],
    size=[np.nan, np.nan, 25, np.nan],
    contrast=[0.1, 0.2, 0.3, np.nan],
)


@pytest.mark.parametrize(
    ("rule", "kept"),
    [
        ({}, [0, 1, 2, 3]),
        ({"threshold": 0.7}, [1, 2, 3]),
        ({"labels": ["side"]}, [1]),
        ({"minsize": 30}, [1]),
        ({"maxsize": 30}, [0, 1, 2]),
        ({"contrast": (0.2, 0.3)}, [1, 2]),
        ({"maxscore": 0.8}, [0, 2, 3]),
        ({"region": (10, 10, 51, 60)}, [0, 1]),
        ({"edge": 10, "shape": (101, 100)}, [0, 1, 2]),
        ({"edge": 9, "shape": (100, 100)}, [0, 1, 2, 3]),
        ({"distance": 2.5}, [0, 1, 3]),
        ({"distance": 2.0}, [0, 1, 2, 3]),
        ({"top": 2}, [1, 2]),
        ({"distance": 2.5, "top": 2}, [1, 3]),
        ({"labels": ["top"], "distance": 2.5}, [0, 2, 3]),
    ],
)
def test_rules_keep_the_given_order(rule, kept):
    found = deepcryopicker.filter_picks(PICKS, **rule)
    assert found.x.tolist() == PICKS.x[kept].tolist()


def test_an_edge_needs_the_shape():
    with pytest.raises(UsageError, match="shape"):
        deepcryopicker.filter_picks(PICKS, edge=3)
    assert len(deepcryopicker.filter_picks(Picks.empty(), distance=3, top=1)) == 0
