"""From the class probabilities over a micrograph to picks: clean, find maxima, suppress."""

from dataclasses import dataclass, replace

import numpy as np

from deepcryopicker.detection.bounds import clear_of_margins
from deepcryopicker.detection.peaks import local_maxima, refine
from deepcryopicker.detection.suppression import suppress_by_distance, suppress_by_overlap
from deepcryopicker.frames import picks_to_original
from deepcryopicker.picker.calibration import calibrated
from deepcryopicker.picker.cleaning import clean
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
    """A map whose maxima are particles.

    Attributes
    ----------
    score : (h, w) float32
        Probability of any of the classes, smoothed and calibrated.
    cleaned : (h, w) float32
        The same with areas lowered that are too large for particles.
    shapes : (P, h, w) float32
        Smoothed probability of each class.
    names : (P,) str
        What picks of these classes are called.
    """

    score: Image
    cleaned: Image
    shapes: Image
    names: Strings


def locate(
    scores: ScoreMap, micrograph: Micrograph, working_diameter: float, config: MapConfig
) -> Picks:
    """Find the particles of the micrograph that was scanned.

    Nothing is picked within half a diameter of an invalid border: it would be cut by it. Of what
    is left, `config.most` are kept.

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
    # Picks are sorted, and the limit holds for what is written: those cut by a border do not count.
    best = picks[np.flatnonzero(whole)[: config.most]]
    return picks_to_original(best, micrograph.scale)


def find_particles(scores: ScoreMap, diameter: float, config: MapConfig) -> Picks:
    """Turn class probabilities into picks; working pixels throughout, best first."""
    spacing = diameter / scores.stride
    picks = Picks.empty()
    for surface in make_surfaces(scores, diameter, config):
        found = _find_maxima(surface, spacing, config)
        picks = picks.joined(_suppress(found, spacing, config))
    picks = _suppress(picks, spacing, config)  # a place has one particle, of whatever class
    return replace(
        picks,
        x=picks.x * scores.stride + scores.offset,
        y=picks.y * scores.stride + scores.offset,
        diameter=np.full(len(picks), diameter),
    )


def make_surfaces(scores: ScoreMap, diameter: float, config: MapConfig) -> list[Surface]:
    """Smooth the probabilities of particles, and clean them.

    There is one surface for each class, or a single one with the probability of any particle.
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
        if config.largest_area is not None:
            disc = np.pi * spacing**2 / 4.0
            cleaned = clean(total, config.threshold, max(1.0, config.largest_area * disc))
        surfaces.append(Surface(total, cleaned, shapes[group], names[group]))
    return surfaces


def _find_maxima(surface: Surface, spacing: float, config: MapConfig) -> Picks:
    """Find the maxima of a surface, map pixels; a pick has the most probable class there.

    Cleaning has steps, so that maxima are found without it and then scored with it.
    """
    # Anything nearer to a higher score than half the distance is suppressed anyway.
    reach = 0.5 * config.distance * spacing if config.suppression == "distance" else 1.0
    row, column = local_maxima(surface.score, reach, config.floor)
    x, y = refine(surface.score, row, column)
    label = surface.names[surface.shapes[:, row, column].argmax(axis=0)]
    return Picks.create(x, y, surface.cleaned[row, column], label)


def _suppress(picks: Picks, spacing: float, config: MapConfig) -> Picks:
    """Keep the best-scored of picks that stand for one particle; map pixels, best first."""
    if config.suppression == "distance":
        return picks[suppress_by_distance(picks.x, picks.y, picks.score, config.distance * spacing)]
    if config.suppression == "iou":
        return picks[suppress_by_overlap(picks.x, picks.y, picks.score, spacing, config.iou)]
    return picks[np.argsort(-picks.score, kind="stable")]
