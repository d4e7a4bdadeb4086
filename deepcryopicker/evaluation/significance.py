"""Paired significance test of two pickers on the same micrographs."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from deepcryopicker.evaluation.metrics import bootstrap
from deepcryopicker.evaluation.scores import Evaluated, score_pooled
from deepcryopicker.types import Floats

EXACT_UP_TO = 12  # micrographs
SAMPLES = 10_000
_ROUNDING = 1e-12  # differences within rounding error count as equal

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
    at least the observed one: of all 2**n for up to `EXACT_UP_TO` micrographs, else of `SAMPLES`
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
    swapped = _swaps(len(names), seed)
    return {
        "micrographs": len(names),
        "smallest_p": _smallest_p(len(names)),
        "f1": _compare(_counts(rows), swapped, _pooled_f1, seed),
        "macro_average_precision": _compare(_precisions(rows), swapped, _mean, seed),
    }


def _compare(
    values: Floats, swapped: npt.NDArray[np.int8], statistic: Statistic, seed: int
) -> dict[str, Any]:
    """Test the difference in one score.

    Parameters
    ----------
    values : (2, n, K) float64
        The terms of each picker and micrograph whose sums `statistic` takes.
    swapped : (S, n) int8
        Permutations; 1 where the results of a micrograph are swapped.
    statistic : callable
    seed : int
    """
    totals = values.sum(axis=1)
    moved = swapped @ (values[1] - values[0])
    differences = statistic(totals[0] + moved) - statistic(totals[1] - moved)
    one, other = statistic(totals).tolist()

    def difference(drawn: Sequence[int]) -> float:
        a, b = statistic(values[:, drawn].sum(axis=1)).tolist()
        return float(a - b)

    size = values.shape[1]
    return {
        "first": one,
        "second": other,
        "difference": one - other,
        "difference_interval": list(bootstrap(range(size), difference, seed)) if size > 1 else None,
        "p": float(np.mean(np.abs(differences) >= abs(one - other) - _ROUNDING)),
    }


def _swaps(size: int, seed: int) -> npt.NDArray[np.int8]:
    """List the permutations of two pickers in `size` micrographs; the first is the identity."""
    if size <= EXACT_UP_TO:
        return ((np.arange(2**size)[:, None] >> np.arange(size)) & 1).astype(np.int8)
    drawn = np.random.default_rng(seed).integers(0, 2, (SAMPLES, size), np.int8)
    return np.vstack([np.zeros((1, size), np.int8), drawn])


def _smallest_p(size: int) -> float:
    return 2.0 / 2**size if size <= EXACT_UP_TO else 1.0 / (SAMPLES + 1)


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
