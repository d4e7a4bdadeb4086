"""The picker of the project: dense scan, score map, cleaning, suppression."""

import numpy as np

from deepcryopicker.class_set.schema import BACKGROUND, NEGATIVE
from deepcryopicker.frames import picks_to_original
from deepcryopicker.model.weights import Trained
from deepcryopicker.picker.peaks import local_maxima, oversized, refine
from deepcryopicker.picker.scan import scan
from deepcryopicker.picker.schema import DenseConfig
from deepcryopicker.picker.suppression import suppress_by_distance
from deepcryopicker.preprocessing.restore import gaussian
from deepcryopicker.types import Margins, Mask, Micrograph, Picks, ScoreMap


def pick(
    micrograph: Micrograph, trained: Trained, working_diameter: float, config: DenseConfig
) -> Picks:
    """Pick one preprocessed micrograph.

    Parameters
    ----------
    micrograph : Micrograph
        Working scale, at the stage that the network was trained on.
    trained : Trained
    working_diameter : float
        Particle diameter, working pixels.
    config : DenseConfig

    Returns
    -------
    Picks
        Every candidate, original pixels, best first.
    """
    scores = scan(trained.network, micrograph.image, trained.classes, config.tile)
    picks = find_particles(scores, working_diameter, config)
    picks = picks[inside_margins(picks, micrograph.image.shape, micrograph.margins)]
    return picks_to_original(picks, micrograph.scale)


def find_particles(scores: ScoreMap, diameter: float, config: DenseConfig) -> Picks:
    """Turn class probabilities into picks; working pixels throughout.

    The score of a position is the probability that it is any particle; its class is the most
    probable one there.
    """
    particle = [i for i, name in enumerate(scores.classes) if name not in (BACKGROUND, NEGATIVE)]
    spacing = diameter / scores.stride  # map pixels per diameter
    shapes = np.stack(
        [gaussian(scores.probability[i], config.smoothing * spacing) for i in particle]
    )
    total = np.clip(shapes.sum(axis=0), 0.0, 1.0)
    row, column = local_maxima(total, 0.5 * config.distance * spacing, config.floor)
    # Suppression comes first: on the plateau of a saturated area every pixel is a maximum.
    x, y = refine(total, row, column)
    kept = suppress_by_distance(x, y, total[row, column], config.distance * spacing)
    row, column, x, y = row[kept], column[kept], x[kept], y[kept]
    largest = config.largest_area * np.pi * spacing**2 / 4.0
    small = ~oversized(total, row, column, config.threshold, largest)
    row, column, x, y = row[small], column[small], x[small], y[small]
    label = np.array([scores.classes[i] for i in particle])[shapes[:, row, column].argmax(axis=0)]
    return Picks.create(
        x * scores.stride + scores.offset,
        y * scores.stride + scores.offset,
        total[row, column],
        label,
        diameter,
    )


def inside_margins(picks: Picks, shape: tuple[int, ...], margins: Margins) -> Mask:
    """Return whether each pick's centre lies in the valid part of the image, (N,) bool."""
    return (
        (picks.x >= margins.left)
        & (picks.x <= shape[1] - 1 - margins.right)
        & (picks.y >= margins.top)
        & (picks.y <= shape[0] - 1 - margins.bottom)
    )
