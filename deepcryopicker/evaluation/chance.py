"""Scores of picks at random positions: the chance level for every other score."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from deepcryopicker.evaluation.matching import FALSE, HIT, match
from deepcryopicker.evaluation.metrics import Scores
from deepcryopicker.evaluation.scores import Evaluated
from deepcryopicker.types import Floats, Picks

DRAWS = 5

Area = tuple[float, float, float, float]
"""Left, top, width and height of the micrograph, pixels."""


def chance_level(evaluated: Sequence[Evaluated], seed: int = 0) -> dict[str, Any]:
    """Score positions placed without looking at the image, as many as there are true particles.

    Parameters
    ----------
    evaluated : sequence of Evaluated
        Radius, truth and uncertain places are used. Where the shape of a micrograph is unknown,
        its area is the smallest rectangle that holds all truth and picks.
    seed : int

    Returns
    -------
    dict
        ``random``: uniform positions, means over `DRAWS` draws; ``grid``: a regular grid. Both
        have ``precision``, ``recall`` and ``f1``, pooled over micrographs. AP is left out, as it
        needs a ranking; for a random ranking it is close to precision times recall.
    """
    rng = np.random.default_rng(seed)
    drawn = [_score(evaluated, lambda n, area: _random(n, area, rng)) for _ in range(DRAWS)]
    means = np.mean(drawn, axis=0)
    return {"random": _named(means), "grid": _named(_score(evaluated, _grid))}


def _score(
    evaluated: Sequence[Evaluated], place: Callable[[int, Area], Picks]
) -> tuple[float, float, float]:
    hits = false = missed = 0
    for one in evaluated:
        picks = place(one.n_truth, _area(one))
        outcome = match(picks, one.truth, one.uncertain, one.radius)
        found = int(np.count_nonzero(outcome == HIT))
        hits += found
        false += int(np.count_nonzero(outcome == FALSE))
        missed += one.n_truth - found
    scores = Scores.from_counts(hits, false, missed)
    return scores.precision, scores.recall, scores.f1


def _named(values: Sequence[float] | Floats) -> dict[str, float]:
    return {
        name: float(value)
        for name, value in zip(("precision", "recall", "f1"), values, strict=True)
    }


def _area(one: Evaluated) -> Area:
    if one.shape is not None:
        height, width = one.shape
        return -0.5, -0.5, float(width), float(height)
    places = np.vstack([one.truth.positions, one.picks.positions])
    if not len(places):
        return 0.0, 0.0, 0.0, 0.0
    (left, top), (right, bottom) = places.min(axis=0).tolist(), places.max(axis=0).tolist()
    return left, top, right - left, bottom - top


def _random(count: int, area: Area, rng: np.random.Generator) -> Picks:
    left, top, width, height = area
    across, down = rng.random((2, count))
    return Picks.create(left + across * width, top + down * height)


def _grid(count: int, area: Area) -> Picks:
    """Place `count` positions at the centres of about square cells, row by row."""
    left, top, width, height = area
    if count == 0:
        return Picks.empty()
    proportion = width / height if width > 0.0 and height > 0.0 else 1.0
    columns = min(max(round((count * proportion) ** 0.5), 1), count)
    rows = -(-count // columns)
    row, column = np.divmod(np.arange(count), columns)
    return Picks.create(left + (column + 0.5) * width / columns, top + (row + 0.5) * height / rows)
