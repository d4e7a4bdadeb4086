"""Scores of matched picks: the paper's Eqs. 1-4, precision-recall curve, AP and intervals.

Everywhere, ``score`` is (N,) float64 and ``outcome`` is (N,) int8 as :func:`matching.match`
returns it: 1 hit, 0 false, -1 ignored (left out of every count). A pick counts at a threshold
when its score is at least the threshold. 0/0 is 0.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from deepcryopicker.types import Floats

Outcome = npt.NDArray[np.int8]
Item = TypeVar("Item")


@dataclass(frozen=True)
class Scores:
    """Scores of a set of picks.

    Attributes
    ----------
    precision : float
        Eq. 1, TP / (TP + FP).
    recall : float
        Eq. 2, TP / (TP + FN).
    f1 : float
        Eq. 4, the harmonic mean of precision and recall.
    accuracy : float
        Eq. 3 with TN = 0, TP / (TP + FP + FN): positions without a particle are not counted.
    hits, false, missed : int
        TP, FP and FN.
    """

    precision: float
    recall: float
    f1: float
    accuracy: float
    hits: int
    false: int
    missed: int

    @classmethod
    def from_counts(cls, hits: int, false: int, missed: int) -> "Scores":
        """Compute Eqs. 1-4.

        Parameters
        ----------
        hits, false, missed : int
            True positives, false positives and false negatives.

        Examples
        --------
        >>> Scores.from_counts(hits=6, false=2, missed=4).precision
        0.75
        """
        return cls(
            precision=_ratio(hits, hits + false),
            recall=_ratio(hits, hits + missed),
            f1=_ratio(2 * hits, 2 * hits + false + missed),
            accuracy=_ratio(hits, hits + false + missed),
            hits=hits,
            false=false,
            missed=missed,
        )


@dataclass(frozen=True)
class Curve:
    """Precision and recall at every distinct score.

    Attributes
    ----------
    threshold : (M,) float64
        Distinct scores, descending.
    precision, recall : (M,) float64
        Eqs. 1 and 2 of the picks with at least this score.
    """

    threshold: Floats
    precision: Floats
    recall: Floats


@dataclass(frozen=True)
class Ranking:
    """Picks sorted once by descending score, for curves with different weights.

    Attributes
    ----------
    order : (K,) int64
        Indices of the hits and false picks; of equal scores the earlier comes first.
    hit : (K,) float64
        1 for a hit, 0 for a false pick.
    last_of_ties : (M,) int64
        Positions in `order` after which the score falls.
    threshold : (M,) float64
        Distinct scores.
    """

    order: npt.NDArray[np.int64]
    hit: Floats
    last_of_ties: npt.NDArray[np.int64]
    threshold: Floats

    @classmethod
    def of(cls, score: Floats, outcome: Outcome) -> "Ranking":
        """Sort picks, without the ignored ones."""
        counted = np.flatnonzero(outcome >= 0)
        order = counted[np.argsort(-score[counted], kind="stable")]
        ranked = score[order]
        last_of_ties = np.flatnonzero(np.append(np.diff(ranked) != 0.0, len(ranked) > 0))
        hit = (outcome[order] == 1).astype(np.float64)
        return cls(order, hit, last_of_ties, ranked[last_of_ties])

    def curve(self, n_truth: float, weight: Floats | None = None) -> Curve:
        """Return the curve; parameters as in :func:`precision_recall`."""
        counts = np.ones(len(self.order)) if weight is None else weight[self.order]
        hits = np.cumsum(self.hit * counts)[self.last_of_ties]
        picks = np.cumsum(counts)[self.last_of_ties]
        precision = np.divide(hits, picks, out=np.zeros_like(hits), where=picks > 0)
        recall = hits / n_truth if n_truth else np.zeros_like(hits)
        return Curve(self.threshold, precision, recall)


def scores_at(score: Floats, outcome: Outcome, n_truth: int, threshold: float) -> Scores:
    """Score the picks at or above a threshold.

    Parameters
    ----------
    score, outcome : (N,) float64, (N,) int8
    n_truth : int
        True particles, found or not.
    threshold : float
        Minimum score, inclusive.
    """
    chosen = outcome[score >= threshold]
    hits = int(np.count_nonzero(chosen == 1))
    return Scores.from_counts(hits, int(np.count_nonzero(chosen == 0)), n_truth - hits)


def precision_recall(
    score: Floats, outcome: Outcome, n_truth: float, weight: Floats | None = None
) -> Curve:
    """Precision and recall over the threshold, one point per distinct score.

    Parameters
    ----------
    score, outcome : (N,) float64, (N,) int8
    n_truth : float
        True particles, found or not: the denominator of the recall.
    weight : (N,) float64, optional
        Weight of each pick; 1 if not given.

    Returns
    -------
    Curve
        By descending threshold; empty without hits and false picks.
    """
    return Ranking.of(score, outcome).curve(n_truth, weight)


def average_precision(
    score: Floats, outcome: Outcome, n_truth: float, weight: Floats | None = None
) -> float:
    """Area under the envelope of the precision over all points (VOC 2010).

    At each recall the envelope is the highest precision at that or any higher recall; recall that
    is never reached adds nothing. scikit-learn and torchmetrics do not know of particles that no
    candidate hits, so that to them the last candidate always reaches a recall of 1.

    Parameters
    ----------
    score, outcome, n_truth, weight
        As in :func:`precision_recall`.

    Examples
    --------
    Five of ten particles found without a mistake are worth one half, not one:

    >>> average_precision(np.linspace(0.5, 0.9, 5), np.ones(5, np.int8), n_truth=10)
    0.5
    """
    return area_under(precision_recall(score, outcome, n_truth, weight))


def area_under(curve: Curve) -> float:
    """Area under the envelope of a curve whose recall never falls; see `average_precision`."""
    envelope = np.maximum.accumulate(curve.precision[::-1])[::-1]
    return float(np.sum(np.diff(curve.recall, prepend=0.0) * envelope))


def best_f1(score: Floats, outcome: Outcome, n_truth: int) -> tuple[float, float]:
    """Find the best F1 (Eq. 4) over all thresholds, and the threshold.

    The threshold is chosen on the truth itself, so this F1 is an upper bound, not a prediction.

    Parameters
    ----------
    score, outcome : (N,) float64, (N,) int8
    n_truth : int
        True particles, found or not.

    Returns
    -------
    f1, threshold : float
        The highest of equally good thresholds; 0 and 1 without picks.
    """
    return best_point(precision_recall(score, outcome, n_truth))


def best_point(curve: Curve) -> tuple[float, float]:
    """Find the best F1 on a curve, and its threshold; see `best_f1`."""
    if not len(curve.threshold):
        return 0.0, 1.0
    total = curve.precision + curve.recall
    product = 2.0 * curve.precision * curve.recall
    f1 = np.divide(product, total, out=np.zeros_like(total), where=total > 0)
    best = int(np.argmax(f1))
    return float(f1[best]), float(curve.threshold[best])


def bootstrap(
    per_micrograph: Sequence[Item],
    statistic: Callable[[Sequence[Item]], float],
    seed: int = 0,
    samples: int = 1000,
    confidence: float = 0.95,
) -> tuple[float, float]:
    """Percentile interval of a statistic under resampling of whole micrographs.

    Micrographs are drawn with replacement rather than picks, because picks of one micrograph
    share its ice, defocus and labels and are not independent.

    Parameters
    ----------
    per_micrograph : sequence
        One item per micrograph, at least one; of any type that `statistic` accepts.
    statistic : callable
        From a sequence of such items to a number.
    seed : int
    samples : int
        Number of resamplings.
    confidence : float
        Share of the resampled statistics inside the interval, 0-1.

    Returns
    -------
    tuple of float
        Lower and upper end. They coincide for a single micrograph and then carry no information.
    """
    if not per_micrograph:
        raise ValueError("a bootstrap over micrographs needs at least one micrograph")
    size = len(per_micrograph)
    drawn = np.random.default_rng(seed).integers(0, size, (samples, size))
    values = [statistic([per_micrograph[index] for index in indices]) for indices in drawn]
    tail = (1.0 - confidence) / 2.0
    low, high = np.quantile(values, [tail, 1.0 - tail])
    return float(low), float(high)


def _ratio(part: float, whole: float) -> float:
    """Divide; 0/0 is 0."""
    return part / whole if whole else 0.0
