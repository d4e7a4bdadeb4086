"""Which numbers of picks are far from the others, and which picks touch."""

import numpy as np
import pytest

from deepcryopicker.picker.pick_counts import count_touching, disc_share, far_from_others
from deepcryopicker.types import Picks


@pytest.mark.parametrize(
    ("counts", "far"),
    [
        ([], []),
        ([7], []),
        ([350, 0], [1]),
        ([348, 0, 402, 1, 290, 455, 0, 3, 198, 371], [1, 3, 6, 7]),  # the others scatter
        ([348, 341, 402, 355, 290, 390, 347, 371], []),
        ([26, 26, 26, 30], []),  # less than chance
        ([26, 26, 26, 26, 60], [4]),
        ([5, 4, 6, 0, 5], []),  # few anyway
        ([0, 0, 0, 0], []),
        ([0, 0, 0, 40], [3]),
    ],
)
def test_counts_far_from_the_median(counts, far):
    assert np.flatnonzero(far_from_others(counts)).tolist() == far


def test_chance_is_seldom_far():
    counts = np.random.default_rng(0).poisson(100, 20_000)
    assert far_from_others(counts.tolist()).mean() < 0.002


def test_the_share_of_the_discs():
    assert disc_share(4, 100.0, (200, 200)) == pytest.approx(np.pi / 4)
    assert disc_share(0, 100.0, (200, 200)) == 0.0


@pytest.mark.parametrize(
    ("x", "touching"), [([], 0), ([5], 0), ([0, 74], 2), ([0, 76], 0), ([0, 60, 200, 300], 2)]
)
def test_picks_closer_than_three_quarters_of_a_diameter_touch(x, touching):
    assert count_touching(Picks.create(x, [3.0] * len(x)), 100.0) == touching
