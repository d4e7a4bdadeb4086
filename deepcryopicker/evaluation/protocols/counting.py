"""Counts of one matching rule over all thresholds.

The rules of :mod:`protocols` count particles or pixels. Each is described by what every pick adds
to the hits, false and missed of its micrograph when picks are taken by descending score; sums of
these give the counts at any threshold, for any set of micrographs.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from deepcryopicker.evaluation.metrics import Curve, Scores, area_under, best_point
from deepcryopicker.types import Floats

Counts = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Tally:
    """What each of the N picks of a micrograph adds to the counts.

    Attributes
    ----------
    score : (N,) float64
    hits, false, missed : (N,) int32
        Change of each count by this pick, after all picks with a higher score; of equal scores
        the earlier pick comes first. A hit reduces `missed`, which is then negative.
    truth : int
        Number missed before the first pick.
    """

    score: Floats
    hits: Counts
    false: Counts
    missed: Counts
    truth: int


def score_tallies(tallies: Sequence[Tally], threshold: float, ranked: bool) -> dict[str, Any]:
    """Pool the counts of some micrographs and score them.

    Parameters
    ----------
    tallies : sequence of Tally
        One per micrograph.
    threshold : float
        Minimum score of the picks that count, for everything but AP and best F1.
    ranked : bool
        Whether additional picks never lower the recall; otherwise AP is meaningless.

    Returns
    -------
    dict
        ``truth``, the fields of :class:`metrics.Scores`, ``average_precision`` (None if not
        `ranked`), ``best_f1`` and ``best_threshold``.
    """
    truth = sum(one.truth for one in tallies)
    hits, false, missed = (
        int(sum(getattr(one, name)[one.score >= threshold].sum() for one in tallies))
        for name in ("hits", "false", "missed")
    )
    curve = _curve(tallies, truth)
    best, best_threshold = best_point(curve)
    return {
        "truth": truth,
        **asdict(Scores.from_counts(hits, false, truth + missed)),
        "average_precision": area_under(curve) if ranked else None,
        "best_f1": best,
        "best_threshold": best_threshold,
    }


def _curve(tallies: Sequence[Tally], truth: int) -> Curve:
    """Precision and recall of the pooled counts, one point per distinct score."""
    score = np.concatenate([np.zeros(0), *(one.score for one in tallies)])
    order = np.argsort(-score, kind="stable")
    score = score[order]
    last_of_ties = np.flatnonzero(np.append(np.diff(score) != 0.0, len(score) > 0))

    def summed(name: str) -> Floats:
        changes = np.concatenate([np.zeros(0, np.int32), *(getattr(one, name) for one in tallies)])
        return np.cumsum(changes[order], dtype=np.float64)[last_of_ties]

    hits = summed("hits")
    precision, recall = _share(hits, summed("false")), _share(hits, summed("missed") + truth)
    return Curve(score[last_of_ties], precision, recall)


def _share(part: Floats, rest: Floats) -> Floats:
    """Divide a part by the whole; 0/0 is 0."""
    whole = part + rest
    return np.divide(part, whole, out=np.zeros_like(whole), where=whole > 0)
