"""The matching rules of different papers side by side, so that they are not confused.

===========  ==============================================================================
name         who uses it
===========  ==============================================================================
half         this program; CryoClear
quarter      a strict variant: such a hit is good enough to start aligning from
iou_0.5      object detectors, such as Fast R-CNN
iou_0.6      crYOLO
authors      the paper's own program (and that of AutoCryoPicker)
dice         CryoFSL: its F1 or Dice and its IoU are F1 and accuracy of ``macro``; CryoSegNet
             and CryoTransformer, which report maxima over micrographs, not reproduced here
closest      ReconAwarePick's comparison of programs on CryoPPP, its numbers are ``macro``
nearest_0.3  ParSeek
shared_0.6   Cryo-EMMAE
===========  ==============================================================================

The flaws of the authors' rule are kept: all picks in one blob are hits, touching discs are one
blob (so that finding both is one hit too many), and missed particles are the difference of two
counts, so that an extra pick in one blob compensates for a blob without a pick.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from deepcryopicker.evaluation.matching import (
    FALSE,
    HIT,
    Index,
    assign,
    assign_by_overlap,
    outcome_of,
)
from deepcryopicker.evaluation.protocols.at_threshold import (
    Counts,
    count_by_distance,
    count_nearest,
    count_shared,
    score_counts,
)
from deepcryopicker.evaluation.protocols.counting import Tally, score_tallies
from deepcryopicker.evaluation.protocols.painting import (
    canvas_shape,
    count_blobs,
    discs,
    paint,
    painted_at,
)
from deepcryopicker.evaluation.scores import Evaluated, macro
from deepcryopicker.types import Mask, Picks


class Protocol(NamedTuple):
    """A matching rule.

    Attributes
    ----------
    name : str
    rule : str
        The rule in words.
    ranked : bool
        Whether additional picks never lower the recall, so that average precision is meaningful.
    """

    name: str
    rule: str
    ranked: bool = True


_NOT_COUNTED = "picks at uncertain positions are not counted"
_FALSE = "uncertain positions are not used: picks there are false"

PROTOCOLS: tuple[Protocol, ...] = (
    Protocol(
        "half",
        "centres within half a diameter (evaluate.radius where given), one to one, greedy by "
        f"descending score; {_NOT_COUNTED}",
    ),
    Protocol(
        "quarter",
        f"as half, within a quarter of a diameter (half of evaluate.radius); {_NOT_COUNTED}",
    ),
    *(
        Protocol(
            f"iou_{least}",
            f"intersection over union at least {least} of boxes with the particle's diameter as "
            f"side, one to one, greedy by descending score; {_NOT_COUNTED}",
        )
        for least in (0.5, 0.6)
    ),
    Protocol(
        "authors",
        "truth painted as discs, blobs are 8-connected; every pick whose rounded centre is on a "
        f"painted pixel is a hit, missed are |blobs - hits|; {_FALSE}",
        ranked=False,
    ),
    Protocol(
        "dice",
        "pixels of discs painted for picks (median diameter of the micrograph's truth) and for "
        f"truth; F1 is the Dice coefficient and accuracy the intersection over union; {_FALSE}",
    ),
    Protocol(
        "closest",
        "centres within half a diameter (evaluate.radius where given), one to one, the closest "
        f"pair first, of the picks at the threshold; {_FALSE}",
        ranked=False,
    ),
    Protocol(
        "nearest_0.3",
        "hits are the picks that are the nearest one to a particle, closer than 0.3 of its "
        f"diameter, of the picks at the threshold; {_FALSE}",
        ranked=False,
    ),
    Protocol(
        "shared_0.6",
        "hits are the particles whose nearest pick, which others may share, has an intersection "
        f"over union above 0.6 with them, of the picks at the threshold; {_FALSE}",
        ranked=False,
    ),
)
"""Every rule; the first is that of the program's main scores."""


def score_protocols(evaluated: Sequence[Evaluated], threshold: float) -> dict[str, dict[str, Any]]:
    """Score a dataset by every rule of :data:`PROTOCOLS`.

    Parameters
    ----------
    evaluated : sequence of Evaluated
    threshold : float
        Minimum score of the picks that count, for everything but AP and best F1.

    Returns
    -------
    dict of dict
        By name of the rule: ``rule`` in words; the result of :func:`counting.score_tallies`,
        pooled over micrographs, where rules of one threshold have None for AP, best F1 and best
        threshold; ``macro``: see :func:`scores.macro`.

    Raises
    ------
    UsageError
        If coordinates are too large to be painted.
    """
    painted = [_count_painted(one) for one in evaluated]
    scored = {}
    for protocol in PROTOCOLS:  # one by one, because the tallies of a rule are as long as all picks
        name = protocol.name
        if name in _AT_THRESHOLD:
            counts = [_AT_THRESHOLD[name](one, threshold) for one in evaluated]
            scored[name] = _score_at(counts, protocol)
            continue
        if name in _MATCHED:
            tallies = [_MATCHED[name](one) for one in evaluated]
        else:
            tallies = [blobs[name] for blobs in painted]
        scored[name] = _score(tallies, protocol, threshold)
    return scored


