"""Choose among the picks of a micrograph."""

from collections.abc import Sequence

import numpy as np

from deepcryopicker.detection.bounds import clear_of_edges
from deepcryopicker.detection.pick_rules import (
    is_apart,
    is_best,
    is_contrasted,
    is_inside,
    is_sized,
)
from deepcryopicker.errors import UsageError
from deepcryopicker.types import NO_MARGINS, Picks


def filter_picks(
    picks: Picks,
    *,
    threshold: float | None = None,
    labels: Sequence[str] | None = None,
    minsize: float | None = None,
    maxsize: float | None = None,
    contrast: tuple[float, float] | None = None,
    maxscore: float | None = None,
    region: tuple[float, float, float, float] | None = None,
    edge: float | None = None,
    shape: tuple[int, int] | None = None,
    distance: float | None = None,
    top: int | None = None,
) -> Picks:
    """Keep some picks of one micrograph, by the rules of ``python -m deepcryopicker.filter``.

    Parameters
    ----------
    picks : Picks
        Original pixels.
    threshold : float, optional
        Minimum score.
    labels : sequence of str, optional
        Kinds of views to keep.
    minsize, maxsize : float, optional
        Range of sizes, original pixels: as measured, or diameters where none were measured.
    contrast : (low, high), optional
        Range of contrasts, standard deviations of the micrograph.
    maxscore : float, optional
        Largest score.
    region : (left, top, right, bottom), optional
        Part of the micrograph to keep, original pixels.
    edge : float, optional
        Minimum distance from the edges, original pixels; needs `shape`.
    shape : (H, W), optional
        Of the micrograph, original pixels.
    distance : float, optional
        Minimum distance of two picks, original pixels; of two that are nearer, the better is kept.
    top : int, optional
        Most picks, the best first.

    Returns
    -------
    Picks
        Those that meet every rule, in the given order.

    Raises
    ------
    UsageError
        If `edge` is given without `shape`.
    """
    if edge is not None and shape is None:
        raise UsageError("edge needs the shape of the micrograph: shape=(H, W)")
    if threshold is not None:
        picks = picks[picks.score >= threshold]
    if labels is not None:
        picks = picks[np.isin(picks.label, list(labels))]
    if minsize is not None or maxsize is not None:
        picks = picks[is_sized(picks, minsize, maxsize)]
    if contrast is not None:
        picks = picks[is_contrasted(picks, *contrast)]
    if maxscore is not None:
        picks = picks[picks.score <= maxscore]
    if region is not None:
        picks = picks[is_inside(picks, region)]
    if edge is not None and shape is not None:
        picks = picks[clear_of_edges(picks.x, picks.y, shape, NO_MARGINS, edge)]
    if distance is not None:
        picks = picks[is_apart(picks, distance)]
    if top is not None:
        picks = picks[is_best(picks, top)]
    return picks
