"""Scores of picks over many micrographs, as recorded in ``metrics.json``."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from deepcryopicker.errors import UsageError
from deepcryopicker.evaluation import matching, metrics
from deepcryopicker.evaluation.localisation import localise
from deepcryopicker.types import SHAPES, Floats, Picks

UNKNOWN_LABELS = frozenset({"", "irregular"})
"""Truth that has only these labels is treated as truth without classes."""


@dataclass(frozen=True)
class Evaluated:
    """Picks of one micrograph, matched with its truth.

    Attributes
    ----------
    name : str
        Name of the micrograph.
    picks : Picks
        All N candidates, regardless of score.
    outcome : (N,) int8
        1 hit, 0 false, -1 ignored.
    found : (N,) int64
        Index into `truth` of the particle that each pick found, -1 for none.
    truth, uncertain : Picks
        True particles, and positions where a pick is neither right nor wrong.
    radius : float
        Maximum distance of a hit, original pixels.
    shape : tuple of int or None
        Height and width of the micrograph, if known.
    """

    name: str
    picks: Picks
    outcome: npt.NDArray[np.int8]
    found: npt.NDArray[np.int64]
    truth: Picks
    uncertain: Picks
    radius: float
    shape: tuple[int, int] | None = None

    @property
    def diameters(self) -> Floats:
        """Diameter of each true particle, original pixels; twice the radius where unknown."""
        known = np.isfinite(self.truth.diameter)
        return np.where(known, self.truth.diameter, 2.0 * self.radius)

    @property
    def n_truth(self) -> int:
        """Number of true particles."""
        return len(self.truth)

    @property
    def missed(self) -> Picks:
        """True particles that were not found by any candidate, regardless of score."""
        return self.missed_at(-np.inf)

    def missed_at(self, threshold: float) -> Picks:
        """Return the true particles that were not found by any candidate of at least this score."""
        lost = np.ones(len(self.truth), np.bool_)
        lost[self.found[(self.found >= 0) & (self.picks.score >= threshold)]] = False
        return self.truth[lost]


def evaluate_micrograph(
    name: str,
    picks: Picks,
    truth: Picks,
    uncertain: Picks,
    radius: float,
    shape: tuple[int, int] | None = None,
) -> Evaluated:
    """Match the picks of one micrograph; see :func:`matching.match`.

    Parameters
    ----------
    name : str
    picks : Picks
        All candidates: a threshold is applied later.
    truth, uncertain : Picks
    radius : float
        Original pixels; half a particle diameter by convention.
    shape : tuple of int, optional
        Height and width of the micrograph.
    """
    found = matching.assign(picks, truth, radius)
    outcome = matching.outcome_of(picks, found, uncertain, radius)
    return Evaluated(name, picks, outcome, found, truth, uncertain, radius, shape)


def half_diameter(truth: Sequence[Picks], key: str) -> float:
    """Return half the median diameter of true particles: the usual radius of a hit.

    Parameters
    ----------
    truth : sequence of Picks
        Of all micrographs.
    key : str
        What to give where they have no diameters, for the message.

    Returns
    -------
    float
        Original pixels.

    Raises
    ------
    UsageError
        If no particle has a diameter.
    """
    diameters = np.concatenate([np.zeros(0), *(picks.diameter for picks in truth)])
    diameters = diameters[np.isfinite(diameters)]
    if len(diameters) == 0:
        raise UsageError(f"the truth has no diameters; give {key}=PIXELS")
    return float(np.median(diameters)) / 2.0


def pooled(evaluated: Sequence[Evaluated]) -> tuple[Floats, npt.NDArray[np.int8], int]:
    """Pool the picks of all micrographs: scores, outcomes and number of true particles."""
    score = np.concatenate([np.zeros(0), *(one.picks.score for one in evaluated)])
    outcome = np.concatenate([np.zeros(0, np.int8), *(one.outcome for one in evaluated)])
    return score, outcome, sum(one.n_truth for one in evaluated)


def summarise(evaluated: Sequence[Evaluated], threshold: float, radius: float) -> dict[str, Any]:
    """Score a dataset.

    Parameters
    ----------
    evaluated : sequence of Evaluated
        Micrographs with truth, which may be empty.
    threshold : float
        Minimum score of the picks that count, except for AP and best F1, which use all picks.
    radius : float
        Typical matching radius of `evaluated`, original pixels, to be recorded.

    Returns
    -------
    dict
        JSON-ready. Pooled over micrographs (micro): ``precision``, ``recall``, ``f1``,
        ``accuracy``, counts, ``average_precision``, ``best_f1`` and ``best_threshold``;
        ``macro``: means over the micrographs that have true particles; ``f1_interval`` and
        ``average_precision_interval``: 95 % bootstrap over micrographs, None for fewer than two;
        ``localisation``: see :func:`localisation.localise`; ``per_class``: empty if the truth has
        no classes; ``per_micrograph``: a list of rows.
    """
    rows = [{"micrograph": one.name} | score_pooled([one], threshold) for one in evaluated]
    return {
        "matching": matching.RULE,
        "radius": float(radius),
        "threshold": float(threshold),
        "micrographs": len(evaluated),
        **score_pooled(evaluated, threshold),
        **_intervals(evaluated, threshold),
        "macro": macro(rows),
        "localisation": localise(*_shifts(evaluated, threshold)),
        "per_class": _per_class(evaluated, threshold),
        "per_micrograph": rows,
    }


def score_pooled(evaluated: Sequence[Evaluated], threshold: float) -> dict[str, Any]:
    """Count and score the pooled picks of micrographs: the micro-averages of `summarise`."""
    score, outcome, n_truth = pooled(evaluated)
    best, best_threshold = metrics.best_f1(score, outcome, n_truth)
    return {
        "candidates": len(score),
        "picks": int(np.count_nonzero(score >= threshold)),
        "truth": n_truth,
        "ignored": int(np.count_nonzero((score >= threshold) & (outcome == matching.IGNORED))),
        **asdict(metrics.scores_at(score, outcome, n_truth, threshold)),
        "average_precision": metrics.average_precision(score, outcome, n_truth),
        "best_f1": best,
        "best_threshold": best_threshold,
    }


def _shifts(evaluated: Sequence[Evaluated], threshold: float) -> tuple[Floats, Floats]:
    """Pick minus particle, (N, 2), and diameter, (N,), of the hits, original pixels."""
    shift, diameter = [np.zeros((0, 2))], [np.zeros(0)]
    for one in evaluated:
        hit = (one.found >= 0) & (one.picks.score >= threshold)
        particle = one.found[hit]
        shift.append(one.picks.positions[hit] - one.truth.positions[particle])
        diameter.append(one.diameters[particle])
    return np.concatenate(shift), np.concatenate(diameter)


def macro(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Average scores over the micrographs with true particles; without, recall is undefined.

    A score missing in all rows, such as the AP of a rule without a ranking, is None.
    """
    rows = [row for row in rows if row["truth"]]
    keys = ("precision", "recall", "f1", "average_precision")
    means: dict[str, float | None] = dict.fromkeys(keys, 0.0)
    for key in keys if rows else ():
        values = [row[key] for row in rows if row[key] is not None]
        means[key] = float(np.mean(values)) if values else None
    return {"micrographs": len(rows), **means}


