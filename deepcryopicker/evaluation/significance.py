"""Whether one picker is better than another on the same micrographs, or only looks so."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from deepcryopicker.evaluation.metrics import bootstrap
from deepcryopicker.evaluation.scores import Evaluated, score_pooled
from deepcryopicker.types import Floats

EXACT_UP_TO = 12  # micrographs
SAMPLES = 10_000
_ROUNDING = 1e-12  # differences that are equal but for rounding count as equal

Statistic = Callable[[Floats], Floats]
"""From sums over micrographs, (..., K), to a score, (...)."""


def compare_paired(
    first: Sequence[Evaluated],
    second: Sequence[Evaluated],
    threshold: float,
    second_threshold: float,
    seed: int = 0,
) -> dict[str, Any]:
    """Compare two pickers by permuting them within micrographs.

    If the pickers were alike, each micrograph's two results could as well be the other way
    round. The p-value is the share of all ways to swap them, the observed one included, whose
    difference is at least as large, either way: of all 2**n ways for n micrographs up to
    `EXACT_UP_TO`, else of `SAMPLES` random ones and the observed one. It cannot be smaller than
    ``2 / 2**n`` (or ``1 / (SAMPLES + 1)``): five micrographs never get below 0.06, six reach 0.03.

    Parameters
    ----------
    first, second : sequence of Evaluated
        The same micrographs with the same truth, in the same order, at least one.
    threshold, second_threshold : float
        Score from which picks of each picker count, for F1.
    seed : int

    Returns
    -------
    dict
        ``micrographs``, ``smallest_p``, and for ``f1`` (pooled) and ``macro_average_precision``
        (the mean over micrographs with particles: pooling would rank two pickers' scores, which
        need not be on one scale, among each other): ``first``, ``second``, ``difference`` (first
        minus second), ``difference_interval`` (95 %, bootstrap over micrographs with both pickers
        drawn together; None for fewer than two) and ``p``.

    Raises
    ------
    ValueError
        Other micrographs, or none.
    """
    names = [one.name for one in first]
    if not names or names != [one.name for one in second]:
        raise ValueError("a paired comparison needs the same micrographs of both pickers")
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
    """Test one score.

    Parameters
    ----------
    values : (2, n, K) float64
        Of both pickers and each micrograph, what `statistic` needs the sums of.
    swapped : (S, n) int8
        Ways to swap the pickers, 1 where a micrograph's results are the other way round.
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
    """List ways to swap the pickers in `size` micrographs; the first swaps nothing."""
    if size <= EXACT_UP_TO:
        return ((np.arange(2**size)[:, None] >> np.arange(size)) & 1).astype(np.int8)
    drawn = np.random.default_rng(seed).integers(0, 2, (SAMPLES, size), np.int8)
    return np.vstack([np.zeros((1, size), np.int8), drawn])


def _smallest_p(size: int) -> float:
    return 2.0 / 2**size if size <= EXACT_UP_TO else 1.0 / (SAMPLES + 1)


def _counts(rows: Sequence[Sequence[dict[str, Any]]]) -> Floats:
    """Hits, false and missed, (2, n, 3)."""
    keys = ("hits", "false", "missed")
    return np.array([[[row[key] for key in keys] for row in picker] for picker in rows], float)


def _pooled_f1(totals: Floats) -> Floats:
    hits, false, missed = np.moveaxis(totals, -1, 0)
    whole = 2.0 * hits + false + missed
    return np.divide(2.0 * hits, whole, out=np.zeros_like(whole), where=whole > 0)


def _precisions(rows: Sequence[Sequence[dict[str, Any]]]) -> Floats:
    """AP and 1 of the micrographs with particles, zeros of the others, (2, n, 2)."""
    known = np.array([[row["truth"] > 0 for row in picker] for picker in rows], float)
    value = np.array([[row["average_precision"] for row in picker] for picker in rows])
    return np.stack([value * known, known], axis=-1)


def _mean(totals: Floats) -> Floats:
    total, count = np.moveaxis(totals, -1, 0)
    return np.divide(total, count, out=np.zeros_like(total), where=count > 0)
