"""From a map of class probabilities to picks: clean, find maxima, suppress duplicates."""

from dataclasses import dataclass, replace

import numpy as np

from deepcryopicker.detection.bounds import clear_of_margins
from deepcryopicker.detection.peaks import local_maxima, refine
from deepcryopicker.detection.suppression import suppress_by_distance, suppress_by_overlap
from deepcryopicker.frames import picks_to_original
from deepcryopicker.picker.calibration import calibrated
from deepcryopicker.picker.cleaning import clean, drop_large
from deepcryopicker.picker.schema import MapConfig
from deepcryopicker.preprocessing.operators.restore import gaussian
from deepcryopicker.types import (
    SHAPES,
    Image,
    Micrograph,
    Picks,
    ScoreMap,
    Strings,
    particle_classes,
)


@dataclass(frozen=True)
class Surface:
    """A score map whose maxima are candidate particles.

    Attributes
    ----------
    score : (h, w) float32
        Probability of any of the classes, smoothed and calibrated.
    cleaned : (h, w) float32
        `score`, lowered where an area is too large for a particle; 0 where it is dropped.
    shapes : (P, h, w) float32
        Smoothed probability of each class.
    names : (P,) str
        Labels of the picks of these classes.
    """

    score: Image
    cleaned: Image
    shapes: Image
    names: Strings


def locate(
    scores: ScoreMap, micrograph: Micrograph, working_diameter: float, config: MapConfig
) -> Picks:
    """Find the particles in the score map of a micrograph.

    Picks within half a diameter of an invalid border are dropped, because the border would cut
    their box. Of the others, the best `config.max_picks` are kept.

    Parameters
    ----------
    scores : ScoreMap
    micrograph : Micrograph
        At the scale of the scan.
    working_diameter : float
        Particle diameter, working pixels.
    config : MapConfig

    Returns
    -------
    Picks
        Every candidate, original pixels, best first.
    """
    picks = find_particles(scores, working_diameter, config)
    whole = clear_of_margins(
        picks.x, picks.y, micrograph.image.shape, micrograph.margins, working_diameter / 2.0
    )
    # Picks are sorted; the limit applies after picks at an invalid border have been dropped.
    best = picks[np.flatnonzero(whole)[: config.max_picks]]
    return picks_to_original(best, micrograph.scale)


def find_particles(scores: ScoreMap, diameter: float, config: MapConfig) -> Picks:
    """Turn class probabilities into picks.

    Parameters
    ----------
    scores : ScoreMap
    diameter : float
        Particle diameter, working pixels.
    config : MapConfig

    Returns
    -------
    Picks
        Working pixels, best first.
    """
    spacing = diameter / scores.stride
    picks = Picks.empty()
    for surface in make_surfaces(scores, diameter, config):
        found = _find_maxima(surface, spacing, config)
        picks = picks.joined(_suppress(found, spacing, config))
    picks = _suppress(picks, spacing, config)  # across classes: one position is one particle
    return replace(
        picks,
        x=picks.x * scores.stride + scores.offset,
        y=picks.y * scores.stride + scores.offset,
        diameter=np.full(len(picks), diameter),
    )


def make_surfaces(scores: ScoreMap, diameter: float, config: MapConfig) -> list[Surface]:
    """Smooth, calibrate and clean the probabilities of particles.

    Parameters
    ----------
    scores : ScoreMap
    diameter : float
        Particle diameter, working pixels.
    config : MapConfig

    Returns
    -------
    list of Surface
        One for each class (``maps=per_class``), or one for the probability of any particle.
    """
    spacing = diameter / scores.stride  # map pixels per diameter
    particle = particle_classes(scores.classes)
    names = np.array(
        [name if name in SHAPES else "irregular" for name in (scores.classes[i] for i in particle)]
    )
    sigma = config.smoothing * spacing
    shapes = np.stack([gaussian(scores.probability[i], sigma) for i in particle])
    if config.maps == "joint":
        groups = [slice(None)]
    else:
        groups = [slice(i, i + 1) for i in range(len(particle))]
    surfaces = []
    for group in groups:
        total = np.clip(shapes[group].sum(axis=0), 0.0, 1.0)
        total = calibrated(total, scores.calibration)
        cleaned = total
        if config.max_area is not None:
            disc = np.pi * spacing**2 / 4.0
            how = drop_large if config.cleaning == "drop" else clean
            cleaned = how(total, config.threshold, max(1.0, config.max_area * disc))
        surfaces.append(Surface(total, cleaned, shapes[group], names[group]))
    return surfaces


def _find_maxima(surface: Surface, spacing: float, config: MapConfig) -> Picks:
    """Find the maxima of a surface, map pixels; each pick gets its most probable class.

    A cleaned map has steps, so that maxima are found before cleaning and scored after it.
    """
    # A maximum closer than this to a higher one would be suppressed anyway.
    radius = 0.5 * config.distance * spacing if config.suppression == "distance" else 1.0
    row, column = local_maxima(surface.score, radius, config.floor)
    dropped = (surface.cleaned[row, column] == 0.0) & (surface.score[row, column] > 0.0)
    row, column = row[~dropped], column[~dropped]
    x, y = refine(surface.score, row, column)
    label = surface.names[surface.shapes[:, row, column].argmax(axis=0)]
    return Picks.create(x, y, surface.cleaned[row, column], label)


def _suppress(picks: Picks, spacing: float, config: MapConfig) -> Picks:
    """Keep the best-scored of the picks of one particle; map pixels, best first."""
    if config.suppression == "distance":
        return picks[suppress_by_distance(picks.x, picks.y, picks.score, config.distance * spacing)]
    if config.suppression == "iou":
        return picks[suppress_by_overlap(picks.x, picks.y, picks.score, spacing, config.iou)]
    return picks[np.argsort(-picks.score, kind="stable")]
