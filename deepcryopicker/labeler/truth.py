"""The user's own picks as labels."""

import numpy as np

from deepcryopicker.detection.bounds import clear_of_edges
from deepcryopicker.frames import to_working
from deepcryopicker.labeler.shapes import coverage, ideal_mask
from deepcryopicker.preprocessing.views import Views
from deepcryopicker.types import NO_MARGINS, SHAPES, Candidates, Picks

_MASK_DIAMETER = 24.0  # pixels: enough to tell where there is no particle


def label_by_picks(views: Views, picks: Picks) -> Candidates:
    """Take given picks for candidates; good are those that lie in the image as a whole.

    Parameters
    ----------
    views : Views
    picks : Picks
        Original pixels; a class that is no particle shape becomes ``irregular``, and what lies
        outside the image is left out.
    """
    flat = views.flat
    height, width = views.micrograph.image.shape
    picks = picks[clear_of_edges(picks.x, picks.y, (height, width), NO_MARGINS, 0.0)]
    x, y = (to_working(position, flat.scale) for position in (picks.x, picks.y))
    good = clear_of_edges(x, y, flat.image.shape, flat.margins, views.working_diameter / 2.0)
    label = np.where(np.isin(picks.label, SHAPES), picks.label, "irregular")
    diameter = min(_MASK_DIAMETER, views.working_diameter)
    scale = diameter / views.diameter
    x, y = (to_working(position, scale) for position in (picks.x, picks.y))
    shape = round(height * scale), round(width * scale)
    mask = ideal_mask(x, y, label, np.zeros(len(x)), diameter, shape)
    return Candidates(
        picks=Picks.create(picks.x, picks.y, picks.score, label, views.diameter),
        good=good,
        reason=np.where(good, "", "cut by the edge"),
        coverage=coverage(mask, diameter),
        clusters=np.where(mask, 0, 1).astype(np.uint8),
        mask=mask,
        scale=scale,
    )
