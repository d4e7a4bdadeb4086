"""Scores of a dataset by every matching rule, and the scores of random picks."""

from collections.abc import Sequence
from typing import Any

from deepcryopicker.evaluation.chance import chance_level
from deepcryopicker.evaluation.protocols.rules import score_protocols
from deepcryopicker.evaluation.scores import Evaluated, summarise
from deepcryopicker.plugins.announced import functions


def describe(evaluated: Sequence[Evaluated], threshold: float, radius: float) -> dict[str, Any]:
    """Score a dataset by all rules.

    Parameters
    ----------
    evaluated, threshold, radius
        As in :func:`scores.summarise`.

    Returns
    -------
    dict
        JSON-ready: :func:`scores.summarise` with ``protocols`` (:func:`rules.score_protocols`) and
        ``chance`` (:func:`chance.chance_level`), and the ``metrics`` of plugins.
    """
    own = {
        name: float(metric(evaluated, threshold)) for name, metric in functions("metric").items()
    }
    return {
        **summarise(evaluated, threshold, radius),
        "protocols": score_protocols(evaluated, threshold),
        "chance": chance_level(evaluated),
        **({"metrics": own} if own else {}),
    }
