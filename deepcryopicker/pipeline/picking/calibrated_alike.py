"""Score any picker at the threshold that labelled micrographs give, in the same way for all."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from scipy.special import expit

from deepcryopicker.dataset.catalogue import Catalogue
from deepcryopicker.errors import NothingUsableError
from deepcryopicker.evaluation.label_calibration import MatchedPicks, calibration_of
from deepcryopicker.pipeline.picking.pick_dataset import pick_catalogue
from deepcryopicker.pipeline.picking.results.recipe import Recipe
from deepcryopicker.pipeline.scoring.picked import Picked
from deepcryopicker.pipeline.scoring.score import score
from deepcryopicker.runs.folder import Run
from deepcryopicker.types import UNCALIBRATED

CALIBRATED = "calibrated"
"""Key of the scores in ``metrics.json``."""
FOLDER = "calibration"
"""Folder in a run with the picks of the micrographs that were not held out."""
_SCORES = ("precision", "recall", "f1", "f1_interval")


def merged(scored: Catalogue, known: Catalogue) -> Catalogue:
    """Return the micrographs of both catalogues, those to score first."""
    names = {entry.name for entry in scored.entries}
    others = tuple(entry for entry in known.entries if entry.name not in names)
    return replace(scored, entries=scored.entries + others)


def score_calibrated(
    picked: list[Picked], known: Catalogue, recipe: Recipe, run: Run
) -> dict[str, Any] | None:
    """Score picks at the threshold that their scores on the micrographs not held out give.

    The threshold is that of a network trained on given labels: a logistic curve is fitted to the
    outcomes of the picks, and half its best F1 is the least probability of a pick, see
    :func:`deepcryopicker.evaluation.label_calibration.calibration_of`.

    Parameters
    ----------
    picked : list of Picked
        Micrographs held out.
    known : Catalogue
        Micrographs whose truth may be used; they are picked into ``calibration/``.
    recipe : Recipe
        As that of `picked`.
    run : Run

    Returns
    -------
    dict or None
        ``threshold``, a score as the picker gives it, and ``precision``, ``recall`` and ``f1``
        there, with the interval of F1; None if the micrographs or their outcomes do not give one.
    """
    try:
        chosen = pick_catalogue(
            known, recipe, run, run.folder / FOLDER, 0, run.resumes, "calibrating"
        )
    except NothingUsableError:  # imported picks may lack all of these micrographs
        return None
    threshold = threshold_of([one.evaluated for one in chosen])
    if threshold is None:
        return None
    scores = score(picked, threshold)
    return {"threshold": threshold, **{key: scores[key] for key in _SCORES if key in scores}}


def threshold_of(evaluated: Sequence[Any]) -> float | None:
    """Return the score at which the calibration of :func:`calibration_of` gives one half.

    Parameters
    ----------
    evaluated : sequence of Evaluated or None
        Those without truth are left out.

    Returns
    -------
    float or None
        In [0, 1]; None where scores do not separate particles from other picks.
    """
    matched = [
        MatchedPicks(one.picks.score, one.outcome, one.n_truth)
        for one in evaluated
        if one is not None and len(one.picks)
    ]
    curve = calibration_of(matched, given=True)
    if curve == UNCALIBRATED:
        return None
    return float(expit(curve.even))
