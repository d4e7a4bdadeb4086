"""Picks as labels: given by the user, or found by an earlier network."""

import numpy as np

from deepcryopicker.detection.bounds import clear_of_edges
from deepcryopicker.detection.pick_rules import false_picks
from deepcryopicker.frames import to_original, to_working
from deepcryopicker.io.coordinates.corrections import Correction, Region, in_regions
from deepcryopicker.labeler.masks.shapes import coverage, ideal_mask
from deepcryopicker.preprocessing.preprocessed import Preprocessed
from deepcryopicker.types import (
    CONTAMINANT,
    CUT_BY_EDGE,
    NO_MARGINS,
    SHAPES,
    UNCERTAIN,
    Candidates,
    Picks,
    Strings,
)

_MASK_DIAMETER = 24.0  # pixels: sufficient to locate background


def label_by_picks(preprocessed: Preprocessed, picks: Picks, uncertain: Picks) -> Candidates:
    """Convert given picks to candidates; those wholly inside the image are good.

    Parameters
    ----------
    preprocessed : Preprocessed
    picks : Picks
        Original pixels; a class other than a particle shape becomes ``irregular``, and picks
        outside the image are dropped.
    uncertain : Picks
        Positions that may or may not hold a particle, excluded from training.
    """
    sure = np.arange(len(picks) + len(uncertain)) < len(picks)
    return as_candidates(preprocessed, picks.joined(uncertain), np.where(sure, "", UNCERTAIN))


def label_by_correction(preprocessed: Preprocessed, correction: Correction) -> Candidates:
    """Convert what a person changed in picks to candidates.

    Added and kept picks are good, removed ones are contaminants; where nobody looked, picks are
    uncertain and nothing is background.

    Parameters
    ----------
    preprocessed : Preprocessed
    correction : Correction
        Original pixels.
    """
    good, vague = correction.particles, correction.uncertain
    false = false_picks(correction, preprocessed.diameter)
    reasons = [""] * len(good) + [UNCERTAIN] * len(vague) + [CONTAMINANT] * len(false)
    every = good.joined(vague).joined(false)
    return as_candidates(preprocessed, every, np.array(reasons, np.str_), correction.seen)


def as_candidates(
    preprocessed: Preprocessed,
    picks: Picks,
    reason: Strings,
    seen: tuple[Region, ...] | None = None,
) -> Candidates:
    """Convert picks to candidates; those cut by an edge of the image are not good.

    Parameters
    ----------
    preprocessed : Preprocessed
    picks : Picks
        N picks, original pixels; see :func:`label_by_picks`.
    reason : (N,) str
        Why a pick may not train the network; empty for good picks.
    seen : tuple of (left, top, right, bottom), optional
        Rectangles outside which nothing is background, original pixels; by default everything is
        known.
    """
    flat = preprocessed.flat
    height, width = preprocessed.micrograph.image.shape
    inside = clear_of_edges(picks.x, picks.y, (height, width), NO_MARGINS, 0.0)
    picks, reason = picks[inside], reason[inside]
    x, y = (to_working(position, flat.scale) for position in (picks.x, picks.y))
    whole = clear_of_edges(
        x, y, flat.image.shape, flat.margins, preprocessed.working_diameter / 2.0
    )
    label = np.where(np.isin(picks.label, SHAPES), picks.label, "irregular")
    diameter = min(_MASK_DIAMETER, preprocessed.working_diameter)
    scale = diameter / preprocessed.diameter
    x, y = (to_working(position, scale) for position in (picks.x, picks.y))
    shape = round(height * scale), round(width * scale)
    mask = ideal_mask(x, y, label, np.zeros(len(x)), diameter, shape)
    reason = np.where((reason == "") & ~whole, CUT_BY_EDGE, reason)
    covered = coverage(mask, diameter)
    if seen is not None:
        places = np.indices(shape)[::-1].reshape(2, -1).T  # x, y
        known = in_regions(to_original(places.astype(np.float64), scale), seen)
        covered = np.where(known.reshape(shape), covered, np.float32(1.0))
    return Candidates(
        picks=Picks.create(picks.x, picks.y, picks.score, label, preprocessed.diameter),
        good=reason == "",
        reason=reason,
        coverage=covered,
        clusters=np.where(mask, 0, 1).astype(np.uint8),
        mask=mask,
        scale=scale,
    )
