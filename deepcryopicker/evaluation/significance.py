"""Paired significance test of two pickers on the same micrographs."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from deepcryopicker.evaluation.metrics import bootstrap
from deepcryopicker.evaluation.scores import Evaluated, score_pooled
from deepcryopicker.types import Floats

SAMPLES = 10_000
"""Maximum number of permutations; random ones are drawn beyond it, from 14 micrographs on."""
_DECIMALS = 12  # differences within rounding error count as equal
_BATCH = 1_000_000  # values that are permuted at once

Statistic = Callable[[Floats], Floats]
"""From sums over micrographs, (..., K), to a score, (...)."""


def compare_paired(
    first: Sequence[Evaluated],
    second: Sequence[Evaluated],
    threshold: float,
    second_threshold: float,
    seed: int = 0,
) -> dict[str, Any]:
    """Compare two pickers by a permutation test within micrographs.

    Under the null hypothesis the two results of each micrograph are exchangeable. The two-sided
    p-value is the share of permutations, the observed one included, whose absolute difference is
    at least the observed one: of all 2**n where these are at most `SAMPLES`, else of `SAMPLES`
    random ones and the observed one. Its minimum is ``2 / 2**n`` (or ``1 / (SAMPLES + 1)``): 0.06
    for five micrographs, 0.03 for six.

    Parameters
    ----------
    first, second : sequence of Evaluated
        The same micrographs with the same truth, in the same order, at least one.
    threshold, second_threshold : float
        Minimum score of the picks of each picker that count, for F1.
    seed : int

    Returns
    -------
    dict
        ``micrographs``, ``smallest_p``, and for ``f1`` (pooled) and ``macro_average_precision``
        (mean over micrographs with particles; pooling would rank the scores of two pickers, whose
        scales may differ, together): ``first``, ``second``, ``difference`` (first minus second),
        ``difference_interval`` (95 %, bootstrap over micrographs with both pickers drawn
        together; None for fewer than two) and ``p``.

    Raises
    ------
    ValueError
        If the micrographs differ, or there are none.
    """
    names = [one.name for one in first]
    if not names or names != [one.name for one in second]:
        raise ValueError("a paired comparison needs the same micrographs for both pickers")
    rows = [
        [score_pooled([one], level) for one in picker]
        for picker, level in ((first, threshold), (second, second_threshold))
    ]
    return {
        "micrographs": len(names),
        "smallest_p": _smallest_p(len(names)),
        "f1": _compare(_counts(rows), _pooled_f1, seed),
        "macro_average_precision": _compare(_precisions(rows), _mean, seed),
    }


def _compare(values: Floats, statistic: Statistic, seed: int) -> dict[str, Any]:
    """Test the difference in one score.

    Parameters
    ----------
    values : (2, n, K) float64
        The terms of each picker and micrograph whose sums `statistic` takes.
    statistic : callable
    seed : int
    """
    one, other = statistic(values.sum(axis=1)).tolist()

    def difference(drawn: Sequence[int]) -> float:
        a, b = statistic(values[:, drawn].sum(axis=1)).tolist()
        return float(a - b)

    size = values.shape[1]
    return {
        "first": one,
        "second": other,
        "difference": one - other,
        "difference_interval": list(bootstrap(range(size), difference, seed)) if size > 1 else None,
        "p": _p_value(values, statistic, seed),
    }


def _p_value(values: Floats, statistic: Statistic, seed: int) -> float:
    """Return the p-value of the difference; parameters are those of :func:`_compare`.

    SciPy permutes numbers of rows, as it would test each of the K columns by itself.
    """
    # A large library, which only comparisons need.
    from scipy.stats import permutation_test

    _, size, columns = values.shape
    if size == 1:  # SciPy refuses a single pair
        return 1.0
    rows = values.reshape(-1, columns)

    def distance(first: Floats, second: Floats, axis: int) -> Floats:
        one, other = (
            statistic(rows[np.moveaxis(each, axis, -1).astype(np.int64)].sum(axis=-2))
            for each in (first, second)
        )
        return np.abs(one - other).round(_DECIMALS)

    test = permutation_test(
        np.arange(2 * size).reshape(2, size),
        distance,
        permutation_type="samples",
        vectorized=True,
        alternative="greater",  # of an absolute difference: both directions count
        n_resamples=SAMPLES,
        batch=max(1, _BATCH // (size * columns)),
        random_state=np.random.default_rng(seed),
    )
    return float(test.pvalue)


def _smallest_p(size: int) -> float:
    return 2.0 / 2**size if 2**size <= SAMPLES else 1.0 / (SAMPLES + 1)


def _counts(rows: Sequence[Sequence[dict[str, Any]]]) -> Floats:
    """Return hits, false and missed, (2, n, 3)."""
    keys = ("hits", "false", "missed")
    return np.array([[[row[key] for key in keys] for row in picker] for picker in rows], float)


def _pooled_f1(totals: Floats) -> Floats:
    hits, false, missed = np.moveaxis(totals, -1, 0)
    whole = 2.0 * hits + false + missed
    return np.divide(2.0 * hits, whole, out=np.zeros_like(whole), where=whole > 0)


def _precisions(rows: Sequence[Sequence[dict[str, Any]]]) -> Floats:
    """Return (AP, 1) for micrographs with particles and zeros for others, (2, n, 2)."""
    known = np.array([[row["truth"] > 0 for row in picker] for picker in rows], float)
    value = np.array([[row["average_precision"] for row in picker] for picker in rows])
    return np.stack([value * known, known], axis=-1)


def _mean(totals: Floats) -> Floats:
    total, count = np.moveaxis(totals, -1, 0)
    return np.divide(total, count, out=np.zeros_like(total), where=count > 0)
