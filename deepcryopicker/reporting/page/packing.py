"""Picks as text that a script on the page unpacks: JSON, deflated, in base64.

Thousands of candidates of many pickers fit into a few megabytes this way, scores exact. What is
not looked at is never unpacked.
"""

import base64
import json
import zlib
from typing import Any

import numpy as np

from deepcryopicker.evaluation.matching import FALSE, HIT, IGNORED
from deepcryopicker.evaluation.metrics import Curve
from deepcryopicker.reporting.page.page_model import ShownPicks
from deepcryopicker.types import Floats, Picks

OUTCOMES = {HIT: "h", FALSE: "f", IGNORED: "i"}
_CURVE_POINTS = 500


def pack(value: Any) -> str:
    """Deflate a value as JSON and write it in base64."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return base64.b64encode(zlib.compress(text.encode(), 9)).decode("ascii")


def plain_picked(one: ShownPicks) -> dict[str, Any]:
    """List the candidates of a micrograph by descending score, and the truth beside them.

    Returns
    -------
    dict
        ``x``, ``y`` and ``diameter`` in whole original pixels, ``score`` exact, ``label``.
        With truth also ``outcome``, a letter a candidate (hit, false or ignored), ``found``, the
        index of the true particle of each hit in turn, ``truth`` and ``uncertain``.
    """
    order = np.argsort(-one.picks.score, kind="stable")
    picks = one.picks[order]
    plain = {
        "micrograph": one.micrograph,
        **_places(picks),
        "score": picks.score.tolist(),
        "label": _uniform(picks.label.tolist()),
    }
    if one.evaluated is not None:
        found = one.evaluated.found[order]
        outcome = one.evaluated.outcome[order].tolist()
        plain |= {
            "outcome": "".join(OUTCOMES[value] for value in outcome),
            "found": found[found >= 0].tolist(),
            "truth": _places(one.evaluated.truth),
            "uncertain": _places(one.evaluated.uncertain),
        }
    return plain


def plain_curve(curve: Curve, most: int = _CURVE_POINTS) -> dict[str, list[float]]:
    """Thin a curve to so many points, spread along the recall, first and last among them."""
    count = len(curve.recall)
    kept = np.arange(count)
    if count > most:
        even = np.linspace(0.0, curve.recall[-1], most // 2)
        along = np.searchsorted(curve.recall, even).clip(0, count - 1)
        kept = np.unique(np.concatenate([along, np.linspace(0, count - 1, most // 2).astype(int)]))
    return {
        name: np.round(getattr(curve, name)[kept], 6).tolist()
        for name in ("threshold", "precision", "recall")
    }


def _places(picks: Picks) -> dict[str, Any]:
    return {
        "x": _whole(picks.x),
        "y": _whole(picks.y),
        "diameter": _uniform(_whole(picks.diameter)),
    }


def _whole(values: Floats) -> list[int]:
    """Round to whole pixels; what is unknown becomes 0, what is absurd is pulled in."""
    return np.clip(np.nan_to_num(np.rint(values)), -(2**20), 2**20).astype(int).tolist()


def _uniform(values: list[Any]) -> Any:
    """Say once what is the same for all."""
    return values[0] if len(values) and len(set(values)) == 1 else values
