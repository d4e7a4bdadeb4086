"""Distances of hits, worked by hand."""

import numpy as np
import pytest

from deepcryopicker.evaluation.localisation import localise
from deepcryopicker.evaluation.scores import evaluate_micrograph, summarise
from deepcryopicker.types import Picks

NONE = Picks.empty()


def test_by_hand():
    found = localise(np.array([[3.0, 4.0], [0.0, 1.0], [0.0, -1.0]]), np.array([10.0, 10.0, 4.0]))
    assert found["hits"] == 3
    assert found["pixels"] == pytest.approx({"median": 1, "mean": 7 / 3, "rms": 27**0.5 / 3**0.5})
    assert found["diameters"]["median"] == 0.25
    assert found["diameters"]["mean"] == pytest.approx((0.5 + 0.1 + 0.25) / 3)
    assert found["offset"] == {"x": 0, "y": 1}


def test_nothing_found():
    found = localise(np.zeros((0, 2)), np.zeros(0))
    assert found["hits"] == 0
    assert {*found["pixels"].values(), *found["diameters"].values()} == {None}
    assert found["offset"] == {"x": None, "y": None}


def test_only_hits_from_the_threshold_on():
    truth = Picks.create([10, 50, 90], [10, 10, 10], diameter=[8, np.nan, 8])
    picks = Picks.create([12, 47, 90, 70], [10, 10, 11, 70], [0.9, 0.8, 0.2, 0.9])
    one = evaluate_micrograph("a", picks, truth, NONE, 5)
    found = summarise([one], 0.5, 5)["localisation"]
    assert found["hits"] == 2
    assert found["pixels"]["median"] == 2.5
    # The diameter of the second particle is unknown: twice the radius.
    assert found["diameters"]["mean"] == pytest.approx((2 / 8 + 3 / 10) / 2)
    assert found["offset"] == {"x": -0.5, "y": 0}


def test_a_shift_shows():
    rng = np.random.default_rng(0)
    truth = rng.uniform(0, 2000, (2, 100))
    picks = Picks.create(*(truth + rng.normal([[3.0], [-7.0]], 0.5, truth.shape)))
    one = evaluate_micrograph("a", picks, Picks.create(*truth), NONE, 20)
    found = summarise([one], 0.5, 20)["localisation"]
    assert found["offset"]["x"] == pytest.approx(3, abs=0.2)
    assert found["offset"]["y"] == pytest.approx(-7, abs=0.2)
    assert found["pixels"]["median"] == pytest.approx(58**0.5, abs=0.2)
