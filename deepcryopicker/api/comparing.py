"""Compare picks with true particles."""

from collections.abc import Mapping
from typing import Any

from deepcryopicker.errors import UsageError
from deepcryopicker.evaluation.all_rules import describe
from deepcryopicker.evaluation.scores import Evaluated, evaluate_micrograph, half_diameter
from deepcryopicker.types import Picks

Several = Picks | Mapping[str, Picks]
"""Of one micrograph, or of several by name."""


def match_picks(
    picks: Picks, truth: Picks, *, radius: float | None = None, uncertain: Picks | None = None
) -> Evaluated:
    """Match the picks of one micrograph with its true particles, one to one.

    Parameters
    ----------
    picks, truth : Picks
        Original pixels.
    radius : float, optional
        Farthest a hit may lie from its particle, original pixels; half the median diameter in the
        truth by default.
    uncertain : Picks, optional
        Places where a pick counts neither way.

    Returns
    -------
    Evaluated
        ``outcome`` of each pick: 1 hit, 0 false, -1 not counted; ``found``: index of its true
        particle, -1 for none; ``missed``: true particles that no pick found.

    Raises
    ------
    UsageError
        If the radius is not positive, or not given for a truth without diameters.
    """
    radius = _radius(radius, {"": truth})
    return evaluate_micrograph("micrograph", picks, truth, uncertain or Picks.empty(), radius)


def score_picks(
    picks: Several,
    truth: Several,
    *,
    radius: float | None = None,
    threshold: float = 0.5,
    uncertain: Several | None = None,
) -> dict[str, Any]:
    """Score picks against true particles, as ``evaluate`` does.

    Parameters
    ----------
    picks, truth : Picks, or mapping from names of micrographs to Picks
        Of one micrograph, or of the same several.
    radius : float, optional
        As for :func:`match_picks`.
    threshold : float
        Score from which a candidate counts as a pick; average precision and best F1 see all.
    uncertain : as picks, optional
        Places where a pick counts neither way.

    Returns
    -------
    dict
        ``precision``, ``recall``, ``f1``, ``average_precision`` and all else that
        ``metrics.json`` has.

    Raises
    ------
    UsageError
        If picks and truth are of other micrographs, or as for :func:`match_picks`.
    """
    found, true, vague = _named(picks), _named(truth), _named(uncertain or {})
    if found.keys() != true.keys():
        odd = sorted(found.keys() ^ true.keys())[0]
        where = "truth" if odd in found else "picks"
        raise UsageError(
            f"{where}: nothing for micrograph '{odd}'; without particles, give Picks.empty()"
        )
    radius = _radius(radius, true)
    evaluated = [
        evaluate_micrograph(name, found[name], true[name], vague.get(name, Picks.empty()), radius)
        for name in true
    ]
    return describe(evaluated, threshold, radius)


def _named(picks: Several) -> Mapping[str, Picks]:
    return {"micrograph": picks} if isinstance(picks, Picks) else picks


def _radius(given: float | None, truth: Mapping[str, Picks]) -> float:
    if given is None:
        return half_diameter(list(truth.values()), "radius")
    if not 0 < given < float("inf"):
        raise UsageError(f"radius must be > 0 pixels, got {given:g}")
    return given
