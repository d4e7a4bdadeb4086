"""Selection of training particles, Algorithms 1 and 2 of the paper (METHOD.md 6)."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from deepcryopicker.detection.bounds import clear_of_edges
from deepcryopicker.labeler.masks.shapes import Shapes, nearest_distance
from deepcryopicker.labeler.schema import SelectionConfig
from deepcryopicker.types import CUT_BY_EDGE, SHAPES, Candidates, Floats, Margins, Mask, Strings

Rules = list[tuple[str, Mask]]
"""Reasons, each with the shapes (N,) that violate its rule; the first violated one is reported."""

_AREA = (0.5, 1.6)  # of a mask, relative to its ideal disc
# Limits of the authors' programs. The area, in pixels, is that of hundreds of particles.
_CODE_CIRCULARITY = 5.0
_CODE_AREA = 500_000.0
_CODE_PERCENTILE = 30.0


def rejection_reasons(
    shapes: Shapes,
    shape: tuple[int, int],
    margins: Margins,
    diameter: float,
    config: SelectionConfig,
) -> Strings:
    """Return why each shape may not train the network.

    Parameters
    ----------
    shapes : Shapes
        Of one micrograph.
    shape : (H, W)
        Of the working image.
    margins : Margins
        Its invalid border.
    diameter : float
        Working pixels.
    config : SelectionConfig
        The mode selects the rules: :func:`_robust`, :func:`_paper_mean` or :func:`_code`.

    Returns
    -------
    (N,) str
        Empty for good shapes.
    """
    if config.mode == "paper_mean":
        rules = _paper_mean(shapes)
    elif config.mode == "code":
        rules = _code(shapes)
    else:
        inside = clear_of_edges(shapes.x, shapes.y, shape, margins, diameter / 2.0)
        rules = _robust(shapes, inside, diameter, config)
    reason = np.full(len(shapes.x), "", dtype="<U24")
    for why, broken in reversed(rules):
        reason[broken] = why
    return reason


def _robust(shapes: Shapes, inside: Mask, diameter: float, config: SelectionConfig) -> Rules:
    """Keep isolated shapes inside the image that match their ideal shape and its area.

    Unlike averages, these limits are not shifted by contaminants and clumps.
    """
    typical = np.pi * shapes.diameter**2 / 4.0
    return [
        (CUT_BY_EDGE, ~inside),
        ("ill-shaped", shapes.overlap < config.overlap),
        ("too small", shapes.area < _AREA[0] * typical),
        ("too large", shapes.area > _AREA[1] * typical),
        ("touching", nearest_distance(shapes.x, shapes.y) < config.isolation * diameter),
    ]


def _paper_mean(shapes: Shapes) -> Rules:
    """Keep shapes that are at least average for their class in the micrograph, as in the paper.

    Circles are compared by circularity (Algorithm 1, Eq. 5), irregular blobs by area
    (Algorithm 2, Eq. 6). For side views, which the paper shows in figures only, the filled
    fraction of their rectangle is compared.
    """
    top, side, irregular = (shapes.label == name for name in SHAPES)
    # All circles of a clump have the circularity of the clump, which must count once.
    roundness = _mean(np.unique(shapes.circularity[top]))
    return [
        ("outside the mask", top & np.isnan(shapes.circularity)),
        ("less round than average", top & (shapes.circularity > roundness)),
        ("less square than average", side & (shapes.overlap < _mean(shapes.overlap[side]))),
        ("smaller than average", irregular & (shapes.area < _mean(shapes.area[irregular]))),
    ]


def _code(shapes: Shapes) -> Rules:
    """Keep shapes within the fixed limits of the authors' programs.

    The programs filter components by circularity and area before the search for circles, for KLH
    including side views; of irregular particles they drop the smallest 30 %.
    """
    irregular = shapes.label == "irregular"
    smallest = _percentile(shapes.area[irregular], _CODE_PERCENTILE)
    return [
        ("outside the mask", ~irregular & np.isnan(shapes.circularity)),
        ("far from round", ~irregular & (shapes.circularity >= _CODE_CIRCULARITY)),
        ("too large", ~irregular & (shapes.area >= _CODE_AREA)),
        ("among the smallest", irregular & (shapes.area < smallest)),
    ]


def _mean(values: Floats) -> float:
    """Return the mean of the finite values; NaN, which violates no rule, without any."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else np.nan


def _percentile(values: Floats, percent: float) -> float:
    """Return a percentile as MATLAB's ``prctile``; NaN without values."""
    return float(np.percentile(values, percent, method="hazen")) if len(values) else np.nan


def odd_shapes(found: Sequence[Candidates], config: SelectionConfig) -> tuple[str, ...]:
    """Return the shapes that are too rare in a dataset to be a particle class.

    ``irregular`` are components to which no circle or rectangle fits. If most good candidates are
    circles or rectangles, irregular ones are contaminants; if most are irregular, a few circles
    are accidental. In training, either would become a class of its own.
    """
    counts = Counter(str(label) for c in found for label in c.picks.label[c.good])
    total = sum(counts.values())
    odd = {label for label, n in counts.items() if n < config.rarest_shape * total}
    if 2 * counts["irregular"] < total:
        odd.add("irregular")
    return tuple(label for label in SHAPES if label in odd)


def reject_shapes(candidates: Candidates, odd: tuple[str, ...]) -> Candidates:
    """Reject the good candidates of these shapes."""
    accident = candidates.good & np.isin(candidates.picks.label, odd)
    reason = np.where(accident, "odd shape", candidates.reason)
    return replace(candidates, good=candidates.good & ~accident, reason=reason)
