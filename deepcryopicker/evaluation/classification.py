"""Classification scores of single windows (the paper's patches)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from deepcryopicker.evaluation.metrics import Curve, average_precision, bootstrap, precision_recall
from deepcryopicker.types import Floats, Image, Strings

Index = npt.NDArray[np.int64]


def score_patches(
    probability: Image, target: Index, unit: Index, group: Strings, classes: Sequence[str]
) -> dict[str, Any]:
    """Score class probabilities of windows.

    Parameters
    ----------
    probability : (N, C) float32
    target : (N,) int64
        True class.
    unit : (N,) int64
        Micrograph (or block) of each window, the unit of resampling for the intervals.
    group : (N,) str
        Dataset of each window.
    classes : sequence of str
        Names of the C classes.

    Returns
    -------
    dict
        ``accuracy`` and ``average_precision`` (one class against the rest, mean over the classes
        that occur) with 95 % bootstrap intervals over units, None for fewer than two units; the
        same per class in ``classes`` (where accuracy is recall) and per dataset in ``groups``;
        numbers of ``windows`` and ``units``.
    """
    present = [index for index in range(len(classes)) if (target == index).any()]
    return {
        "windows": len(target),
        "units": len(np.unique(unit)),
        **_scores(probability, target, unit),
        "classes": {
            classes[index]: {
                "windows": int((target == index).sum()),
                "accuracy": _accuracy(probability, target, target == index),
                "average_precision": _class_precision(probability, target, index),
            }
            for index in present
        },
        "groups": {
            name: {
                "windows": int((group == name).sum()),
                **_scores(*(part[group == name] for part in (probability, target, unit))),
            }
            for name in dict.fromkeys(group.tolist())
        },
    }


def confusion(probability: Image, target: Index) -> Index:
    """Count windows by true class (rows) and most probable class (columns): (C, C) int64."""
    count = probability.shape[1]
    cells = target * count + probability.argmax(axis=1)
    return np.bincount(cells, minlength=count * count).reshape(count, count)


def patch_curves(probability: Image, target: Index, classes: Sequence[str]) -> dict[str, Curve]:
    """Compute precision and recall of each class against the rest.

    Parameters
    ----------
    probability : (N, C) float32
    target : (N,) int64
        True class.
    classes : sequence of str
        Names of the C classes.

    Returns
    -------
    dict
        From the name of each class that occurs to its curve.
    """
    hits = {index: target == index for index in range(len(classes))}
    return {
        classes[index]: precision_recall(
            probability[:, index].astype(np.float64), hit.astype(np.int8), int(hit.sum())
        )
        for index, hit in hits.items()
        if hit.any()
    }


def mean_average_precision(
    probability: Image, target: Index, weight: Floats | None = None
) -> float:
    """Mean over the classes that occur of the average precision of each against the rest.

    Parameters
    ----------
    probability : (N, C) float32
    target : (N,) int64
    weight : (N,) float64, optional
        Weight of each window, such as how often a bootstrap drew it.
    """
    values = [
        _class_precision(probability, target, index, weight)
        for index in range(probability.shape[1])
        if ((target == index) if weight is None else (target == index) & (weight > 0)).any()
    ]
    return float(np.mean(values)) if values else 0.0


def _scores(probability: Image, target: Index, unit: Index) -> dict[str, Any]:
    scores: dict[str, Any] = {
        "accuracy": _accuracy(probability, target),
        "average_precision": mean_average_precision(probability, target),
        "accuracy_interval": None,
        "average_precision_interval": None,
    }
    names, owner = np.unique(unit, return_inverse=True)
    if len(names) < 2:
        return scores
    right = probability.argmax(axis=1) == target

    def weights(drawn: Sequence[int]) -> Floats:
        return np.bincount(drawn, minlength=len(names)).astype(np.float64)[owner]

    def accuracy(drawn: Sequence[int]) -> float:
        weight = weights(drawn)
        return float(weight @ right / weight.sum())

    def precision(drawn: Sequence[int]) -> float:
        return mean_average_precision(probability, target, weights(drawn))

    units = range(len(names))
    return scores | {
        "accuracy_interval": list(bootstrap(units, accuracy)),
        "average_precision_interval": list(bootstrap(units, precision, samples=300)),
    }


def _accuracy(
    probability: Image, target: Index, chosen: npt.NDArray[np.bool_] | slice = slice(None)
) -> float:
    return float((probability.argmax(axis=1) == target)[chosen].mean())


def _class_precision(
    probability: Image, target: Index, index: int, weight: Floats | None = None
) -> float:
    hit = target == index
    total = float(hit.sum() if weight is None else weight[hit].sum())
    score = probability[:, index].astype(np.float64)
    return average_precision(score, hit.astype(np.int8), total, weight)