def _intervals(evaluated: Sequence[Evaluated], threshold: float) -> dict[str, Any]:
    """95 % intervals of the pooled F1 and AP; None for fewer than two micrographs."""
    if len(evaluated) < 2:
        return {"f1_interval": None, "average_precision_interval": None}
    area = _weighted_area(evaluated)
    every = [metrics.scores_at(*pooled([one]), threshold) for one in evaluated]
    counts = np.array([[one.hits, one.false, one.missed] for one in every])

    def f1(drawn: Sequence[int]) -> float:
        return metrics.Scores.from_counts(*counts[drawn].sum(axis=0).tolist()).f1

    def average_precision(drawn: Sequence[int]) -> float:
        return area(np.bincount(drawn, minlength=len(evaluated)).astype(np.float64))

    micrographs = range(len(evaluated))
    return {
        "f1_interval": list(metrics.bootstrap(micrographs, f1)),
        "average_precision_interval": list(metrics.bootstrap(micrographs, average_precision)),
    }


def _weighted_area(evaluated: Sequence[Evaluated]) -> Callable[[Floats], float]:
    """Return the AP as a function of the weight of each micrograph, (n,) float64.

    Picks are sorted once, as a resampled dataset has the same ones with other weights. Of the
    curve, scores without a hit are left out: there the precision falls and the recall stays, so
    that they add nothing to the area under the envelope.
    """
    score, outcome, _ = pooled(evaluated)
    truth = np.array([one.n_truth for one in evaluated])
    numbers = np.arange(len(evaluated), dtype=np.int32)
    ranking = metrics.Ranking.of(score, outcome)
    owner = np.repeat(numbers, [len(one.picks) for one in evaluated])[ranking.order]
    hit = np.flatnonzero(ranking.hit)
    until = np.searchsorted(hit, ranking.last_of_ties, side="right")  # number of hits
    gains = np.diff(until, prepend=0) > 0
    threshold, last, until = ranking.threshold[gains], ranking.last_of_ties[gains], until[gains]

    def area(weight: Floats) -> float:
        of_picks, particles = weight[owner], float(weight @ truth)
        hits, picks = np.cumsum(of_picks[hit])[until - 1], np.cumsum(of_picks)[last]
        precision = np.divide(hits, picks, out=np.zeros_like(hits), where=picks > 0)
        recall = hits / particles if particles else np.zeros_like(hits)
        return metrics.area_under(metrics.Curve(threshold, precision, recall))

    return area


def _per_class(evaluated: Sequence[Evaluated], threshold: float) -> dict[str, dict[str, Any]]:
    """Score the picks of each class against the truth of that class, matched anew."""
    return {
        label: score_pooled(members, threshold) for label, members in by_class(evaluated).items()
    }


def by_class(evaluated: Sequence[Evaluated]) -> dict[str, list[Evaluated]]:
    """Match the picks of each class anew with the truth of that class.

    Returns
    -------
    dict
        By class, in the paper's order; empty if the truth has no classes.
    """
    labels = {str(label) for one in evaluated for label in one.truth.label}
    if labels <= UNKNOWN_LABELS:
        return {}
    labels |= {str(label) for one in evaluated for label in one.picks.label}
    known = [label for label in SHAPES if label in labels]
    known += sorted(labels - set(SHAPES) - {""})
    return {
        label: [
            evaluate_micrograph(
                one.name,
                one.picks[one.picks.label == label],
                one.truth[one.truth.label == label],
                one.uncertain,
                one.radius,
            )
            for one in evaluated
        ]
        for label in known
    }