def _score(tallies: Sequence[Tally], protocol: Protocol, threshold: float) -> dict[str, Any]:
    rows = [score_tallies([one], threshold, protocol.ranked) for one in tallies]
    return {
        "rule": protocol.rule,
        **score_tallies(tallies, threshold, protocol.ranked),
        "macro": macro(rows),
    }


def _score_at(counts: Sequence[Counts], protocol: Protocol) -> dict[str, Any]:
    rows = [score_counts([one]) for one in counts]
    return {"rule": protocol.rule, **score_counts(counts), "macro": macro(rows)}


def _half(one: Evaluated) -> Tally:
    return _one_to_one(one, one.found, one.radius)


def _quarter(one: Evaluated) -> Tally:
    return _one_to_one(one, assign(one.picks, one.truth, one.radius / 2.0), one.radius / 2.0)


def _overlapping(one: Evaluated, least: float) -> Tally:
    found = assign_by_overlap(one.picks, one.truth, one.diameters, least)
    return _one_to_one(one, found, one.radius)


_MATCHED: dict[str, Callable[[Evaluated], Tally]] = {
    "half": _half,
    "quarter": _quarter,
    "iou_0.5": partial(_overlapping, least=0.5),
    "iou_0.6": partial(_overlapping, least=0.6),
}
"""The rules that match picks with particles; the others paint both."""


def _closest(one: Evaluated, threshold: float) -> Counts:
    return count_by_distance(_at(one, threshold), one.truth, one.radius)


def _nearest(one: Evaluated, threshold: float, share: float) -> Counts:
    return count_nearest(_at(one, threshold), one.truth, share * one.diameters)


def _shared(one: Evaluated, threshold: float, least: float) -> Counts:
    return count_shared(_at(one, threshold), one.truth, one.diameters, least)


def _at(one: Evaluated, threshold: float) -> Picks:
    return one.picks[one.picks.score >= threshold]


_AT_THRESHOLD: dict[str, Callable[[Evaluated, float], Counts]] = {
    "closest": _closest,
    "nearest_0.3": partial(_nearest, share=0.3),
    "shared_0.6": partial(_shared, least=0.6),
}
"""The rules that match the picks at one threshold, because lower picks change higher matches."""


def _count_painted(one: Evaluated) -> dict[str, Tally]:
    """Count the picks of a micrograph by the rules that paint the particles once."""
    picks, truth, side = one.picks, one.truth, one.diameters
    # A pick's disc is as large as the typical particle of its micrograph.
    disc = float(np.median(side)) / 2.0 if len(truth) else one.radius
    shape = one.shape or _canvas(one, disc)
    painted = paint(shape, truth.x, truth.y, side / 2.0)
    return {
        "authors": _authors(picks, painted),
        "dice": _dice(picks, painted, disc),
    }


def _canvas(one: Evaluated, disc: float) -> tuple[int, int]:
    """Return the height and width that hold the discs of all particles and picks."""
    radius = np.append(one.diameters / 2.0, np.full(len(one.picks), disc))
    every = one.truth.joined(one.picks)
    return canvas_shape(one.name, every.x, every.y, radius)


def _one_to_one(one: Evaluated, found: Index, radius: float) -> Tally:
    """Count matches; `radius` applies to the uncertain positions."""
    outcome = outcome_of(one.picks, found, one.uncertain, radius)
    hits = (outcome == HIT).astype(np.int32)
    return Tally(one.picks.score, hits, (outcome == FALSE).astype(np.int32), -hits, one.n_truth)


def _authors(picks: Picks, painted: Mask) -> Tally:
    """Count picks on painted pixels as hits, and the difference of blobs and hits as missed."""
    blobs = count_blobs(painted)
    hits = painted_at(painted, picks.x, picks.y)
    order = np.argsort(-picks.score, kind="stable")
    missed = np.zeros(len(picks), np.int32)
    # The first hits, as many as there are blobs, lower the difference; all others raise it.
    missed[order] = np.where(np.cumsum(hits[order]) <= blobs, -1, 1) * hits[order]
    return Tally(picks.score, hits.astype(np.int32), (~hits).astype(np.int32), missed, blobs)


def _dice(picks: Picks, painted: Mask, radius: float) -> Tally:
    """Count pixels of discs; a pixel belongs to the first pick that covers it."""
    order = np.argsort(-picks.score, kind="stable")
    free = np.ones_like(painted)
    new, hits = np.zeros(len(picks), np.int32), np.zeros(len(picks), np.int32)
    around = discs(painted.shape, picks.x[order], picks.y[order], radius)
    for index, (area, inside) in zip(order, around, strict=True):
        part = free[area]
        inside &= part
        part ^= inside
        new[index] = np.count_nonzero(inside)
        hits[index] = np.count_nonzero(inside & painted[area])
    return Tally(picks.score, hits, new - hits, -hits, int(np.count_nonzero(painted)))
