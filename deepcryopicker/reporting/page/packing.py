"""Picks as deflated JSON in base64, unpacked by a script of the page.

Thousands of candidates of many pickers, with exact scores, fit into a few megabytes. Only picks
that are viewed are unpacked.
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
    """Encode a value as deflated JSON in base64."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return base64.b64encode(zlib.compress(text.encode(), 9)).decode("ascii")


def plain_picked(one: ShownPicks) -> dict[str, Any]:
    """List the candidates of a micrograph by descending score, with the truth.

    Returns
    -------
    dict
        ``x`` and ``y`` in original pixels with three decimals, as in files, ``diameter`` in whole
        ones, ``score`` exact, ``label``; ``size`` and ``contrast``, None where unknown, if some
        were measured; ``group``, the 2-D class, where some picks have one.
        With truth also ``outcome``, a letter per candidate (hit, false or ignored), ``found``,
        the index of the true particle of each hit in order, ``truth`` and ``uncertain``.
    """
    order = np.argsort(-one.picks.score, kind="stable")
    picks = one.picks[order]
    plain = {
        "micrograph": one.micrograph,
        **_places(picks),
        "x": _thousandths(picks.x),
        "y": _thousandths(picks.y),
        "score": picks.score.tolist(),
        "label": _uniform(picks.label.tolist()),
    }
    if not np.isnan(picks.contrast).all():
        plain |= {name: _known(getattr(picks, name)) for name in ("size", "contrast")}
    if one.classes is not None:
        plain["group"] = one.classes[order].tolist()
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
    """Thin a curve to `most` points, evenly spaced along the recall, including both ends."""
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


def _known(values: Floats) -> list[float | None]:
    return [None if value != value else value for value in values.tolist()]


def _thousandths(values: Floats) -> list[float]:
    """Round to three decimals; unknown values become 0, extreme values are clipped."""
    return np.round(np.clip(np.nan_to_num(values), -(2**20), 2**20), 3).tolist()


def _whole(values: Floats) -> list[int]:
    """Round to whole pixels; unknown values become 0, extreme values are clipped."""
    return np.clip(np.nan_to_num(np.rint(values)), -(2**20), 2**20).astype(int).tolist()


def _uniform(values: list[Any]) -> Any:
    """Replace a list of equal values by the value."""
    return values[0] if len(values) and len(set(values)) == 1 else values
