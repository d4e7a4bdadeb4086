"""Contrasts outside of which most detections are not particles."""

import numpy as np
import pytest
from scipy.stats import norm

from deepcryopicker.labeler.detectors.outliers import usual_range

SPREAD = 0.1  # standard deviation of the logarithm


def particles(count=2000, seed=0):
    """Contrasts of one kind of particle around 3."""
    return 3.0 * np.exp(np.random.default_rng(seed).normal(0, SPREAD, count))


def with_contaminants(share, side, count=2000, away=6.0):
    """Contrasts of particles, then of contaminants: so many deviations denser or fainter."""
    some = round(share * count)
    far = side * away * SPREAD + np.random.default_rng(1).normal(0, SPREAD / 2, some)
    return particles(count), 3.0 * np.exp(far)


@pytest.mark.parametrize(("count", "limited", "kept"), [(400, 0.0, 1.0), (2000, 0.3, 0.997)])
def test_normal_samples_have_no_limits(count, limited, kept):
    """Some by chance, and at the very end of a tail."""
    shares, unlimited = [], 0
    for seed in range(100):
        contrast = particles(count, seed)
        low, high = usual_range(contrast)
        unlimited += (low, high) == (0, np.inf)
        shares.append(np.mean((contrast >= low) & (contrast <= high)))
    assert unlimited >= (1 - limited) * 100
    assert np.mean(shares) >= kept


@pytest.mark.parametrize("share", [0.02, 0.1, 0.2])
@pytest.mark.parametrize("side", [-1, 1])
def test_a_heavy_tail_is_cut_where_a_third_of_it_is_something_else(share, side):
    good, bad = with_contaminants(share, side)
    low, high = usual_range(np.concatenate([good, bad]))
    if side > 0:
        assert (bad > high).all()
        beyond = np.count_nonzero(good > high)
        assert low < np.quantile(good, 0.01)
    else:
        assert (bad < low).all()
        beyond = np.count_nonzero(good < low)
        assert high > np.quantile(good, 0.99)
    # Two particles to a contaminant, unless the search begins farther out; what is found on one
    # side alone moves the median there.
    assert 0.01 * len(good) <= beyond <= 2.2 * len(bad)


def test_both_tails_may_be_heavy():
    good, dense = with_contaminants(0.1, 1)
    _, faint = with_contaminants(0.1, -1)
    low, high = usual_range(np.concatenate([good, dense, faint]))
    assert faint.max() < low < 2.8
    assert dense.min() > high > 3.2


@pytest.mark.parametrize("factor", [1e-3, 1e3])
def test_the_unit_of_contrast_plays_no_part(factor):
    both = np.concatenate(with_contaminants(0.1, 1))
    np.testing.assert_allclose(usual_range(factor * both), factor * np.array(usual_range(both)))
    assert np.isfinite(usual_range(both)[1])


def test_few_outliers_prove_nothing():
    """Nor does a tail of a sample that is small."""
    good = 3.0 * np.exp(SPREAD * norm.ppf((np.arange(600) + 0.5) / 600))
    assert usual_range(np.append(good[::2], np.full(60, 30.0)))[1] == np.inf
    assert usual_range(np.append(good, np.full(4, 30.0)))[1] == np.inf
    assert usual_range(np.append(good, np.full(12, 30.0)))[1] < 30


@pytest.mark.parametrize(
    "contrast", [[], [2.0], [1.0, 1.0, 50.0], [2.0] * 500, [2.0] * 400 + [9.0] * 50]
)
def test_what_has_no_spread_has_no_limits(contrast):
    assert usual_range(np.array(contrast)) == (0.0, np.inf)


def test_contrasts_of_zero_are_accepted():
    good, _ = with_contaminants(0, 1)
    low, high = usual_range(np.concatenate([good, np.zeros(200)]))
    assert 0 < low < 3
    assert high > np.quantile(good, 0.99)
