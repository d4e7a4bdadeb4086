"""Agreement of two pickers: 1 for the same picks, 0 for random ones."""

import numpy as np
import pytest

from deepcryopicker.evaluation.shared_picks import agreement_beyond_chance
from deepcryopicker.types import Picks

SIDE, DIAMETER = 2000.0, 40.0


def places(count, seed):
    rng = np.random.default_rng(seed)
    return Picks.create(rng.random(count) * SIDE, rng.random(count) * SIDE, rng.random(count))


def agreement(picks, others):
    count = len(picks)
    return agreement_beyond_chance(picks, others, [DIAMETER] * count, [SIDE**2] * count)


def test_the_same_picks_agree():
    assert agreement([places(300, 0)], [places(300, 0)]) == 1.0
    assert agreement([places(300, 0), Picks.empty()], [places(300, 0), Picks.empty()]) == 1.0


@pytest.mark.parametrize("count", [100, 800])
def test_random_picks_agree_by_chance_alone(count):
    values = [agreement([places(count, seed)], [places(300, 99)]) for seed in range(5)]
    assert abs(np.mean(values)) < 0.06


def test_half_of_the_picks():
    theirs = places(400, 1)
    assert agreement([theirs[np.arange(400) < 200]], [theirs]) == pytest.approx(0.48, abs=0.04)


def test_nothing_to_find():
    assert agreement([places(10, 0)], [Picks.empty()]) == 0.0
    assert agreement([], []) == 0.0
    assert agreement([Picks.empty()], [places(10, 0)]) == 0.0
