"""The picker of the project: dense scan, score map, cleaning, suppression."""

import numpy as np

from deepcryopicker.detection.bounds import clear_of_margins
from deepcryopicker.detection.peaks import find_peaks
from deepcryopicker.frames import picks_to_original
from deepcryopicker.model.weights import Trained
from deepcryopicker.picker.cleaning import oversized
from deepcryopicker.picker.scan import scan
from deepcryopicker.picker.schema import DenseConfig
from deepcryopicker.preprocessing.restore import gaussian
from deepcryopicker.types import SHAPES, Micrograph, Picks, ScoreMap, particle_classes


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
    picks = picks[
        clear_of_margins(
            picks.x, picks.y, micrograph.image.shape, micrograph.margins, working_diameter / 2.0
        )
    ]
    return picks_to_original(picks, micrograph.scale)


def find_particles(scores: ScoreMap, diameter: float, config: DenseConfig) -> Picks:
    """Turn class probabilities into picks; working pixels throughout.

    The score of a position is the probability that it is any particle; its class is the most
    probable one there.
    """
    particle = particle_classes(scores.classes)
    spacing = diameter / scores.stride  # map pixels per diameter
    shapes = np.stack(
        [gaussian(scores.probability[i], config.smoothing * spacing) for i in particle]
    )
    total = np.clip(shapes.sum(axis=0), 0.0, 1.0)
    # Suppression comes first: on the plateau of a saturated area every pixel is a maximum.
    x, y, score = find_peaks(total, config.distance * spacing, config.floor)
    row, column = (np.rint(position).astype(int) for position in (y, x))
    largest = config.largest_area * np.pi * spacing**2 / 4.0
    small = ~oversized(total, row, column, config.threshold, largest)
    x, y, score, row, column = (values[small] for values in (x, y, score, row, column))
    names = [scores.classes[i] for i in particle]
    words = np.array([name if name in SHAPES else "irregular" for name in names])
    label = words[shapes[:, row, column].argmax(axis=0)]
    return Picks.create(
        x * scores.stride + scores.offset,
        y * scores.stride + scores.offset,
        score,
        label,
        diameter,
    )
