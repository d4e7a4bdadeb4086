"""Scores of a data set by every rule, and the level of chance."""

from collections.abc import Sequence
from typing import Any

from deepcryopicker.evaluation.chance import chance_level
from deepcryopicker.evaluation.protocols.rules import score_protocols
from deepcryopicker.evaluation.scores import Evaluated, summarise


def describe(evaluated: Sequence[Evaluated], threshold: float, radius: float) -> dict[str, Any]:
    """Return :func:`scores.summarise` with ``protocols`` and ``chance`` added, JSON-ready.

    See :func:`protocols.score_protocols` and :func:`chance.chance_level`; parameters are those of
    :func:`scores.summarise`.
    """
    return {
        **summarise(evaluated, threshold, radius),
        "protocols": score_protocols(evaluated, threshold),
        "chance": chance_level(evaluated),
    }
